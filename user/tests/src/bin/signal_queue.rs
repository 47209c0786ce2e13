//! Signals that wait: masks, the order of delivery, real-time queues, waiting without handlers, sending with a value.
#![no_std]
#![no_main]

use rt::process::{Ended, getpid};
use rt::sys::raw::{
    __NR_prlimit64, __NR_rt_sigpending, __NR_rt_sigprocmask, __NR_rt_sigqueueinfo, __NR_rt_sigsuspend,
    __NR_rt_sigtimedwait, __NR_rt_tgsigqueueinfo, RLIMIT_SIGPENDING,
};
use rt::sys::signal::{SigInfo, SigSet, Signal};
use tests::signal::{How, SaFlags, code, count, mask, noted, pending, raise, sender};
use tests::{Errno, Outcome, call, check, child, equal, fails, good, in_child, signal};

tests::program!(run);

const RT: [u64; 2] = [40, 50];

fn run(_: rt::Args) -> Outcome {
    in_child!(masks);
    in_child!(queue);
    in_child!(limit);
    in_child!(suspend);
    in_child!(timed);
    in_child!(values);
    Ok(())
}

fn masks() -> Outcome {
    let usr1 = SigSet::of(&[Signal::SIGUSR1]);
    equal!(good!(mask(How::Block, SigSet(u64::MAX))), SigSet::EMPTY);
    equal!(good!(mask(How::Set, usr1)), SigSet(u64::MAX).without(SigSet::KERNEL_ONLY));
    equal!(good!(mask(How::Unblock, SigSet::of(&[Signal::SIGHUP]))), usr1);
    let set = (&raw const usr1).addr();
    fails!(call(__NR_rt_sigprocmask, [3, set, 0, 8]), EINVAL);
    fails!(call(__NR_rt_sigprocmask, [usize::MAX, set, 0, 8]), EINVAL);
    good!(call(__NR_rt_sigprocmask, [77, 0, set, 8]));
    fails!(call(__NR_rt_sigprocmask, [0, set, 0, 16]), EINVAL);
    fails!(call(__NR_rt_sigprocmask, [0, 8, 0, 8]), EFAULT);
    fails!(call(__NR_rt_sigprocmask, [0, 0, 8, 8]), EFAULT);
    fails!(call(__NR_rt_sigpending, [8, 8]), EFAULT);
    fails!(call(__NR_rt_sigpending, [set, 9]), EINVAL);

    // What is blocked comes when it no longer is; an old signal once, however often it was sent.
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    for _ in 0..3 {
        good!(raise(Signal::SIGUSR1));
    }
    equal!((count(), good!(pending())), (0, usr1));
    good!(mask(How::Unblock, usr1));
    equal!((count(), good!(pending())), (1, SigSet::EMPTY));
    Ok(())
}

/// The same, from somebody else.
fn with_code(mut info: SigInfo, code: i32) -> SigInfo {
    info.code = code;
    info
}

/// Queues `signal` to this process with a value.
fn queue_value(signal: Signal, value: u64) -> rt::sys::Result {
    let info = with_code(SigInfo::timer(signal, getpid() as u32, 0, value), code::SI_QUEUE);
    call(__NR_rt_sigqueueinfo, [getpid() as usize, signal.number() as usize, (&raw const info).addr()])
}

/// `rt_sigtimedwait`, which gives the signal and its value.
fn take(set: SigSet, timeout_ns: Option<u64>) -> Result<(usize, u64), Errno> {
    let mut info = [0u64; 16];
    let timeout = timeout_ns.map(|ns| [ns / 1_000_000_000, ns % 1_000_000_000]);
    let timeout = timeout.as_ref().map_or(0, |timeout| timeout.as_ptr().addr());
    let args = [(&raw const set).addr(), info.as_mut_ptr().addr(), timeout, 8];
    Ok((call(__NR_rt_sigtimedwait, args)?, info[3]))
}

fn queue() -> Outcome {
    let [low, high] = RT.map(|number| Signal::new(number).unwrap());
    let both = SigSet::of(&[low, high]);
    good!(mask(How::Block, both.with(Signal::SIGUSR2)));
    for (signal, value) in [(high, 1), (low, 2), (high, 3), (low, 4), (Signal::SIGUSR2, 5)] {
        good!(queue_value(signal, value));
    }
    // The lowest number first, and those of one number in the order in which they were sent.
    let all = both.with(Signal::SIGUSR2);
    let order = [(12, 5), (40, 2), (40, 4), (50, 1), (50, 3)];
    for wanted in order {
        equal!(take(all, Some(0)), Ok(wanted));
    }
    fails!(take(all, Some(0)), EAGAIN);
    equal!(good!(pending()), SigSet::EMPTY);
    Ok(())
}

fn limit() -> Outcome {
    let low = Signal::new(RT[0]).unwrap();
    good!(mask(How::Block, SigSet::of(&[low, Signal::SIGUSR1])));
    let few = [3u64, 3];
    good!(call(__NR_prlimit64, [0, RLIMIT_SIGPENDING as usize, few.as_ptr().addr(), 0]));
    for value in 0..3 {
        good!(queue_value(low, value));
    }
    fails!(queue_value(low, 3), EAGAIN);
    // The old signals and kill are never refused.
    good!(raise(Signal::SIGUSR1));
    good!(raise(low));
    for value in 0..3 {
        equal!(take(SigSet::of(&[low]), Some(0)), Ok((40, value)));
    }
    Ok(())
}

fn suspend() -> Outcome {
    let usr1 = SigSet::of(&[Signal::SIGUSR1]);
    good!(signal::handle(Signal::SIGUSR1, SaFlags::RESTART));
    good!(mask(How::Block, usr1));
    good!(raise(Signal::SIGUSR1));
    let none = SigSet::EMPTY;
    let args = [(&raw const none).addr(), 8];
    fails!(call(__NR_rt_sigsuspend, args), EINTR);
    equal!(count(), 1);
    // The handler's frame has the mask of before the call, and it is that again.
    equal!((noted().mask, good!(mask(How::Block, none))), (usr1, usr1));
    // From somebody else, later.
    let child = good!(sender(Signal::SIGUSR1, 20_000_000, 1));
    fails!(call(__NR_rt_sigsuspend, args), EINTR);
    equal!(count(), 2);
    equal!(rt::process::wait_for(child), Ok(Ended::Exited(0)));
    fails!(call(__NR_rt_sigsuspend, [args[0], 4]), EINVAL);
    fails!(call(__NR_rt_sigsuspend, [8, 8]), EFAULT);
    Ok(())
}

fn timed() -> Outcome {
    let usr1 = SigSet::of(&[Signal::SIGUSR1]);
    let chld = SigSet::of(&[Signal::SIGCHLD]);
    good!(mask(How::Block, usr1.union(chld)));
    let start = rt::time::monotonic_ns();
    fails!(take(usr1, Some(30_000_000)), EAGAIN);
    check!(rt::time::monotonic_ns() - start >= 30_000_000);
    // One that comes while we wait; SIGCHLD, too, though it is ignored by default.
    let child = good!(sender(Signal::SIGUSR1, 20_000_000, 1));
    equal!(take(usr1, Some(5_000_000_000)).map(|(signal, _)| signal), Ok(10));
    equal!(take(chld, None).map(|(signal, _)| signal), Ok(17));
    equal!(rt::process::wait_for(child), Ok(Ended::Exited(0)));
    // Another signal's handler ends the wait.
    good!(signal::handle(Signal::SIGUSR2, SaFlags::RESTART));
    let child = good!(sender(Signal::SIGUSR2, 20_000_000, 1));
    fails!(take(usr1, None), EINTR);
    equal!((count(), good!(mask(How::Block, SigSet::EMPTY))), (1, usr1.union(chld)));
    equal!(rt::process::wait_for(child), Ok(Ended::Exited(0)));
    let bad = [0u64, 1_000_000_000];
    fails!(call(__NR_rt_sigtimedwait, [(&raw const usr1).addr(), 0, bad.as_ptr().addr(), 8]), EINVAL);
    fails!(call(__NR_rt_sigtimedwait, [8, 0, 0, 8]), EFAULT);
    Ok(())
}

fn values() -> Outcome {
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    good!(queue_value(Signal::SIGUSR1, 0x1234_5678_9abc_def0));
    let got = noted();
    equal!((got.code, got.pid, got.value), (code::SI_QUEUE, getpid() as u32, 0x1234_5678_9abc_def0));

    // Nobody can claim to be the kernel, or kill, to another process.
    let parent = getpid() as usize;
    let ended = child::run(|| {
        let refused = |code: i32| {
            let info = with_code(SigInfo::kernel(Signal::SIGUSR1), code);
            call(__NR_rt_sigqueueinfo, [parent, 10, (&raw const info).addr()]) == Err(Errno::EPERM)
        };
        i32::from(!(refused(code::SI_KERNEL) && refused(code::SI_USER) && refused(code::SI_TKILL)))
    });
    equal!((ended, count()), (Ok(Ended::Exited(0)), 1));
    let info = with_code(SigInfo::kernel(Signal::SIGUSR1), code::SI_QUEUE);
    let at = (&raw const info).addr();
    good!(call(__NR_rt_tgsigqueueinfo, [parent, parent, 10, at]));
    equal!(count(), 2);
    good!(call(__NR_rt_sigqueueinfo, [parent, 0, at]));
    fails!(call(__NR_rt_sigqueueinfo, [parent, 65, at]), EINVAL);
    fails!(call(__NR_rt_sigqueueinfo, [parent, 10, 8]), EFAULT);
    fails!(call(__NR_rt_sigqueueinfo, [30_000, 10, at]), ESRCH);
    fails!(call(__NR_rt_tgsigqueueinfo, [0, parent, 10, at]), EINVAL);
    fails!(call(__NR_rt_tgsigqueueinfo, [30_000, parent, 10, at]), ESRCH);
    Ok(())
}
