//! fork: a second address space with the same content (Linux's `dup_mmap` and `copy_page_range`).

use crate::arm64::geometry::{GRANULE_4K, LAST_LEVEL};
use crate::arm64::pgtable::PageTables;
use crate::arm64::pte::Pte;
use crate::arm64::tlb::MmuGather;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::mm::{Mm, MmCounters};
use crate::types::PAGE_SIZE;
use crate::vma::{VmFlags, Vma};
use abi::Errno;

/// Entries for the child that follow each other in address and in one folio: mapped by one `set_ptes`.
struct Batch {
    va: u64,
    pte: Pte,
    nr: u64,
}

impl<H: Hw> Mm<H> {
    /// The address space of a child: areas are copied, anonymous folios are shared write-protected, what a fault can find
    /// again is left to a fault. ENOMEM leaves this address space as it was, but for writes that fault once more.
    pub fn fork(&mut self) -> Result<Mm<H>, Errno> {
        let mem = self.mem.clone();
        let mut child = Mm::new(mem.clone(), self.page)?;
        child.layout = self.layout;
        child.limits = self.limits;
        child.vmas.reserve(self.vmas.count())?;
        let tables = self.tables.get_mut();
        if let Some(reason) = tables.fallback() {
            // Its folios may be smaller than a process page; the child gets the same ones.
            let tables = child.tables.get_mut();
            tables.fall_back(&mut MmuGather::new(&mem, &child.context), reason);
        }
        let mut gather = MmuGather::new(&mem, &self.context);
        for vma in self.vmas.iter().filter(|vma| !vma.flags.contains(VmFlags::DONTCOPY)) {
            child.counters.total_vm += vma.len();
            // Locks are not inherited, and what is wiped begins without a page.
            let wiped = vma.flags.contains(VmFlags::WIPEONFORK);
            let mut copy = vma.clone();
            copy.flags -= VmFlags::LOCKED_MASK;
            copy.flags.set(VmFlags::HAS_ANON, vma.flags.contains(VmFlags::HAS_ANON) && !wiped);
            child.vmas.insert(copy);
            if !wiped && !vma.is_shared() && vma.flags.contains(VmFlags::HAS_ANON) {
                copy_area(&mem, tables, &mut gather, vma, child.tables.get_mut(), &mut child.counters)?;
            }
        }
        drop(gather);
        Ok(child)
    }
}

/// Shares the anonymous folios of one area with the child.
fn copy_area<H: Hw>(
    mem: &Memory<H>,
    tables: &mut PageTables,
    gather: &mut MmuGather<'_, H>,
    vma: &Vma,
    child: &mut PageTables,
    counters: &mut MmCounters,
) -> Result<(), Errno> {
    let mut result = Ok(());
    let mut batch: Option<Batch> = None;
    // The batches come in order of address, so tables are asked for once for each that is new.
    let mut tables_until = 0;
    let context = child.context.clone();
    let mut child_gather = MmuGather::new(mem, &context);
    let is_anon = |pte: Pte| pte.present() && !pte.special() && mem.folio_test_anon(mem.folio_of(pte.pfn()));
    tables.wrprotect_ptes(gather, vma.start, vma.end, is_anon, |_, va, pte| {
        if !is_anon(pte) || result.is_err() {
            return;
        }
        mem.set_page_anon_exclusive(pte.pfn(), false);
        let pte = pte.wrprotect();
        match &mut batch {
            Some(open) if open.continues(mem, va, pte) => open.nr += 1,
            _ => {
                let full = batch.replace(Batch { va, pte, nr: 1 });
                result = full.map_or(Ok(()), |full| {
                    full.map(mem, child, &mut child_gather, counters, &mut tables_until)
                });
            }
        }
    });
    result?;
    batch.map_or(Ok(()), |last| last.map(mem, child, &mut child_gather, counters, &mut tables_until))
}

impl Batch {
    fn continues<H: Hw>(&self, mem: &Memory<H>, va: u64, pte: Pte) -> bool {
        va == self.va + self.nr * PAGE_SIZE
            && pte == self.pte.advance(self.nr)
            && mem.folio_of(pte.pfn()) == mem.folio_of(self.pte.pfn())
    }

    fn map<H: Hw>(
        self,
        mem: &Memory<H>,
        child: &mut PageTables,
        gather: &mut MmuGather<'_, H>,
        counters: &mut MmCounters,
        tables_until: &mut u64,
    ) -> Result<(), Errno> {
        let end = self.va + self.nr * PAGE_SIZE;
        if end > *tables_until {
            child.pte_alloc(gather, self.va, end)?;
            *tables_until = end.next_multiple_of(GRANULE_4K.size(LAST_LEVEL - 1));
        }
        let folio = mem.folio_of(self.pte.pfn());
        mem.folio_ref_add(folio, self.nr as u32);
        mem.folio_add_mapcount(folio, self.nr as u32);
        counters.anon_pages += self.nr;
        child.set_ptes(gather, self.va, self.pte, self.nr);
        Ok(())
    }
}
