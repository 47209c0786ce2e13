//! Where a new mapping goes when the kernel chooses: top-down from the mmap base, bottom-up if that fails (Linux's
//! `arch_get_unmapped_area_topdown`).

use super::{Vma, VmaSet};
use crate::types::PageSize;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Bytes, a multiple of the process page.
    pub len: u64,
    /// Alignment of the address in bytes, a power of two, at least the process page.
    pub align: u64,
    /// Lowest address allowed.
    pub low: u64,
    /// Mappings end at or below this.
    pub high: u64,
}

/// A free range between areas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// First free address.
    pub start: u64,
    /// First address that isn't.
    pub end: u64,
}

impl VmaSet {
    /// The highest place for `search`.
    pub fn find_topdown(&self, page: PageSize, search: Search) -> Option<u64> {
        let mut end = search.high;
        for vma in self.iter().rev() {
            if let Some(addr) = fit_high(Hole { start: vma.end, end }, search) {
                return Some(addr);
            }
            end = end.min(vma.start_with_gap(page));
            if end <= search.low {
                return None;
            }
        }
        fit_high(Hole { start: search.low, end }, search)
    }

    /// The lowest place for `search`.
    pub fn find_bottomup(&self, page: PageSize, search: Search) -> Option<u64> {
        let mut start = search.low;
        for vma in self.iter() {
            let end = vma.start_with_gap(page).min(search.high);
            if let Some(addr) = fit_low(Hole { start, end }, search) {
                return Some(addr);
            }
            start = start.max(vma.end);
        }
        fit_low(Hole { start, end: search.high }, search)
    }

    /// Whether `addr..addr + len` is free and keeps away from stacks above.
    pub fn is_free(&self, page: PageSize, addr: u64, len: u64) -> bool {
        let Some(end) = addr.checked_add(len) else { return false };
        self.find(addr).is_none_or(|next: &Vma| end <= next.start_with_gap(page))
    }
}

fn fit_high(hole: Hole, search: Search) -> Option<u64> {
    let start = hole.start.max(search.low);
    let addr = hole.end.checked_sub(search.len)? & !(search.align - 1);
    (addr >= start).then_some(addr)
}

fn fit_low(hole: Hole, search: Search) -> Option<u64> {
    let addr = hole.start.max(search.low).checked_next_multiple_of(search.align)?;
    (addr.checked_add(search.len)? <= hole.end).then_some(addr)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vma::VmFlags;
    use abi::Prot;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_a_hole_if_there_is_one(taken in proptest::collection::btree_set(0u64..64, 0..40), len in 1u64..8) {
            let page = PageSize::Size16K;
            let mut set = VmaSet::default();
            set.reserve(64).unwrap();
            for slot in &taken {
                set.insert(Vma::anonymous(slot << 14, (slot + 1) << 14, Prot::READ));
            }
            let search = Search { len: len << 14, align: 1 << 14, low: 0, high: 64 << 14 };
            let free = |from: u64| (from..from + len).all(|slot| !taken.contains(&slot));
            let all: Vec<u64> = (0..=64 - len).filter(|from| free(*from)).map(|from| from << 14).collect();
            prop_assert_eq!(set.find_topdown(page, search), all.last().copied());
            prop_assert_eq!(set.find_bottomup(page, search), all.first().copied());
        }
    }

    #[test]
    fn keeps_away_from_a_stack() {
        let page = PageSize::Size4K;
        let mut set = VmaSet::default();
        set.reserve(1).unwrap();
        let mut stack = Vma::anonymous(0x200_0000, 0x201_0000, Prot::READ);
        stack.flags = VmFlags::GROWSDOWN;
        set.insert(stack);
        let search = Search { len: 0x1000, align: 0x1000, low: 0x1_0000, high: 0x200_0000 };
        assert_eq!(set.find_topdown(page, search), Some(0x200_0000 - 0x10_0000 - 0x1000));
        assert!(!set.is_free(page, 0x1ff_0000, 0x1000));
    }
}
