//! Clock, one-shot timers and tick.

use super::{Check, expect};
use crate::arch::barrier;
use crate::drivers::timer::{self, NSEC_PER_SEC};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub const CHECKS: &[(&str, Check)] = &[
    ("the clock goes forward at the counter's speed", clock),
    ("timers fire in order and not early", timers),
    ("a cancelled timer does not fire", cancel),
];

const MSEC: u64 = 1_000_000;

fn clock() -> Result<(), String> {
    // Read before the clock, so that it has counted at least as much.
    let counter = barrier::counter();
    let start = timer::now();
    let mut last = start;
    while last < start + 5 * MSEC {
        let now = timer::now();
        expect(now >= last, "went back")?;
        last = now;
    }
    let counts = u128::from(barrier::counter() - counter);
    let elapsed = counts * u128::from(NSEC_PER_SEC) / u128::from(barrier::counter_frequency());
    expect(elapsed >= 5 * u128::from(MSEC), "ran ahead of the counter")
}

/// Numbers of the timers that fired, one decimal digit each, and when the last one did.
static FIRED: AtomicU64 = AtomicU64::new(0);
static FIRED_AT: AtomicU64 = AtomicU64::new(0);

fn note(digit: u64) {
    FIRED.store(FIRED.load(Relaxed) * 10 + digit, Relaxed);
    FIRED_AT.store(timer::now(), Relaxed);
}

fn arm(deadline: u64, digit: u64) -> Result<timer::TimerId, String> {
    timer::arm(deadline, note, digit).map_err(|_| "could not be armed".into())
}

/// Waits until timers with that many digits have fired. The emulator may be late with an interrupt, by as much
/// as its host lets it wait.
fn wait_for(nr_digits: u32) -> Result<(), String> {
    let deadline = timer::now() + 2 * NSEC_PER_SEC;
    while FIRED.load(Relaxed) < 10u64.pow(nr_digits - 1) {
        if timer::now() >= deadline {
            return Err(format!("only {} fired", FIRED.load(Relaxed)));
        }
        core::hint::spin_loop();
    }
    Ok(())
}

fn timers() -> Result<(), String> {
    FIRED.store(0, Relaxed);
    let start = timer::now();
    // Masked, so that all are armed before the first one fires, however slow the host is.
    let flags = barrier::irq_save();
    let armed = [(6, 4), (2, 2), (4, 3), (0, 1)].map(|(msec, digit)| arm(start + msec * MSEC, digit));
    barrier::irq_restore(flags);
    armed.into_iter().collect::<Result<Vec<_>, _>>()?;
    wait_for(4)?;
    expect(FIRED.load(Relaxed) == 1234, "not in order")?;
    expect(FIRED_AT.load(Relaxed) >= start + 6 * MSEC, "fired early")
}

fn cancel() -> Result<(), String> {
    FIRED.store(0, Relaxed);
    let start = timer::now();
    // Masked, so that the first cannot fire before it is cancelled, however slow the host is.
    let flags = barrier::irq_save();
    let first = arm(start + 2 * MSEC, 1);
    let second = arm(start + 2 * MSEC, 2);
    let cancelled = timer::cancel(first?);
    barrier::irq_restore(flags);
    let second = second?;
    expect(cancelled, "was armed, but could not be cancelled")?;
    // Of timers with one deadline the first one armed is the first to fire: it would have by now.
    wait_for(1)?;
    expect(FIRED.load(Relaxed) == 2, "the wrong timer fired")?;
    expect(!timer::cancel(second), "a timer that fired was cancelled")
}
