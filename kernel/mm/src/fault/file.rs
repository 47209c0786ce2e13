//! The first touch of a file mapping (Linux's `do_fault`): read faults and shared ones map the page cache, a write to a
//! private mapping copies at once.

use super::{Fault, Io, Need, VmFault};
use crate::arm64::fallback::Fallback;
use crate::arm64::pte::Pte;
use crate::filemap::{AddressSpace, Backing, Entry};
use crate::folio::Flags;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::mm::Mm;
use crate::types::{Access, PAGE_SHIFT, PAGE_SIZE, Pfn};
use alloc::sync::Arc;
use arrayvec::ArrayVec;

impl<H: Hw> Mm<H> {
    pub(super) fn do_file_fault(
        &mut self,
        fault: &Fault,
        mapping: &Arc<AddressSpace>,
    ) -> Result<(), VmFault> {
        let index = fault.vma.pgoff_of(fault.page_start);
        if index >= mapping.fault_limit(self.page) {
            return Err(VmFault::Bus);
        }
        self.prepare_page(fault)?;
        let entries = self.mem.cached_page(mapping, index, self.page.nr_kernel_pages())?;
        let result = if fault.access == Access::Write && !fault.vma.is_shared() {
            self.do_cow_fault(fault, index, &entries)
        } else {
            self.map_cached(fault, mapping, index, &entries)
        };
        for entry in &entries {
            self.mem.folio_put(entry.folio);
        }
        result
    }

    /// A write to a private mapping: the bytes are copied and the file is not touched again.
    fn do_cow_fault(&mut self, fault: &Fault, index: u64, entries: &PageEntries) -> Result<(), VmFault> {
        let nr = self.page.nr_kernel_pages();
        let frames = (index..index + nr).map(|page| frame_of(entries, page));
        let copy = self.mem.copy_to_new(self.page.order(), frames)?;
        self.note_anon(fault);
        if copy.is_small() {
            self.fall_back(Fallback::NoContigMemory);
        }
        self.map_copy(fault.page_start, fault.vma.prot, copy);
        Ok(())
    }

    /// Maps the page cache. One folio is mapped as far as the area and the file go, so that its other pages need no
    /// fault. For several small ones under one process page there is no native entry: they must become one, and where they
    /// cannot, the address space has fallen back by the time that this is called again.
    fn map_cached(
        &mut self,
        fault: &Fault,
        mapping: &Arc<AddressSpace>,
        index: u64,
        entries: &PageEntries,
    ) -> Result<(), VmFault> {
        let shared_write = fault.vma.is_shared() && fault.access == Access::Write;
        if let [entry] = entries[..]
            && entry.folio.0.0.is_multiple_of(self.page.nr_kernel_pages())
        {
            let (start, end) = self.fault_around(fault, mapping, index, &entry);
            self.map_entry(fault, &entry, (start, end), shared_write, mapping.backing());
            return Ok(());
        }
        let nr_kernel_pages = self.page.nr_kernel_pages();
        if self.tables.get_mut().is_native() {
            let need = Need::OneFolio;
            return Err(VmFault::Io(Io { mapping: mapping.clone(), index, nr_kernel_pages, need }));
        }
        let first = index;
        for entry in entries {
            let start = fault.page_start + (entry.index.max(first) - first) * PAGE_SIZE;
            let end = (fault.page_start + (entry.end() - first) * PAGE_SIZE).min(fault.page_end);
            self.map_entry(fault, entry, (start, end), shared_write, mapping.backing());
        }
        Ok(())
    }

    /// The largest run around the fault that lies in the folio, in the area, below the file's end as this process
    /// rounds it, and is not mapped yet.
    fn fault_around(
        &mut self,
        fault: &Fault,
        mapping: &AddressSpace,
        index: u64,
        entry: &Entry,
    ) -> (u64, u64) {
        let before = (index - entry.index) << PAGE_SHIFT;
        let limit = entry.end().min(mapping.fault_limit(self.page));
        let after = (limit - index) << PAGE_SHIFT;
        let low = fault.vma.start.max(fault.page_start.saturating_sub(before));
        let high = fault.vma.end.min(fault.page_start.saturating_add(after)).max(fault.page_end);
        if self.pte_alloc(low, high).is_err() {
            return (fault.page_start, fault.page_end);
        }
        let tables = self.tables.get_mut();
        let step = self.page.bytes();
        let is_none = |va| tables.ptep_get(&self.mem, va).is_none();
        let mut start = fault.page_start;
        while start - low >= step && is_none(start - step) {
            start -= step;
        }
        let mut end = fault.page_end;
        while high - end >= step && is_none(end) {
            end += step;
        }
        (start, end)
    }

    fn map_entry(
        &mut self,
        fault: &Fault,
        entry: &Entry,
        (start, end): (u64, u64),
        shared_write: bool,
        backing: Backing,
    ) {
        let nr = (end - start) / PAGE_SIZE;
        let mut pte = Pte::new(entry.pfn_of(fault.vma.pgoff_of(start)), fault.vma.prot);
        if shared_write {
            self.mem.folio_set(entry.folio, Flags::DIRTY);
        }
        // Memory without a device behind it is never written back, so its dirty state need not be watched.
        if shared_write
            || (fault.vma.is_shared()
                && backing == Backing::Memory
                && fault.vma.prot.contains(abi::Prot::WRITE))
        {
            pte = pte.mkwrite().mkdirty();
        }
        self.mem.folio_ref_add(entry.folio, nr as u32);
        self.map_folio(entry.folio, start, pte, nr);
    }
}

/// The folios that hold one process page of a file, each with a reference.
type PageEntries = ArrayVec<Entry, 16>;

fn frame_of(entries: &PageEntries, index: u64) -> Option<Pfn> {
    entries.iter().find(|entry| entry.index <= index && index < entry.end()).map(|entry| entry.pfn_of(index))
}

impl<H: Hw> Memory<H> {
    /// The folios of `nr_kernel_pages` pages of a file from `index` on, up to date, each with a reference; or the read
    /// that must come first.
    fn cached_page(
        &self,
        mapping: &Arc<AddressSpace>,
        index: u64,
        nr_kernel_pages: u64,
    ) -> Result<PageEntries, VmFault> {
        let mut entries = PageEntries::new();
        let mut next = index;
        while next < index + nr_kernel_pages {
            let entry = mapping.get_folio(self, next);
            let ready = entry.is_some_and(|entry| self.folio_test(entry.folio, Flags::UPTODATE));
            entries.extend(entry);
            match entry {
                Some(entry) if ready => next = entry.end(),
                _ => {
                    entries.iter().for_each(|entry| self.folio_put(entry.folio));
                    return Err(VmFault::Io(Io {
                        mapping: mapping.clone(),
                        index,
                        nr_kernel_pages,
                        need: Need::Data,
                    }));
                }
            }
        }
        Ok(entries)
    }
}
