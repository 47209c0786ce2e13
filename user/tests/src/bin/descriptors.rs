//! Descriptors: duplicates, their flags, ppoll.
#![no_std]
#![no_main]

use rt::process;
use rt::sys::raw::{
    __NR_close_range, __NR_dup, __NR_dup3, __NR_ppoll, F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, F_SETFD,
    F_SETFL, FD_CLOEXEC, O_APPEND, O_CLOEXEC, O_CREAT, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR, POLLERR,
    POLLHUP, POLLIN, POLLNVAL, POLLOUT, SEEK_CUR,
};
use tests::files::{create, fcntl, lseek, pipe, unlink, write};
use tests::{Outcome, call, close, equal, fails, good, open, read};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    duplicates()?;
    flags()?;
    polls()?;
    one_position()?;
    fails!(call(__NR_ppoll, [0, 1 << 20, 0, 0, 8]), EINVAL);
    Ok(())
}

fn duplicates() -> Outcome {
    let fd = good!(open(c"/etc/motd", O_RDONLY));
    let copy = good!(call(__NR_dup, [fd]));
    let mut byte = [0];
    equal!(read(copy, &mut byte), Ok(1));
    equal!(lseek(fd, 0, SEEK_CUR), Ok(1));
    equal!(fcntl(fd, F_DUPFD, 100), Ok(100));
    equal!(fcntl(fd, F_DUPFD, 100), Ok(101));
    equal!(fcntl(fd, F_DUPFD_CLOEXEC, 90), Ok(90));
    equal!(fcntl(90, F_GETFD, 0), Ok(FD_CLOEXEC as usize));
    equal!(fcntl(100, F_GETFD, 0), Ok(0));
    fails!(fcntl(fd, F_DUPFD, 1 << 20), EINVAL);
    equal!(call(__NR_dup3, [fd, 95, O_CLOEXEC as usize]), Ok(95));
    equal!(fcntl(95, F_GETFD, 0), Ok(FD_CLOEXEC as usize));
    fails!(call(__NR_dup3, [fd, fd, 0]), EINVAL);
    fails!(call(__NR_dup3, [fd, 1 << 20, 0]), EBADF);
    fails!(call(__NR_dup3, [77, 78, 0]), EBADF);
    good!(call(__NR_close_range, [90, 200, 0]));
    fails!(fcntl(95, F_GETFD, 0), EBADF);
    fails!(fcntl(101, F_GETFD, 0), EBADF);
    good!(close(copy));
    good!(close(fd));
    fails!(close(fd), EBADF);
    Ok(())
}

fn flags() -> Outcome {
    const LARGEFILE: usize = 0o40_0000;
    let fd = good!(create(c"/tmp/descriptors", O_CREAT | O_RDWR, 0o600));
    equal!(good!(fcntl(fd, F_GETFL, 0)) & !LARGEFILE, O_RDWR as usize);
    good!(fcntl(fd, F_SETFL, (O_APPEND | O_NONBLOCK | O_CREAT) as usize));
    equal!(good!(fcntl(fd, F_GETFL, 0)) & !LARGEFILE, (O_RDWR | O_APPEND | O_NONBLOCK) as usize);
    good!(fcntl(fd, F_SETFD, 1));
    equal!(fcntl(fd, F_GETFD, 0), Ok(1));
    fails!(fcntl(fd, 9999, 0), EINVAL);
    good!(close(fd));
    good!(unlink(c"/tmp/descriptors"));
    let path = good!(open(c"/etc/motd", O_PATH));
    fails!(fcntl(path, F_SETFL, 0), EBADF);
    good!(fcntl(path, F_GETFL, 0));
    good!(close(path));
    Ok(())
}

#[repr(C)]
struct Pollfd {
    fd: i32,
    events: u16,
    revents: u16,
}

fn poll(list: &mut [Pollfd], milliseconds: Option<u64>) -> rt::sys::Result {
    let timeout = milliseconds.map(|ms| [ms / 1000, ms % 1000 * 1_000_000]);
    let timeout = timeout.as_ref().map_or(0, |timeout| timeout.as_ptr() as usize);
    call(__NR_ppoll, [list.as_mut_ptr() as usize, list.len(), timeout, 0, 8])
}

fn polls() -> Outcome {
    let (input, output) = (POLLIN as u16, POLLOUT as u16);
    let (reader, writer) = good!(pipe(0));
    let entry = |fd: usize, events| Pollfd { fd: fd as i32, events, revents: 0xffff };
    let mut list = [entry(reader, input), entry(writer, output), entry(usize::MAX, input)];
    equal!(poll(&mut list, Some(0)), Ok(1));
    equal!((list[0].revents, list[1].revents, list[2].revents), (0, output, 0));
    equal!(poll(&mut list[..1], Some(0)), Ok(0));
    let before = rt::time::monotonic_ns();
    equal!(poll(&mut list[..1], Some(30)), Ok(0));
    tests::check!(rt::time::monotonic_ns() - before >= 30_000_000);
    let child = good!(process::spawn(|| {
        rt::time::sleep_ns(20_000_000);
        i32::from(write(writer, b"x") != Ok(1))
    }));
    equal!(poll(&mut list[..1], None), Ok(1));
    equal!(list[0].revents, input);
    equal!(process::wait_for(child), Ok(process::Ended::Exited(0)));
    good!(close(writer));
    equal!(poll(&mut list[..1], None), Ok(1));
    equal!(list[0].revents, input | POLLHUP as u16);
    let mut closed = [entry(writer, input)];
    equal!(poll(&mut closed, None), Ok(1));
    equal!(closed[0].revents, POLLNVAL as u16);
    good!(close(reader));
    let (reader, writer) = good!(pipe(0));
    good!(close(reader));
    let mut broken = [entry(writer, output)];
    equal!(poll(&mut broken, None), Ok(1));
    equal!(broken[0].revents, output | POLLERR as u16);
    good!(close(writer));
    let file = good!(open(c"/etc/motd", O_RDONLY));
    let mut ready = [entry(file, input | output)];
    equal!(poll(&mut ready, None), Ok(1));
    equal!(ready[0].revents, input | output);
    good!(close(file));
    Ok(())
}

/// Processes that share a position never read the same bytes.
fn one_position() -> Outcome {
    const RECORDS: usize = 500;
    let fd = good!(create(c"/tmp/descriptors", O_CREAT | O_RDWR, 0o600));
    for n in 0..RECORDS {
        equal!(write(fd, &(n as u64).to_le_bytes()), Ok(8));
    }
    equal!(lseek(fd, 0, 0), Ok(0));
    let (reader, writer) = good!(pipe(0));
    let reads_all = || {
        let mut record = [0; 8];
        while read(fd, &mut record) == Ok(8) {
            if write(writer, &record) != Ok(8) {
                return 1;
            }
            let _ = call(rt::sys::raw::__NR_sched_yield, []);
        }
        0
    };
    let children = [good!(process::spawn(reads_all)), good!(process::spawn(reads_all))];
    good!(close(writer));
    let mut seen = [false; RECORDS];
    let mut record = [0; 8];
    while good!(read(reader, &mut record)) == 8 {
        let n = u64::from_le_bytes(record) as usize;
        tests::check!(!core::mem::replace(&mut seen[n], true), "record {n} was read twice");
    }
    tests::check!(seen.iter().all(|seen| *seen));
    for child in children {
        equal!(process::wait_for(child), Ok(process::Ended::Exited(0)));
    }
    good!(close(reader));
    good!(close(fd));
    good!(unlink(c"/tmp/descriptors"));
    Ok(())
}
