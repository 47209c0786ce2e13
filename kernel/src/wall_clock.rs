//! The time of day: what the machine's clock chip (PL031) said at boot, and the counter since. Mirrors
//! `timekeeping.c` and `drivers/rtc/rtc-pl031.c` in the small.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::drivers::timer::{self, NSEC_PER_SEC};

/// Nanoseconds from 1970 to the counter's zero.
static OFFSET: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds since 1970; since boot on a machine without a clock.
pub fn now() -> u64 {
    OFFSET.load(Ordering::Relaxed) + timer::now()
}
