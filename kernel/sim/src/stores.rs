//! Stores that a translation table walker may not see yet. The data side is coherent: every CPU reads the
//! newest value. A walker is a separate observer; without DSB it may read the value before. Arm
//! Architecture Reference Manual, section "Ordering of translation table walks" and "Ordering and
//! observability of translation table updates".

use std::collections::VecDeque;

/// Real store buffers drain; older stores than this many are visible to everyone.
const CAPACITY: usize = 64;

/// One 64-bit store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Store {
    pub pa: u64,
    /// The value that a walker may still see.
    pub old: u64,
    /// Replaced a descriptor that a TLB may hold, so a TLBI must come after it is visible.
    pub revokes: bool,
    epoch: u64,
}

/// Many words at once: zeroed or copied memory, of which the old content is not kept.
#[derive(Clone, Copy, Debug)]
struct Bulk {
    pa: u64,
    len: u64,
    epoch: u64,
}

/// The stores since the last DSB. DMB divides them into epochs that become visible in order.
///
/// One buffer for all CPUs: operations of several CPUs reach the machine one after another, which stands
/// for a lock between them, and what a CPU has observed under a lock its own barriers cover too.
#[derive(Debug, Default)]
pub(crate) struct StoreBuffer {
    stores: VecDeque<Store>,
    bulk: VecDeque<Bulk>,
    epoch: u64,
}

impl StoreBuffer {
    pub fn push(&mut self, pa: u64, old: u64, revokes: bool) {
        let epoch = self.epoch;
        if let Some(store) = self.stores.iter_mut().find(|s| s.pa == pa) {
            // Keep the oldest value and its place in the order: the worst that may be seen.
            store.revokes |= revokes;
            return;
        }
        if self.stores.len() == CAPACITY
            && let Some(oldest) = self.stores.pop_front()
        {
            self.bulk.retain(|b| b.epoch >= oldest.epoch);
        }
        self.stores.push_back(Store { pa, old, revokes, epoch });
    }

    pub fn push_bulk(&mut self, pa: u64, len: u64) {
        self.stores.retain(|s| s.pa < pa || s.pa >= pa + len);
        if self.bulk.len() == CAPACITY {
            self.bulk.pop_front();
        }
        self.bulk.push_back(Bulk { pa, len, epoch: self.epoch });
    }

    pub fn find(&self, pa: u64) -> Option<&Store> {
        self.stores.iter().find(|s| s.pa == pa)
    }

    /// Is the word in memory that was filled and has not reached walkers for certain?
    pub fn in_bulk(&self, pa: u64) -> bool {
        self.bulk.iter().any(|b| pa >= b.pa && pa - b.pa < b.len)
    }

    /// Is a store to this memory not ordered before one that comes now?
    pub fn unordered_in(&self, pa: u64, len: u64) -> bool {
        self.stores.iter().any(|s| s.epoch == self.epoch && s.pa >= pa && s.pa - pa < len)
            || self.bulk.iter().any(|b| b.epoch == self.epoch && b.pa < pa + len && pa < b.pa + b.len)
    }

    /// A walker saw this store: it is visible now, and all stores of earlier epochs are.
    pub fn observe(&mut self, pa: u64) {
        let Some(epoch) = self.find(pa).map(|s| s.epoch) else { return };
        self.stores.retain(|s| s.pa != pa && s.epoch >= epoch);
        self.bulk.retain(|b| b.epoch >= epoch);
    }

    /// The memory has a new owner: what was stored there no longer matters.
    pub fn forget(&mut self, pa: u64, len: u64) {
        self.stores.retain(|s| s.pa < pa || s.pa - pa >= len);
        self.bulk.retain(|b| b.pa + b.len <= pa || pa + len <= b.pa);
    }

    pub fn dmb(&mut self) {
        self.epoch += 1;
    }

    pub fn dsb(&mut self) {
        self.stores.clear();
        self.bulk.clear();
    }

    pub fn iter(&self) -> impl Iterator<Item = &Store> {
        self.stores.iter()
    }

    pub fn len(&self) -> usize {
        self.stores.len() + self.bulk.len()
    }
}
