//! Space in files that live in memory: filling holes ahead of writes, and making holes. Mirrors `shmem_fallocate` of Linux's
//! `mm/shmem.c`.

use super::mapping::AddressSpace;
use super::rmap::EvenCows;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::types::{PAGE_SHIFT, PAGE_SIZE};
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

impl<H: Hw> Memory<H> {
    /// Fills the holes in the bytes `from..to` with zeroed folios; the size stays. All or nothing: what was filled before an
    /// error (ENOSPC, ENOMEM) is a hole again. Blocks.
    pub fn fill_holes(
        self: &Arc<Self>,
        mapping: &Arc<AddressSpace>,
        from: u64,
        to: u64,
    ) -> Result<(), Errno> {
        let mut filled: Vec<Range<u64>> = Vec::new();
        let result = self.fill(mapping, from >> PAGE_SHIFT..to.div_ceil(1 << PAGE_SHIFT), &mut filled);
        if result.is_err() {
            for run in filled {
                self.punch_hole(mapping, run.start << PAGE_SHIFT, run.end << PAGE_SHIFT);
            }
        }
        result
    }

    fn fill(
        self: &Arc<Self>,
        mapping: &Arc<AddressSpace>,
        pages: Range<u64>,
        filled: &mut Vec<Range<u64>>,
    ) -> Result<(), Errno> {
        let mut index = pages.start;
        while index < pages.end {
            let next = mapping.next_cached(index << PAGE_SHIFT);
            let hole_end = match next {
                Some(cached) if cached.start >> PAGE_SHIFT <= index => {
                    index = cached.end >> PAGE_SHIFT;
                    continue;
                }
                Some(cached) => (cached.start >> PAGE_SHIFT).min(pages.end),
                None => pages.end,
            };
            filled.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            let at = index << PAGE_SHIFT;
            let entry = self.folio_for_write(mapping, at, (hole_end << PAGE_SHIFT) - at)?;
            self.folio_put(entry.folio);
            match filled.last_mut() {
                Some(last) if last.end == entry.index => last.end = entry.end(),
                _ => filled.push(entry.index..entry.end()),
            }
            index = entry.end();
        }
        Ok(())
    }

    /// Makes the bytes `from..to` read as zero. Whole pages of them leave all address spaces; folios that lie in them wholly
    /// and that nobody holds go, others are zeroed where they are. Sleeps.
    pub fn punch_hole(&self, mapping: &AddressSpace, from: u64, to: u64) {
        let whole = from.div_ceil(PAGE_SIZE)..to >> PAGE_SHIFT;
        if !whole.is_empty() {
            mapping.unmap_mapping_range(whole, EvenCows::No);
        }
        let mut index = from >> PAGE_SHIFT;
        // One folio a turn, so that the lock is short.
        loop {
            let mut inner = mapping.inner.lock();
            let Some(entry) = inner.tree.next(index) else { break };
            let (start, end) = (entry.index << PAGE_SHIFT, entry.end() << PAGE_SHIFT);
            if start >= to {
                break;
            }
            index = entry.end();
            if from <= start && end <= to && self.folio_refcount(entry.folio) == 1 {
                inner.tree.remove(entry.index);
                drop(inner);
                self.forget_cached(mapping, &entry);
            } else {
                self.folio_get(entry.folio);
                drop(inner);
                self.zero_part(&entry, from, to);
                self.folio_put(entry.folio);
            }
        }
    }
}
