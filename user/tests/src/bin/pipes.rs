//! Pipes: order, blocking, atomic writes, their ends.
#![no_std]
#![no_main]

use rt::process;
use rt::sys::raw::{
    __NR_mknodat, AT_FDCWD, F_GETPIPE_SZ, F_SETPIPE_SZ, O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_WRONLY, SEEK_CUR,
};
use tests::files::{fcntl, fstat, lseek, pipe, pwrite, unlink, write};
use tests::{Outcome, call, close, equal, fails, good, open, pread, read};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    bytes()?;
    nonblocking()?;
    blocking()?;
    atomic()?;
    broken()?;
    capacity()?;
    named()?;
    fails!(call(rt::sys::raw::__NR_pipe2, [8, 0]), EFAULT);
    fails!(pipe(0x8000_0000), EINVAL);
    Ok(())
}

fn bytes() -> Outcome {
    let (reader, writer) = good!(pipe(0));
    equal!(good!(fstat(reader)).mode, 0o010_600);
    let mut buffer = [0; 16];
    equal!(write(writer, b"one"), Ok(3));
    equal!(write(writer, b"two"), Ok(3));
    equal!(read(reader, &mut buffer[..4]), Ok(4));
    equal!(buffer[..4], *b"onet");
    equal!(read(reader, &mut buffer), Ok(2));
    equal!(buffer[..2], *b"wo");
    fails!(read(writer, &mut buffer), EBADF);
    fails!(write(reader, b"x"), EBADF);
    fails!(lseek(reader, 0, SEEK_CUR), ESPIPE);
    fails!(pread(reader, &mut buffer, 0), ESPIPE);
    fails!(pwrite(writer, b"x", 0), ESPIPE);
    equal!(read(reader, &mut []), Ok(0));
    equal!(write(writer, b"last"), Ok(4));
    good!(close(writer));
    equal!(read(reader, &mut buffer), Ok(4));
    equal!(read(reader, &mut buffer), Ok(0));
    good!(close(reader));
    Ok(())
}

fn nonblocking() -> Outcome {
    let (reader, writer) = good!(pipe(O_NONBLOCK | O_CLOEXEC));
    let page = tests::kernel_page();
    let memory = good!(tests::anonymous(2 * page));
    let two_pages = tests::raw::bytes(memory, 2 * page);
    fails!(read(reader, &mut [0]), EAGAIN);
    for _ in 0..16 {
        equal!(write(writer, &two_pages[..page]), Ok(page));
    }
    fails!(write(writer, b"x"), EAGAIN);
    equal!(call(rt::sys::raw::__NR_read, [reader, memory, page]), Ok(page));
    // A large write takes what fits.
    equal!(write(writer, two_pages), Ok(page));
    good!(tests::munmap(memory, 2 * page));
    good!(close(reader));
    good!(close(writer));
    Ok(())
}

/// A megabyte through a pipe of 64K, there and back.
fn blocking() -> Outcome {
    const TOTAL: usize = 1 << 20;
    let (here, out) = good!(pipe(0));
    let child = good!(process::spawn(|| {
        let mut sum = 0usize;
        let mut buffer = [0; 5000];
        let _ = close(out);
        while let Ok(got @ 1..) = read(here, &mut buffer) {
            sum += buffer[..got].iter().map(|byte| usize::from(*byte)).sum::<usize>();
        }
        i32::from(sum != TOTAL * 3)
    }));
    good!(close(here));
    let mut done = 0;
    while done < TOTAL {
        let wanted = (TOTAL - done).min(100_000);
        let memory = [3; 100_000];
        equal!(write(out, &memory[..wanted]), Ok(wanted));
        done += wanted;
    }
    good!(close(out));
    equal!(process::wait_for(child), Ok(process::Ended::Exited(0)));
    Ok(())
}

/// Writes of up to PIPE_BUF bytes stay together, whoever else writes.
fn atomic() -> Outcome {
    const EACH: usize = 60;
    let (reader, writer) = good!(pipe(0));
    let mut children = [0; 3];
    for (n, child) in children.iter_mut().enumerate() {
        let text = [n as u8 + 1; 4096];
        *child = good!(process::spawn(|| {
            i32::from((0..EACH).any(|_| write(writer, &text) != Ok(text.len())))
        }));
    }
    good!(close(writer));
    let mut counts = [0; 4];
    let mut record = [0; 4096];
    let mut filled = 0;
    loop {
        let got = good!(read(reader, &mut record[filled..]));
        if got == 0 {
            break;
        }
        filled += got;
        if filled == record.len() {
            tests::check!(record.iter().all(|byte| *byte == record[0]), "two writes are mixed");
            counts[usize::from(record[0])] += 1;
            filled = 0;
        }
    }
    equal!(counts, [0, EACH, EACH, EACH]);
    for child in children {
        equal!(process::wait_for(child), Ok(process::Ended::Exited(0)));
    }
    good!(close(reader));
    Ok(())
}

fn broken() -> Outcome {
    const SIGPIPE: i32 = 13;
    let (reader, writer) = good!(pipe(0));
    good!(close(reader));
    tests::child::dies(line!(), SIGPIPE, format_args!("a write without a reader"), || {
        let _ = write(writer, b"x");
    })?;
    good!(close(writer));
    Ok(())
}

fn capacity() -> Outcome {
    let (reader, writer) = good!(pipe(O_NONBLOCK));
    let page = tests::kernel_page();
    equal!(fcntl(reader, F_GETPIPE_SZ, 0), Ok(16 * page));
    // Of pages, there is a power of two.
    equal!(fcntl(writer, F_SETPIPE_SZ, 2 * page - 100), Ok(2 * page));
    equal!(write(writer, &[1; 8192]), Ok(8192));
    if page == 4096 {
        fails!(fcntl(writer, F_SETPIPE_SZ, 4096), EBUSY);
    }
    equal!(fcntl(writer, F_SETPIPE_SZ, 24 * page), Ok(32 * page));
    let mut buffer = [0; 8192];
    equal!(read(reader, &mut buffer), Ok(8192));
    equal!(buffer, [1; 8192]);
    good!(close(reader));
    good!(close(writer));
    Ok(())
}

fn named() -> Outcome {
    const FIFO: usize = 0o010_644;
    let path = c"/tmp/pipes-fifo";
    let _ = unlink(path);
    good!(call(__NR_mknodat, [AT_FDCWD as usize, path.as_ptr() as usize, FIFO, 0]));
    fails!(open(path, O_WRONLY | O_NONBLOCK), ENXIO);
    let child = good!(process::spawn(|| {
        let Ok(writer) = open(path, O_WRONLY) else { return 1 };
        i32::from(write(writer, b"through a name") != Ok(14))
    }));
    let reader = good!(open(path, O_RDONLY));
    let mut buffer = [0; 32];
    equal!(read(reader, &mut buffer), Ok(14));
    equal!(read(reader, &mut buffer), Ok(0));
    equal!(process::wait_for(child), Ok(process::Ended::Exited(0)));
    good!(close(reader));
    good!(unlink(path));
    Ok(())
}
