//! Frames by order: lists in front of the machine's buddy allocator, so that the common allocation is a pop and
//! the common free is a push. Mirrors the role of Linux's per-CPU page lists.

use super::{Flags, Folio};
use crate::hw::Hw;
use crate::memory::Memory;
use crate::types::Pfn;
use core::sync::atomic::Ordering::{Relaxed, Release};

/// Largest order that the lists hold: 4 MiB.
pub const MAX_ORDER: u8 = 10;
/// An empty list takes a block of this order from the buddy allocator and cuts it up.
const REFILL_ORDER: u8 = 6;
/// Kernel pages that may wait in the lists before half go back, so that the buddy allocator can join them: this many,
/// or this part of a larger machine, as giving a page back costs three times what unmapping it does.
const HIGH_MARK: u64 = 4096;
const HIGH_MARK_PART: u64 = 8;

/// Free frames by order, linked through their metadata.
pub struct FreeLists {
    heads: [u32; MAX_ORDER as usize + 1],
    nr_kernel_pages: u64,
    high_mark: u64,
}

impl FreeLists {
    /// Empty lists for a machine with this many frames.
    pub fn new(nr_frames: u64) -> FreeLists {
        let high_mark = HIGH_MARK.max(nr_frames / HIGH_MARK_PART);
        FreeLists { heads: [0; MAX_ORDER as usize + 1], nr_kernel_pages: 0, high_mark }
    }
}

impl<H: Hw> Memory<H> {
    /// Takes a folio of 2^order kernel pages with one reference; its content is arbitrary. When memory is short,
    /// clean page cache that nobody maps is given up first, then native tables. `None` when that does not help.
    pub fn alloc_folio(&self, order: u8) -> Option<Folio> {
        let pfn = self.take(order).or_else(|| self.take_after_reclaim(order))?;
        self.prepare(pfn, order);
        Some(Folio(pfn))
    }

    fn take_after_reclaim(&self, order: u8) -> Option<Pfn> {
        self.reclaim();
        self.take(order).or_else(|| {
            self.drop_native_tables();
            self.take(order)
        })
    }

    /// As [`Memory::alloc_folio`], but gives up at once when memory is short (Linux's `~__GFP_RECLAIM`): for
    /// sizes that are nice to have.
    pub fn alloc_folio_opportunistic(&self, order: u8) -> Option<Folio> {
        let pfn = self.take(order)?;
        self.prepare(pfn, order);
        Some(Folio(pfn))
    }

    /// Takes a zeroed folio of anonymous memory.
    pub(crate) fn alloc_anon_folio(&self, order: u8) -> Option<Folio> {
        let folio = self.alloc_folio(order)?;
        self.init_anon_folio(folio, order);
        Some(folio)
    }

    /// Makes a fresh folio of 2^order kernel pages anonymous memory: zeroed.
    #[inline(always)]
    pub(crate) fn init_anon_folio(&self, folio: Folio, order: u8) {
        self.hw.zero_frames(folio.0, order);
        self.frame(folio.0).flags.store((Flags::ANON | Flags::UPTODATE).bits(), Relaxed);
    }

    fn prepare(&self, pfn: Pfn, order: u8) {
        for i in 0..1u64 << order {
            let frame = self.frame(pfn.offset(i));
            frame.flags.store(0, Relaxed);
            frame.head_offset.store(i as u32, Relaxed);
        }
        let head = self.frame(pfn);
        debug_assert_eq!(head.refcount.load(Relaxed), 0, "frame handed out twice");
        head.order.store(order, Relaxed);
        head.mapcount.store(0, Relaxed);
        head.refcount.store(1, Release);
        self.stats.nr_free_to_used(1 << order);
    }

    pub(super) fn free_folio(&self, folio: Folio) {
        let order = self.folio_order(folio);
        debug_assert_eq!(self.folio_mapcount(folio), 0, "mapped folio freed");
        self.stats.nr_used_to_free(1 << order);
        let mut lists = self.free.lock();
        self.push(&mut lists, folio.0, order);
        if lists.nr_kernel_pages > lists.high_mark {
            let keep = lists.high_mark / 2;
            self.drain(&mut lists, keep);
        }
    }

    fn take(&self, order: u8) -> Option<Pfn> {
        let mut lists = self.free.lock();
        if let Some(pfn) = self.pop_or_split(&mut lists, order) {
            return Some(pfn);
        }
        let refill = REFILL_ORDER.max(order);
        if let Some(pfn) = self.hw.alloc_frames(refill) {
            return Some(self.cut(&mut lists, pfn, refill, order));
        }
        // Small pieces in our lists may join to what is asked once the buddy allocator has them.
        self.drain(&mut lists, 0);
        self.hw.alloc_frames(order)
    }

    fn pop_or_split(&self, lists: &mut FreeLists, order: u8) -> Option<Pfn> {
        for from in order..=MAX_ORDER {
            if let Some(pfn) = self.pop(lists, from) {
                return Some(self.cut(lists, pfn, from, order));
            }
        }
        None
    }

    /// Keeps the first 2^order frames of a block and puts the rest on the lists.
    fn cut(&self, lists: &mut FreeLists, pfn: Pfn, from: u8, order: u8) -> Pfn {
        if order == 0 && from == REFILL_ORDER {
            // The next single frames are popped one after the other: no further cutting.
            for i in (1..1u64 << from).rev() {
                self.push(lists, pfn.offset(i), 0);
            }
            return pfn;
        }
        for half in (order..from).rev() {
            self.push(lists, pfn.offset(1 << half), half);
        }
        pfn
    }

    fn push(&self, lists: &mut FreeLists, pfn: Pfn, order: u8) {
        let head = &mut lists.heads[usize::from(order)];
        self.frame(pfn).link.store(*head, Relaxed);
        *head = (pfn.0 - self.base.0) as u32 + 1;
        lists.nr_kernel_pages += 1 << order;
    }

    fn pop(&self, lists: &mut FreeLists, order: u8) -> Option<Pfn> {
        let head = &mut lists.heads[usize::from(order)];
        let index = head.checked_sub(1)?;
        let pfn = self.base.offset(u64::from(index));
        *head = self.frame(pfn).link.load(Relaxed);
        lists.nr_kernel_pages -= 1 << order;
        Some(pfn)
    }

    /// Gives blocks back to the buddy allocator until at most `keep` kernel pages are left.
    fn drain(&self, lists: &mut FreeLists, keep: u64) {
        for order in 0..=MAX_ORDER {
            while lists.nr_kernel_pages > keep {
                let Some(pfn) = self.pop(lists, order) else { break };
                self.hw.free_frames(pfn, order);
            }
        }
    }

    /// Lets at most `nr_kernel_pages` wait in the lists; 0 hands every freed frame back at once, so that the buddy
    /// allocator sees each free when it happens.
    pub fn limit_free_lists(&self, nr_kernel_pages: u64) {
        let mut lists = self.free.lock();
        lists.high_mark = nr_kernel_pages;
        self.drain(&mut lists, nr_kernel_pages);
    }
}
