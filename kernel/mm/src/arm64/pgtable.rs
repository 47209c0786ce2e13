//! The one door: every change of a user mapping goes through these operations, which have Linux's names. Each does
//! the Linux table, then the native table, then tells the TLB batch what went stale.
//!
//! The caller holds the page-table lock. Operations that may fail are the ones that allocate; those that change
//! entries cannot fail, so a caller allocates first and commits after (check phase, commit phase).

use super::asid::Context;
use super::geometry::{GRANULE_4K, Geometry};
use super::linux_table;
use super::native_table;
use super::pte::Pte;
use super::table::{Rest, Table};
use super::tlb::MmuGather;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::stats::Stats;
use crate::types::{PAGE_SIZE, PageSize, PhysAddr};
use abi::Errno;
use alloc::sync::Arc;

/// Why a process does not run on a native table though its page size would have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// The CPU lacks the granule.
    NoGranule,
    /// No physically contiguous memory in process pages.
    NoContigMemory,
    /// A device mapping whose frames are not aligned to the process page.
    UnalignedPfn,
    /// A file whose small folios cannot be replaced now.
    MappingBusy,
    /// An operation that the native table cannot express: a bug.
    Untranslatable,
}

/// What is found at an address.
#[derive(Clone, Copy, Debug)]
pub struct Lookup {
    /// The entry.
    pub pte: Pte,
    /// Whether [`PageTables::set_ptes`] there finds its tables.
    pub has_tables: bool,
}

/// The tables of one address space.
pub struct PageTables {
    linux: Table,
    native: Option<Table>,
    page: PageSize,
    fallback: Option<Fallback>,
    /// What a switch to these tables needs.
    pub context: Arc<Context>,
}

impl PageTables {
    /// Empty tables for a process with pages of `page`. Falls back at once where the CPU lacks the granule or no frames
    /// for a native root are to be had. ENOMEM when there is no Linux root.
    pub fn new<H: Hw>(mem: &Memory<H>, page: PageSize) -> Result<PageTables, Errno> {
        let linux = Table::new(mem, &GRANULE_4K)?;
        let context = Arc::new(Context::new(&linux));
        let mut tables = PageTables { linux, native: None, page, fallback: None, context };
        if page != PageSize::Size4K {
            if !mem.hw.features().granules.has(page) {
                tables.note_fallback(mem, Fallback::NoGranule);
            } else if let Ok(native) = Table::new(mem, Geometry::of(page)) {
                tables.context.set_live(&native);
                tables.native = Some(native);
            } else {
                tables.note_fallback(mem, Fallback::NoContigMemory);
            }
        }
        Ok(tables)
    }

    fn live_table(&self) -> &Table {
        self.native.as_ref().unwrap_or(&self.linux)
    }

    /// The granule that hardware walks.
    pub fn live(&self) -> &'static Geometry {
        self.live_table().geometry()
    }

    /// What TTBR0_EL1 holds, without the ASID.
    pub fn root(&self) -> PhysAddr {
        self.live_table().root()
    }

    /// Root of the Linux table, live or not.
    pub fn linux_root(&self) -> PhysAddr {
        self.linux.root()
    }

    /// Why there is no native table, if there should be one.
    pub fn fallback(&self) -> Option<Fallback> {
        self.fallback
    }

    /// The entry for the kernel page at `va`, hardware's notes in the native table included.
    pub fn ptep_get<H: Hw>(&self, mem: &Memory<H>, va: u64) -> Pte {
        self.lookup(mem, va).pte
    }

    /// As [`PageTables::ptep_get`], and whether all last-level tables for the process page around `va` exist.
    pub fn lookup<H: Hw>(&self, mem: &Memory<H>, va: u64) -> Lookup {
        let Some(at) = self.linux.leaf(mem, va) else {
            return Lookup { pte: Pte::none(), has_tables: false };
        };
        let pte = Pte(mem.hw.read_desc(at));
        match &self.native {
            None => Lookup { pte, has_tables: true },
            Some(native) => match native.leaf(mem, va) {
                Some(at) => Lookup { pte: native_table::fold(mem.hw.read_desc(at), pte), has_tables: true },
                None => Lookup { pte, has_tables: false },
            },
        }
    }

    /// Calls `f` with each entry of `start..end` that is not none, hardware's notes in the native table included.
    pub fn for_each_pte<H: Hw>(&self, mem: &Memory<H>, start: u64, end: u64, mut f: impl FnMut(u64, Pte)) {
        self.linux.for_each_run(mem, start, end, |run| {
            for i in 0..(run.end - run.start) / PAGE_SIZE {
                if mem.hw.read_desc(run.desc.offset(i * 8)) != 0 {
                    let va = run.start + i * PAGE_SIZE;
                    f(va, self.lookup(mem, va).pte);
                }
            }
        });
    }

    /// Allocates the tables for `start..end`, so that [`PageTables::set_ptes`] there cannot fail (Linux's `pte_alloc`).
    /// ENOMEM when a Linux table cannot be had; lack of a native one, which needs more frames in a row, is a fallback.
    pub fn pte_alloc<H: Hw>(
        &mut self,
        gather: &mut MmuGather<'_, H>,
        start: u64,
        end: u64,
    ) -> Result<(), Errno> {
        alloc_leaves(&self.linux, gather.mem(), start, end)?;
        if let Some(native) = &self.native
            && alloc_leaves(native, gather.mem(), start, end).is_err()
        {
            self.fall_back(gather, Fallback::NoContigMemory);
        }
        Ok(())
    }

    /// Maps `nr_kernel_pages` pages of one folio from `va` on: `pte` is the first entry, the others follow it. Nothing
    /// is mapped there, and the tables exist.
    pub fn set_ptes<H: Hw>(
        &mut self,
        gather: &mut MmuGather<'_, H>,
        va: u64,
        pte: Pte,
        nr_kernel_pages: u64,
    ) {
        let mem = gather.mem();
        let end = va + nr_kernel_pages * PAGE_SIZE;
        self.linux.for_each_run(mem, va, end, |run| {
            for i in 0..(run.end - run.start) / PAGE_SIZE {
                let at = run.desc.offset(i * 8);
                debug_assert_eq!(
                    mem.hw.read_desc(at),
                    0,
                    "entry for {:#x} overwritten",
                    run.start + i * PAGE_SIZE
                );
                mem.hw.write_desc(at, pte.advance((run.start - va) / PAGE_SIZE + i).0);
            }
        });
        Stats::add(&mem.stats.set_ptes, 1);
        Stats::add(&mem.stats.linux_entries, nr_kernel_pages);
        if let Some(native) = &self.native {
            let result = native_table::fill(&self.linux, native, gather, (va, end));
            self.check(gather, result);
        }
        // A walk right after the return sees the entries; without this it might fault once more.
        mem.hw.dsb_ishst();
    }

    /// Replaces each entry of `start..end` that isn't none by what `f` makes of it. `f` may be called more than once for
    /// an entry; `done` is called once, with the entry as it was, accessed and dirty state included.
    pub fn update_ptes<H: Hw>(
        &mut self,
        gather: &mut MmuGather<'_, H>,
        start: u64,
        end: u64,
        mut f: impl FnMut(u64, Pte) -> Pte,
        mut done: impl FnMut(&mut MmuGather<'_, H>, u64, Pte),
    ) {
        match &self.native {
            None => linux_table::update_live(&self.linux, gather, (start, end), &mut f, &mut done),
            Some(native) => {
                let result =
                    native_table::update(&self.linux, native, gather, (start, end), &mut f, &mut done);
                self.check(gather, result);
            }
        }
    }

    /// Clears the entries of `start..end`; `done` gets each as it was (Linux's `clear_full_ptes`).
    pub fn clear_full_ptes<H: Hw>(
        &mut self,
        gather: &mut MmuGather<'_, H>,
        start: u64,
        end: u64,
        done: impl FnMut(&mut MmuGather<'_, H>, u64, Pte),
    ) {
        self.update_ptes(gather, start, end, |_, _| Pte::none(), done);
    }

    /// Write-protects the entries of `start..end` for which `which` holds; `done` gets each of the range as it was (Linux's
    /// `wrprotect_ptes`).
    pub fn wrprotect_ptes<H: Hw>(
        &mut self,
        gather: &mut MmuGather<'_, H>,
        start: u64,
        end: u64,
        which: impl Fn(Pte) -> bool,
        done: impl FnMut(&mut MmuGather<'_, H>, u64, Pte),
    ) {
        self.update_ptes(gather, start, end, |_, pte| if which(pte) { pte.wrprotect() } else { pte }, done);
    }

    /// Gives the entries of `start..end` what an access needs: accessed, and dirty for a write to an entry that allows
    /// it (Linux's `ptep_set_access_flags`). Only widens. The caller's batch drops a stale entry, should a TLB hold one.
    pub fn ptep_set_access_flags<H: Hw>(
        &mut self,
        gather: &mut MmuGather<'_, H>,
        start: u64,
        end: u64,
        write: bool,
    ) {
        let f = |_, pte: Pte| match (pte.valid(), write && pte.write()) {
            (false, _) => pte,
            (true, false) => pte.mkyoung(),
            (true, true) => pte.mkyoung().mkdirty(),
        };
        self.update_ptes(gather, start, end, f, |_, _, _| {});
        gather.mem().hw.dsb_ishst();
    }

    /// Allocates the tables that moving what is mapped in `from..from + len` to `to` needs.
    pub fn pte_alloc_for_move<H: Hw>(
        &mut self,
        gather: &mut MmuGather<'_, H>,
        from: u64,
        to: u64,
        len: u64,
    ) -> Result<(), Errno> {
        let step = self.page.bytes();
        for offset in (0..len).step_by(step as usize) {
            if self.has_entries(gather.mem(), from + offset, from + offset + step) {
                self.pte_alloc(gather, to + offset, to + offset + step)?;
            }
        }
        Ok(())
    }

    /// Moves the entries of `from..from + len` to `to`, where nothing is mapped and tables exist for them; both are aligned
    /// to the process page (Linux's `move_ptes`).
    pub fn move_ptes<H: Hw>(&mut self, gather: &mut MmuGather<'_, H>, from: u64, to: u64, len: u64) {
        let step = self.page.bytes();
        for offset in (0..len).step_by(step as usize) {
            let mut entries = [Pte::none(); 16];
            let (old, new) = (from + offset, to + offset);
            if self.has_entries(gather.mem(), old, old + step) {
                self.clear_full_ptes(gather, old, old + step, |_, va, pte| {
                    entries[((va - old) / PAGE_SIZE) as usize] = pte;
                });
                self.place(gather, new, &entries[..self.page.nr_kernel_pages() as usize]);
            }
        }
    }

    fn has_entries<H: Hw>(&self, mem: &Memory<H>, start: u64, end: u64) -> bool {
        let mut found = false;
        self.linux.for_each_run(mem, start, end, |run| {
            let nr = (run.end - run.start) / PAGE_SIZE;
            found |= (0..nr).any(|i| mem.hw.read_desc(run.desc.offset(i * 8)) != 0);
        });
        found
    }

    /// Sets the entries of one process page, where nothing is mapped, whatever each is.
    fn place<H: Hw>(&mut self, gather: &mut MmuGather<'_, H>, va: u64, entries: &[Pte]) {
        let mem = gather.mem();
        for (i, pte) in entries.iter().enumerate() {
            if let Some(at) = self.linux.leaf(mem, va + i as u64 * PAGE_SIZE) {
                mem.hw.write_desc(at, pte.0);
            }
        }
        if let Some(native) = &self.native {
            let result = native_table::fill(&self.linux, native, gather, (va, va + self.page.bytes()));
            self.check(gather, result);
        }
        mem.hw.dsb_ishst();
    }

    /// Frees the tables of `start..end`, which is unmapped, as far as they serve nothing outside `floor..ceiling`.
    pub fn free_pgtables<H: Hw>(
        &mut self,
        gather: &mut MmuGather<'_, H>,
        start: u64,
        end: u64,
        hole: (u64, u64),
    ) {
        self.linux.free_range(gather, start, end, hole);
        if let Some(native) = &self.native {
            native.free_range(gather, start, end, hole);
        }
    }

    /// Ends the native table: hardware walks the Linux table from here on, and the process keeps its page size. All that
    /// hardware noted is in the Linux table when this returns, and the native tables are free.
    pub fn fall_back<H: Hw>(&mut self, gather: &mut MmuGather<'_, H>, reason: Fallback) {
        let Some(mut native) = self.native.take() else { return };
        let mem = gather.mem();
        self.note_fallback(mem, reason);
        let old_asid = self.context.asid();
        // Whoever switches to the address space from here on gets the Linux table; whoever is on the native one leaves.
        // Only then has hardware made its last note there.
        self.context.set_live(&self.linux);
        mem.hw.leave_tables(native.root());
        mem.flush_asid(old_asid);
        let all = (0, native.geometry().task_size());
        let mut fold = |va, pte: Pte| native_table::fold_from(&native, mem, va, pte);
        linux_table::update_live(&self.linux, gather, all, &mut fold, &mut |_, _, _| {});
        native.destroy(gather, Rest::Populated);
        gather.flush();
        mem.hw.join_tables(&self.context);
    }

    fn note_fallback<H: Hw>(&mut self, mem: &Memory<H>, reason: Fallback) {
        let counter = match reason {
            Fallback::NoGranule => &mem.stats.native_fallback_no_granule,
            Fallback::NoContigMemory => &mem.stats.native_fallback_no_contig_memory,
            Fallback::UnalignedPfn => &mem.stats.native_fallback_unaligned_pfn,
            Fallback::MappingBusy => &mem.stats.native_fallback_mapping_busy,
            Fallback::Untranslatable => &mem.stats.native_fallback_untranslatable,
        };
        Stats::add(counter, 1);
        self.fallback = Some(reason);
    }

    /// An operation left something that no native entry can say: the Linux table is right, so run on that.
    fn check<H: Hw>(
        &mut self,
        gather: &mut MmuGather<'_, H>,
        result: Result<(), native_table::Untranslatable>,
    ) {
        if result.is_err() {
            self.fall_back(gather, Fallback::Untranslatable);
        }
    }

    /// Takes the tables down. All user entries are cleared and their tables freed by [`PageTables::free_pgtables`];
    /// the roots go here. No CPU runs on them any more.
    pub fn destroy<H: Hw>(&mut self, gather: &mut MmuGather<'_, H>) {
        self.linux.destroy(gather, Rest::RootOnly);
        if let Some(mut native) = self.native.take() {
            native.destroy(gather, Rest::RootOnly);
        }
    }
}

/// Makes sure of the last-level tables of `start..end`.
fn alloc_leaves<H: Hw>(table: &Table, mem: &Memory<H>, start: u64, end: u64) -> Result<(), Errno> {
    let mut va = start;
    while va < end {
        table.leaf_alloc(mem, va)?;
        va = (va & !(table.leaf_table_size() - 1)).saturating_add(table.leaf_table_size());
    }
    Ok(())
}
