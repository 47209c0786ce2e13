//! Runs of descriptors that hardware may keep as one TLB entry: the Contiguous bit. Set when a folio fills an aligned block
//! of the live table, taken off before anything happens to a part of it. Mirrors Linux's `arch/arm64/mm/contpte.c`, for the
//! blocks of every granule: 16 entries of 4K, 128 of 16K, 32 of 64K.
//!
//! All entries of a block are valid, follow each other in one folio, and agree in everything but accessed and dirty state;
//! what hardware notes in one of them speaks for the whole block. Changing the bit changes the size of a TLB entry, so it
//! takes break-before-make (Arm manual, "The Contiguous bit", "Using break-before-make when updating translation table
//! entries"). The bit lives in the live table only and never leaves it.

use super::geometry::Geometry;
use super::pte::Pte;
use super::tlb::MmuGather;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::stats::Stats;
use crate::types::{PageSize, Pfn, PhysAddr};

/// Descriptors of one last-level table that one Contiguous run could join.
#[derive(Clone, Copy)]
pub(super) struct Block {
    at: PhysAddr,
    /// First address.
    pub va: u64,
    geometry: &'static Geometry,
}

/// Whether descriptors carry the bit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contiguous {
    Yes,
    No,
}

impl Block {
    /// The block around the descriptor `at` for `va`.
    pub fn around(geometry: &'static Geometry, at: PhysAddr, va: u64) -> Block {
        let mask = geometry.cont_ptes - 1;
        let at = PhysAddr(at.0 & !(mask * 8 + 7));
        Block { at, va: va & !(geometry.cont_size() - 1), geometry }
    }

    /// Address after the last.
    pub fn end(&self) -> u64 {
        self.va + self.geometry.cont_size()
    }

    /// Whether the bit is set on it.
    pub fn is_cont<H: Hw>(&self, mem: &Memory<H>) -> bool {
        Pte(mem.hw.read_desc(self.at)).cont()
    }

    /// The descriptors, in order.
    pub fn slots(&self) -> impl Iterator<Item = PhysAddr> + use<> {
        let at = self.at;
        (0..self.geometry.cont_ptes).map(move |i| at.offset(i * 8))
    }

    /// Whether a folio that has `pfn` at address `va` of this geometry would fill the whole block around it.
    pub fn fits<H: Hw>(mem: &Memory<H>, geometry: &Geometry, va: u64, pfn: Pfn) -> bool {
        let mask = geometry.cont_size() / crate::types::PAGE_SIZE - 1;
        (va >> crate::types::PAGE_SHIFT ^ pfn.0) & mask == 0
            && mem.meta(pfn).is_some_and(|_| mem.folio_nr_pages(mem.folio_of(pfn)) > mask)
    }

    /// Invalidates all descriptors of the block and gives the first one as it was, with the accessed and dirty state of
    /// all, without the bit. `each` gets every one as it was. Nothing is flushed.
    pub fn take<H: Hw>(&self, mem: &Memory<H>, mut each: impl FnMut(Pte)) -> Pte {
        let mut merged: Option<Pte> = None;
        for at in self.slots() {
            let old = Pte(mem.hw.swap_desc(at, 0)).mknoncont();
            merged = Some(merged.map_or(old, |first| first.merge_access(old)));
            each(old);
        }
        merged.unwrap_or_default()
    }

    /// Writes the block's descriptors, which are invalid, from the first one on.
    fn put<H: Hw>(&self, mem: &Memory<H>, first: Pte, contiguous: Contiguous) {
        let first = if contiguous == Contiguous::Yes { first.mkcont() } else { first };
        let first = if self.geometry.page == PageSize::Size4K { first } else { first.without_software() };
        for (i, at) in self.slots().enumerate() {
            mem.hw.write_desc(at, first.advance(i as u64 * self.geometry.page.nr_kernel_pages()).0);
        }
    }

    /// Writes the block's descriptors, which are invalid and hold nothing in any TLB, as one run.
    pub fn put_cont<H: Hw>(&self, mem: &Memory<H>, first: Pte) {
        Stats::add(&mem.stats.contpte_fold, 1);
        self.put(mem, first, Contiguous::Yes);
    }

    fn convert<H: Hw>(&self, gather: &mut MmuGather<'_, H>, contiguous: Contiguous) {
        let mem = gather.mem();
        let first = self.take(mem, |_| {});
        gather.add_range(self.va, self.end());
        gather.flush();
        self.put(mem, first, contiguous);
        mem.hw.dsb_ishst();
    }

    /// Takes the bit off (Linux's `contpte_try_unfold`).
    pub fn unfold<H: Hw>(&self, gather: &mut MmuGather<'_, H>) {
        Stats::add(&gather.mem().stats.contpte_unfold, 1);
        self.convert(gather, Contiguous::No);
    }

    /// Sets the bit if the block has become one run (Linux's `contpte_try_fold`). The caller has looked whether the folio
    /// [fits](Block::fits), which is cheap and mostly false.
    pub fn try_fold<H: Hw>(&self, gather: &mut MmuGather<'_, H>) {
        let mem = gather.mem();
        let ptes = self.slots().map(|at| Pte(mem.hw.read_desc(at)));
        if !self.is_cont(mem) && is_run(self.geometry, ptes) {
            Stats::add(&mem.stats.contpte_fold, 1);
            self.convert(gather, Contiguous::Yes);
        }
    }
}

/// Whether entries of `geometry` are all valid and say the same of frames that follow each other, but for accessed and
/// dirty state.
pub(super) fn is_run(geometry: &Geometry, mut ptes: impl Iterator<Item = Pte>) -> bool {
    let Some(first) = ptes.next().filter(|first| first.valid() && !first.special()) else { return false };
    let step = geometry.page.nr_kernel_pages();
    let mut pfn = first.pfn();
    ptes.all(|pte| {
        pfn = pfn.offset(step);
        pte.valid() && !pte.special() && pte.pfn() == pfn && pte.permissions() == first.permissions()
    })
}
