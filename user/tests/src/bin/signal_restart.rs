//! Calls that a signal finds waiting: which are made again after a handler, which say EINTR, and which go on when there is
//! no handler.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use rt::process::{self, Ended, Wait, getpid, kill};
use rt::sys::raw::{
    __NR_clock_nanosleep, __NR_nanosleep, __NR_openat, __NR_pipe2, __NR_ppoll, __NR_wait4, __NR_write,
};
use rt::sys::signal::{SigSet, Signal};
use tests::signal::{How, SaFlags, count, mask, noted, sender};
use tests::{Errno, Outcome, call, check, close, equal, fails, good, in_child, read, signal};

tests::program!(run);

const MS: u64 = 1_000_000;
const USR1: SigSet = SigSet::of(&[Signal::SIGUSR1]);

fn run(_: rt::Args) -> Outcome {
    in_child!(pipes);
    in_child!(children);
    in_child!(sleeps);
    in_child!(polls);
    in_child!(named_pipes);
    in_child!(broken_pipes);
    Ok(())
}

fn pipe() -> Result<(usize, usize), Errno> {
    let mut ends = MaybeUninit::<[i32; 2]>::uninit();
    call(__NR_pipe2, [ends.as_mut_ptr().addr(), 0])?;
    let word = tests::raw::peek64(ends.as_ptr().addr());
    Ok((word as u32 as usize, (word >> 32) as usize))
}

/// Sends this process SIGUSR1 while it waits, and then writes a byte to `to`, so that a restarted call ends.
fn disturb(to: usize) -> Result<process::Pid, Errno> {
    let parent = getpid();
    process::spawn(|| {
        rt::time::sleep_ns(20 * MS);
        let sent = kill(parent, 10).is_ok();
        rt::time::sleep_ns(20 * MS);
        i32::from(!(sent && call(__NR_write, [to, c"x".as_ptr().addr(), 1]).is_ok()))
    })
}

fn pipes() -> Outcome {
    let (reader, writer) = good!(pipe());
    let mut byte = [0];
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    let child = good!(disturb(writer));
    fails!(read(reader, &mut byte), EINTR);
    equal!(read(reader, &mut byte), Ok(1));
    equal!(process::wait_for(child), Ok(Ended::Exited(0)));
    good!(signal::handle(Signal::SIGUSR1, SaFlags::RESTART));
    let child = good!(disturb(writer));
    equal!((read(reader, &mut byte), count()), (Ok(1), 2));
    equal!(process::wait_for(child), Ok(Ended::Exited(0)));

    // A writer: what was written before the signal counts.
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    let block = [0u8; 300_000];
    let child = good!(sender(Signal::SIGUSR1, 20 * MS, 1));
    equal!(call(__NR_write, [writer, block.as_ptr().addr(), block.len()]), Ok(16 * tests::kernel_page()));
    equal!(process::wait_for(child), Ok(Ended::Exited(0)));
    let child = good!(sender(Signal::SIGUSR1, 20 * MS, 1));
    fails!(call(__NR_write, [writer, block.as_ptr().addr(), block.len()]), EINTR);
    equal!((process::wait_for(child), count()), (Ok(Ended::Exited(0)), 4));
    Ok(())
}

fn children() -> Outcome {
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    let sleeper = good!(process::spawn(|| {
        rt::time::sleep_ns(200 * MS);
        7
    }));
    let child = good!(sender(Signal::SIGUSR1, 20 * MS, 1));
    fails!(call(__NR_wait4, [sleeper as usize, 0, 0, 0]), EINTR);
    equal!(process::wait_for(child), Ok(Ended::Exited(0)));
    good!(signal::handle(Signal::SIGUSR1, SaFlags::RESTART));
    let child = good!(sender(Signal::SIGUSR1, 20 * MS, 1));
    equal!(process::wait_for(sleeper), Ok(Ended::Exited(7)));
    equal!(count(), 2);
    equal!(process::wait(child, Wait::Blocking), Ok(Some((child, Ended::Exited(0)))));
    // SIGCHLD itself, ignored by default, interrupts nothing.
    let sleeper = good!(process::spawn(|| {
        rt::time::sleep_ns(60 * MS);
        7
    }));
    good!(process::spawn(|| 0));
    equal!(process::wait_for(sleeper), Ok(Ended::Exited(7)));
    Ok(())
}

fn sleeps() -> Outcome {
    // nanosleep is never restarted after a handler, and says what is left.
    good!(signal::handle(Signal::SIGUSR1, SaFlags::RESTART));
    let child = good!(sender(Signal::SIGUSR1, 20 * MS, 1));
    let (request, mut rest) = ([10u64, 0], [0u64; 2]);
    let (at, to) = (request.as_ptr().addr(), rest.as_mut_ptr().addr());
    fails!(call(__NR_nanosleep, [at, to]), EINTR);
    let rest = [tests::raw::peek64(to), tests::raw::peek64(to + 8)];
    check!(rest[0] == 9 && rest[1] > 0, "10 s less something are {rest:?}");
    equal!(process::wait_for(child), Ok(Ended::Exited(0)));

    // Without a handler it goes on to its end, however often it is stopped meanwhile.
    let start = rt::time::monotonic_ns();
    let me = getpid();
    let child = good!(process::spawn(|| {
        rt::time::sleep_ns(20 * MS);
        let stopped = kill(me, 19).is_ok();
        rt::time::sleep_ns(20 * MS);
        i32::from(!(stopped && kill(me, 18).is_ok()))
    }));
    let short = [0u64, 100 * MS];
    equal!(call(__NR_nanosleep, [short.as_ptr().addr(), 0]), Ok(0));
    check!(rt::time::monotonic_ns() - start >= 100 * MS);
    equal!(process::wait_for(child), Ok(Ended::Exited(0)));

    // To a time of day: the rest is not stored.
    const ABSTIME: usize = 1;
    const MONOTONIC: usize = 1;
    let child = good!(sender(Signal::SIGUSR1, 20 * MS, 1));
    let end = rt::time::monotonic_ns() / 1_000_000_000 + 10;
    let end = [end, 0];
    let untouched = [77u64; 2];
    let to = untouched.as_ptr().addr();
    fails!(call(__NR_clock_nanosleep, [MONOTONIC, ABSTIME, end.as_ptr().addr(), to]), EINTR);
    equal!(tests::raw::peek64(to), 77);
    equal!((process::wait_for(child), count()), (Ok(Ended::Exited(0)), 2));
    Ok(())
}

fn polls() -> Outcome {
    good!(signal::handle(Signal::SIGUSR1, SaFlags::RESTART));
    let child = good!(sender(Signal::SIGUSR1, 20 * MS, 1));
    fails!(call(__NR_ppoll, [0, 0, 0, 0, 0]), EINTR);
    equal!(process::wait_for(child), Ok(Ended::Exited(0)));
    // Blocked but for the call: a signal that waits ends it at once.
    good!(mask(How::Block, USR1));
    good!(signal::raise(Signal::SIGUSR1));
    equal!(count(), 1);
    let none = SigSet::EMPTY;
    let set = (&raw const none).addr();
    fails!(call(__NR_ppoll, [0, 0, 0, set, 8]), EINTR);
    equal!((count(), noted().mask), (2, USR1));
    equal!(good!(mask(How::Block, none)), USR1);
    // Nothing pending: the mask comes back after a time, too.
    let short = [0u64, 10 * MS];
    equal!(call(__NR_ppoll, [0, 0, short.as_ptr().addr(), set, 8]), Ok(0));
    equal!(good!(mask(How::Block, none)), USR1);
    fails!(call(__NR_ppoll, [0, 0, 0, set, 4]), EINVAL);
    fails!(call(__NR_ppoll, [0, 0, 0, 8, 8]), EFAULT);
    Ok(())
}

fn named_pipes() -> Outcome {
    const MKNOD_FIFO: usize = 0o010_600;
    let here = rt::sys::raw::AT_FDCWD as usize;
    let name = c"/tmp/signal_restart.fifo".as_ptr().addr();
    good!(call(rt::sys::raw::__NR_mknodat, [here, name, MKNOD_FIFO, 0]));
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    let child = good!(sender(Signal::SIGUSR1, 20 * MS, 1));
    let opened = call(__NR_openat, [here, name, 0, 0]);
    good!(call(rt::sys::raw::__NR_unlinkat, [here, name, 0]));
    fails!(opened, EINTR);
    equal!(process::wait_for(child), Ok(Ended::Exited(0)));
    Ok(())
}

fn broken_pipes() -> Outcome {
    let (reader, writer) = good!(pipe());
    good!(close(reader));
    good!(signal::handle(Signal::SIGPIPE, SaFlags::empty()));
    let text = c"x".as_ptr().addr();
    fails!(call(__NR_write, [writer, text, 1]), EPIPE);
    equal!((count(), noted().signal), (1, 13));
    good!(signal::ignore(Signal::SIGPIPE));
    fails!(call(__NR_write, [writer, text, 1]), EPIPE);
    good!(signal::default(Signal::SIGPIPE));
    equal!(
        tests::child::run(|| i32::from(call(__NR_write, [writer, text, 1]).is_ok())),
        Ok(Ended::Killed(13))
    );
    Ok(())
}
