//! brk: the heap (Linux's `mm/mmap.c`).

use crate::hw::Hw;
use crate::mm::Mm;
use crate::vma::{VmFlags, Vma};
use abi::Prot;

impl<H: Hw> Mm<H> {
    /// Moves the end of the heap to `brk`, exactly, and gives the end that then holds: the old one when `brk` lies below
    /// the heap, runs into another mapping or its guard gap, passes a limit, or there is no memory.
    pub fn brk(&mut self, brk: u64) -> u64 {
        self.try_brk(brk).unwrap_or(self.layout.brk)
    }

    fn try_brk(&mut self, brk: u64) -> Option<u64> {
        let page = self.page;
        if brk < self.layout.start_brk || brk - self.layout.start_brk > self.limits.data {
            return None;
        }
        let (old_end, new_end) = (page.align_up(self.layout.brk)?, page.align_up(brk)?);
        if new_end > self.task_size() {
            return None;
        }
        if new_end < old_end {
            self.munmap(new_end, old_end).ok()?;
        }
        if new_end > old_end {
            let more = new_end - old_end;
            let grown = self.counters.total_vm.checked_add(more)?;
            if grown > self.limits.address_space || !self.vmas.is_free(page, old_end, more + page.bytes()) {
                return None;
            }
            self.vmas.reserve(1).ok()?;
            let mut vma = Vma::anonymous(old_end, new_end, Prot::READ | Prot::WRITE);
            vma.flags = VmFlags::HEAP | self.def_flags;
            self.vmas.insert(vma);
            self.counters.total_vm = grown;
        }
        self.layout.brk = brk;
        Some(brk)
    }
}
