//! mseal: areas that nobody may change any more (Linux's `mm/mseal.c`).

use crate::hw::Hw;
use crate::mm::Mm;
use crate::vma::{VmFlags, Vma};
use abi::{Errno, Prot};

impl<H: Hw> Mm<H> {
    /// Seals `start..end`, which is aligned and not empty. ENOMEM for a hole; nothing is sealed then.
    pub fn mseal(&mut self, start: u64, end: u64) -> Result<(), Errno> {
        if !self.is_covered(start, end) {
            return Err(Errno::ENOMEM);
        }
        self.vmas.reserve(2)?;
        self.vmas.split(start);
        self.vmas.split(end);
        self.vmas.modify(start, end, |vma| vma.flags |= VmFlags::SEALED);
        Ok(())
    }

    /// Whether areas cover all of `start..end`.
    pub fn is_covered(&self, start: u64, end: u64) -> bool {
        self.covered_from(start, end) >= end
    }

    /// Where the areas that cover `start` and what follows end, or the first hole before `end` begins.
    pub(super) fn covered_from(&self, start: u64, end: u64) -> u64 {
        let mut covered = start;
        for vma in self.vmas.overlapping(start, end) {
            if vma.start > covered {
                break;
            }
            covered = vma.end;
        }
        covered
    }

    /// EPERM if any of `start..end` is sealed (Linux's `can_modify_mm`).
    pub(super) fn can_modify(&self, start: u64, end: u64) -> Result<(), Errno> {
        let sealed = self.vmas.overlapping(start, end).iter().any(|vma| vma.flags.contains(VmFlags::SEALED));
        if sealed { Err(Errno::EPERM) } else { Ok(()) }
    }
}

/// EPERM if an advice that discards would change what the process cannot write (Linux's `can_modify_vma_madv`).
pub(super) fn can_discard(vma: &Vma) -> Result<(), Errno> {
    let read_only = !vma.is_shared() && !vma.prot.contains(Prot::WRITE);
    if vma.flags.contains(VmFlags::SEALED) && read_only { Err(Errno::EPERM) } else { Ok(()) }
}
