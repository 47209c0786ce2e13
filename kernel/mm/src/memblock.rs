//! Early memory: what RAM there is, what is taken, and an allocator for the time before the frame allocator
//! (Linux: `memblock`). Allocation goes from the top of RAM down, which keeps the low part in one piece.
//! [`Memblock::free_ranges`] hands the rest to the frame allocator; after that this is only a record.

use arrayvec::ArrayVec;
use core::ops::Range;

/// At most this many separate ranges of each kind.
pub const MAX_RANGES: usize = 32;

/// A list of disjoint ranges, sorted, neighbours joined.
#[derive(Debug, Default, Clone)]
pub struct Ranges(ArrayVec<Range<u64>, MAX_RANGES>);

/// More ranges than there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyRanges;

impl Ranges {
    /// No ranges.
    pub const fn new() -> Self {
        Self(ArrayVec::new_const())
    }

    /// Adds `range`, joined with what it touches.
    pub fn insert(&mut self, mut range: Range<u64>) -> Result<(), TooManyRanges> {
        if range.start >= range.end {
            return Ok(());
        }
        self.0.retain(|other| {
            let touches = other.start <= range.end && range.start <= other.end;
            if touches {
                range = range.start.min(other.start)..range.end.max(other.end);
            }
            !touches
        });
        let at = self.0.partition_point(|other| other.start < range.start);
        self.0.try_insert(at, range).map_err(|_| TooManyRanges)
    }

    /// The ranges, lowest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Range<u64>> {
        self.0.iter()
    }
}

/// RAM and what is taken of it.
#[derive(Debug, Default, Clone)]
pub struct Memblock {
    memory: Ranges,
    reserved: Ranges,
}

impl Memblock {
    /// Nothing known yet.
    pub const fn new() -> Self {
        Self { memory: Ranges::new(), reserved: Ranges::new() }
    }

    /// Adds RAM; a part of a page at either end is left out.
    pub fn add(&mut self, range: Range<u64>) -> Result<(), TooManyRanges> {
        self.memory.insert(range.start.next_multiple_of(4096)..range.end & !4095)
    }

    /// Takes a range away, whole pages.
    pub fn reserve(&mut self, range: Range<u64>) -> Result<(), TooManyRanges> {
        self.reserved.insert(range.start & !4095..range.end.next_multiple_of(4096))
    }

    /// The RAM, taken or not.
    pub fn memory(&self) -> impl DoubleEndedIterator<Item = &Range<u64>> {
        self.memory.iter()
    }

    /// Bytes of RAM.
    pub fn total(&self) -> u64 {
        self.memory().map(|r| r.end - r.start).sum()
    }

    /// Takes `size` bytes at a multiple of `align` (a power of two, at least a page).
    pub fn alloc(&mut self, size: u64, align: u64) -> Option<u64> {
        debug_assert!(align.is_power_of_two() && align >= 4096);
        let size = size.next_multiple_of(4096);
        let mut found = None;
        self.for_free(|free| {
            let at = free.end.checked_sub(size).map(|at| at & !(align - 1));
            if let Some(at) = at.filter(|&at| at >= free.start) {
                found = Some(at); // the last one found is the highest
            }
        });
        let at = found?;
        self.reserved.insert(at..at + size).ok()?;
        Some(at)
    }

    /// All RAM that is not taken, lowest first.
    pub fn free_ranges(&self) -> ArrayVec<Range<u64>, { 2 * MAX_RANGES }> {
        let mut free = ArrayVec::new();
        self.for_free(|range| free.push(range));
        free
    }

    fn for_free(&self, mut each: impl FnMut(Range<u64>)) {
        for memory in self.memory.iter() {
            let mut start = memory.start;
            for taken in self.reserved.iter() {
                if taken.end <= start || taken.start >= memory.end {
                    continue;
                }
                if start < taken.start {
                    each(start..taken.start);
                }
                start = taken.end;
            }
            if start < memory.end {
                each(start..memory.end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    const PAGE: u64 = 4096;

    fn pages(ranges: impl IntoIterator<Item = Range<u64>>) -> BTreeSet<u64> {
        ranges.into_iter().flat_map(|r| r.start / PAGE..r.end / PAGE).collect()
    }

    #[test]
    fn allocates_from_the_top_and_keeps_off_what_is_taken() {
        let mut memblock = Memblock::new();
        memblock.add(0x4000_0000..0x4800_0000).unwrap();
        memblock.reserve(0x47ff_f800..0x4800_0000).unwrap();
        assert_eq!(memblock.alloc(PAGE, PAGE), Some(0x47ff_e000));
        assert_eq!(memblock.alloc(2 << 20, 2 << 20), Some(0x47c0_0000));
        assert_eq!(memblock.alloc(1, PAGE), Some(0x47ff_d000), "the gap above is still there");
        assert_eq!(memblock.alloc(1 << 30, PAGE), None);
    }

    #[test]
    fn leaves_out_parts_of_pages() {
        let mut memblock = Memblock::new();
        memblock.add(0x1001..0x3fff).unwrap();
        assert_eq!(memblock.total(), PAGE);
        memblock.reserve(0x2fff..0x3000).unwrap();
        assert_eq!(memblock.alloc(PAGE, PAGE), None);
    }

    proptest! {
        /// Against sets of pages: whatever is added, reserved and allocated in whatever order.
        #[test]
        fn is_what_sets_of_pages_say(
            memory in prop::collection::vec((0u64..200, 0u64..60), 0..6),
            reserved in prop::collection::vec((0u64..260, 0u64..20), 0..6),
            allocs in prop::collection::vec((1u64..30, 0u32..5), 0..10),
        ) {
            let range = |&(start, len): &(u64, u64)| start * PAGE..(start + len) * PAGE;
            let mut memblock = Memblock::new();
            for r in &memory {
                memblock.add(range(r)).unwrap();
            }
            for r in &reserved {
                memblock.reserve(range(r)).unwrap();
            }
            let all = pages(memory.iter().map(range));
            prop_assert_eq!(memblock.total(), all.len() as u64 * PAGE);
            let mut free: BTreeSet<u64> = all.difference(&pages(reserved.iter().map(range))).copied().collect();
            for (size, align) in allocs {
                let fits = |at: &u64| at.is_multiple_of(1 << align) && (*at..at + size).all(|p| free.contains(&p));
                let highest = free.iter().copied().filter(fits).max();
                let got = memblock.alloc(size * PAGE, PAGE << align).map(|at| at / PAGE);
                prop_assert_eq!(got, highest);
                if let Some(at) = got {
                    (at..at + size).for_each(|p| { free.remove(&p); });
                }
            }
            let left: Vec<_> = memblock.free_ranges().into_iter().collect();
            prop_assert_eq!(pages(left), free);
        }
    }
}
