//! rt_sigaction and handlers: what they are given, what they leave, the flags of an action, refusals.
#![no_std]
#![no_main]

use rt::process::{Ended, getpid};
use rt::sys::raw::{__NR_rt_sigaction, __NR_rt_sigreturn, __NR_tgkill};
use rt::sys::signal::{SigAction, SigSet, Signal};
use tests::signal::{How, SaFlags, code, count, mask, noted, raise};
use tests::{Outcome, call, check, child, equal, fails, good, in_child, signal};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    in_child!(refusals);
    in_child!(arguments);
    in_child!(flags);
    in_child!(nesting);
    in_child!(inheritance);
    Ok(())
}

fn refusals() -> Outcome {
    let action = SigAction::default();
    let at = (&raw const action).addr();
    for signal in [0, 65, 1000, usize::MAX] {
        fails!(call(__NR_rt_sigaction, [signal, at, 0, 8]), EINVAL);
        fails!(call(__NR_rt_sigaction, [signal, 0, 0, 8]), EINVAL);
    }
    for signal in [9, 19] {
        fails!(call(__NR_rt_sigaction, [signal, at, 0, 8]), EINVAL);
        good!(call(__NR_rt_sigaction, [signal, 0, at, 8]));
    }
    for size in [0, 4, 16, 128] {
        fails!(call(__NR_rt_sigaction, [10, at, 0, size]), EINVAL);
    }
    fails!(call(__NR_rt_sigaction, [10, 8, 0, 8]), EFAULT);
    fails!(call(__NR_rt_sigaction, [10, 0, 8, 8]), EFAULT);
    // What was set can be asked for, but SIGKILL and SIGSTOP are never in a mask.
    let flags = (SaFlags::RESTART | SaFlags::NODEFER | SaFlags::ONSTACK).bits();
    let set = SigAction { handler: 0x1234, flags, restorer: 0, mask: SigSet(u64::MAX) };
    good!(signal::action(Signal::SIGUSR1, &set));
    let got = good!(signal::action_of(Signal::SIGUSR1));
    equal!(got, SigAction { mask: SigSet(u64::MAX).without(SigSet::KERNEL_ONLY), ..set });
    Ok(())
}

fn arguments() -> Outcome {
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    let set = SigSet::of(&[Signal::SIGHUP, Signal::SIGTERM]);
    good!(mask(How::Set, set));
    good!(raise(Signal::SIGUSR1));
    let first = noted();
    equal!((first.count, first.signal, first.code), (1, 10, code::SI_USER));
    equal!(first.pid, getpid() as u32);
    equal!(first.mask, set);
    check!(first.sp.is_multiple_of(16));
    equal!(good!(mask(How::Block, SigSet::EMPTY)), set);

    let me = getpid() as usize;
    good!(call(__NR_tgkill, [me, me, 10]));
    equal!((noted().count, noted().code), (2, code::SI_TKILL));
    Ok(())
}

fn flags() -> Outcome {
    // Once, then the default action.
    good!(signal::handle(Signal::SIGUSR1, SaFlags::RESETHAND));
    good!(raise(Signal::SIGUSR1));
    equal!(count(), 1);
    equal!(good!(signal::action_of(Signal::SIGUSR1)).handler, SigAction::SIG_DFL);
    equal!(child::run(|| i32::from(raise(Signal::SIGUSR1).is_ok())), Ok(Ended::Killed(10)));

    // An ignored signal is not even pending.
    good!(signal::ignore(Signal::SIGUSR1));
    good!(raise(Signal::SIGUSR1));
    good!(mask(How::Block, SigSet::of(&[Signal::SIGUSR1])));
    good!(raise(Signal::SIGUSR1));
    equal!(good!(signal::pending()), SigSet::of(&[Signal::SIGUSR1]));
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    good!(signal::ignore(Signal::SIGUSR1));
    equal!(good!(signal::pending()), SigSet::EMPTY);
    equal!(count(), 1);
    Ok(())
}

/// Sends a second signal from within the first one's handler.
fn again(_: &mut rt::sys::signal::FrameHead) {
    signal::only_note();
    let _ = raise(Signal::SIGUSR2);
}

fn nesting() -> Outcome {
    // Blocked during its own handler.
    good!(signal::handle(Signal::SIGUSR2, SaFlags::empty()));
    signal::during(again);
    good!(raise(Signal::SIGUSR2));
    equal!(count(), 2);
    equal!(noted().mask, SigSet::EMPTY);

    // Not with SA_NODEFER: then the second one interrupts the first, whose mask is empty, too.
    good!(signal::handle(Signal::SIGUSR2, SaFlags::NODEFER));
    signal::during(again);
    good!(raise(Signal::SIGUSR2));
    equal!(count(), 4);

    // With a mask of its own, another handler waits.
    let both = SigSet::of(&[Signal::SIGUSR1, Signal::SIGUSR2]);
    good!(signal::handle(Signal::SIGUSR2, SaFlags::empty()));
    good!(signal::handle_with(Signal::SIGUSR1, SaFlags::empty(), both));
    signal::during(|head| {
        again(head);
        // Both are blocked now, so the second can't have been noted yet.
        if noted().signal != 10 {
            rt::process::exit(9);
        }
    });
    good!(raise(Signal::SIGUSR1));
    equal!((count(), noted().signal), (6, 12));
    equal!(good!(mask(How::Block, SigSet::EMPTY)), SigSet::EMPTY);

    // A handler's return without a handler: a frame of garbage.
    let ended = child::run(|| i32::from(call(__NR_rt_sigreturn, []).is_err()));
    equal!(ended, Ok(Ended::Killed(child::SIGSEGV)));
    Ok(())
}

fn inheritance() -> Outcome {
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    good!(mask(How::Block, SigSet::of(&[Signal::SIGUSR2])));
    good!(raise(Signal::SIGUSR2));
    // A child has handlers and mask, but not what is pending.
    let ended = child::run(|| {
        let pending = signal::pending() == Ok(SigSet::EMPTY);
        let blocked = mask(How::Block, SigSet::EMPTY) == Ok(SigSet::of(&[Signal::SIGUSR2]));
        let handled = raise(Signal::SIGUSR1).is_ok() && count() == 1;
        i32::from(!(pending && blocked && handled))
    });
    equal!(ended, Ok(Ended::Exited(0)));
    equal!(good!(signal::pending()), SigSet::of(&[Signal::SIGUSR2]));
    Ok(())
}
