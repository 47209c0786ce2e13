//! More memory than there is: an error or the end of the one who asks, and all of it comes back.
#![no_std]
#![no_main]

use rt::process::Ended;
use tests::{Outcome, anonymous, child, equal, good, munmap, raw};

tests::program!(run);

const MIB: usize = 1 << 20;
const MOST: usize = 512 << 30;

fn run(_: rt::Args) -> Outcome {
    for _ in 0..2 {
        let ended = good!(child::run(hog));
        // Refused, or killed: never a success, never another program.
        tests::check!(matches!(ended, Ended::Exited(1) | Ended::Killed(_)), "{ended}");
        let memory = good!(anonymous(32 * MIB));
        for addr in (memory..memory + 32 * MIB).step_by(4096) {
            raw::poke(addr, 1);
        }
        good!(munmap(memory, 32 * MIB));
        equal!(child::run(|| 3), Ok(Ended::Exited(3)));
    }
    Ok(())
}

/// Takes and touches memory until it gets no more.
fn hog() -> i32 {
    for _ in 0..MOST / (64 * MIB) {
        let Ok(memory) = anonymous(64 * MIB) else { return 1 };
        for addr in (memory..memory + 64 * MIB).step_by(4096) {
            raw::poke(addr, 1);
        }
    }
    0
}
