//! How much is read at a miss. Grows with sequential use as Linux's `page_cache_ra_order` does: 64 KiB where the
//! file is touched at random, doubling up to [`RA_MAX`] where misses follow each other.

use super::mapping::AddressSpace;
use crate::types::PAGE_SHIFT;

/// Largest window in kernel pages: 1 MiB.
const RA_MAX: u64 = READ_AHEAD_MAX >> PAGE_SHIFT;
/// The same in bytes.
pub const READ_AHEAD_MAX: u64 = 1 << 20;
/// First window in kernel pages, and the largest folio that readahead makes: 64 KiB.
const RA_INIT: u64 = (64 << 10) >> PAGE_SHIFT;
/// log2 of [`RA_INIT`].
pub(super) const RA_ORDER: u8 = 4;

/// The window read last, in kernel pages.
#[derive(Default)]
pub(super) struct RaState {
    start: u64,
    len: u64,
}

/// A window to read, in kernel pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub start: u64,
    pub end: u64,
}

impl RaState {
    /// The window for a miss at kernel page `index`. Aligned to what one folio of readahead covers; reaches past
    /// the file's end only as far as `min_order` makes it.
    pub fn on_miss(&mut self, mapping: &AddressSpace, index: u64) -> Window {
        let sequential = index == self.start + self.len && self.len > 0;
        let len = if sequential { (self.len * 2).min(RA_MAX) } else { RA_INIT };
        let start = index & !(RA_INIT - 1);
        let min = 1u64 << mapping.min_order();
        let file_end = mapping.nr_kernel_pages().next_multiple_of(min);
        let end = (start + len).min(file_end).max(index + 1).next_multiple_of(min);
        *self = RaState { start, len: end - start };
        Window { start, end }
    }
}
