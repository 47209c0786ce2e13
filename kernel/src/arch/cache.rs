//! Making written bytes visible to instruction fetches ("Cache maintenance" in the Arm manual; Linux:
//! `caches_clean_inval_pou`). What CTR_EL0 says is not needed is not done.

use super::{barrier, cpu};
use core::arch::asm;

/// Above this many bytes the whole instruction cache goes at once.
const LARGE: u64 = 16 << 10;

/// Makes the `len` bytes at the kernel address `va`, written as data, visible to fetches on all CPUs.
pub fn sync_icache(va: u64, len: u64) {
    let features = cpu::features();
    if !features.idc {
        clean_to_unification(va, len, features.dcache_line);
    }
    barrier::dsb_ish();
    if !features.dic {
        // An aliasing (VIPT) cache holds lines under the user's address, which is not known here.
        if features.icache_aliases || len > LARGE {
            // SAFETY: invalidating instructions loses nothing.
            unsafe { asm!("ic ialluis", options(nostack)) };
        } else {
            let mut line = va & !(features.icache_line - 1);
            while line < va + len {
                // SAFETY: as above; the address is mapped.
                unsafe { asm!("ic ivau, {0}", in(reg) line, options(nostack)) };
                line += features.icache_line;
            }
        }
        barrier::dsb_ish();
    }
    barrier::isb();
}

fn clean_to_unification(va: u64, len: u64, line_size: u64) {
    let mut line = va & !(line_size - 1);
    let end = va + len;
    // Four at a time: for a large folio this loop is most of the work.
    while line + 4 * line_size <= end {
        // SAFETY: cleaning changes no data; the addresses are mapped.
        unsafe {
            asm!(
                "dc cvau, {at}",
                "add {at}, {at}, {size}",
                "dc cvau, {at}",
                "add {at}, {at}, {size}",
                "dc cvau, {at}",
                "add {at}, {at}, {size}",
                "dc cvau, {at}",
                "add {at}, {at}, {size}",
                at = inout(reg) line,
                size = in(reg) line_size,
                options(nostack)
            );
        }
    }
    while line < end {
        // SAFETY: as above.
        unsafe { asm!("dc cvau, {0}", in(reg) line, options(nostack)) };
        line += line_size;
    }
}
