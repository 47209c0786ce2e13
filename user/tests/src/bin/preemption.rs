//! The timer takes the CPU from programs that don't give it back.
#![no_std]
#![no_main]

use rt::counter::{frequency, ticks};
use rt::process::{self, Ended};
use tests::{Outcome, check, equal, good};

tests::program!(run);

const MS: u64 = 1_000_000;

/// Spins for a time, and counts how often the clock jumped: somebody else had the CPU.
fn spin(ms: u64) -> u64 {
    let (jump, end) = (frequency() / 4000, ticks() + frequency() * ms / 1000);
    let mut jumps = 0;
    let mut last = ticks();
    while last < end {
        let now = ticks();
        jumps += u64::from(now - last > jump);
        last = now;
    }
    jumps
}

fn run(_: rt::Args) -> Outcome {
    // Two that spin at the same time both come to their end, and have taken turns.
    let start = rt::time::monotonic_ns();
    let first = good!(process::spawn(|| i32::from(spin(300) < 2)));
    let second = good!(process::spawn(|| i32::from(spin(300) < 2)));
    equal!(process::wait_for(first), Ok(Ended::Exited(0)));
    equal!(process::wait_for(second), Ok(Ended::Exited(0)));
    let took = (rt::time::monotonic_ns() - start) / MS;
    check!((300..5000).contains(&took), "took {took} ms");

    // One that sleeps gets the CPU soon, whoever spins.
    let spinners = [(); 3].map(|()| process::spawn(|| i32::from(spin(400) == u64::MAX)));
    for _ in 0..5 {
        let start = rt::time::monotonic_ns();
        rt::time::sleep_ns(10 * MS);
        let took = (rt::time::monotonic_ns() - start) / MS;
        check!((10..1000).contains(&took), "a sleep of 10 ms took {took} ms");
    }
    for spinner in spinners {
        equal!(process::wait_for(good!(spinner)), Ok(Ended::Exited(0)));
    }

    // Nor does spinning keep others from being born and ending.
    let spinner = good!(process::spawn(|| i32::from(spin(500) == u64::MAX)));
    for _ in 0..10 {
        equal!(tests::child::run(|| 5), Ok(Ended::Exited(5)));
    }
    equal!(process::wait_for(spinner), Ok(Ended::Exited(0)));
    Ok(())
}
