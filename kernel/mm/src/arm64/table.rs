//! A translation table of any granule: walking, growing, taking down. Knows descriptors only as far as every
//! granule shares them; what a leaf means is for the Linux table and the native table.

use super::geometry::{Geometry, LAST_LEVEL};
use super::pte::{DESC_ADDR, DESC_TABLE};
use super::tlb::MmuGather;
use crate::folio::{Flags, Folio};
use crate::hw::Hw;
use crate::memory::Memory;
use crate::types::{PAGE_SHIFT, Pfn, PhysAddr};
use abi::Errno;
use core::cell::Cell;
use core::sync::atomic::Ordering::Relaxed;

/// One tree of tables.
pub struct Table {
    root: PhysAddr,
    root_level: u8,
    geometry: &'static Geometry,
    /// Kernel pages in the tables of the tree.
    nr_kernel_pages: Cell<u64>,
}

/// Some entries of one last-level table: those for `start..end` (bytes, process addresses).
#[derive(Clone, Copy, Debug)]
pub struct LeafRun {
    /// The descriptor for `start`.
    pub desc: PhysAddr,
    /// First address.
    pub start: u64,
    /// Address after the last; never beyond the table's end.
    pub end: u64,
}

/// What a tree that goes still has below its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing.
    RootOnly,
    /// Tables, whose leaf entries are dead.
    Populated,
}

impl<H: Hw> Memory<H> {
    /// Takes a zeroed table of 2^order kernel pages.
    fn alloc_table(&self, order: u8) -> Result<PhysAddr, Errno> {
        let folio = self.alloc_folio(order).ok_or(Errno::ENOMEM)?;
        self.hw.zero_frames(folio.0, order);
        self.folio_set(folio, Flags::TABLE);
        self.set_section(folio.0, None);
        self.stats.nr_page_table_pages.fetch_add(1 << order, Relaxed);
        Ok(folio.0.addr())
    }

    /// Frees a table that no walk can reach any more.
    pub(super) fn free_table(&self, table: Pfn) {
        let folio = Folio(table);
        debug_assert!(self.folio_test(folio, Flags::TABLE));
        self.stats.nr_page_table_pages.fetch_sub(self.folio_nr_pages(folio), Relaxed);
        self.folio_put(folio);
    }
}

fn child_of(desc: u64) -> Option<PhysAddr> {
    (desc & DESC_TABLE == DESC_TABLE).then_some(PhysAddr(desc & DESC_ADDR))
}

impl Table {
    /// An empty tree. ENOMEM when its root cannot be had.
    pub fn new<H: Hw>(mem: &Memory<H>, geometry: &'static Geometry) -> Result<Table, Errno> {
        let root = mem.alloc_table(geometry.table_order())?;
        // The zeroes must be visible before a CPU loads the root.
        mem.hw.dsb_ishst();
        Ok(Table {
            root,
            root_level: geometry.root_level,
            geometry,
            nr_kernel_pages: Cell::new(1 << geometry.table_order()),
        })
    }

    /// Memory that the tables take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.nr_kernel_pages.get() << PAGE_SHIFT
    }

    /// What TTBR0 holds.
    pub fn root(&self) -> PhysAddr {
        self.root
    }

    /// The level of the root.
    pub fn root_level(&self) -> u8 {
        self.root_level
    }

    /// Bits of the addresses that the tree translates.
    pub fn va_bits(&self) -> u32 {
        self.geometry.va_bits_of(self.root_level)
    }

    /// Puts a new root above the old one, which becomes its first table: the tree translates higher addresses. Nobody walks
    /// from the new root yet. ENOMEM leaves the tree as it was.
    pub(super) fn grow<H: Hw>(&mut self, mem: &Memory<H>) -> Result<(), Errno> {
        // The few entries that are left for the topmost bits need no whole page of the granule.
        let root = mem.alloc_table(0)?;
        // The zeroes must be visible before a CPU loads the root.
        mem.hw.dsb_ishst();
        mem.hw.write_desc(root, self.root.0 | DESC_TABLE);
        mem.hw.dsb_ishst();
        self.root = root;
        self.root_level -= 1;
        self.nr_kernel_pages.set(self.nr_kernel_pages.get() + 1);
        Ok(())
    }

    /// The granule.
    pub fn geometry(&self) -> &'static Geometry {
        self.geometry
    }

    /// Walks to the leaf descriptor for `va`. Where a table is missing, `missing` gets the descriptor that should
    /// lead to it, with its level, and makes the table or gives up.
    #[inline(always)]
    fn walk<E>(
        &self,
        va: u64,
        read_desc: impl Fn(PhysAddr) -> u64,
        missing: impl Fn(PhysAddr, u8) -> Result<PhysAddr, E>,
    ) -> Result<PhysAddr, E> {
        // Every fault does this several times, so the shift is carried along instead of computed at each level, and a
        // descriptor's address is put together without checks: tables are aligned to their size, which `mask` bounds.
        let geometry = self.geometry;
        let mask = geometry.entries() - 1;
        let at = |table: PhysAddr, shift: u32| PhysAddr(table.0 | (va.wrapping_shr(shift) & mask) << 3);
        let mut shift = geometry.shift(self.root_level);
        let mut table = self.root;
        while shift > geometry.page_shift {
            let desc = at(table, shift);
            table = match child_of(read_desc(desc)) {
                Some(child) => child,
                None => missing(desc, geometry.level_of(shift))?,
            };
            shift = shift.wrapping_sub(geometry.bits_per_level);
        }
        Ok(at(table, shift))
    }

    /// The leaf descriptor for `va`, if its table exists.
    pub fn leaf<H: Hw>(&self, mem: &Memory<H>, va: u64) -> Option<PhysAddr> {
        self.walk(va, |at| mem.hw.read_desc(at), |_, _| Err(())).ok()
    }

    /// As [`Table::leaf`], allocating the tables on the way. ENOMEM leaves what was allocated in place: empty
    /// tables are harmless and go with the tree.
    pub fn leaf_alloc<H: Hw>(&self, mem: &Memory<H>, va: u64) -> Result<PhysAddr, Errno> {
        let new_table = |at, _| {
            let child = mem.alloc_table(self.geometry.table_order())?;
            // The zeroes must be visible before the descriptor that leads to them.
            mem.hw.dsb_ishst();
            mem.hw.write_desc(at, child.0 | DESC_TABLE);
            self.nr_kernel_pages.set(self.nr_kernel_pages.get() + (1 << self.geometry.table_order()));
            Ok(child)
        };
        self.walk(va, |at| mem.hw.read_desc(at), new_table)
    }

    /// Bytes that one last-level table maps.
    #[inline]
    pub fn leaf_table_size(&self) -> u64 {
        self.geometry.size(LAST_LEVEL - 1)
    }

    /// The leaf entries for `start..end`, table by table, skipping what has no table.
    pub fn for_each_run<H: Hw>(&self, mem: &Memory<H>, start: u64, end: u64, mut f: impl FnMut(LeafRun)) {
        let mut va = start;
        while va < end {
            let (desc, span) = self.next_leaf(mem, va);
            let next = end.min((va & !(span - 1)).saturating_add(span));
            if let Some(desc) = desc {
                f(LeafRun { desc, start: va, end: next });
            }
            va = next;
        }
    }

    /// The leaf descriptor for `va`, and how many aligned bytes around it share its table, or its lack of one.
    #[inline(always)]
    pub(super) fn next_leaf<H: Hw>(&self, mem: &Memory<H>, va: u64) -> (Option<PhysAddr>, u64) {
        match self.walk(va, |at| mem.hw.read_desc(at), |_, level| Err(level)) {
            Ok(desc) => (Some(desc), self.leaf_table_size()),
            Err(level) => (None, self.geometry.size(level)),
        }
    }

    /// Frees the tables that map `start..end` and nothing outside `floor..ceiling`, which holds no mapping any more
    /// (Linux's `free_pgtables`). All leaf entries in there are clear.
    pub fn free_range<H: Hw>(
        &self,
        gather: &mut MmuGather<'_, H>,
        start: u64,
        end: u64,
        (floor, ceiling): (u64, u64),
    ) {
        self.free_below(gather, self.root, self.root_level, (start, end), (floor, ceiling));
    }

    fn free_below<H: Hw>(
        &self,
        gather: &mut MmuGather<'_, H>,
        table: PhysAddr,
        level: u8,
        (start, end): (u64, u64),
        (floor, ceiling): (u64, u64),
    ) {
        if level == LAST_LEVEL {
            return;
        }
        let size = self.geometry.size(level);
        let mut va = start & !(size - 1);
        while va < end {
            let next = va.saturating_add(size);
            let at = table.offset(self.geometry.index(va, level) * 8);
            if let Some(child) = child_of(gather.mem().hw.read_desc(at)) {
                self.free_below(gather, child, level + 1, (start.max(va), end.min(next)), (floor, ceiling));
                if va >= floor && next <= ceiling {
                    gather.mem().hw.write_desc(at, 0);
                    let freed = gather.mem().folio_nr_pages(Folio(child.pfn()));
                    gather.free_table(child.pfn());
                    self.nr_kernel_pages.set(self.nr_kernel_pages.get() - freed);
                }
            }
            va = next;
        }
    }

    /// Takes everything below the root down while the root stays loaded. The tables are free after the batch's flush, and
    /// no walk reaches them any more.
    pub fn clear<H: Hw>(&self, gather: &mut MmuGather<'_, H>) {
        let end = 1 << self.va_bits();
        self.free_range(gather, 0, end, (0, end));
    }

    /// Takes down what is left of the tree, which may be a root only: whoever unmapped with
    /// [`Table::free_range`] left nothing below it. Nobody may load the root any more.
    pub fn destroy<H: Hw>(&mut self, gather: &mut MmuGather<'_, H>, rest: Rest) {
        // A tree that has grown keeps its first root, whatever is mapped below it.
        if rest == Rest::Populated || self.root_level != self.geometry.root_level {
            self.clear(gather);
        }
        gather.free_table(self.root.pfn());
    }
}
