//! From a file to the address spaces that map it (Linux's `i_mmap` and `rmap_walk_file`). The page cache remembers who maps
//! it; whoever truncates, punches or converts asks each to take its entries out, one after the other, under that address
//! space's own lock.
//!
//! Lock order: whatever the caller holds of the file, then one mmap lock at a time. No lock of this module is held while an
//! address space is asked.

use super::mapping::AddressSpace;
use crate::hw::Hw;
use crate::memory::Memory;
use abi::Errno;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::ops::Range;

/// What goes with the page cache's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvenCows {
    /// Private copies as well: the file no longer has these pages, so nobody has (truncation).
    Yes,
    /// Private copies stay.
    No,
}

/// An address space as others than its own threads reach it.
pub trait SharedMm: Send + Sync {
    /// Takes out of its tables what it maps of the kernel pages `pages` of `mapping`, in whole process pages: one that is
    /// only partly in the range goes, too, and faults again. May sleep. Nobody reaches the pages through it afterwards.
    fn unmap_mapping_range(&self, mapping: &AddressSpace, pages: Range<u64>, even_cows: EvenCows);

    /// Frees its native tables if its lock is free; returns the bytes.
    fn try_drop_native_tables(&self) -> u64;
}

/// Who maps a file. Entries of address spaces that have gone, or map it no more, are harmless; they leave when the list
/// would have to grow.
#[derive(Default)]
pub(super) struct Mappers {
    list: Vec<Weak<dyn SharedMm>>,
}

impl Mappers {
    fn add(&mut self, mm: &Weak<dyn SharedMm>) -> Result<(), Errno> {
        if self.list.last().is_some_and(|last| last.ptr_eq(mm)) {
            return Ok(());
        }
        if self.list.len() == self.list.capacity() {
            self.list.retain(|known| known.strong_count() > 0);
            self.list.sort_unstable_by_key(|known| known.as_ptr().cast::<()>() as usize);
            self.list.dedup_by(|a, b| a.ptr_eq(b));
            self.list.try_reserve(self.list.len().max(2)).map_err(|_| Errno::ENOMEM)?;
        }
        self.list.push(mm.clone());
        Ok(())
    }
}

impl AddressSpace {
    /// `mm` maps the file from now on. ENOMEM when that cannot be noted.
    pub(crate) fn add_mapper(&self, mm: &Weak<dyn SharedMm>) -> Result<(), Errno> {
        self.mappers.lock().add(mm)
    }

    /// Those who map the file, or did.
    fn mappers(&self, next: &mut usize) -> Option<Arc<dyn SharedMm>> {
        let mappers = self.mappers.lock();
        while let Some(mm) = mappers.list.get(*next) {
            *next += 1;
            if let Some(mm) = mm.upgrade() {
                return Some(mm);
            }
        }
        None
    }

    /// Takes the kernel pages `pages` of the file out of every address space that maps them (Linux's
    /// `unmap_mapping_pages`). Sleeps. They can be mapped again at once: the caller has changed before what a fault finds.
    pub fn unmap_mapping_range(&self, pages: Range<u64>, even_cows: EvenCows) {
        let mut next = 0;
        while let Some(mm) = self.mappers(&mut next) {
            mm.unmap_mapping_range(self, pages.clone(), even_cows);
        }
    }
}

impl<H: Hw> Memory<H> {
    /// Remembers an address space that has native tables to give.
    pub(crate) fn register_mm(&self, mm: &Weak<dyn SharedMm>) {
        let mut known = self.native_mms.lock();
        if known.len() == known.capacity() {
            known.retain(|mm| mm.strong_count() > 0);
        }
        if known.try_reserve(1).is_ok() {
            known.push(mm.clone());
        }
    }

    /// Gives up the native tables of all address spaces whose locks are free; faults fill them again. Returns the bytes.
    pub fn drop_native_tables(&self) -> u64 {
        let mut freed = 0;
        let mut next = 0;
        loop {
            let Some(mm) = self.native_mms.lock().get(next).map(Weak::upgrade) else { break };
            next += 1;
            freed += mm.map_or(0, |mm| mm.try_drop_native_tables());
        }
        freed
    }
}
