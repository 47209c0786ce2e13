//! Walking the chain of frame records ("Procedure Call Standard for the Arm 64-bit Architecture"): x29 points at
//! the caller's x29 and the return address. The kernel is compiled with frame pointers, and the exception vectors
//! make a record for what they interrupted. Each record is checked against the live tables before it is read:
//! a broken chain ends the trace, it does not fault.

use super::kmap;
use core::arch::asm;

/// The return addresses of a chain of frame records, innermost first.
pub struct Frames {
    fp: u64,
}

/// The frames of the caller.
#[inline(always)]
pub fn here() -> Frames {
    let fp: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mov {0}, x29", out(reg) fp, options(nomem, nostack)) };
    Frames { fp }
}

/// The frames from the record at `fp` on.
pub fn from(fp: u64) -> Frames {
    Frames { fp }
}

impl Iterator for Frames {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let fp = self.fp;
        if fp == 0 || !fp.is_multiple_of(16) || fp >> 48 != 0xffff {
            return None;
        }
        kmap::lookup(fp)?;
        // SAFETY: mapped, and 16 bytes at a multiple of 16 lie in one page.
        let [next, pc] = unsafe { (fp as *const [u64; 2]).read() };
        // Frames lie upwards on one stack. A change of stack (the overflow stack) may go anywhere, but once.
        self.fp = if next == fp { 0 } else { next };
        (pc != 0).then_some(pc)
    }
}
