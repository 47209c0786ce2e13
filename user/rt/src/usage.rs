//! What a process has cost: getrusage(2).

use crate::sys::{raw, syscall};

/// Faults of this process so far that needed no I/O, and those that did; `None` where the kernel
/// doesn't say.
pub fn faults() -> Option<(u64, u64)> {
    const WORDS: usize = 18;
    const MINOR: usize = 8;
    const MAJOR: usize = 9;
    let mut usage = [0u64; WORDS];
    // SAFETY: the kernel writes one rusage, which is 18 words long.
    unsafe { syscall(raw::__NR_getrusage, [raw::RUSAGE_SELF as usize, usage.as_mut_ptr() as usize]) }.ok()?;
    Some((usage[MINOR], usage[MAJOR]))
}
