//! Folios: 2^order naturally aligned kernel pages with one reference count, one map count and one set of flags.
//! The metadata of every frame of RAM lives in one array, as in Linux's `struct page` and `struct folio`.

mod alloc;
mod meta;

pub use alloc::{FreeLists, MAX_ORDER};
pub use meta::{Flags, Folio, FrameMeta};

use crate::hw::Hw;
use crate::memory::Memory;
use crate::types::Pfn;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

impl<H: Hw> Memory<H> {
    /// The metadata of one frame. `None` for an address that is not RAM.
    pub fn meta(&self, pfn: Pfn) -> Option<&FrameMeta> {
        self.frames.get(usize::try_from(pfn.0.checked_sub(self.base.0)?).ok()?)
    }

    /// Frames from the first to the last, in kernel pages.
    pub fn nr_frames(&self) -> u64 {
        self.frames.len() as u64
    }

    /// The metadata of a frame that this kernel allocated.
    pub(crate) fn frame(&self, pfn: Pfn) -> &FrameMeta {
        &self.frames[(pfn.0 - self.base.0) as usize]
    }

    /// The folio that a frame belongs to.
    pub fn folio_of(&self, pfn: Pfn) -> Folio {
        Folio(Pfn(pfn.0 - u64::from(self.frame(pfn).head_offset.load(Relaxed))))
    }

    /// log2 of the folio in kernel pages.
    pub fn folio_order(&self, folio: Folio) -> u8 {
        self.frame(folio.0).order.load(Relaxed)
    }

    /// The folio in kernel pages.
    pub fn folio_nr_pages(&self, folio: Folio) -> u64 {
        1 << self.folio_order(folio)
    }

    /// Takes `nr` more references. The caller already holds one, or a lock under which the folio cannot go.
    pub fn folio_ref_add(&self, folio: Folio, nr: u32) {
        let before = self.frame(folio.0).refcount.fetch_add(nr, Relaxed);
        debug_assert!(before > 0, "reference taken on a free folio {:?}", folio.0);
    }

    /// Takes a reference (Linux's `folio_get`).
    pub fn folio_get(&self, folio: Folio) {
        self.folio_ref_add(folio, 1);
    }

    /// Drops a reference; the last one frees the folio. The caller has made sure that no TLB reaches it.
    pub fn folio_put(&self, folio: Folio) {
        self.folio_put_refs(folio, 1);
    }

    /// Drops `nr` references (Linux's `folio_put_refs`).
    pub fn folio_put_refs(&self, folio: Folio, nr: u32) {
        let before = self.frame(folio.0).refcount.fetch_sub(nr, Release);
        debug_assert!(before >= nr, "reference count of {:?} below zero", folio.0);
        if before == nr {
            core::sync::atomic::fence(Acquire);
            self.free_folio(folio);
        }
    }

    /// Counts `nr` more page-table entries that map pages of this folio.
    pub(crate) fn folio_add_mapcount(&self, folio: Folio, nr: u32) {
        self.frame(folio.0).mapcount.fetch_add(nr, Relaxed);
    }

    /// Counts `nr` fewer.
    pub(crate) fn folio_sub_mapcount(&self, folio: Folio, nr: u32) {
        let before = self.frame(folio.0).mapcount.fetch_sub(nr, Relaxed);
        debug_assert!(before >= nr, "map count of {:?} below zero", folio.0);
    }

    /// Page-table entries that map pages of this folio.
    pub fn folio_mapcount(&self, folio: Folio) -> u32 {
        self.frame(folio.0).mapcount.load(Relaxed)
    }

    /// References held on this folio.
    pub fn folio_refcount(&self, folio: Folio) -> u32 {
        self.frame(folio.0).refcount.load(Relaxed)
    }

    /// Whether all of `flags` are set on the folio.
    pub fn folio_test(&self, folio: Folio, flags: Flags) -> bool {
        self.frame(folio.0).flags.load(Acquire) & flags.bits() == flags.bits()
    }

    /// Sets flags.
    pub(crate) fn folio_set(&self, folio: Folio, flags: Flags) {
        self.frame(folio.0).flags.fetch_or(flags.bits(), AcqRel);
    }

    /// Clears flags.
    pub(crate) fn folio_clear(&self, folio: Folio, flags: Flags) {
        self.frame(folio.0).flags.fetch_and(!flags.bits(), AcqRel);
    }

    /// Whether this page of an anonymous folio belongs to one process only, so that a write may reuse it
    /// (Linux's PageAnonExclusive). Kept per page, because fork and unmap work on parts of a folio.
    pub fn page_anon_exclusive(&self, pfn: Pfn) -> bool {
        self.frame(pfn).flags.load(Relaxed) & Flags::ANON_EXCLUSIVE.bits() != 0
    }

    pub(crate) fn set_page_anon_exclusive(&self, pfn: Pfn, exclusive: bool) {
        let flags = &self.frame(pfn).flags;
        if exclusive {
            flags.fetch_or(Flags::ANON_EXCLUSIVE.bits(), Relaxed);
        } else {
            flags.fetch_and(!Flags::ANON_EXCLUSIVE.bits(), Relaxed);
        }
    }

    /// Whether the folio is anonymous memory.
    pub fn folio_test_anon(&self, folio: Folio) -> bool {
        self.folio_test(folio, Flags::ANON)
    }
}
