//! Clocks and sleeping.
#![no_std]
#![no_main]

use rt::counter::{frequency, ticks};
use rt::sys::raw::{__NR_clock_gettime, __NR_nanosleep, CLOCK_REALTIME};
use tests::{Outcome, call, check, equal, fails, good};

tests::program!(run);

const MS: u64 = 1_000_000;

fn run(_: rt::Args) -> Outcome {
    let mut last = rt::time::monotonic_ns();
    for _ in 0..10_000 {
        let now = rt::time::monotonic_ns();
        check!(now >= last, "{now} after {last}");
        last = now;
    }
    let before = ticks();
    check!(frequency() >= 1_000_000 && ticks() >= before);

    // The counter and the clock agree on how long a sleep was.
    for ms in [1, 20, 50] {
        let (clock, counter) = (rt::time::monotonic_ns(), ticks());
        rt::time::sleep_ns(ms * MS);
        let clock = rt::time::monotonic_ns() - clock;
        let counter = (ticks() - counter) * 1000 / (frequency() / 1000);
        check!(clock >= ms * MS && clock < ms * MS + 2000 * MS, "{clock} ns instead of {ms} ms");
        let difference = counter.abs_diff(clock / 1000);
        check!(difference < 20_000, "{clock} ns are {counter} us by the counter");
    }

    let request = |s: u64, ns: u64| {
        let wanted = [s, ns];
        call(__NR_nanosleep, [wanted.as_ptr() as usize, 0])
    };
    equal!(request(0, 0), Ok(0));
    fails!(request(0, 1_000_000_000), EINVAL);
    fails!(request(0, u64::MAX), EINVAL);
    fails!(request(u64::MAX, 0), EINVAL);

    let mut now = [0u64; 2];
    let at = now.as_mut_ptr() as usize;
    good!(call(__NR_clock_gettime, [CLOCK_REALTIME as usize, at]));
    fails!(call(__NR_clock_gettime, [99, at]), EINVAL);
    check!(core::hint::black_box(&now)[1] < 1_000_000_000);
    Ok(())
}
