//! Rounding to pages of a size that is only known at run time. Used by every module of this crate.

use core::ops::Range;

/// The smallest page size, and the kernel's own.
pub(crate) const KERNEL_PAGE_SIZE: u64 = 4096;

/// `addr` rounded down to a multiple of `size`, a power of two.
pub(crate) const fn align_down(addr: u64, size: u64) -> u64 {
    debug_assert!(size.is_power_of_two());
    addr & !(size - 1)
}

/// `addr` rounded up to a multiple of `size`, a power of two; `None` if that is no 64-bit number.
pub(crate) const fn align_up(addr: u64, size: u64) -> Option<u64> {
    match addr.checked_add(size - 1) {
        Some(sum) => Some(align_down(sum, size)),
        None => None,
    }
}

/// `addr`'s offset in its page.
pub(crate) const fn page_offset(addr: u64, size: u64) -> u64 {
    debug_assert!(size.is_power_of_two());
    addr & (size - 1)
}

/// Whether the ranges have an address in common.
pub(crate) fn overlap(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.start < b.end && b.start < a.end
}
