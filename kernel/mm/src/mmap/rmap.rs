//! An address space as the files that it maps see it (Linux's `unmap_mapping_range_tree`).

use super::unmap::zap_pte;
use crate::arm64::pte::Pte;
use crate::arm64::tlb::MmuGather;
use crate::filemap::{AddressSpace, EvenCows, SharedMm};
use crate::hw::Hw;
use crate::mm::Mm;
use crate::types::{PAGE_SHIFT, PageSize};
use abi::Errno;
use alloc::sync::{Arc, Weak};
use core::ops::Range;

impl<H: Hw> Mm<H> {
    /// Others may reach this address space from now on, as `shared`: the files that it maps know it. ENOMEM leaves it
    /// unknown to some.
    pub fn publish(&mut self, shared: Weak<dyn SharedMm>) -> Result<(), Errno> {
        for file in self.vmas.iter().filter_map(|vma| vma.file.as_ref()) {
            file.mapping().add_mapper(&shared)?;
        }
        if self.page != PageSize::Size4K {
            self.mem.register_mm(&shared);
        }
        self.shared = Some(shared);
        Ok(())
    }

    /// Tells a file that is about to be mapped who maps it.
    pub(super) fn note_mapper(&self, mapping: &AddressSpace) -> Result<(), Errno> {
        self.shared.as_ref().map_or(Ok(()), |shared| mapping.add_mapper(shared))
    }

    /// What [`SharedMm::unmap_mapping_range`] does, under the mmap lock.
    pub fn unmap_mapping_range(&mut self, mapping: &AddressSpace, pages: Range<u64>, even_cows: EvenCows) {
        let mut next = 0;
        while let Some(vma) = self.vmas.find(next) {
            next = vma.end;
            let maps =
                vma.file.as_ref().is_some_and(|file| core::ptr::eq(Arc::as_ptr(file.mapping()), mapping));
            let vma_pages = vma.pgoff..vma.pgoff + (vma.len() >> PAGE_SHIFT);
            let first = pages.start.max(vma_pages.start);
            let last = pages.end.min(vma_pages.end);
            if !maps || first >= last {
                continue;
            }
            let at = |page: u64| vma.start + ((page - vma_pages.start) << PAGE_SHIFT);
            let start = self.page.align_down(at(first));
            let end = at(last).next_multiple_of(self.page.bytes());
            // A process page that begins before the range is still the process's, and its private copy with it.
            let whole = at(first).next_multiple_of(self.page.bytes()).min(end);
            match even_cows {
                EvenCows::Yes => {
                    self.zap_file_pages(start, whole);
                    self.zap_range(whole, end);
                }
                EvenCows::No => self.zap_file_pages(start, end),
            }
        }
    }

    /// Drops what is mapped of a file in `start..end`, and leaves private copies.
    fn zap_file_pages(&mut self, start: u64, end: u64) {
        let mem = &*self.mem;
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(mem, &self.context);
        let counters = &mut self.counters;
        let is_copy = |pte: Pte| !pte.special() && mem.folio_test_anon(mem.folio_of(pte.pfn()));
        let f = |_, pte: Pte| if is_copy(pte) { pte } else { Pte::none() };
        tables.update_ptes(&mut gather, start, end, f, |gather, _, pte| {
            if !is_copy(pte) {
                zap_pte(counters, gather, pte);
            }
        });
    }
}
