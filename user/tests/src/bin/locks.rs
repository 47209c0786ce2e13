//! Advisory locks: whole files by flock, ranges by fcntl, of processes and of open files.
#![no_std]
#![no_main]

use rt::process;
use rt::sys::raw::{
    __NR_flock, F_GETLK, F_OFD_GETLK, F_OFD_SETLK, F_SETLK, F_SETLKW, LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN,
    O_CREAT, O_RDONLY, O_RDWR, O_WRONLY,
};
use rt::sys::{Errno, Result};
use tests::files::{create, fcntl, pipe, unlink, write};
use tests::{Outcome, call, close, equal, fails, good, in_child, open, read};

tests::program!(run);

const PATH: &core::ffi::CStr = c"/tmp/locks-test";
const READ: i16 = 0;
const WRITE: i16 = 1;
const UNLOCK: i16 = 2;

/// `struct flock`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Lock {
    kind: i16,
    whence: i16,
    start: i64,
    len: i64,
    pid: i32,
}

fn lock(kind: i16, start: i64, len: i64) -> Lock {
    Lock { kind, whence: 0, start, len, pid: 0 }
}

fn range(fd: usize, command: u32, lock: &mut Lock) -> Result {
    fcntl(fd, command, core::ptr::from_mut(lock) as usize)
}

fn set(fd: usize, command: u32, kind: i16, start: i64, len: i64) -> Result {
    range(fd, command, &mut lock(kind, start, len))
}

fn flock(fd: usize, operation: u32) -> Result {
    call(__NR_flock, [fd, operation as usize])
}

fn run(_: rt::Args) -> Outcome {
    let _ = unlink(PATH);
    let fd = good!(create(PATH, O_CREAT | O_RDWR, 0o600));
    whole(fd)?;
    ranges(fd)?;
    cut_and_joined(fd)?;
    gone_with_a_descriptor(fd)?;
    of_open_files(fd)?;
    waiting(fd)?;
    deadlock(fd)?;
    refused(fd)?;
    good!(close(fd));
    good!(unlink(PATH));
    Ok(())
}

fn whole(fd: usize) -> Outcome {
    let other = good!(open(PATH, O_RDONLY));
    equal!(flock(fd, LOCK_SH), Ok(0));
    equal!(flock(other, LOCK_SH | LOCK_NB), Ok(0));
    fails!(flock(other, LOCK_EX | LOCK_NB), EAGAIN);
    // The try has cost the shared lock.
    equal!(flock(fd, LOCK_EX | LOCK_NB), Ok(0));
    fails!(flock(other, LOCK_SH | LOCK_NB), EAGAIN);
    in_child!(|| {
        // The child has the same open file, so the same lock.
        equal!(flock(fd, LOCK_EX | LOCK_NB), Ok(0));
        fails!(flock(other, LOCK_SH | LOCK_NB), EAGAIN);
        Ok(())
    });
    equal!(flock(fd, LOCK_UN), Ok(0));
    equal!(flock(other, LOCK_EX | LOCK_NB), Ok(0));
    good!(close(other));
    equal!(flock(fd, LOCK_EX | LOCK_NB), Ok(0));
    equal!(flock(fd, LOCK_UN), Ok(0));
    fails!(flock(99, LOCK_SH), EBADF);
    fails!(flock(fd, 3), EINVAL);
    fails!(flock(fd, 0), EINVAL);
    Ok(())
}

fn ranges(fd: usize) -> Outcome {
    equal!(set(fd, F_SETLK, WRITE, 10, 10), Ok(0));
    // A process is never in its own way.
    equal!(set(fd, F_SETLK, READ, 10, 10), Ok(0));
    equal!(set(fd, F_SETLK, WRITE, 10, 10), Ok(0));
    let me = process::getpid();
    in_child!(|| {
        let mut found = lock(READ, 0, 0);
        good!(range(fd, F_GETLK, &mut found));
        equal!(found, Lock { kind: WRITE, whence: 0, start: 10, len: 10, pid: me });
        let mut free = lock(WRITE, 20, 5);
        good!(range(fd, F_GETLK, &mut free));
        equal!(free, lock(UNLOCK, 20, 5));
        fails!(set(fd, F_SETLK, READ, 19, 1), EAGAIN);
        equal!(set(fd, F_SETLK, READ, 20, 1), Ok(0));
        equal!(set(fd, F_SETLK, WRITE, 0, 10), Ok(0));
        Ok(())
    });
    equal!(set(fd, F_SETLK, WRITE, 0, 0), Ok(0));
    in_child!(|| {
        let mut found = lock(READ, 1 << 40, 1);
        good!(range(fd, F_GETLK, &mut found));
        equal!((found.start, found.len), (0, 0));
        Ok(())
    });
    equal!(set(fd, F_SETLK, UNLOCK, 0, 0), Ok(0));
    Ok(())
}

fn cut_and_joined(fd: usize) -> Outcome {
    equal!(set(fd, F_SETLK, WRITE, 0, 30), Ok(0));
    equal!(set(fd, F_SETLK, UNLOCK, 10, 10), Ok(0));
    equal!(set(fd, F_SETLK, READ, 20, 5), Ok(0));
    in_child!(|| {
        let mut found = lock(WRITE, 5, 100);
        good!(range(fd, F_GETLK, &mut found));
        equal!((found.start, found.len), (0, 10));
        equal!(set(fd, F_SETLK, WRITE, 10, 10), Ok(0));
        equal!(set(fd, F_SETLK, READ, 20, 5), Ok(0));
        fails!(set(fd, F_SETLK, READ, 25, 1), EAGAIN);
        Ok(())
    });
    // A negative length means the bytes before.
    equal!(set(fd, F_SETLK, WRITE, 20, -10), Ok(0));
    in_child!(|| {
        let mut found = lock(WRITE, 0, 0);
        good!(range(fd, F_GETLK, &mut found));
        equal!((found.kind, found.start, found.len), (WRITE, 0, 20));
        Ok(())
    });
    equal!(set(fd, F_SETLK, UNLOCK, 0, 0), Ok(0));
    Ok(())
}

fn gone_with_a_descriptor(fd: usize) -> Outcome {
    equal!(set(fd, F_SETLK, WRITE, 0, 10), Ok(0));
    let other = good!(open(PATH, O_RDWR));
    good!(close(other));
    in_child!(|| {
        equal!(set(fd, F_SETLK, WRITE, 0, 10), Ok(0));
        Ok(())
    });
    // The child's went with it.
    equal!(set(fd, F_SETLK, WRITE, 0, 10), Ok(0));
    equal!(set(fd, F_SETLK, UNLOCK, 0, 10), Ok(0));
    Ok(())
}

fn of_open_files(fd: usize) -> Outcome {
    let other = good!(open(PATH, O_RDWR));
    equal!(set(fd, F_OFD_SETLK, WRITE, 0, 10), Ok(0));
    fails!(set(other, F_OFD_SETLK, READ, 5, 1), EAGAIN);
    fails!(set(other, F_SETLK, READ, 5, 1), EAGAIN);
    let mut found = lock(READ, 0, 1);
    good!(range(other, F_OFD_GETLK, &mut found));
    equal!(found, Lock { kind: WRITE, whence: 0, start: 0, len: 10, pid: -1 });
    fails!(range(fd, F_OFD_SETLK, &mut Lock { pid: 1, ..lock(READ, 0, 1) }), EINVAL);
    // Closing another descriptor of the file changes nothing.
    good!(close(good!(open(PATH, O_RDWR))));
    fails!(set(other, F_OFD_SETLK, READ, 5, 1), EAGAIN);
    equal!(set(fd, F_OFD_SETLK, UNLOCK, 0, 0), Ok(0));
    equal!(set(other, F_OFD_SETLK, READ, 5, 1), Ok(0));
    good!(close(other));
    Ok(())
}

fn waiting(fd: usize) -> Outcome {
    let (reader, writer) = good!(pipe(0));
    equal!(set(fd, F_SETLK, WRITE, 0, 1), Ok(0));
    let child = good!(process::spawn(|| {
        let got = set(fd, F_SETLKW, WRITE, 0, 1);
        let said = write(writer, b"x");
        i32::from(got != Ok(0) || said != Ok(1))
    }));
    // It can only get the lock when this process lets go of it.
    equal!(set(fd, F_SETLK, UNLOCK, 0, 1), Ok(0));
    let mut byte = [0];
    equal!(read(reader, &mut byte), Ok(1));
    equal!(good!(process::wait_for(child)).status(), 0);
    good!(close(reader));
    good!(close(writer));
    Ok(())
}

fn deadlock(fd: usize) -> Outcome {
    let (reader, writer) = good!(pipe(0));
    equal!(set(fd, F_SETLK, WRITE, 0, 1), Ok(0));
    let child = good!(process::spawn(|| {
        let mine = set(fd, F_SETLK, WRITE, 1, 1);
        let said = write(writer, b"x");
        // Waits until the parent has been told, and has let go.
        let got = set(fd, F_SETLKW, WRITE, 0, 1);
        i32::from(mine != Ok(0) || said != Ok(1) || got != Ok(0))
    }));
    let mut byte = [0];
    equal!(read(reader, &mut byte), Ok(1));
    // Whoever comes second is told; if that is the child, this waits for its end.
    let second = set(fd, F_SETLKW, WRITE, 1, 1);
    equal!(set(fd, F_SETLK, UNLOCK, 0, 0), Ok(0));
    let ended = good!(process::wait_for(child)).status();
    tests::check!(second == Err(Errno::EDEADLK) && ended == 0 || second == Ok(0) && ended == 1);
    good!(close(reader));
    good!(close(writer));
    Ok(())
}

fn refused(fd: usize) -> Outcome {
    let read_only = good!(open(PATH, O_RDONLY));
    let write_only = good!(open(PATH, O_WRONLY));
    fails!(set(read_only, F_SETLK, WRITE, 0, 1), EBADF);
    fails!(set(write_only, F_SETLK, READ, 0, 1), EBADF);
    fails!(set(fd, F_SETLK, 3, 0, 1), EINVAL);
    fails!(set(fd, F_SETLK, READ, -1, 1), EINVAL);
    fails!(set(fd, F_SETLK, READ, 5, -6), EINVAL);
    fails!(set(fd, F_SETLK, READ, i64::MAX, 2), EOVERFLOW);
    fails!(range(fd, F_SETLK, &mut Lock { whence: 9, ..lock(READ, 0, 1) }), EINVAL);
    fails!(set(fd, F_GETLK, UNLOCK, 0, 1), EINVAL);
    fails!(fcntl(fd, F_SETLK, 8), EFAULT);
    fails!(fcntl(99, F_SETLK, 8), EBADF);
    good!(close(read_only));
    good!(close(write_only));
    Ok(())
}
