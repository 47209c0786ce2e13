//! What an address space does with its native table beyond following the Linux table: giving it up as the cache that it is,
//! and coming back to it after a fallback.

use crate::arm64::fallback::{self, Fallback};
use crate::arm64::tlb::MmuGather;
use crate::hw::Hw;
use crate::mm::Mm;
use crate::types::PageSize;

/// So many faults after a fallback the way back is tried, and after each failure twice as many.
const FIRST_RETURN: u64 = 64;

impl<H: Hw> Mm<H> {
    /// Frees the native tables; faults fill them again. Returns the bytes freed.
    pub fn drop_native_tables(&mut self) -> u64 {
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        tables.drop_native_tables(&mut gather)
    }

    /// Why the address space has no native table though its page size would have one.
    pub fn fallback(&self) -> Option<Fallback> {
        self.tables.lock().fallback()
    }

    /// Goes back to a native table if what prevented it has passed, which is looked at now and then: called after a fault.
    pub(crate) fn return_if_due(&mut self) {
        if self.page == PageSize::Size4K || self.counters.min_flt < self.next_return {
            return;
        }
        if matches!(self.tables.get_mut().fallback(), Some(Fallback::NoContigMemory | Fallback::MappingBusy))
        {
            // The first look after a fallback only sets the time of the next.
            let first = self.next_return == 0;
            self.next_return =
                if first { self.counters.min_flt + FIRST_RETURN } else { self.counters.min_flt * 2 };
            if !first && self.try_native().is_ok() {
                self.next_return = 0;
            }
        }
    }

    /// Goes back to a native table after a fallback: scattered anonymous pages are copied into folios of the process order
    /// first. The reason that still holds is the error; the address space then stays where it is, with fewer such pages.
    pub fn try_native(&mut self) -> Result<(), Fallback> {
        let Some(reason) = self.fallback() else { return Ok(()) };
        if matches!(reason, Fallback::NoGranule | Fallback::Untranslatable) || self.page == PageSize::Size4K {
            return Err(reason);
        }
        let mut next = 0;
        while let Some(vma) = self.vmas.find(next) {
            let (start, end) = (vma.start, vma.end);
            self.join_area(start, end)?;
            next = end;
        }
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        tables.return_to_native(&mut gather).map_err(|_| Fallback::NoContigMemory)
    }

    /// Sees to it that each process page of `start..end` is one block of frames.
    fn join_area(&mut self, start: u64, end: u64) -> Result<(), Fallback> {
        let mut va = start;
        while let Some(found) = self.tables.get_mut().next_present(&self.mem, va, end) {
            va = self.page.align_down(found);
            let ptes = self.page_ptes(va);
            if !fallback::is_uniform(self.page, &ptes) {
                self.join_page(va, &ptes)?;
            }
            va += self.page.bytes();
        }
        Ok(())
    }
}
