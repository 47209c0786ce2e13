//! The pieces of an image, as `mmap` calls would leave them. Built by [`crate::plan`], carried out by
//! the kernel.

use abi::{Errno, Prot};
use alloc::vec::Vec;

/// What is behind a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The file, privately.
    File {
        /// The file's byte at the mapping's start, a multiple of the process page.
        offset: u64,
        /// From this address to the mapping's end the bytes are zero, not the file's: the beginning of
        /// bss, always within the last process page. It has to be written (and so copied) before the
        /// program runs. Only writable mappings have it.
        zero_from: Option<u64>,
    },
    /// Zeros: bss, private and anonymous.
    Anonymous,
}

/// One private mapping at a fixed address. Both ends are multiples of the process page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// End; above `start`.
    pub end: u64,
    /// READ, WRITE, EXEC.
    pub prot: Prot,
    /// Its bytes.
    pub source: Source,
}

impl Mapping {
    /// Length in bytes, never 0.
    #[expect(clippy::len_without_is_empty, reason = "a mapping is never empty")]
    pub fn len(&self) -> u64 {
        self.end - self.start
    }

    /// What is left of it below `end`.
    fn below(&self, end: u64) -> Option<Mapping> {
        if self.start >= end {
            return None;
        }
        let source = match self.source {
            // The zeros are in the last page, which is cut off.
            Source::File { offset, .. } if end < self.end => Source::File { offset, zero_from: None },
            source => source,
        };
        Some(Mapping { end: end.min(self.end), source, ..*self })
    }

    /// What is left of it from `start` on.
    fn above(&self, start: u64) -> Option<Mapping> {
        if start >= self.end {
            return None;
        }
        let start = start.max(self.start);
        let source = match self.source {
            Source::File { offset, zero_from } => {
                Source::File { offset: offset + (start - self.start), zero_from }
            }
            source => source,
        };
        Some(Mapping { start, source, ..*self })
    }
}

/// Puts `new` into `list`, sorted and without overlaps, over what was there: what MAP_FIXED does, and
/// how Linux treats segments that share pages.
pub(crate) fn insert(list: &mut Vec<Mapping>, new: Mapping) -> Result<(), Errno> {
    debug_assert!(new.start < new.end);
    list.try_reserve(2).map_err(|_| Errno::ENOMEM)?;
    let first = list.partition_point(|old| old.end <= new.start);
    let behind = list.partition_point(|old| old.start < new.end);
    let left = list.get(first).and_then(|old| old.below(new.start));
    let right = behind.checked_sub(1).and_then(|last| list[last].above(new.end));
    list.drain(first..behind);
    for piece in [right, Some(new), left].into_iter().flatten() {
        list.insert(first, piece);
    }
    Ok(())
}
