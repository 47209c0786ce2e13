//! TLB invalidation as a batch object (Linux's `mmu_gather`): changes are collected, one flush covers them, and
//! only after the flush do the pages and tables go that a stale entry could still reach.

use super::asid::Context;
use super::geometry::Geometry;
use crate::folio::Folio;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::stats::Stats;
use crate::types::Pfn;
use alloc::vec::Vec;
use arrayvec::ArrayVec;
use core::sync::atomic::Ordering::Relaxed;

/// One TLB invalidation, broadcast to the inner shareable domain (Arm manual, "TLB maintenance instructions").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tlbi {
    /// One address of one ASID: VAE1IS, or VALE1IS when `last_level`.
    Va {
        /// Address space.
        asid: u16,
        /// Any address in the page.
        va: u64,
        /// Only leaf entries go; cached table descriptors may stay.
        last_level: bool,
    },
    /// A range of one ASID: RVAE1IS, or RVALE1IS. Covers (num + 1) * 2^(5 * scale + 1) pages of the granule.
    Range {
        /// Address space.
        asid: u16,
        /// First address, aligned to the granule.
        va: u64,
        /// Granule in the encoding of these operations: 1, 2, 3 for 4K, 16K, 64K. A wrong one invalidates nothing.
        tg: u8,
        /// Exponent, 0 to 3.
        scale: u8,
        /// Mantissa, 0 to 31.
        num: u8,
        /// Only leaf entries go.
        last_level: bool,
    },
    /// All of one ASID: ASIDE1IS.
    Asid(u16),
    /// Everything: VMALLE1IS.
    All,
}

/// More single operations than this cost more than the refills after a flush by ASID (Linux's MAX_DVM_OPS order).
const MAX_VA_OPS: u64 = 256;
/// Ranges collected before they are joined to one.
const MAX_RANGES: usize = 8;
/// Folios that wait for the flush; when the list is full the batch flushes.
const MAX_FOLIOS: usize = 1024;

/// A batch of changes to one address space. Flushes when dropped.
#[must_use = "dropping it is what flushes the TLB: bind it for as long as the changes go on"]
pub struct MmuGather<'m, H: Hw> {
    mem: &'m Memory<H>,
    /// Asked for ASID and granule at the flush, not before: both may change while the batch is open.
    context: &'m Context,
    ranges: ArrayVec<(u64, u64), MAX_RANGES>,
    /// Everything of the ASID goes: tables of all sizes are being taken down.
    whole: bool,
    /// A table descriptor was cleared, so cached table descriptors must go too.
    tables_changed: bool,
    folios: Vec<(Folio, u32)>,
    tables: u32,
}

impl<'m, H: Hw> MmuGather<'m, H> {
    /// A batch for the address space that `context` names.
    pub fn new(mem: &'m Memory<H>, context: &'m Context) -> MmuGather<'m, H> {
        MmuGather {
            mem,
            context,
            ranges: ArrayVec::new(),
            whole: false,
            tables_changed: false,
            folios: Vec::new(),
            tables: 0,
        }
    }

    /// The memory that the batch works on.
    pub fn mem(&self) -> &'m Memory<H> {
        self.mem
    }

    /// Entries for `start..end` (bytes), whole process pages or less, of the live table were narrowed or cleared.
    pub fn add_range(&mut self, start: u64, end: u64) {
        if let Some(last) = self.ranges.last_mut()
            && start <= last.1
            && end >= last.0
        {
            *last = (last.0.min(start), last.1.max(end));
            return;
        }
        if self.ranges.is_full() {
            let (lo, hi) = self.ranges.iter().fold((start, end), |(lo, hi), r| (lo.min(r.0), hi.max(r.1)));
            self.ranges.clear();
            self.ranges.push((lo, hi));
            return;
        }
        self.ranges.push((start, end));
    }

    /// The whole address space goes.
    pub fn add_all(&mut self) {
        self.whole = true;
    }

    /// Drops `refs` references of `folio` after the flush.
    pub fn put_folio(&mut self, folio: Folio, refs: u32) {
        if let Some((last, count)) = self.folios.last_mut()
            && *last == folio
        {
            *count += refs;
            return;
        }
        if self.folios.len() == self.folios.capacity() {
            let full = self.folios.len() >= MAX_FOLIOS;
            if full || self.folios.try_reserve(self.folios.len().max(32)).is_err() {
                self.flush();
                self.mem.folio_put_refs(folio, refs);
                return;
            }
        }
        self.folios.push((folio, refs));
    }

    /// Frees a table, which no descriptor refers to any more, after the flush.
    pub(super) fn free_table(&mut self, table: Pfn) {
        self.tables_changed = true;
        let frame = self.mem.frame(table);
        frame.link.store(self.tables, Relaxed);
        self.tables = (table.0 - self.mem.base.0) as u32 + 1;
    }

    /// Makes all changes so far visible to every CPU, then frees what waited for that.
    pub fn flush(&mut self) {
        self.flush_tlb();
        for (folio, refs) in self.folios.drain(..) {
            self.mem.folio_put_refs(folio, refs);
        }
        while self.tables != 0 {
            let table = self.mem.base.offset(u64::from(self.tables - 1));
            self.tables = self.mem.frame(table).link.load(Relaxed);
            self.mem.free_table(table);
        }
    }

    /// Makes all changes so far visible to every CPU; what waits to be freed goes on waiting.
    pub(super) fn flush_tlb(&mut self) {
        if !self.whole && self.ranges.is_empty() && !self.tables_changed {
            return;
        }
        let hw = &self.mem.hw;
        let (asid, geometry) = (self.context.asid(), self.context.live().geometry);
        hw.dsb_ishst();
        let last_level = !self.tables_changed;
        let total: u64 = self.ranges.iter().map(|range| nr_pages(geometry, *range)).sum();
        let by_asid = self.whole || self.tables_changed || (!hw.features().tlbi_range && total > MAX_VA_OPS);
        let mut ops = 0;
        if by_asid {
            hw.tlbi(Tlbi::Asid(asid));
            ops += 1;
        } else {
            for &range in &self.ranges {
                let start = geometry.page.align_down(range.0);
                let nr_pages = nr_pages(geometry, range);
                let has_range = hw.features().tlbi_range;
                for_each_op(has_range, asid, geometry, start, nr_pages, last_level, |op| {
                    hw.tlbi(op);
                    ops += 1;
                });
            }
        }
        hw.dsb_ish();
        Stats::add(&self.mem.stats.tlbi, ops);
        Stats::add(&self.mem.stats.tlb_flush, 1);
        self.ranges.clear();
        self.whole = false;
        self.tables_changed = false;
    }
}

/// Pages of the granule that `start..end` touches.
fn nr_pages(geometry: &Geometry, (start, end): (u64, u64)) -> u64 {
    (end - geometry.page.align_down(start)).div_ceil(geometry.page.bytes())
}

impl<H: Hw> Drop for MmuGather<'_, H> {
    fn drop(&mut self) {
        self.flush();
    }
}

impl<H: Hw> Memory<H> {
    /// Drops all that any TLB holds under `asid`, which its address space has just given up.
    pub(super) fn flush_asid(&self, asid: u16) {
        self.hw.dsb_ishst();
        self.hw.tlbi(Tlbi::Asid(asid));
        self.hw.dsb_ish();
        Stats::add(&self.stats.tlbi, 1);
    }
}

/// The operations that cover `nr_pages` pages of the granule from `va`: ranges where the CPU has them, largest
/// first as Linux's `__flush_tlb_range_op`, single addresses for what is left.
fn for_each_op(
    has_range: bool,
    asid: u16,
    geometry: &Geometry,
    va: u64,
    nr_pages: u64,
    last_level: bool,
    mut emit: impl FnMut(Tlbi),
) {
    let mut va = va;
    let mut left = nr_pages;
    while left > 0 {
        let step = if !has_range || left == 1 {
            emit(Tlbi::Va { asid, va, last_level });
            1
        } else {
            // The largest scale whose unit fits, with as many units as fit: an odd page is left for last.
            let scale = (0..4u8).rev().find(|scale| left >> (5 * scale + 1) > 0).unwrap_or(0);
            let unit = 5 * u32::from(scale) + 1;
            let units = (left >> unit).min(32);
            emit(Tlbi::Range {
                asid,
                va,
                tg: geometry.tlbi_tg as u8,
                scale,
                num: units as u8 - 1,
                last_level,
            });
            units << unit
        };
        va += step * geometry.page.bytes();
        left -= step;
    }
}

#[cfg(test)]
mod tests {
    use super::super::geometry::GRANULE_16K;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn operations_cover_exactly_the_range(nr_pages in 1u64..3_000_000, has_range: bool) {
            prop_assume!(has_range || nr_pages < 2000);
            let start = 0x4000_0000;
            let mut next = start;
            let mut ops = 0;
            for_each_op(has_range, 7, &GRANULE_16K, start, nr_pages, true, |op| {
                ops += 1;
                match op {
                    Tlbi::Va { va, .. } => { assert_eq!(va, next); next += 16384; }
                    Tlbi::Range { va, scale, num, tg, .. } => {
                        assert_eq!((va, tg), (next, 2));
                        next += (u64::from(num) + 1) << (5 * scale + 1) << 14;
                    }
                    other => panic!("{other:?}"),
                }
            });
            prop_assert_eq!(next - start, nr_pages << 14);
            prop_assert!(!has_range || ops <= 6);
        }
    }
}
