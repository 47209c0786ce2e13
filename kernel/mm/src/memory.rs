//! All of the machine's memory: the metadata of its frames, the lists of free ones, ASIDs, counters.

use crate::arm64::NativeMode;
use crate::arm64::asid::Asids;
use crate::filemap::{AddressSpace, FolioSink, SharedMm};
use crate::folio::{Flags, Folio, FrameMeta, FreeLists};
use crate::hw::Hw;
use crate::policy::Mthp;
use crate::stats::Stats;
use crate::types::{PageSize, Pfn};
use abi::Errno;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The memory of one machine. The kernel has one; each host test has its own.
pub struct Memory<H: Hw> {
    /// The machine.
    pub hw: H,
    pub(crate) base: Pfn,
    pub(crate) frames: &'static [FrameMeta],
    pub(crate) free: spin::Mutex<FreeLists>,
    pub(crate) asids: Asids,
    /// Counters of the whole system.
    pub stats: Stats,
    /// Sizes of anonymous folios.
    pub mthp: Mthp,
    /// Nobody is refused memory before it runs out (`vm.overcommit_memory` 1).
    pub overcommit_always: AtomicBool,
    zero: Folio,
    native_lazy: AtomicBool,
    mappings: spin::Mutex<Vec<Weak<AddressSpace>>>,
    /// Address spaces that may have native tables.
    pub(crate) native_mms: spin::Mutex<Vec<Weak<dyn SharedMm>>>,
}

impl<H: Hw> Memory<H> {
    /// `frames` describes the frames from `base` on, holes included; all entries are zero (their `Default`).
    /// `nr_cpus` is how many CPUs may run user code. ENOMEM when not even the zero folio can be had.
    pub fn new(hw: H, base: Pfn, frames: &'static [FrameMeta], nr_cpus: usize) -> Result<Memory<H>, Errno> {
        let asids = Asids::new(hw.features().asid_bits, nr_cpus);
        let mut mem = Memory {
            hw,
            base,
            frames,
            free: spin::Mutex::new(FreeLists::new(frames.len() as u64)),
            asids,
            stats: Stats::default(),
            mthp: Mthp::default(),
            overcommit_always: AtomicBool::new(false),
            zero: Folio(base),
            native_lazy: AtomicBool::new(false),
            mappings: spin::Mutex::new(Vec::new()),
            native_mms: spin::Mutex::new(Vec::new()),
        };
        let zero = mem.alloc_anon_folio(PageSize::Size64K.order()).ok_or(Errno::ENOMEM)?;
        mem.sync_icache_folio(zero);
        mem.zero = zero;
        Ok(mem)
    }

    /// The folio that is always zero, as large as the largest process page; mapped read-only and not counted.
    pub fn zero_folio(&self) -> Folio {
        self.zero
    }

    /// When new address spaces make their native entries (`native_table=` on the command line).
    pub fn native_mode(&self) -> NativeMode {
        if self.native_lazy.load(Relaxed) { NativeMode::Lazy } else { NativeMode::Eager }
    }

    /// Sets that for address spaces to come.
    pub fn set_native_mode(&self, mode: NativeMode) {
        self.native_lazy.store(mode == NativeMode::Lazy, Relaxed);
    }

    /// Remembers a file that has folios, so that reclaim finds them. Out of memory leaves the file out: it is then
    /// freed with its inode only.
    pub(crate) fn register_mapping(&self, mapping: &Arc<AddressSpace>) {
        let mut mappings = self.mappings.lock();
        mappings.retain(|known| known.strong_count() > 0);
        if mappings.try_reserve(1).is_ok() {
            mappings.push(Arc::downgrade(mapping));
        }
    }

    /// Frees clean page cache that nobody maps or holds. Returns the kernel pages freed.
    pub fn reclaim(&self) -> u64 {
        let mut freed = 0;
        let mut next = 0;
        // The list's lock is not held while a file's folios are looked at: files lock before memory.
        loop {
            let mapping = {
                let mappings = self.mappings.lock();
                let Some(mapping) = mappings.get(next) else { break };
                mapping.upgrade()
            };
            next += 1;
            if let Some(mapping) = mapping {
                freed += mapping.drop_unused(self);
            }
        }
        freed
    }
}

impl<H: Hw> Memory<H> {
    /// A folio has come into the page cache.
    pub(crate) fn count_cached(&self, folio: Folio) {
        let nr = self.folio_nr_pages(folio);
        self.stats.nr_file_pages.fetch_add(nr, Relaxed);
        if self.folio_test(folio, Flags::SHMEM) {
            self.stats.nr_shmem.fetch_add(nr, Relaxed);
        }
    }

    /// It has left it.
    pub(crate) fn uncount_cached(&self, folio: Folio) {
        let nr = self.folio_nr_pages(folio);
        self.stats.nr_file_pages.fetch_sub(nr, Relaxed);
        if self.folio_test(folio, Flags::SHMEM) {
            self.stats.nr_shmem.fetch_sub(nr, Relaxed);
        }
    }
}

impl<H: Hw> FolioSink for Memory<H> {
    fn put_cached(&self, folio: Folio) {
        self.uncount_cached(folio);
        self.folio_put(folio);
    }
}
