//! Load averages: how many tasks wanted to run lately. Mirrors Linux's `kernel/sched/loadavg.c`.

use crate::drivers::timer::{self, NSEC_PER_SEC, TICK_NSEC};
use core::sync::atomic::{AtomicU64, Ordering};
use fs::proc::LOAD_SHIFT;

/// Nanoseconds between two samples: five seconds, and one tick so that nobody keeps step with it.
const PERIOD: u64 = 5 * NSEC_PER_SEC + TICK_NSEC;

/// What is kept of an average from one sample to the next: 1/exp(5s/1min), for 5 and for 15 minutes (Linux's `EXP_1` and
/// its sisters).
const KEPT: [u64; 3] = [1884, 2014, 2037];

/// When the next sample is due.
static NEXT: AtomicU64 = AtomicU64::new(0);
static AVERAGES: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];

/// A tick has passed in which `active` tasks run or want to. In interrupt context.
pub(super) fn tick(active: usize) {
    let now = timer::now();
    if now < NEXT.load(Ordering::Relaxed) {
        return;
    }
    NEXT.store(now + PERIOD, Ordering::Relaxed);
    for (average, kept) in AVERAGES.iter().zip(KEPT) {
        average.store(next(average.load(Ordering::Relaxed), kept, active as u64), Ordering::Relaxed);
    }
}

/// Linux's `calc_load`.
fn next(average: u64, kept: u64, active: u64) -> u64 {
    let one = 1 << LOAD_SHIFT;
    let active = active << LOAD_SHIFT;
    let new = average * kept + active * (one - kept);
    // Rounded up while the load rises, so that it can reach the number of tasks.
    (if active >= average { new + one - 1 } else { new }) >> LOAD_SHIFT
}

/// The averages over 1, 5 and 15 minutes, with [`LOAD_SHIFT`] bits behind the point.
pub fn averages() -> [u64; 3] {
    AVERAGES.each_ref().map(|average| average.load(Ordering::Relaxed))
}
