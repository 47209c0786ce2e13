//! The frame allocator of the machine: naturally aligned blocks of 2^order frames, each frame known to be
//! allocated or free at any time, with injected failures. It is a test's allocator: what counts is that
//! it notices mistakes and repeats by seed.

use std::collections::BTreeSet;

use crate::phys::FRAME_SIZE;
use crate::rng::Rng;

/// Largest block: 2^18 frames, 1 GiB.
pub const MAX_ORDER: u32 = 18;

/// What is wrong with a free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FreeError {
    /// Not a naturally aligned block of frames in memory.
    NoBlock,
    /// This frame is free already.
    Double(u64),
}

/// Counters of the allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCounters {
    /// Allocations asked for, failed ones included.
    pub attempts: u64,
    /// Attempts that failed because a test wanted it.
    pub injected: u64,
    /// Frames allocated now.
    pub allocated: usize,
    /// Most frames that were ever allocated at one time.
    pub peak: usize,
}

/// Who owns which frame.
#[derive(Debug)]
pub struct Frames {
    base: u64,
    allocated: Vec<bool>,
    free: Vec<BTreeSet<usize>>,
    counters: FrameCounters,
    /// Attempts left until the injected failure; the failure happens when it is zero.
    fail_in: Option<u64>,
    fail_all: bool,
}

impl Frames {
    pub(crate) fn new(base: u64, nr_frames: usize) -> Self {
        let mut frames = Frames {
            base,
            allocated: vec![false; nr_frames],
            free: vec![BTreeSet::new(); MAX_ORDER as usize + 1],
            counters: FrameCounters::default(),
            fail_in: None,
            fail_all: false,
        };
        let mut at = 0;
        while at < nr_frames {
            let order = (0..=MAX_ORDER)
                .rev()
                .find(|&o| frames.is_aligned(at, o) && at + (1 << o) <= nr_frames)
                .expect("order 0 always fits");
            frames.free[order as usize].insert(at);
            at += 1 << order;
        }
        frames
    }

    /// Natural alignment is that of the physical address, not of the index.
    fn is_aligned(&self, index: usize, order: u32) -> bool {
        (self.base / FRAME_SIZE + index as u64).is_multiple_of(1 << order)
    }

    fn pa(&self, index: usize) -> u64 {
        self.base + index as u64 * FRAME_SIZE
    }

    fn index(&self, pa: u64) -> Option<usize> {
        let index = (pa.checked_sub(self.base)? / FRAME_SIZE) as usize;
        (index < self.allocated.len()).then_some(index)
    }

    pub(crate) fn alloc(&mut self, order: u32, rng: &mut Rng) -> Option<u64> {
        self.counters.attempts += 1;
        if self.injected_failure() {
            self.counters.injected += 1;
            return None;
        }
        let from = (order..=MAX_ORDER).find(|&o| !self.free[o as usize].is_empty())?;
        let set = &mut self.free[from as usize];
        // Either end: a test must not lean on neighbours in time being neighbours in memory.
        let mut index = if rng.coin() { set.pop_first() } else { set.pop_last() }?;
        for smaller in (order..from).rev() {
            let half = 1 << smaller;
            let (keep, give) = if rng.coin() { (index, index + half) } else { (index + half, index) };
            self.free[smaller as usize].insert(give);
            index = keep;
        }
        self.allocated[index..index + (1 << order)].fill(true);
        self.counters.allocated += 1 << order;
        self.counters.peak = self.counters.peak.max(self.counters.allocated);
        Some(self.pa(index))
    }

    fn injected_failure(&mut self) -> bool {
        match &mut self.fail_in {
            Some(0) => {
                if !self.fail_all {
                    self.fail_in = None;
                }
                true
            }
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    /// Any aligned block whose frames are all allocated may be freed: a folio may be allocated whole and,
    /// once split, freed in pieces.
    pub(crate) fn free(&mut self, pa: u64, order: u32) -> Result<(), FreeError> {
        let index = self.index(pa).ok_or(FreeError::NoBlock)?;
        let count = 1usize.checked_shl(order).ok_or(FreeError::NoBlock)?;
        if order > MAX_ORDER
            || !pa.is_multiple_of(FRAME_SIZE)
            || !self.is_aligned(index, order)
            || index + count > self.allocated.len()
        {
            return Err(FreeError::NoBlock);
        }
        if let Some(bad) = (index..index + count).find(|&i| !self.allocated[i]) {
            return Err(FreeError::Double(self.pa(bad)));
        }
        self.allocated[index..index + count].fill(false);
        self.counters.allocated -= count;
        self.insert_free(index, order);
        Ok(())
    }

    fn insert_free(&mut self, mut index: usize, mut order: u32) {
        while order < MAX_ORDER {
            let buddy = if self.is_aligned(index, order + 1) {
                index.checked_add(1 << order)
            } else {
                index.checked_sub(1 << order)
            };
            match buddy {
                Some(buddy) if self.free[order as usize].remove(&buddy) => {
                    index = index.min(buddy);
                    order += 1;
                }
                _ => break,
            }
        }
        self.free[order as usize].insert(index);
    }

    /// Is the frame that holds this address allocated? False outside memory too.
    pub fn is_allocated(&self, pa: u64) -> bool {
        self.index(pa).is_some_and(|i| self.allocated[i])
    }

    /// The first free frame in a range of memory.
    pub(crate) fn first_free_in(&self, pa: u64, len: u64) -> Option<u64> {
        let first = self.index(pa)?;
        let last = self.index(pa + len.max(1) - 1)?;
        (first..=last).find(|&i| !self.allocated[i]).map(|i| self.pa(i))
    }

    /// Addresses of all allocated frames, to say which ones leaked.
    pub fn allocated(&self) -> impl Iterator<Item = u64> + '_ {
        self.allocated.iter().enumerate().filter(|(_, a)| **a).map(|(i, _)| self.pa(i))
    }

    /// Counters.
    pub fn counters(&self) -> FrameCounters {
        self.counters
    }

    /// Let the allocation after `skip` more attempts fail, once.
    pub fn fail_after(&mut self, skip: u64) {
        self.fail_in = Some(skip);
        self.fail_all = false;
    }

    /// Let every allocation after `skip` more attempts fail, until [`Frames::never_fail`].
    pub fn fail_all_after(&mut self, skip: u64) {
        self.fail_in = Some(skip);
        self.fail_all = true;
    }

    /// Forget injected failures.
    pub fn never_fail(&mut self) {
        self.fail_in = None;
        self.fail_all = false;
    }
}
