//! Counting instructions, or time where the machine doesn't let a program count.

use core::arch::asm;

/// What [`now`] counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Retired instructions, user and kernel together, from event counter 0 of the PMU.
    Instructions,
    /// Ticks of the virtual counter.
    Ticks,
}

/// The virtual counter.
pub fn ticks() -> u64 {
    let value;
    // SAFETY: CNTVCT_EL0 may be read at EL0 on every Linux; the ISB keeps the read in its place.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) value, options(nomem, nostack)) };
    value
}

/// Event counter 0. It traps unless the kernel has set PMUSERENR_EL0.ER; ask in a child first.
pub fn instructions() -> u64 {
    let value;
    // SAFETY: reads a register; where that is forbidden the program dies by SIGILL.
    unsafe { asm!("isb", "mrs {}, pmevcntr0_el0", out(reg) value, options(nomem, nostack)) };
    value
}

/// The virtual counter's ticks a second.
pub fn frequency() -> u64 {
    let value;
    // SAFETY: CNTFRQ_EL0 may be read wherever CNTVCT_EL0 may.
    unsafe { asm!("mrs {}, cntfrq_el0", out(reg) value, options(nomem, nostack)) };
    value
}
