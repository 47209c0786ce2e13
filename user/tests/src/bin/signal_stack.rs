//! Where handlers run: the alternate stack and its rules, stacks that grow for a frame or cannot take one, and frames that
//! a program has changed.
#![no_std]
#![no_main]

use rt::process::{self, Ended, Wait, getpid, kill};
use rt::sys::raw::{__NR_rt_sigreturn, __NR_sigaltstack};
use rt::sys::signal::{FrameHead, SigStack, Signal};
use tests::signal::{SaFlags, altstack, count, noted, raise};
use tests::{Outcome, anonymous, call, check, child, equal, fails, good, in_child, raw, signal};

tests::program!(run);

const SS_ONSTACK: u32 = 1;
const SS_DISABLE: u32 = 2;
const SS_AUTODISARM: u32 = 1 << 31;
const SIZE: usize = 0x1_0000;

fn run(_: rt::Args) -> Outcome {
    in_child!(rules);
    in_child!(alternate);
    in_child!(disarmed);
    in_child!(growing);
    in_child!(frames);
    in_child!(vectors);
    Ok(())
}

fn stack(at: usize, flags: u32, size: usize) -> SigStack {
    SigStack { sp: at as u64, flags, pad: 0, size: size as u64 }
}

fn rules() -> Outcome {
    equal!(good!(altstack(None)), stack(0, SS_DISABLE, 0));
    let at = good!(anonymous(SIZE));
    fails!(altstack(Some(&stack(at, 0, 5119))), ENOMEM);
    fails!(altstack(Some(&stack(at, 4, SIZE))), EINVAL);
    fails!(altstack(Some(&stack(at, SS_ONSTACK | SS_DISABLE, SIZE))), EINVAL);
    fails!(call(__NR_sigaltstack, [8, 0]), EFAULT);
    fails!(call(__NR_sigaltstack, [0, 8]), EFAULT);
    good!(altstack(Some(&stack(at, 0, SIZE))));
    equal!(good!(altstack(None)), stack(at, 0, SIZE));
    // A child has it, and nothing changes it here.
    equal!(child::run(|| i32::from(altstack(None) == Ok(stack(at, 0, SIZE)))), Ok(Ended::Exited(1)));
    good!(altstack(Some(&stack(at, SS_ONSTACK, SIZE))));
    equal!(good!(altstack(None)), stack(at, 0, SIZE));
    good!(altstack(Some(&stack(at, SS_DISABLE, SIZE))));
    equal!(good!(altstack(None)), stack(0, SS_DISABLE, 0));
    Ok(())
}

/// In a handler: what `sigaltstack` says there, as the program's exit status if it is wrong.
fn look(_: &mut FrameHead) {
    let Ok(now) = altstack(None) else { process::exit(20) };
    if now.flags != SS_ONSTACK {
        process::exit(21);
    }
    // It can't be taken away while it is used.
    if altstack(Some(&stack(0, SS_DISABLE, 0))) != Err(tests::Errno::EPERM) {
        process::exit(22);
    }
    // A second handler goes on where the first one is.
    signal::only_note();
    let here = raw::stack_pointer();
    if raise(Signal::SIGUSR2).is_err() || noted().sp >= here {
        process::exit(23);
    }
}

fn alternate() -> Outcome {
    let at = good!(anonymous(SIZE));
    good!(altstack(Some(&stack(at, 0, SIZE))));
    let inside = |sp: usize| sp > at && sp < at + SIZE;
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    good!(signal::handle(Signal::SIGUSR2, SaFlags::ONSTACK));
    good!(raise(Signal::SIGUSR1));
    check!(!inside(noted().sp), "a handler that did not ask is on the alternate stack");
    good!(raise(Signal::SIGUSR2));
    check!(inside(noted().sp), "a handler that asked is not on the alternate stack");
    good!(signal::handle(Signal::SIGUSR1, SaFlags::ONSTACK));
    signal::during(look);
    good!(raise(Signal::SIGUSR1));
    equal!(count(), 4);
    equal!(good!(altstack(None)).flags, 0);
    Ok(())
}

fn disarmed() -> Outcome {
    let at = good!(anonymous(SIZE));
    good!(altstack(Some(&stack(at, SS_AUTODISARM, SIZE))));
    good!(signal::handle(Signal::SIGUSR1, SaFlags::ONSTACK));
    signal::during(|_| {
        if altstack(None) != Ok(stack(0, SS_DISABLE, 0)) {
            process::exit(20);
        }
    });
    good!(raise(Signal::SIGUSR1));
    check!(noted().sp > at && noted().sp < at + SIZE);
    equal!(good!(altstack(None)), stack(at, SS_AUTODISARM, SIZE));
    Ok(())
}

/// Uses stack down to `depth` bytes, then takes a signal there.
#[inline(never)]
fn deep(depth: usize) -> Result<(), tests::Errno> {
    let room = [0u8; 2000];
    if depth > room.len() {
        return deep(depth - core::hint::black_box(&room).len());
    }
    core::hint::black_box(&room);
    raise(Signal::SIGUSR1)
}

fn growing() -> Outcome {
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    // The frame lies in pages that nobody has touched.
    for depth in [100_000, 300_000, 1_000_000, 4_000_000] {
        good!(deep(depth));
    }
    equal!(count(), 4);

    // A stack that overflows is told on the alternate one; without it the program ends.
    let at = good!(anonymous(SIZE));
    good!(signal::handle(Signal::SIGSEGV, SaFlags::ONSTACK));
    let overflow = || {
        let _ = deep(64 << 20);
        1
    };
    equal!(child::run(overflow), Ok(Ended::Killed(11)));
    good!(altstack(Some(&stack(at, 0, SIZE))));
    signal::during(|_| process::exit(if noted().signal == 11 { 42 } else { 43 }));
    equal!(child::run(overflow), Ok(Ended::Exited(42)));
    Ok(())
}

/// How a child ends whose handler does this to its frame.
fn ends(change: fn(&mut FrameHead)) -> Result<Ended, tests::Errno> {
    child::run(|| {
        signal::during(change);
        i32::from(raise(Signal::SIGUSR1).is_err())
    })
}

fn frames() -> Outcome {
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    equal!(ends(|_| ()), Ok(Ended::Exited(0)));
    // Flags of the program's own are its to choose; more rights are not.
    equal!(ends(|head| head.pstate ^= 0xf000_0000), Ok(Ended::Exited(0)));
    for change in [
        |head: &mut FrameHead| head.pstate |= 5,
        |head: &mut FrameHead| head.pstate |= 4,
        |head: &mut FrameHead| head.pstate |= 0x10,
        |head: &mut FrameHead| head.pstate |= 1 << 7,
        |head: &mut FrameHead| head.pstate |= 1 << 6,
    ] {
        equal!(ends(change), Ok(Ended::Killed(11)));
    }
    equal!(ends(|head| head.pc = 0xffff_0000_0000_0000), Ok(Ended::Killed(11)));
    // The records behind the registers: without the one of the vectors the frame is none.
    equal!(ends(|head| raw::poke(records_of(head), 0)), Ok(Ended::Killed(11)));
    equal!(ends(|head| raw::poke(records_of(head) + 4, 1)), Ok(Ended::Killed(11)));
    equal!(ends(|head| raw::poke(records_of(head) + 528, 7)), Ok(Ended::Killed(11)));
    // A return from no handler at all, with a stack pointer of nonsense.
    equal!(child::run(|| i32::from(call(__NR_rt_sigreturn, []).is_err())), Ok(Ended::Killed(11)));
    // A handler that is not there.
    let nowhere = rt::sys::signal::SigAction { handler: 0x10, ..Default::default() };
    equal!(
        child::run(|| {
            let _ = signal::action(Signal::SIGUSR1, &nowhere);
            let _ = kill(getpid(), 10);
            1
        }),
        Ok(Ended::Killed(11))
    );
    Ok(())
}

fn records_of(head: &mut FrameHead) -> usize {
    core::ptr::from_mut(head).addr() + rt::sys::signal::RECORDS_OFFSET
}

fn vectors() -> Outcome {
    // A handler that uses all vector registers, and leaves other control bits, while a child sends signals.
    good!(signal::handle(Signal::SIGUSR1, SaFlags::empty()));
    signal::during(|_| {
        let mut to = [0; 32];
        raw::vectors_through_a_loop(&[u128::MAX; 32], 10, &mut to);
        raw::set_float_control(3 << 22, 0x1f);
    });
    let from: [u128; 32] = core::array::from_fn(|n| 0x0123_4567_89ab_cdef << n);
    raw::set_float_control(1 << 22, 1);
    let sender = good!(signal::sender(Signal::SIGUSR1, 2_000_000, 20));
    // Some of the signals may be merged, but not all into none.
    while process::wait(sender, Wait::Poll) == Ok(None) {
        let mut to = [0; 32];
        raw::vectors_through_a_loop(&from, 200_000, &mut to);
        check!(to == from, "vector registers changed");
    }
    equal!(raw::float_control(), (1 << 22, 1));
    raw::set_float_control(0, 0);
    check!(count() > 0);
    Ok(())
}
