//! The one door: every change of a user mapping goes through these operations, which have Linux's names. Each does
//! the Linux table, then the native table, then tells the TLB batch what went stale.
//!
//! The caller holds the page-table lock. Operations that may fail are the ones that allocate; those that change
//! entries cannot fail, so a caller allocates first and commits after (check phase, commit phase).

use super::asid::Context;
use super::contpte::Block;
use super::fallback::Fallback;
use super::geometry::{GRANULE_4K, Geometry};
use super::linux_table;
use super::native_table::{self, NativeMode, Pair};
use super::pte::Pte;
use super::table::{LeafRun, Rest, Table};
use super::tlb::MmuGather;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::stats::Stats;
use crate::types::{PAGE_SIZE, PageSize, PhysAddr};
use abi::Errno;
use alloc::sync::Arc;

/// What is found at an address.
#[derive(Clone, Copy, Debug)]
pub struct Lookup {
    /// The entry.
    pub pte: Pte,
    /// Whether [`PageTables::set_ptes`] there finds its tables.
    pub has_tables: bool,
    /// Whether hardware's table lacks what the entry says.
    pub needs_fill: bool,
}

/// The tables of one address space.
pub struct PageTables {
    pub(super) linux: Table,
    pub(super) native: Option<Table>,
    pub(super) page: PageSize,
    pub(super) fallback: Option<Fallback>,
    pub(super) mode: NativeMode,
    /// What a switch to these tables needs.
    pub context: Arc<Context>,
}

impl PageTables {
    /// Empty tables for a process with pages of `page`. Falls back at once where the CPU lacks the granule or no frames
    /// for a native root are to be had. ENOMEM when there is no Linux root.
    pub fn new<H: Hw>(mem: &Memory<H>, page: PageSize) -> Result<PageTables, Errno> {
        let linux = Table::new(mem, &GRANULE_4K)?;
        let context = Arc::new(Context::new(&linux));
        let mut tables =
            PageTables { linux, native: None, page, fallback: None, mode: mem.native_mode(), context };
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

    /// Whether hardware walks a native table, so that each process page must be one aligned block of frames.
    pub fn is_native(&self) -> bool {
        self.native.is_some()
    }

    /// Whether native entries are made by faults only.
    pub fn is_lazy(&self) -> bool {
        self.native.is_some() && self.mode == NativeMode::Lazy
    }

    pub(super) fn linux_table(&self) -> &Table {
        &self.linux
    }

    pub(super) fn native_table(&self) -> Option<&Table> {
        self.native.as_ref()
    }

    /// Memory in the Linux table and in the native table, in bytes.
    pub fn table_bytes(&self) -> (u64, u64) {
        (self.linux.bytes(), self.native.as_ref().map_or(0, Table::bytes))
    }

    pub(super) fn pair(&self) -> Option<Pair<'_>> {
        let native = self.native.as_ref()?;
        Some(Pair { linux: &self.linux, native, mode: self.mode })
    }

    /// The entry for the kernel page at `va`, hardware's notes in the native table included.
    pub fn ptep_get<H: Hw>(&self, mem: &Memory<H>, va: u64) -> Pte {
        self.lookup(mem, va).pte
    }

    /// As [`PageTables::ptep_get`], and what the tables for the process page around `va` lack.
    pub fn lookup<H: Hw>(&self, mem: &Memory<H>, va: u64) -> Lookup {
        let Some(at) = self.linux.leaf(mem, va) else {
            return Lookup { pte: Pte::none(), has_tables: false, needs_fill: self.native.is_some() };
        };
        let pte = Pte(mem.hw.read_desc(at)).mknoncont();
        if self.native.is_none() {
            return Lookup { pte, has_tables: true, needs_fill: false };
        }
        let slot = mem.native_slot(at, self.page);
        let native = slot.map_or(0, |slot| mem.hw.read_desc(slot));
        Lookup {
            pte: native_table::fold(native, pte),
            has_tables: slot.is_some() || self.mode == NativeMode::Lazy,
            needs_fill: native == 0,
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
        let mem = gather.mem();
        let mut bound = if self.mode == NativeMode::Eager { self.reach(mem, end - 1) } else { Ok(()) };
        let mut va = start;
        while va < end {
            self.linux.leaf_alloc(mem, va)?;
            if self.mode == NativeMode::Eager
                && bound.is_ok()
                && let Some(pair) = self.pair()
            {
                bound = pair.bind(mem, va);
            }
            va = (va & !(self.linux.leaf_table_size() - 1)).saturating_add(self.linux.leaf_table_size());
        }
        if bound.is_err() {
            self.fall_back(gather, Fallback::NoContigMemory);
        }
        Ok(())
    }

    /// Makes hardware's table say what the Linux entries of the process page around `va` say, if it does not: in lazy mode,
    /// or after native tables were dropped. Lack of frames for a native table is a fallback.
    pub fn fill_native<H: Hw>(&mut self, gather: &mut MmuGather<'_, H>, va: u64) {
        let mem = gather.mem();
        let va = self.page.align_down(va);
        let reached = self.reach(mem, va);
        let Some(pair) = self.pair() else { return };
        let result = match reached.and_then(|()| pair.bind(mem, va)) {
            Ok(()) => pair.fill(gather, va),
            Err(_) => return self.fall_back(gather, Fallback::NoContigMemory),
        };
        self.check(gather, result);
        mem.hw.dsb_ishst();
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
        let mut result = Ok(());
        let pair = self.pair();
        self.linux.for_each_run(mem, va, end, |run| {
            let first = pte.advance((run.start - va) / PAGE_SIZE);
            debug_assert!(is_clear(mem, run), "entries for {:#x} overwritten", run.start);
            let Some(pair) = &pair else { return linux_table::set_live(gather, run, first) };
            for i in 0..(run.end - run.start) / PAGE_SIZE {
                mem.hw.write_desc(run.desc.offset(i * 8), first.advance(i).0);
            }
            if self.mode == NativeMode::Eager {
                result = result.and(pair.set(mem, run, first));
            }
        });
        Stats::add(&mem.stats.set_ptes, 1);
        Stats::add(&mem.stats.linux_entries, nr_kernel_pages);
        self.check(gather, result);
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
        match self.pair() {
            None => linux_table::update_live(&self.linux, gather, (start, end), &mut f, &mut done),
            Some(pair) => {
                let result = pair.update(gather, (start, end), &mut f, &mut done);
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
    /// it (Linux's `ptep_set_access_flags`). Only widens. In a Contiguous run all entries get it, since hardware may look at
    /// any of them. The caller's batch drops a stale entry, should a TLB hold one.
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
        let (start, end) = self.cont_range(gather.mem(), start).unwrap_or((start, end));
        self.update_ptes(gather, start, end, f, |_, _, _| {});
        gather.mem().hw.dsb_ishst();
    }

    /// The Contiguous run of the live table that `va` lies in.
    pub fn cont_range<H: Hw>(&self, mem: &Memory<H>, va: u64) -> Option<(u64, u64)> {
        let at = self.linux.leaf(mem, va)?;
        let at = if self.native.is_some() { mem.native_slot(at, self.page)? } else { at };
        let block = Block::around(self.live(), at, va);
        block.is_cont(mem).then_some((block.va, block.end()))
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

    /// Whether any Linux entry of `start..end` is not none.
    pub fn has_entries<H: Hw>(&self, mem: &Memory<H>, start: u64, end: u64) -> bool {
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
        match self.pair() {
            // Entries that follow each other were a run before they moved, perhaps, and may be one here.
            None => linux_table::fold_moved(&self.linux, gather, va),
            Some(pair) if self.mode == NativeMode::Eager => {
                let result = pair.fill(gather, va);
                self.check(gather, result);
            }
            Some(_) => {}
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

fn is_clear<H: Hw>(mem: &Memory<H>, run: LeafRun) -> bool {
    (0..(run.end - run.start) / PAGE_SIZE).all(|i| mem.hw.read_desc(run.desc.offset(i * 8)) == 0)
}
