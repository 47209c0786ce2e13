//! Signals that a program brings upon itself: code, address, and going on after them.
#![no_std]
#![no_main]

use rt::process::{Ended, kill};
use rt::sys::signal::{FrameHead, SigSet, Signal};
use tests::signal::{How, SaFlags, code, count, mask, noted};
use tests::{
    ANONYMOUS, FIXED, Outcome, PRIVATE, READ, anonymous, child, equal, good, in_child, mmap, munmap, raw,
    signal,
};

tests::program!(run);

const PAGE: usize = 0x1_0000;

fn run(_: rt::Args) -> Outcome {
    in_child!(memory);
    in_child!(files);
    in_child!(instructions);
    in_child!(repaired);
    in_child!(blocked);
    Ok(())
}

/// Goes on behind the instruction that caused it.
fn skip(head: &mut FrameHead) {
    head.pc += 4;
}

fn handle_all() -> Outcome {
    for signal in [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGILL, Signal::SIGTRAP] {
        good!(signal::handle(signal, SaFlags::empty()));
    }
    signal::during(skip);
    Ok(())
}

fn memory() -> Outcome {
    handle_all()?;
    let hole = good!(anonymous(2 * PAGE));
    good!(munmap(hole, 2 * PAGE));
    raw::peek(hole + 5);
    equal!((noted().signal, noted().code, noted().addr), (11, code::SEGV_MAPERR, hole as u64 + 5));
    raw::poke(hole + PAGE, 1);
    equal!((noted().count, noted().addr), (2, (hole + PAGE) as u64));

    let read_only = good!(mmap(0, PAGE, READ, ANONYMOUS, usize::MAX, 0));
    equal!(raw::peek(read_only), 0);
    raw::poke(read_only + 8, 1);
    equal!((noted().code, noted().addr), (code::SEGV_ACCERR, read_only as u64 + 8));
    let nothing = good!(mmap(0, PAGE, 0, ANONYMOUS, usize::MAX, 0));
    raw::peek(nothing);
    equal!((noted().code, noted().addr), (code::SEGV_ACCERR, nothing as u64));
    raw::peek(0);
    equal!((noted().code, noted().addr, noted().count), (code::SEGV_MAPERR, 0, 5));
    Ok(())
}

fn files() -> Outcome {
    handle_all()?;
    let file = good!(tests::open(c"/etc/motd", 0));
    let map = good!(mmap(0, 4 * PAGE, READ, PRIVATE, file, 0));
    raw::peek(map + 2 * PAGE + 3);
    equal!((noted().signal, noted().code), (7, code::BUS_ADRERR));
    equal!(noted().addr, (map + 2 * PAGE + 3) as u64);
    Ok(())
}

fn instructions() -> Outcome {
    handle_all()?;
    raw::illegal_instruction();
    equal!((noted().signal, noted().code), (4, code::ILL_ILLOPC));
    raw::breakpoint();
    equal!((noted().signal, noted().code), (5, code::TRAP_BRKPT));
    raw::privileged_register();
    equal!((noted().signal, noted().code, noted().count), (4, code::ILL_ILLOPC, 3));
    Ok(())
}

/// Where the handler of [`repaired`] maps something.
const REPAIRED: usize = 0x40_0000_0000;

fn repaired() -> Outcome {
    good!(signal::handle(Signal::SIGSEGV, SaFlags::empty()));
    signal::during(|_| {
        let at = noted().addr as usize & !(PAGE - 1);
        if mmap(at, PAGE, tests::READ_WRITE, ANONYMOUS | FIXED, usize::MAX, 0).is_err() {
            rt::process::exit(9);
        }
    });
    raw::poke(REPAIRED + 7, 42);
    equal!((raw::peek(REPAIRED + 7), count()), (42, 1));
    Ok(())
}

fn blocked() -> Outcome {
    // A fault whose signal is blocked or ignored ends the program; one that is sent waits.
    good!(signal::handle(Signal::SIGSEGV, SaFlags::empty()));
    let segv = SigSet::of(&[Signal::SIGSEGV]);
    let ended = child::run(|| {
        let _ = mask(How::Block, segv);
        let sent = kill(rt::process::getpid(), 11).is_ok() && signal::pending() == Ok(segv);
        if sent && count() == 0 {
            raw::peek(0);
        }
        1
    });
    equal!(ended, Ok(Ended::Killed(11)));
    let ended = child::run(|| {
        let _ = signal::ignore(Signal::SIGSEGV);
        if kill(rt::process::getpid(), 11).is_ok() {
            raw::peek(0);
        }
        1
    });
    equal!(ended, Ok(Ended::Killed(11)));
    Ok(())
}
