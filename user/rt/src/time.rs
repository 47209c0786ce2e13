//! Clocks, without a vDSO: a system call each.

use crate::sys::{raw, syscall};

/// Nanoseconds of `CLOCK_MONOTONIC`.
pub fn monotonic_ns() -> u64 {
    let mut now = [0u64; 2];
    // SAFETY: the kernel writes one timespec.
    let done = unsafe {
        syscall(raw::__NR_clock_gettime, [raw::CLOCK_MONOTONIC as usize, now.as_mut_ptr() as usize])
    };
    done.map_or(0, |_| now[0] * 1_000_000_000 + now[1])
}

/// Sleeps for `ns` nanoseconds.
pub fn sleep_ns(ns: u64) {
    let wanted = [ns / 1_000_000_000, ns % 1_000_000_000];
    // SAFETY: the kernel reads one timespec.
    let _ = unsafe { syscall(raw::__NR_nanosleep, [wanted.as_ptr() as usize, 0]) };
}
