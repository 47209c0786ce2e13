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
