//! futex: waiting at a word, waking, moving waiters, time limits, signals; words that processes share.
#![no_std]
#![no_main]

use rt::process::{self, Ended, Pid};
use rt::sys::raw::{__NR_ftruncate, __NR_futex, __NR_memfd_create, MAP_SHARED};
use rt::sys::signal::{SaFlags, Signal};
use tests::raw::poke64;
use tests::{
    Errno, Outcome, READ, READ_WRITE, anonymous, call, check, equal, fails, good, in_child, mmap, munmap,
    signal,
};

tests::program!(run);

const WAIT: usize = 0;
const WAKE: usize = 1;
const REQUEUE: usize = 3;
const CMP_REQUEUE: usize = 4;
const WAKE_OP: usize = 5;
const WAIT_BITSET: usize = 9;
const WAKE_BITSET: usize = 10;
const PRIVATE: usize = 128;
const REALTIME: usize = 256;
const MANY: usize = i32::MAX as usize;
const ALL: usize = u32::MAX as usize;

fn futex(at: usize, op: usize, value: usize, fourth: usize, at2: usize, value3: usize) -> rt::sys::Result {
    call(__NR_futex, [at, op, value, fourth, at2, value3])
}

fn wait(at: usize, value: usize) -> rt::sys::Result {
    futex(at, WAIT, value, 0, 0, 0)
}

fn wake(at: usize, most: usize) -> rt::sys::Result {
    futex(at, WAKE, most, 0, 0, 0)
}

/// A child that waits at `at` and says how it went.
fn waiter(at: usize, bitset: usize) -> Result<Pid, Errno> {
    process::spawn(|| match futex(at, WAIT_BITSET, 0, 0, 0, bitset) {
        Ok(_) => 0,
        Err(errno) => errno.raw().into(),
    })
}

/// Wakes until `count` waiters have been found, in all.
fn wake_in_all(at: usize, count: usize) -> Outcome {
    let mut woken = 0;
    for _ in 0..1000 {
        woken += good!(wake(at, MANY));
        if woken >= count {
            break;
        }
        rt::time::sleep_ns(1_000_000);
    }
    equal!(woken, count);
    Ok(())
}

fn shared() -> rt::sys::Result {
    let fd = call(__NR_memfd_create, [c"futex".as_ptr() as usize, 0])?;
    call(__NR_ftruncate, [fd, 8192])?;
    mmap(0, 8192, READ_WRITE, MAP_SHARED as usize, fd, 0)
}

fn run(_: rt::Args) -> Outcome {
    let at = good!(shared());
    errors(at)?;
    time_limits(at)?;
    waiters(at)?;
    requeue(at)?;
    wake_op(at)?;
    two_places()?;
    in_child!(|| interrupted(at));
    Ok(())
}

fn errors(at: usize) -> Outcome {
    let page = rt::page_size();
    let fixed = good!(mmap(0, page, READ, tests::ANONYMOUS, usize::MAX, 0));
    let hole = good!(anonymous(page));
    good!(munmap(hole, page));
    for private in [0, PRIVATE] {
        fails!(futex(at + 1, WAIT | private, 0, 0, 0, 0), EINVAL);
        fails!(futex(at + 2, WAKE | private, 1, 0, 0, 0), EINVAL);
        fails!(futex(hole, WAIT | private, 0, 0, 0, 0), EFAULT);
        fails!(futex(0xffff_8000_8000_0000, WAKE | private, 1, 0, 0, 0), EFAULT);
        fails!(futex(at, WAIT | private, 1, 0, 0, 0), EAGAIN);
        fails!(futex(at, WAIT_BITSET | private, 0, 0, 0, 0), EINVAL);
        fails!(futex(at, WAKE_BITSET | private, 1, 0, 0, 0), EINVAL);
        fails!(futex(at, CMP_REQUEUE | private, 1, 1, at + 4, 9), EAGAIN);
        fails!(futex(at, REQUEUE | private, ALL, 1, at + 4, 0), EINVAL);
        fails!(futex(at, REQUEUE | private, 1, ALL, at + 4, 0), EINVAL);
        equal!(futex(at, WAKE | private, 1, 0, 0, 0), Ok(0));
    }
    // Private memory that cannot be written never changes.
    fails!(futex(fixed, WAIT, 1, 0, 0, 0), EFAULT);
    fails!(futex(fixed, WAIT | PRIVATE, 1, 0, 0, 0), EAGAIN);
    // A wake-up of a private word needs no memory there, one of a shared word does.
    equal!(futex(hole, WAKE | PRIVATE, 1, 0, 0, 0), Ok(0));
    fails!(futex(hole, WAKE, 1, 0, 0, 0), EFAULT);
    fails!(futex(at, 99, 0, 0, 0, 0), ENOSYS);
    fails!(futex(at, WAIT | REALTIME, 0, 0, 0, 0), ENOSYS);
    fails!(futex(at, WAKE | REALTIME, 0, 0, 0, 0), ENOSYS);
    fails!(futex(at, WAIT, 0, 8, 0, 0), EFAULT);
    for bad in [[-1i64, 0], [0, -1], [0, 1_000_000_000]] {
        fails!(futex(at, WAIT, 0, bad.as_ptr() as usize, 0, 0), EINVAL);
    }
    Ok(())
}

fn time_limits(at: usize) -> Outcome {
    let start = rt::time::monotonic_ns();
    let relative = [0u64, 20_000_000];
    fails!(futex(at, WAIT, 0, relative.as_ptr() as usize, 0, 0), ETIMEDOUT);
    check!(rt::time::monotonic_ns() - start >= 20_000_000);
    let end = rt::time::monotonic_ns() + 20_000_000;
    let absolute = [end / 1_000_000_000, end % 1_000_000_000];
    fails!(futex(at, WAIT_BITSET | PRIVATE, 0, absolute.as_ptr() as usize, 0, ALL), ETIMEDOUT);
    check!(rt::time::monotonic_ns() >= end);
    // A time that has passed.
    fails!(futex(at, WAIT_BITSET | REALTIME, 0, [1u64, 0].as_ptr() as usize, 0, ALL), ETIMEDOUT);
    Ok(())
}

fn waiters(at: usize) -> Outcome {
    let pids = [good!(waiter(at, ALL)), good!(waiter(at, ALL)), good!(waiter(at, ALL))];
    wake_in_all(at, 3)?;
    for pid in pids {
        equal!(process::wait_for(pid), Ok(Ended::Exited(0)));
    }
    // One at a time, and only who is meant.
    let first = good!(waiter(at, 1));
    let second = good!(waiter(at, 2));
    let mut woken = 0;
    while woken == 0 {
        equal!(futex(at, WAKE_BITSET, MANY, 0, 0, 4), Ok(0));
        woken = good!(futex(at, WAKE_BITSET, MANY, 0, 0, 2));
        rt::time::sleep_ns(1_000_000);
    }
    equal!(process::wait_for(second), Ok(Ended::Exited(0)));
    wake_in_all(at, 1)?;
    equal!(process::wait_for(first), Ok(Ended::Exited(0)));
    // A word that changes between the look and the sleep wakes nobody, and nobody sleeps.
    let pid = good!(process::spawn(|| {
        poke64(at, 7);
        i32::from(wake(at, 1).is_err())
    }));
    equal!(process::wait_for(pid), Ok(Ended::Exited(0)));
    fails!(wait(at, 0), EAGAIN);
    poke64(at, 0);
    Ok(())
}

fn requeue(at: usize) -> Outcome {
    let other = at + 64;
    let pids = [good!(waiter(at, ALL)), good!(waiter(at, ALL)), good!(waiter(at, ALL))];
    rt::time::sleep_ns(50_000_000);
    equal!(futex(at, CMP_REQUEUE, 1, 1, other, 0), Ok(2));
    equal!(wake(other, MANY), Ok(1));
    equal!(futex(at, REQUEUE, 0, MANY, other, 0), Ok(1));
    equal!(wake(at, MANY), Ok(0));
    equal!(wake(other, MANY), Ok(1));
    for pid in pids {
        equal!(process::wait_for(pid), Ok(Ended::Exited(0)));
    }
    Ok(())
}

fn wake_op(at: usize) -> Outcome {
    let other = at + 64;
    const ADD_AND_EQUAL_5: usize = 1 << 28 | 3 << 12 | 5;
    poke64(other, 5);
    equal!(futex(at, WAKE_OP, 1, 1, other, ADD_AND_EQUAL_5), Ok(0));
    equal!(tests::raw::peek(other), 8);
    let pid = good!(waiter(at, ALL));
    rt::time::sleep_ns(50_000_000);
    // The comparison fails, so only the first word's waiter is woken.
    equal!(futex(at, WAKE_OP, 1, 1, other, ADD_AND_EQUAL_5), Ok(1));
    equal!(tests::raw::peek(other), 11);
    equal!(process::wait_for(pid), Ok(Ended::Exited(0)));
    fails!(futex(at, WAKE_OP, 1, 1, other, 7 << 28), ENOSYS);
    let fixed = good!(mmap(0, rt::page_size(), READ, tests::ANONYMOUS, usize::MAX, 0));
    fails!(futex(at, WAKE_OP, 1, 1, fixed, ADD_AND_EQUAL_5), EFAULT);
    poke64(other, 0);
    Ok(())
}

/// One word, mapped at two addresses: its place in the file counts.
fn two_places() -> Outcome {
    let page = rt::page_size();
    let fd = good!(call(__NR_memfd_create, [c"futex".as_ptr() as usize, 0]));
    good!(call(__NR_ftruncate, [fd, 2 * page]));
    let map = |offset| mmap(0, page, READ_WRITE, MAP_SHARED as usize, fd, offset);
    let (here, there, next) = (good!(map(page)), good!(map(page)), good!(map(0)));
    let pid = good!(waiter(here + 8, ALL));
    rt::time::sleep_ns(50_000_000);
    equal!(wake(next + 8, MANY), Ok(0));
    // Private words are known by their address alone.
    equal!(futex(here + 8, WAKE | PRIVATE, MANY, 0, 0, 0), Ok(0));
    equal!(wake(there + 8, MANY), Ok(1));
    equal!(process::wait_for(pid), Ok(Ended::Exited(0)));
    Ok(())
}

fn interrupted(at: usize) -> Outcome {
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    let sender = good!(signal::sender(Signal::SIGUSR1, 20_000_000, 1));
    fails!(wait(at, 0), EINTR);
    good!(process::wait_for(sender));
    // A call with a time limit is not made again, whatever the handler says.
    good!(signal::handle(Signal::SIGUSR1, SaFlags::RESTART));
    let sender = good!(signal::sender(Signal::SIGUSR1, 20_000_000, 1));
    let long = [5u64, 0];
    fails!(futex(at, WAIT, 0, long.as_ptr() as usize, 0, 0), EINTR);
    good!(process::wait_for(sender));
    equal!(signal::count(), 2);
    Ok(())
}
