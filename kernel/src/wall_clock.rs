//! The time of day: what the machine's clock chip (PL031) said at boot, and the counter since. Mirrors
//! `timekeeping.c` and `drivers/rtc/rtc-pl031.c` in the small.

use abi::Errno;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::arch::mmio;
use crate::drivers::timer::{self, NSEC_PER_SEC};
use crate::platform::Platform;

/// Nanoseconds from 1970 to the counter's zero.
static OFFSET: AtomicU64 = AtomicU64::new(0);

/// Asks the clock chip, if there is one: its first register counts seconds.
pub fn init(platform: &Platform) {
    if let Some(rtc) = platform.rtc
        && let Ok(seconds) = mmio::read_register(rtc.pa)
    {
        OFFSET.store((u64::from(seconds) * NSEC_PER_SEC).saturating_sub(timer::now()), Ordering::Relaxed);
    }
}

/// The same as file systems note it.
pub fn timespec() -> fs::kstat::Timespec {
    let now = now();
    fs::kstat::Timespec { sec: (now / NSEC_PER_SEC) as i64, nsec: (now % NSEC_PER_SEC) as u32 }
}

/// Sets the time of day, in nanoseconds since 1970. EINVAL for a time before the machine's start.
pub fn set(nanos: u64) -> Result<(), Errno> {
    let offset = nanos.checked_sub(timer::now()).ok_or(Errno::EINVAL)?;
    OFFSET.store(offset, Ordering::Relaxed);
    Ok(())
}

/// Nanoseconds since 1970; since boot on a machine without a clock.
pub fn now() -> u64 {
    OFFSET.load(Ordering::Relaxed).saturating_add(timer::now())
}
