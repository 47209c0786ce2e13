//! A write to a write-protected page of a private mapping (Linux's `do_wp_page`): reuse what nobody else has, copy what
//! somebody does. The unit is the process page.

use super::anon::anon_pte;
use super::{Fault, VmFault};
use crate::arm64::fallback::Fallback;
use crate::arm64::pte::Pte;
use crate::arm64::tlb::MmuGather;
use crate::folio::{Flags, Folio};
use crate::hw::Hw;
use crate::memory::Memory;
use crate::mm::Mm;
use crate::stats::Stats;
use crate::types::{PAGE_SIZE, Pfn};
use abi::Prot;
use arrayvec::ArrayVec;

/// The entries of one process page.
pub(crate) type PagePtes = ArrayVec<Pte, 16>;

impl<H: Hw> Mm<H> {
    pub(super) fn do_wp_page(&mut self, fault: &Fault, pte: Pte) -> Result<(), VmFault> {
        if fault.vma.is_shared() {
            self.make_shared_writable(fault, pte);
            return Ok(());
        }
        let ptes = self.page_ptes(fault.page_start);
        if ptes.iter().all(|pte| self.can_reuse(*pte, &ptes)) {
            self.reuse(fault);
            return Ok(());
        }
        self.copy_page(fault, &ptes)
    }

    /// The entries of the process page at `va`.
    pub(crate) fn page_ptes(&mut self, va: u64) -> PagePtes {
        let tables = self.tables.get_mut();
        (0..self.page.nr_kernel_pages()).map(|i| tables.ptep_get(&self.mem, va + i * PAGE_SIZE)).collect()
    }

    /// Copies a process page that is made of several anonymous folios into one. The reason why it has to stay scattered is
    /// the error: pages of a file, a device's, or no memory.
    pub(crate) fn join_page(&mut self, va: u64, ptes: &PagePtes) -> Result<(), Fallback> {
        let zero = self.mem.zero_folio();
        let is_zero = |pte: Pte| {
            pte.special() && self.mem.meta(pte.pfn()).is_some_and(|_| self.mem.folio_of(pte.pfn()) == zero)
        };
        if ptes.iter().any(|pte| pte.special() && !is_zero(*pte)) {
            return Err(Fallback::UnalignedPfn);
        }
        let is_anon = |pte: Pte| {
            pte.present() && !pte.special() && self.mem.folio_test_anon(self.mem.folio_of(pte.pfn()))
        };
        if !ptes.iter().all(|pte| is_zero(*pte) || is_anon(*pte)) {
            return Err(Fallback::MappingBusy);
        }
        let prot = self.vmas.at(va).map(|vma| vma.prot).ok_or(Fallback::Untranslatable)?;
        let sources = ptes.iter().map(|pte| (!pte.special()).then(|| pte.pfn()));
        let copy = self.mem.copy_to_new(self.page.order(), sources).map_err(|_| Fallback::NoContigMemory)?;
        if copy.is_small() {
            copy.folios.iter().for_each(|folio| self.mem.folio_put(*folio));
            return Err(Fallback::NoContigMemory);
        }
        self.zap_range(va, va + self.page.bytes());
        self.map_copy(va, prot, copy);
        Ok(())
    }

    /// A write fault on a shared mapping that was read first: its folio becomes dirty.
    fn make_shared_writable(&mut self, fault: &Fault, pte: Pte) {
        if !pte.special() {
            self.mem.folio_set(self.mem.folio_of(pte.pfn()), Flags::DIRTY);
        }
        self.widen(fault);
    }

    /// Whether this process alone has the page: marked exclusive, or all references to its folio are the entries of
    /// this process page (the others' copies are gone).
    fn can_reuse(&self, pte: Pte, ptes: &PagePtes) -> bool {
        if !pte.present() || pte.special() {
            return false;
        }
        if self.mem.page_anon_exclusive(pte.pfn()) {
            return true;
        }
        let folio = self.mem.folio_of(pte.pfn());
        if !self.mem.folio_test_anon(folio) {
            return false;
        }
        let ours = ptes.iter().filter(|other| self.maps(**other, folio)).count() as u32;
        self.mem.folio_refcount(folio) == ours && self.mem.folio_mapcount(folio) == ours
    }

    fn maps(&self, pte: Pte, folio: Folio) -> bool {
        pte.present() && !pte.special() && self.mem.folio_of(pte.pfn()) == folio
    }

    fn reuse(&mut self, fault: &Fault) {
        for pte in self.page_ptes(fault.page_start) {
            self.mem.set_page_anon_exclusive(pte.pfn(), true);
        }
        Stats::add(&self.mem.stats.cow_reuse, 1);
        self.widen(fault);
    }

    /// Makes the process page writable and dirty. A widening needs no invalidation of others' entries, only of the one
    /// that faulted here.
    fn widen(&mut self, fault: &Fault) {
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        let (start, end) = (fault.page_start, fault.page_end);
        tables.update_ptes(&mut gather, start, end, |_, pte| pte.mkwrite().mkdirty().mkyoung(), |_, _, _| {});
        gather.add_range(start, end);
    }

    /// Replaces the process page by a copy of its own.
    fn copy_page(&mut self, fault: &Fault, ptes: &PagePtes) -> Result<(), VmFault> {
        let sources = ptes.iter().map(|pte| (pte.present() && !pte.special()).then(|| pte.pfn()));
        let copy = self.mem.copy_to_new(self.page.order(), sources.clone())?;
        self.note_anon(fault);
        if copy.is_small() {
            self.fall_back(Fallback::NoContigMemory);
        }
        // No CPU can reach the old frames once this returns.
        self.zap_range(fault.page_start, fault.page_end);
        Stats::add(&self.mem.stats.cow_copy, 1);
        self.map_copy(fault.page_start, fault.vma.prot, copy);
        Ok(())
    }

    /// Maps a fresh private copy at `va`, where nothing is mapped, for an area with `prot`; the tables exist.
    pub(super) fn map_copy(&mut self, va: u64, prot: Prot, copy: Copy) {
        let order = self.page.order();
        for (i, folio) in copy.folios.iter().enumerate() {
            let nr = if copy.is_small() { 1 } else { 1u64 << order };
            for page in 0..nr {
                self.mem.set_page_anon_exclusive(folio.0.offset(page), true);
            }
            if nr > 1 {
                self.mem.folio_ref_add(*folio, nr as u32 - 1);
            }
            self.map_folio(*folio, va + i as u64 * PAGE_SIZE, anon_pte(*folio, prot), nr);
        }
    }
}

/// A private copy of a process page: one folio of the process order, or as many single frames.
pub(super) struct Copy {
    folios: ArrayVec<Folio, 16>,
    small: bool,
}

impl Copy {
    /// Whether it is made of single frames though the process page is larger.
    pub fn is_small(&self) -> bool {
        self.small
    }
}

impl<H: Hw> Memory<H> {
    /// Copies `sources`, one frame per kernel page of the process page (`None` reads as zero), into fresh anonymous
    /// memory.
    pub(super) fn copy_to_new(
        &self,
        order: u8,
        sources: impl Iterator<Item = Option<Pfn>> + Clone,
    ) -> Result<Copy, VmFault> {
        let mut folios = ArrayVec::new();
        if let Some(folio) = self.alloc_folio(order) {
            folios.push(folio);
        } else if order > 0 {
            for _ in 0..1 << order {
                match self.alloc_folio(0) {
                    Some(folio) => folios.push(folio),
                    None => {
                        folios.into_iter().for_each(|folio| self.folio_put(folio));
                        return Err(VmFault::Oom);
                    }
                }
            }
        } else {
            return Err(VmFault::Oom);
        }
        let small = folios.len() > 1;
        for folio in &folios {
            self.folio_set(*folio, Flags::ANON | Flags::UPTODATE);
        }
        for (i, source) in sources.enumerate() {
            let target = if small { folios[i].0 } else { folios[0].0.offset(i as u64) };
            match source {
                Some(source) => self.hw.copy_frames(target, source, 0),
                None => self.hw.zero_frames(target, 0),
            }
        }
        Ok(Copy { folios, small })
    }
}
