//! The first touch of anonymous memory (Linux's `do_anonymous_page`).

use super::{Fault, VmFault};
use crate::arm64::fallback::Fallback;
use crate::arm64::pte::Pte;
use crate::arm64::tlb::MmuGather;
use crate::folio::Folio;
use crate::hw::Hw;
use crate::mm::Mm;
use crate::policy;
use crate::stats::Stats;
use crate::types::{Access, PAGE_SIZE};
use crate::vma::VmFlags;
use abi::Prot;

/// The entry for a page of a private anonymous folio: writable and dirty at once, since a write is on its way or will
/// be, where the area allows writes.
pub(super) fn anon_pte(folio: Folio, prot: Prot) -> Pte {
    let pte = Pte::new(folio.0, prot).mkdirty();
    if prot.contains(Prot::WRITE) { pte.mkwrite() } else { pte }
}

impl<H: Hw> Mm<H> {
    pub(super) fn do_anonymous_page(&mut self, fault: &Fault) -> Result<(), VmFault> {
        self.prepare_page(fault)?;
        if fault.access != Access::Write {
            self.map_zero_page(fault);
            return Ok(());
        }
        self.note_anon(fault);
        for order in policy::anon_orders(&self.mem.mthp, self.page, &fault.vma, fault.addr) {
            let size = PAGE_SIZE << order;
            let start = fault.addr & !(size - 1);
            let folio = if order == self.page.order() {
                self.mem.alloc_anon_folio(order)
            } else {
                self.alloc_large_anon(order, start)
            };
            if let Some(folio) = folio {
                self.map_new_anon(fault, folio, order, start);
                return Ok(());
            }
        }
        self.populate_small(fault)
    }

    /// A folio larger than the process page for `start` and what follows, if nothing is mapped there yet and neither folio
    /// nor tables cost reclaim (Linux's `alloc_anon_folio`).
    fn alloc_large_anon(&mut self, order: u8, start: u64) -> Option<Folio> {
        let end = start + (PAGE_SIZE << order);
        self.pte_alloc(start, end).ok()?;
        if self.tables.get_mut().has_entries(&self.mem, start, end) {
            return None;
        }
        let folio = self.mem.alloc_folio_opportunistic(order)?;
        self.mem.init_anon_folio(folio, order);
        Some(folio)
    }

    /// The area holds anonymous folios from now on, so fork has to look at its entries.
    pub(super) fn note_anon(&mut self, fault: &Fault) {
        if fault.vma.flags.contains(VmFlags::HAS_ANON) {
            return;
        }
        if let Some(vma) = self.vmas.at_mut(fault.addr) {
            vma.flags |= VmFlags::HAS_ANON;
        }
    }

    fn map_new_anon(&mut self, fault: &Fault, folio: Folio, order: u8, addr: u64) {
        let nr = 1u64 << order;
        for i in 0..nr {
            self.mem.set_page_anon_exclusive(folio.0.offset(i), true);
        }
        Stats::add(&self.mem.stats.anon_fault_alloc, 1);
        // One reference came with the folio; each further entry takes one of its own.
        if nr > 1 {
            self.mem.folio_ref_add(folio, nr as u32 - 1);
        }
        self.map_folio(folio, addr, anon_pte(folio, fault.vma.prot), nr);
    }

    /// The process page from single frames, because no block of its size is to be had: then there is no native entry
    /// for it. All or nothing.
    fn populate_small(&mut self, fault: &Fault) -> Result<(), VmFault> {
        if self.page.order() == 0 {
            return Err(VmFault::Oom);
        }
        let mut folios = arrayvec::ArrayVec::<Folio, 16>::new();
        for _ in 0..self.page.nr_kernel_pages() {
            match self.mem.alloc_anon_folio(0) {
                Some(folio) => folios.push(folio),
                None => {
                    folios.into_iter().for_each(|folio| self.mem.folio_put(folio));
                    return Err(VmFault::Oom);
                }
            }
        }
        self.fall_back(Fallback::NoContigMemory);
        for (i, folio) in folios.into_iter().enumerate() {
            self.map_new_anon(fault, folio, 0, fault.page_start + i as u64 * PAGE_SIZE);
        }
        Ok(())
    }

    /// A read of memory that nobody wrote: the zero folio, read-only, for the process page.
    fn map_zero_page(&mut self, fault: &Fault) {
        let zero = self.mem.zero_folio();
        let pte = Pte::new(zero.0, fault.vma.prot).mkspecial();
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        tables.set_ptes(&mut gather, fault.page_start, pte, self.page.nr_kernel_pages());
    }
}
