//! Unmapping: munmap, the end of an address space, and the zapping of entries that both share (Linux's
//! `zap_page_range` and `free_pgtables`).

use crate::arm64::pte::Pte;
use crate::arm64::tlb::MmuGather;
use crate::folio::Flags;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::mm::{Mm, MmCounters};
use abi::Errno;

impl<H: Hw> Mm<H> {
    /// Unmaps `start..end`, which is aligned and not empty. ENOMEM when an area must be split and cannot be, EPERM when one
    /// is sealed; nothing has changed then.
    pub fn munmap(&mut self, start: u64, end: u64) -> Result<(), Errno> {
        let end = end.min(self.task_size());
        if self.vmas.overlapping(start, end).is_empty() {
            return Ok(());
        }
        self.can_modify(start, end)?;
        self.vmas.reserve(2)?;
        self.vmas.split(start);
        self.vmas.split(end);
        self.unmap_split(start, end);
        Ok(())
    }

    /// Unmaps `start..end`, at whose ends areas have been split. Cannot fail.
    pub(super) fn unmap_split(&mut self, start: u64, end: u64) {
        let areas = self.vmas.overlapping(start, end);
        let unmapped: u64 = areas.iter().map(|vma| vma.len()).sum();
        let (Some(first), Some(last)) = (areas.first(), areas.last()) else { return };
        let (low, high) = (first.start, last.end);
        let floor = self.vmas.before(low).map_or(0, |below| below.end);
        let ceiling = self.vmas.find(high).map_or(u64::MAX, |above| above.start);
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        let counters = &mut self.counters;
        counters.note_high_water();
        for vma in areas {
            tables.clear_full_ptes(&mut gather, vma.start, vma.end, |gather, _, pte| {
                zap_pte(counters, gather, pte);
            });
        }
        tables.free_pgtables(&mut gather, low, high, (floor, ceiling));
        self.vmas.remove(start, end);
        self.counters.total_vm -= unmapped;
    }

    /// Drops what is mapped in `start..end` and leaves the areas: the next access faults. The TLBs have forgotten it when
    /// this returns.
    pub(crate) fn zap_range(&mut self, start: u64, end: u64) {
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        let counters = &mut self.counters;
        counters.note_high_water();
        tables.clear_full_ptes(&mut gather, start, end, |gather, _, pte| zap_pte(counters, gather, pte));
    }

    /// Drops the private memory of a process that is being killed (Linux's `__oom_reap_task_mm`). What it reads after this
    /// is not what it wrote, so it must not run any more.
    pub fn oom_reap(&mut self) {
        let mut at = 0;
        while let Some((end, shared)) = self.vmas.find(at).map(|vma| (vma.end, vma.is_shared())) {
            if !shared {
                self.zap_range(at, end);
            }
            at = end;
        }
    }

    /// Takes everything down (Linux's `exit_mmap`). No CPU runs on these tables any more.
    pub(crate) fn exit_mmap(&mut self) {
        let task_size = self.task_size();
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        let counters = &mut self.counters;
        gather.add_all();
        let mut areas = self.vmas.iter().peekable();
        while let Some(vma) = areas.next() {
            tables.clear_full_ptes(&mut gather, vma.start, vma.end, |gather, _, pte| {
                zap_pte(counters, gather, pte);
            });
            // What lies below is gone already, so nothing holds a table from there.
            let ceiling = areas.peek().map_or(u64::MAX, |next| next.start);
            tables.free_pgtables(&mut gather, vma.start, vma.end, (0, ceiling));
        }
        drop(areas);
        self.vmas.remove(0, task_size);
        tables.destroy(&mut gather);
        gather.flush();
        debug_assert_eq!(self.counters.rss(), 0);
    }
}

/// Accounts for one entry that was cleared; its frame goes after the flush.
pub(super) fn zap_pte<H: Hw>(counters: &mut MmCounters, gather: &mut MmuGather<'_, H>, pte: Pte) {
    if pte.special() {
        return;
    }
    let mem: &Memory<H> = gather.mem();
    let folio = mem.folio_of(pte.pfn());
    if pte.dirty() && !mem.folio_test_anon(folio) {
        mem.folio_set(folio, Flags::DIRTY);
    }
    mem.folio_sub_mapcount(folio, 1);
    Mm::count_pages(counters, mem, folio, -1);
    gather.put_folio(folio, 1);
}
