//! What the kernel knows about each frame. All zero is the valid state of a frame that nobody owns, so the array
//! can be made from zeroed memory.

use crate::types::Pfn;
use bitflags::bitflags;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

/// A folio, named by its head frame. A plain name: references are counted by hand, as in Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Folio(pub Pfn);

bitflags! {
    /// State of a folio (on its head) or of one page (ANON_EXCLUSIVE).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Flags: u32 {
        /// Somebody reads it from a device; wait for the unlock.
        const LOCKED = 1 << 0;
        /// Its bytes are those of the file.
        const UPTODATE = 1 << 1;
        /// Reading it failed.
        const ERROR = 1 << 2;
        /// Written since it was read; memory-backed files set it for good.
        const DIRTY = 1 << 3;
        /// Its bytes are visible to instruction fetches (Linux's PG_dcache_clean).
        const DCACHE_CLEAN = 1 << 4;
        /// Anonymous memory.
        const ANON = 1 << 5;
        /// This page belongs to one process only.
        const ANON_EXCLUSIVE = 1 << 6;
        /// A page table.
        const TABLE = 1 << 7;
        /// Of a file that lives in memory.
        const SHMEM = 1 << 8;
    }
}

/// Metadata of one frame. In a larger folio the head's entry counts, apart from `head_offset` and per-page flags.
#[derive(Default)]
pub struct FrameMeta {
    pub(crate) flags: AtomicU32,
    pub(crate) refcount: AtomicU32,
    pub(crate) mapcount: AtomicU32,
    /// Distance to the head, in frames.
    pub(crate) head_offset: AtomicU32,
    /// First kernel page of the file that the folio holds.
    pub(crate) index: AtomicU64,
    /// Next in whatever list the folio is on: free frames by order, or frames that wait for a TLB flush.
    /// The frame's number in the metadata array plus 1; 0 ends the list.
    pub(crate) link: AtomicU32,
    /// Device requests that still write into the folio.
    pub(crate) io_pending: AtomicU32,
    /// Bytes of the folio that belong to the file; what follows in a device's last sector is zeroed at completion.
    pub(crate) valid_bytes: AtomicU32,
    pub(crate) order: AtomicU8,
}
