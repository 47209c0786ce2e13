//! The performance counters. Boot starts event counter 0 on INST_RETIRED with its first instructions, so its value
//! is the number of instructions since reset, where the machine counts them (QEMU does under `-icount`).

use super::cpu;
use core::arch::asm;

/// INST_RETIRED is this bit of PMCEID0_EL0.
const INST_RETIRED_BIT: u64 = 1 << 8;
/// PMUSERENR_EL0: EN, SW, CR, ER.
const USER_ENABLE: u64 = 0xf;

/// Event counters that the PMU has. Only where ID_AA64DFR0_EL1 says that there is a PMU.
pub(super) fn counters() -> u32 {
    let pmcr: u64;
    // SAFETY: reads a register that exists with every PMU.
    unsafe { asm!("mrs {0}, pmcr_el0", out(reg) pmcr, options(nomem, nostack)) };
    (pmcr >> 11) as u32 & 31
}

/// Instructions since reset, at EL0 and EL1 (32 bits of them), if the machine counts.
pub fn instructions() -> Option<u64> {
    if cpu::features().pmu_counters == 0 {
        return None;
    }
    let (events, count): (u64, u64);
    // SAFETY: reads registers that exist when there is at least one event counter.
    unsafe {
        asm!("mrs {0}, pmceid0_el0", "isb", "mrs {1}, pmevcntr0_el0", out(reg) events, out(reg) count,
            options(nomem, nostack));
    }
    (events & INST_RETIRED_BIT != 0).then_some(count & 0xffff_ffff)
}

/// Lets EL0 use the counters, or not (`perf_user_access=1` on the command line).
pub fn set_user_access(allowed: bool) {
    if cpu::features().pmu_counters != 0 {
        let value = if allowed { USER_ENABLE } else { 0 };
        // SAFETY: the register exists with every PMU; the kernel keeps no secret in the counters.
        unsafe { asm!("msr pmuserenr_el0, {0}", in(reg) value, options(nostack)) };
    }
}
