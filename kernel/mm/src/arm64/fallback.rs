//! Leaving the native table and coming back to it, and giving its tables up as a cache gives things up. The Linux table
//! holds all state, so each of these loses nothing.

use super::geometry::Geometry;
use super::linux_table;
use super::native_table::{self, Pair};
use super::pgtable::PageTables;
use super::pte::Pte;
use super::table::{Rest, Table};
use super::tlb::MmuGather;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::stats::Stats;
use crate::types::{PAGE_SHIFT, PAGE_SIZE, PageSize};
use abi::Errno;

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

impl Fallback {
    /// The reason as /proc has it.
    pub const fn name(self) -> &'static str {
        match self {
            Fallback::NoGranule => "no_granule",
            Fallback::NoContigMemory => "no_contig_memory",
            Fallback::UnalignedPfn => "unaligned_pfn",
            Fallback::MappingBusy => "mapping_busy",
            Fallback::Untranslatable => "untranslatable",
        }
    }
}

/// Whether a process page, of which something is mapped, is one block of frames with the same rights everywhere, so that
/// one native entry can stand for it.
pub fn is_uniform(page: PageSize, ptes: &[Pte]) -> bool {
    native_table::is_uniform(page, ptes)
}

impl PageTables {
    /// The first kernel page of `start..end` that has an entry.
    pub fn next_present<H: Hw>(&self, mem: &Memory<H>, start: u64, end: u64) -> Option<u64> {
        let mut va = start;
        while va < end {
            let (desc, span) = self.linux.next_leaf(mem, va);
            let next = end.min((va & !(span - 1)).saturating_add(span));
            if let Some(desc) = desc {
                let nr = (next - va) / PAGE_SIZE;
                if let Some(i) = (0..nr).find(|i| mem.hw.read_desc(desc.offset(i * 8)) != 0) {
                    return Some(va + i * PAGE_SIZE);
                }
            }
            va = next;
        }
        None
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
        Pair { linux: &self.linux, native: &native, mode: self.mode }.unbind(mem);
        native.destroy(gather, Rest::Populated);
        gather.flush();
        mem.hw.join_tables(&self.context);
    }

    pub(super) fn note_fallback<H: Hw>(&mut self, mem: &Memory<H>, reason: Fallback) {
        let counter = match reason {
            Fallback::NoGranule => &mem.stats.native_fallback_no_granule,
            Fallback::NoContigMemory => &mem.stats.native_fallback_no_contig_memory,
            Fallback::UnalignedPfn => &mem.stats.native_fallback_unaligned_pfn,
            Fallback::MappingBusy => &mem.stats.native_fallback_mapping_busy,
            Fallback::Untranslatable => &mem.stats.native_fallback_untranslatable,
        };
        Stats::add(counter, 1);
        if reason == Fallback::Untranslatable && self.fallback != Some(reason) {
            log::warn!(
                "native table: an operation left entries that it cannot express; going on with the Linux table"
            );
        }
        self.fallback = Some(reason);
    }

    /// The way back: a native table again, empty at first and filled by faults. The caller has seen to it that every process
    /// page can be one native entry. ENOMEM without frames for a root, EINVAL where there is nothing to return to.
    pub fn return_to_native<H: Hw>(&mut self, gather: &mut MmuGather<'_, H>) -> Result<(), Errno> {
        let mem = gather.mem();
        let possible = self.page != PageSize::Size4K && mem.hw.features().granules.has(self.page);
        if self.native.is_some() || !possible {
            return Err(Errno::EINVAL);
        }
        let native = Table::new(mem, Geometry::of(self.page))?;
        let old_asid = self.context.asid();
        self.context.set_live(&native);
        mem.hw.leave_tables(self.linux.root());
        mem.flush_asid(old_asid);
        // Nobody walks the Linux table now, so its runs can go: the bit belongs to the live table.
        linux_table::strip_cont(&self.linux, mem, native.geometry().task_size());
        self.native = Some(native);
        self.fallback = None;
        Stats::add(&mem.stats.native_return, 1);
        mem.hw.join_tables(&self.context);
        Ok(())
    }

    /// Makes sure that the native table translates `va`, by a level above its root if need be (a program with 64K pages asked
    /// for an address beyond the default window). ENOMEM without frames for a root.
    pub(super) fn reach<H: Hw>(&mut self, mem: &Memory<H>, va: u64) -> Result<(), Errno> {
        let Some(native) = self.native.as_mut().filter(|native| va >> native.va_bits() != 0) else {
            return Ok(());
        };
        let old_root = native.root();
        native.grow(mem)?;
        // Another T0SZ is another regime: nothing that was cached under the old one may be used.
        let old_asid = self.context.asid();
        self.context.set_live(native);
        mem.hw.leave_tables(old_root);
        mem.flush_asid(old_asid);
        mem.hw.join_tables(&self.context);
        Ok(())
    }

    /// Gives up all native tables but the root; faults fill them again. What hardware noted is in the Linux table when this
    /// returns. Returns the bytes freed.
    pub fn drop_native_tables<H: Hw>(&mut self, gather: &mut MmuGather<'_, H>) -> u64 {
        let Some(native) = &self.native else { return 0 };
        let mem = gather.mem();
        let before = native.bytes();
        native.clear(gather);
        // The tables are out of reach once the flush is done, but must be read before they are free.
        gather.flush_tlb();
        if let Some(pair) = self.pair() {
            pair.unbind(mem);
        }
        gather.flush();
        let freed = before - self.native.as_ref().map_or(0, Table::bytes);
        Stats::add(&mem.stats.native_tables_dropped, freed >> PAGE_SHIFT);
        freed
    }
}
