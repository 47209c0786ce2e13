//! Writing through the page cache, for files that live in memory (tmpfs, memfd): a folio to write to, and truncation.
//! Mirrors what `shmem_write_begin`, `truncate_inode_pages` and `truncate_pagecache` do in Linux's `mm/shmem.c` and
//! `mm/truncate.c`.
//!
//! Bytes past the end of the file are zero in a folio unless a mapper stored there; when the file grows over them they are
//! zeroed again, so nobody ever reads them. The file system calls one of these functions at a time for each file.

use super::mapping::{AddressSpace, Backing};
use super::readahead::RA_ORDER;
use super::rmap::EvenCows;
use super::tree::Entry;
use crate::folio::Flags;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::types::PAGE_SHIFT;
use abi::Errno;
use alloc::sync::Arc;

impl<H: Hw> Memory<H> {
    /// The folio that holds kernel page `index`, up to date and marked dirty, with a reference for the caller, who is
    /// going to write the `len` bytes from `pos` on. A hole is filled by a zeroed folio, as large as that run makes
    /// sensible. ENOSPC when the file system is full, ENOMEM when no folio can be had, EROFS for a file that could not be
    /// written back. Blocks.
    pub fn folio_for_write(
        self: &Arc<Self>,
        mapping: &Arc<AddressSpace>,
        pos: u64,
        len: u64,
    ) -> Result<Entry, Errno> {
        if mapping.backing() != Backing::Memory {
            return Err(Errno::EROFS);
        }
        let index = pos >> PAGE_SHIFT;
        let nr = ((pos + len.max(1) - 1) >> PAGE_SHIFT) + 1 - index;
        let entry = loop {
            if let Some(entry) = mapping.get_folio(self, index) {
                if let Err(error) = self.wait_uptodate(entry.folio) {
                    self.folio_put(entry.folio);
                    return Err(error);
                }
                break entry;
            }
            match self.add_zeroed_folio(mapping, index, nr) {
                // Somebody else filled the hole meanwhile.
                Err(Errno::EEXIST) => {}
                other => break other?,
            }
        };
        self.folio_set(entry.folio, Flags::DIRTY);
        // The next executable mapping makes the new bytes visible to instruction fetches.
        self.folio_clear(entry.folio, Flags::DCACHE_CLEAN);
        Ok(entry)
    }

    /// Fills a hole at `index` with a zeroed folio within the `nr` pages that follow, or with a single page.
    fn add_zeroed_folio(
        self: &Arc<Self>,
        mapping: &Arc<AddressSpace>,
        index: u64,
        nr: u64,
    ) -> Result<Entry, Errno> {
        let aligned = index.trailing_zeros().min(u32::from(RA_ORDER)) as u8;
        let largest = aligned.min(nr.ilog2() as u8).max(mapping.min_order());
        let mut result = Err(Errno::ENOMEM);
        for order in (0..=largest).rev() {
            let folio = if order == 0 { self.alloc_folio(0) } else { self.alloc_folio_opportunistic(order) };
            let Some(folio) = folio else { continue };
            self.hw.zero_frames(folio.0, order);
            self.folio_set(folio, Flags::UPTODATE);
            // One reference for the cache, one for the caller.
            self.folio_get(folio);
            let entry = Entry { folio, index: index >> order << order, order };
            result = mapping.add_folio(self, entry).map(|()| entry);
            if result.is_ok() {
                break;
            }
            self.folio_put_refs(folio, 2);
        }
        result
    }

    /// Makes what lies between the end of the file and `pos` read as zero, before the file grows over it.
    pub fn zero_to(&self, mapping: &AddressSpace, pos: u64) {
        let size = mapping.size();
        let mut index = size >> PAGE_SHIFT;
        // Folios past the end exist as far as the largest mapper's last page reaches.
        while index << PAGE_SHIFT < pos {
            let Some(entry) = mapping.next_folio(self, index) else { break };
            index = entry.end();
            self.zero_part(&entry, size, pos);
            self.folio_put(entry.folio);
        }
    }

    /// Sets the size. Folios past a new end that is nearer go, from every address space, too; one that the end lies in stays,
    /// with zeroes behind it. A mapper's last page is what the end rounds to in its own page size. Sleeps.
    pub fn truncate(&self, mapping: &AddressSpace, size: u64) {
        self.zero_to(mapping, size);
        let shrinks = size < mapping.size();
        mapping.set_size(size);
        if !shrinks {
            return;
        }
        let first = size.div_ceil(1 << PAGE_SHIFT);
        // A fault that comes now finds the new end. Private copies go as well, but for those in the page of the new end.
        mapping.unmap_mapping_range(first..u64::MAX, EvenCows::Yes);
        let mut index = size >> PAGE_SHIFT;
        // One folio a turn, so that the lock is short.
        loop {
            let mut inner = mapping.inner.lock();
            let Some(entry) = inner.tree.next(index) else { break };
            index = entry.end();
            if entry.index < first {
                self.folio_get(entry.folio);
                drop(inner);
                self.zero_part(&entry, size, u64::MAX);
                self.folio_put(entry.folio);
                continue;
            }
            inner.tree.remove(entry.index);
            drop(inner);
            self.forget_cached(mapping, &entry);
        }
    }

    /// Accounts for a folio that was taken out of the cache, and drops the cache's reference.
    pub(super) fn forget_cached(&self, mapping: &AddressSpace, entry: &Entry) {
        mapping.ops().uncharge(1 << entry.order);
        self.uncount_cached(entry.folio);
        self.folio_put(entry.folio);
    }

    /// Zeroes the bytes `from..to` of the file as far as they lie in this folio.
    pub(super) fn zero_part(&self, entry: &Entry, from: u64, to: u64) {
        let start = entry.index << PAGE_SHIFT;
        let from = from.max(start);
        let to = to.min(entry.end() << PAGE_SHIFT);
        if from < to {
            let at = entry.folio.0.addr().offset(from - start);
            self.hw.zero_bytes(at, to - from);
            if self.folio_test(entry.folio, Flags::DCACHE_CLEAN) {
                // Somebody may run from it: the mapping stays, so nobody else will look after the instruction cache.
                self.hw.sync_icache(at, to - from);
            }
        }
    }
}
