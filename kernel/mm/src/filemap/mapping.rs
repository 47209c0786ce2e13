//! The page cache of one file (Linux's `struct address_space`).

use super::iomap::AddressSpaceOps;
use super::rmap::Mappers;
use super::tree::{Entry, FolioTree};
use crate::folio::{Flags, Folio};
use crate::hw::Hw;
use crate::memory::Memory;
use crate::types::{PAGE_SHIFT, PageSize};
use abi::Errno;
use alloc::sync::Arc;
use core::ops::Range;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

/// Where folios go when their file does: the memory that they came from.
pub trait FolioSink: Send + Sync {
    /// Drops the page cache's reference.
    fn put_cached(&self, folio: Folio);
}

/// Where the bytes of a file come from and whether they can be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// A block device, by number: clean folios can be dropped.
    Device(u32),
    /// Memory only (shared anonymous memory, tmpfs): folios stay until they are truncated or the file goes.
    Memory,
}

/// The page cache of one file.
pub struct AddressSpace {
    ops: Arc<dyn AddressSpaceOps>,
    backing: Backing,
    /// File size in bytes.
    size: AtomicU64,
    /// Smallest order of new folios, log2 in kernel pages.
    min_order: AtomicU8,
    pub(super) inner: spin::Mutex<Inner>,
    /// A leaf: nothing is locked under it.
    pub(super) mappers: spin::Mutex<Mappers>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub tree: FolioTree,
    pub ra: super::readahead::RaState,
    sink: Option<Arc<dyn FolioSink>>,
}

impl AddressSpace {
    /// The page cache of a file of `size` bytes on device 0, empty. ENOMEM when it cannot be allocated.
    pub fn new(size: u64, ops: Arc<dyn AddressSpaceOps>) -> Result<Arc<AddressSpace>, Errno> {
        AddressSpace::with_backing(size, ops, Backing::Device(0))
    }

    /// As [`AddressSpace::new`], with the device named.
    pub fn with_backing(
        size: u64,
        ops: Arc<dyn AddressSpaceOps>,
        backing: Backing,
    ) -> Result<Arc<AddressSpace>, Errno> {
        Ok(Arc::new(AddressSpace {
            ops,
            backing,
            size: AtomicU64::new(size),
            min_order: AtomicU8::new(0),
            inner: spin::Mutex::new(Inner::default()),
            mappers: spin::Mutex::new(Mappers::default()),
        }))
    }

    /// File size in bytes.
    pub fn size(&self) -> u64 {
        self.size.load(Relaxed)
    }

    /// Sets the size and nothing else. What that means for the folios is [`Memory::truncate`]'s business.
    pub fn set_size(&self, size: u64) {
        self.size.store(size, Relaxed);
    }

    /// The file reaches at least up to `size` from now on.
    pub fn grow_to(&self, size: u64) {
        self.size.fetch_max(size, Relaxed);
    }

    /// The first run of cached bytes that does not end at or before `pos`: for a file that lives in memory, its next
    /// data. `None` when there is no more.
    pub fn next_cached(&self, pos: u64) -> Option<Range<u64>> {
        let entry = self.inner.lock().tree.next(pos >> PAGE_SHIFT)?;
        Some(entry.index << PAGE_SHIFT..entry.end() << PAGE_SHIFT)
    }

    /// File size in kernel pages, rounded up.
    pub fn nr_kernel_pages(&self) -> u64 {
        self.size().div_ceil(1 << PAGE_SHIFT)
    }

    /// First kernel page that a process with pages of `page` may not touch: the file's end, rounded up to the
    /// *mapper's* page.
    pub fn fault_limit(&self, page: PageSize) -> u64 {
        self.nr_kernel_pages().next_multiple_of(page.nr_kernel_pages())
    }

    /// How the file system finds the bytes.
    pub fn ops(&self) -> &dyn AddressSpaceOps {
        &*self.ops
    }

    /// Where the bytes come from.
    pub fn backing(&self) -> Backing {
        self.backing
    }

    /// Smallest order of new folios, log2 in kernel pages.
    pub fn min_order(&self) -> u8 {
        self.min_order.load(Relaxed)
    }

    /// Asks for folios of at least `order` from now on. Those that are there stay.
    pub fn raise_min_order(&self, order: u8) {
        self.min_order.fetch_max(order, Relaxed);
    }

    /// Kernel pages cached.
    pub fn nr_cached(&self) -> u64 {
        self.inner.lock().tree.nr_kernel_pages()
    }

    /// The folio that holds kernel page `index`, with a reference for the caller.
    pub fn get_folio<H: Hw>(&self, mem: &Memory<H>, index: u64) -> Option<Entry> {
        let inner = self.inner.lock();
        let entry = inner.tree.get(index)?;
        mem.folio_get(entry.folio);
        Some(entry)
    }

    /// The first folio that holds a kernel page at or after `index`, with a reference for the caller.
    pub(super) fn next_folio<H: Hw>(&self, mem: &Memory<H>, index: u64) -> Option<Entry> {
        let inner = self.inner.lock();
        let entry = inner.tree.next(index)?;
        mem.folio_get(entry.folio);
        Some(entry)
    }

    /// Puts a folio in; the cache takes over the caller's reference. EEXIST when somebody was faster, ENOSPC when the
    /// file system has no room for it.
    pub(super) fn add_folio<H: Hw>(
        self: &Arc<Self>,
        mem: &Arc<Memory<H>>,
        entry: Entry,
    ) -> Result<(), Errno> {
        self.ops.charge(1 << entry.order)?;
        if self.backing == Backing::Memory {
            mem.folio_set(entry.folio, Flags::SHMEM);
        }
        let first = {
            let mut inner = self.inner.lock();
            if let Err(error) = inner.tree.insert(entry) {
                drop(inner);
                self.ops.uncharge(1 << entry.order);
                return Err(error);
            }
            let first = inner.sink.is_none();
            if first {
                let sink: Arc<dyn FolioSink> = mem.clone();
                inner.sink = Some(sink);
            }
            first
        };
        mem.frame(entry.folio.0).index.store(entry.index, Relaxed);
        mem.count_cached(entry.folio);
        if first {
            mem.register_mapping(self);
        }
        Ok(())
    }

    /// Drops folios that are clean, unlocked, and that only the cache refers to. Returns kernel pages freed.
    pub fn drop_unused<H: Hw>(&self, mem: &Memory<H>) -> u64 {
        if self.backing == Backing::Memory {
            return 0;
        }
        let mut freed = 0;
        let mut index = 0;
        // One folio a turn: the lock is short, and a folio that gets a user meanwhile stays.
        loop {
            let mut inner = self.inner.lock();
            let Some(entry) = inner.tree.next(index) else { break };
            index = entry.end();
            let busy = mem.folio_refcount(entry.folio) != 1
                || mem.folio_test(entry.folio, Flags::LOCKED)
                || mem.folio_test(entry.folio, Flags::DIRTY);
            if busy {
                continue;
            }
            inner.tree.remove(entry.index);
            drop(inner);
            self.ops.uncharge(1 << entry.order);
            mem.folio_put(entry.folio);
            freed += 1 << entry.order;
        }
        mem.stats.nr_file_pages.fetch_sub(freed, Relaxed);
        mem.stats.pgsteal.fetch_add(freed, Relaxed);
        freed
    }
}

impl Drop for AddressSpace {
    fn drop(&mut self) {
        let inner = self.inner.get_mut();
        let Some(sink) = inner.sink.take() else { return };
        while let Some(entry) = inner.tree.next(0) {
            inner.tree.remove(entry.index);
            self.ops.uncharge(1 << entry.order);
            sink.put_cached(entry.folio);
        }
    }
}
