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

/// Event counter 1, which counts instructions of the kernel only once [`count_kernel_instructions`] has run. It traps as
/// [`instructions`] does.
pub fn kernel_instructions() -> u64 {
    let value;
    // SAFETY: reads a register; where that is forbidden the program dies by SIGILL.
    unsafe { asm!("isb", "mrs {}, pmevcntr1_el0", out(reg) value, options(nomem, nostack)) };
    value
}

/// Sets event counter 1 to count retired instructions at EL1. Only where [`instructions`] may be read.
pub fn count_kernel_instructions() {
    /// INST_RETIRED, and PMEVTYPER_EL0.U: not at EL0.
    const INST_RETIRED_AT_EL1: u64 = 1 << 30 | 0x08;
    // SAFETY: PMUSERENR_EL0.EN, which the caller asserts, gives these registers to programs; no memory is touched.
    unsafe {
        asm!(
            "msr pmevtyper1_el0, {event}",
            "msr pmcntenset_el0, {bit}",
            "isb",
            event = in(reg) INST_RETIRED_AT_EL1,
            bit = in(reg) 1u64 << 1,
            options(nomem, nostack),
        );
    }
}
