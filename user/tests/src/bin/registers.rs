//! Registers: a system call changes x0 only; vector registers, FP control and the thread pointer belong
//! to their process, whoever ran in between.
#![no_std]
#![no_main]

use rt::process::{self, Ended};
use tests::{Outcome, Random, check, equal, good, raw};

tests::program!(run);

/// Long enough for several time slices.
const ROUNDS: u64 = 5_000_000;

fn pattern(seed: u64) -> [u128; 32] {
    let mut random = Random(seed);
    core::array::from_fn(|_| u128::from(random.number()) << 64 | u128::from(random.number()))
}

fn keeps_its_state(seed: u64) -> i32 {
    let values = pattern(seed);
    // Rounding mode and a sticky flag.
    let (fpcr, fpsr) = ((seed & 3) << 22, seed & 0x1f);
    raw::set_float_control(fpcr, fpsr);
    raw::set_thread_pointer(seed * 0x1_0001);
    for _ in 0..10 {
        let mut after = [0; 32];
        raw::vectors_through_a_loop(&values, ROUNDS / 10, &mut after);
        if after != values {
            return 2;
        }
        if raw::float_control() != (fpcr, fpsr) {
            return 3;
        }
        if raw::thread_pointer() != seed * 0x1_0001 {
            return 4;
        }
        // A visit to the kernel in the middle, and a sleep.
        process::getppid();
        rt::time::sleep_ns(100_000);
    }
    0
}

fn run(_: rt::Args) -> Outcome {
    check!(raw::registers_survive_a_call());
    let mut children = [0; 4];
    for (index, child) in children.iter_mut().enumerate() {
        *child = good!(process::spawn(|| keeps_its_state(index as u64 + 1)));
    }
    for child in children {
        equal!(process::wait_for(child), Ok(Ended::Exited(0)));
    }

    // A child begins with its parent's.
    raw::set_float_control(2 << 22, 0x11);
    raw::set_thread_pointer(0x1234_5678);
    let same = || i32::from(raw::float_control() == (2 << 22, 0x11) && raw::thread_pointer() == 0x1234_5678);
    equal!(tests::child::run(same), Ok(Ended::Exited(1)));
    raw::set_float_control(0, 0);
    Ok(())
}
