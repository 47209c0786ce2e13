//! TLB invalidation, broadcast to the inner shareable domain ("TLB maintenance instructions" in the Arm manual).
//! These only issue; the caller has made its stores visible (`dsb ishst`) and waits afterwards (`dsb ish`).

use core::arch::asm;

/// An ASID in the operand of an operation.
fn asid_field(asid: u16) -> u64 {
    u64::from(asid) << 48
}

/// One address of one ASID; with `last_level` cached table descriptors may stay.
#[inline]
pub fn flush_va(asid: u16, va: u64, last_level: bool) {
    let operand = asid_field(asid) | (va >> 12 & 0xfff_ffff_ffff);
    // SAFETY: dropping cached translations is always allowed.
    unsafe {
        if last_level {
            asm!("tlbi vale1is, {0}", in(reg) operand, options(nostack));
        } else {
            asm!("tlbi vae1is, {0}", in(reg) operand, options(nostack));
        }
    }
}

/// A range for [`flush_range`], in the fields of the operation.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// First address.
    pub va: u64,
    /// 1, 2, 3 for 4K, 16K, 64K: an encoding of its own.
    pub tg: u8,
    /// Exponent.
    pub scale: u8,
    /// Mantissa.
    pub num: u8,
}

/// (num + 1) * 2^(5 * scale + 1) granules of one ASID. Only where the CPU has FEAT_TLBIRANGE.
#[inline]
pub fn flush_range(asid: u16, range: Range, last_level: bool) {
    let granule_shift = 10 + 2 * u32::from(range.tg);
    let operand = asid_field(asid)
        | u64::from(range.tg & 3) << 46
        | u64::from(range.scale & 3) << 44
        | u64::from(range.num & 31) << 39
        | (range.va >> granule_shift & 0x1f_ffff_ffff);
    // SAFETY: dropping cached translations is always allowed; the caller knows that the CPU has the operation.
    unsafe {
        if last_level {
            asm!("sys #0, c8, c2, #5, {0}", in(reg) operand, options(nostack)); // TLBI RVALE1IS
        } else {
            asm!("sys #0, c8, c2, #1, {0}", in(reg) operand, options(nostack)); // TLBI RVAE1IS
        }
    }
}

/// All of one ASID.
#[inline]
pub fn flush_asid(asid: u16) {
    // SAFETY: dropping cached translations is always allowed.
    unsafe { asm!("tlbi aside1is, {0}", in(reg) asid_field(asid), options(nostack)) };
}

/// Everything.
#[inline]
pub fn flush_all() {
    // SAFETY: dropping cached translations is always allowed.
    unsafe { asm!("tlbi vmalle1is", options(nostack)) };
}
