//! An address space (Linux's `struct mm_struct`): a page size, areas, tables, counters.
//!
//! The kernel keeps it behind its mmap lock: methods that take `&mut self` need it for writing. Nothing here sleeps;
//! what must wait for a device says so ([`crate::fault::VmFault::Io`]) and is asked again.

use crate::arm64::asid::Context;
use crate::arm64::geometry::Geometry;
use crate::arm64::pgtable::PageTables;
use crate::filemap::SharedMm;
use crate::folio::{Flags, Folio};
use crate::hw::Hw;
use crate::memory::Memory;
use crate::types::PageSize;
use crate::vma::{VmFlags, VmaSet};
use abi::Errno;
use alloc::sync::{Arc, Weak};
use core::sync::atomic::Ordering::Relaxed;

/// Where things are in an address space. All in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MmLayout {
    /// Mappings that the kernel places lie below this.
    pub mmap_base: u64,
    /// Start of the heap.
    pub start_brk: u64,
    /// End of the heap, exactly as it was asked for.
    pub brk: u64,
    /// The initial stack pointer.
    pub start_stack: u64,
    /// argv strings.
    pub arg_start: u64,
    /// End of the argv strings.
    pub arg_end: u64,
    /// envp strings.
    pub env_start: u64,
    /// End of the envp strings.
    pub env_end: u64,
    /// What signal handlers return to; 0 before the first one does.
    pub sigtramp: u64,
}

/// Resource limits that bound an address space, in bytes (RLIMIT_STACK, RLIMIT_DATA, RLIMIT_AS, RLIMIT_MEMLOCK).
#[derive(Clone, Copy, Debug)]
pub struct MmLimits {
    /// Most that a stack may grow to.
    pub stack: u64,
    /// Most that the heap may grow to.
    pub data: u64,
    /// Most that may be mapped in all.
    pub address_space: u64,
    /// Most that may be locked in memory by who has no privilege for it.
    pub memlock: u64,
}

impl Default for MmLimits {
    fn default() -> MmLimits {
        MmLimits { stack: 8 << 20, data: u64::MAX, address_space: u64::MAX, memlock: u64::MAX }
    }
}

/// What happened to an address space so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MmCounters {
    /// Anonymous kernel pages mapped.
    pub anon_pages: u64,
    /// File kernel pages mapped.
    pub file_pages: u64,
    /// Kernel pages mapped of files that live in memory.
    pub shmem_pages: u64,
    /// Bytes in all areas.
    pub total_vm: u64,
    /// Most kernel pages that were mapped at a time, as far as that was more than now.
    pub hiwater_rss: u64,
    /// Most bytes in all areas, in the same way.
    pub hiwater_vm: u64,
    /// Faults that needed no device.
    pub min_flt: u64,
    /// Faults that did.
    pub maj_flt: u64,
}

impl MmCounters {
    /// Kernel pages mapped.
    pub fn rss(&self) -> u64 {
        self.anon_pages + self.file_pages + self.shmem_pages
    }

    /// Something is about to become less (Linux's `update_hiwater_rss` and its sister).
    pub(crate) fn note_high_water(&mut self) {
        self.hiwater_rss = self.hiwater_rss.max(self.rss());
        self.hiwater_vm = self.hiwater_vm.max(self.total_vm);
    }
}

/// An address space.
pub struct Mm<H: Hw> {
    pub(crate) mem: Arc<Memory<H>>,
    pub(crate) page: PageSize,
    pub(crate) vmas: VmaSet,
    /// The page-table lock.
    pub(crate) tables: spin::Mutex<PageTables>,
    /// What a switch to the tables needs, and the TLB batches.
    pub(crate) context: Arc<Context>,
    /// Where things are.
    pub layout: MmLayout,
    /// Limits.
    pub limits: MmLimits,
    pub(crate) counters: MmCounters,
    /// Flags of areas to come: what `mlockall(MCL_FUTURE)` asked for (Linux's `def_flags`).
    pub(crate) def_flags: VmFlags,
    /// How others reach this address space, once they can.
    pub(crate) shared: Option<Weak<dyn SharedMm>>,
    /// Fault count from which the way back from a fallback is tried.
    pub(crate) next_return: u64,
}

/// A reader below this address would hide null pointer bugs (Linux's `vm.mmap_min_addr`): the kernel places nothing
/// there.
pub const MMAP_MIN_ADDR: u64 = 0x1_0000;

impl<H: Hw> Mm<H> {
    /// An empty address space for a process with pages of `page`. ENOMEM when its tables cannot be had.
    pub fn new(mem: Arc<Memory<H>>, page: PageSize) -> Result<Mm<H>, Errno> {
        let tables = PageTables::new(&mem, page)?;
        let map_window = Geometry::of(page).map_window();
        Ok(Mm {
            mem,
            page,
            vmas: VmaSet::default(),
            context: tables.context.clone(),
            tables: spin::Mutex::new(tables),
            layout: MmLayout { mmap_base: map_window, ..MmLayout::default() },
            limits: MmLimits::default(),
            counters: MmCounters::default(),
            def_flags: VmFlags::empty(),
            shared: None,
            next_return: 0,
        })
    }

    /// The page size that the process sees.
    pub fn page_size(&self) -> PageSize {
        self.page
    }

    /// End of the user address space in bytes: fixed by the page size, also after a fallback.
    pub fn task_size(&self) -> u64 {
        Geometry::of(self.page).task_size()
    }

    /// End of the addresses that the kernel chooses unless the program asks for a higher one, in bytes.
    pub fn map_window(&self) -> u64 {
        Geometry::of(self.page).map_window()
    }

    /// The machine's memory.
    pub fn mem(&self) -> &Arc<Memory<H>> {
        &self.mem
    }

    /// The areas.
    pub fn vmas(&self) -> &VmaSet {
        &self.vmas
    }

    /// What happened so far.
    pub fn counters(&self) -> MmCounters {
        self.counters
    }

    /// The tables, under the page-table lock: to switch to them, or to look.
    pub fn tables(&self) -> spin::MutexGuard<'_, PageTables> {
        self.tables.lock()
    }

    /// Counts kernel pages of `folio` that were mapped or unmapped; its map count says so already.
    pub(crate) fn count_pages(counters: &mut MmCounters, mem: &Memory<H>, folio: Folio, delta: i64) {
        let counter = if mem.folio_test_anon(folio) {
            &mut counters.anon_pages
        } else {
            let mapped = u64::from(mem.folio_mapcount(folio));
            if mapped == 0 {
                mem.stats.nr_mapped.fetch_sub(mem.folio_nr_pages(folio), Relaxed);
            } else if i64::try_from(mapped) == Ok(delta) {
                mem.stats.nr_mapped.fetch_add(mem.folio_nr_pages(folio), Relaxed);
            }
            let shmem = mem.folio_test(folio, Flags::SHMEM);
            if shmem { &mut counters.shmem_pages } else { &mut counters.file_pages }
        };
        debug_assert!(counter.checked_add_signed(delta).is_some(), "page counter below zero");
        *counter = counter.wrapping_add_signed(delta);
    }
}

impl<H: Hw> Drop for Mm<H> {
    fn drop(&mut self) {
        self.exit_mmap();
    }
}
