//! mmap: checks, a place, an area. No page is touched (Linux's `do_mmap`, `get_unmapped_area`).

use crate::filemap::{AddressSpace, Backing, MappedFile, ZeroFile};
use crate::hw::Hw;
use crate::mm::{MMAP_MIN_ADDR, Mm};
use crate::page_abi::MmapArgs;
use crate::types::PAGE_SHIFT;
use crate::vma::{Search, VmFlags, Vma};
use abi::{Errno, MapFlags, Prot};
use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;

/// What is to be mapped.
pub struct MmapRequest {
    /// Place and size, from the ABI adapter.
    pub args: MmapArgs,
    /// What it shall allow.
    pub prot: Prot,
    /// Kind and wishes.
    pub flags: MapFlags,
    /// The file; `None` with MAP_ANONYMOUS.
    pub file: Option<Arc<dyn MappedFile>>,
    /// What mprotect may make it allow: less for files that are not open for writing.
    pub may: Prot,
}

/// Shared anonymous memory: a file that nobody can name.
struct SharedAnon {
    mapping: Arc<AddressSpace>,
}

impl MappedFile for SharedAnon {
    fn mapping(&self) -> &Arc<AddressSpace> {
        &self.mapping
    }

    fn write_path(&self, out: &mut dyn core::fmt::Write) -> core::fmt::Result {
        out.write_str("/dev/zero (deleted)")
    }
}

impl<H: Hw> Mm<H> {
    /// Maps and gives the address. ENOMEM: no room, or no memory for the area. EEXIST: MAP_FIXED_NOREPLACE over
    /// something. What MAP_FIXED replaces is unmapped only once nothing can fail any more.
    pub fn mmap(&mut self, request: MmapRequest) -> Result<u64, Errno> {
        let MmapArgs { addr, len, pgoff } = request.args;
        let flags = request.flags;
        if self.counters.total_vm.saturating_add(len) > self.limits.address_space {
            return Err(Errno::ENOMEM);
        }
        if request.prot.contains(Prot::WRITE) && !flags.intersects(MapFlags::SHARED | MapFlags::NORESERVE) {
            self.vm_enough_memory(len)?;
        }
        let addr = self.get_unmapped_area(addr, len, flags)?;
        let end = addr + len;
        let shared = flags.contains(MapFlags::SHARED);
        let (file, pgoff) = match request.file {
            // An offset means nothing without a file (Linux's `do_mmap`).
            None if shared => (Some(self.shared_anon(len)?), 0),
            None => (None, addr >> PAGE_SHIFT),
            file => (file, pgoff),
        };
        if let Some(file) = &file {
            // New folios of this file are at least as large as this process's page; what is cached already stays.
            file.mapping().raise_min_order(self.page.order());
            self.note_mapper(file.mapping())?;
        }
        let mut vm_flags = self.def_flags;
        vm_flags.set(VmFlags::LOCKED, vm_flags.contains(VmFlags::LOCKED) || flags.contains(MapFlags::LOCKED));
        vm_flags.set(VmFlags::SHARED, shared);
        vm_flags.set(VmFlags::GROWSDOWN, flags.contains(MapFlags::GROWSDOWN));
        self.vmas.reserve(3)?;
        if flags.contains(MapFlags::FIXED) {
            self.can_modify(addr, end)?;
            self.vmas.split(addr);
            self.vmas.split(end);
            self.unmap_split(addr, end);
        }
        let (prot, may) = (request.prot, request.may);
        self.vmas.insert(Vma { start: addr, end, prot, may, flags: vm_flags, file, pgoff });
        self.counters.total_vm += len;
        Ok(addr)
    }

    /// ENOMEM for what could not be filled even if the process had the whole machine: an obvious overcommit, as
    /// Linux's default heuristic has it (`__vm_enough_memory`).
    pub(super) fn vm_enough_memory(&self, len: u64) -> Result<(), Errno> {
        let obvious = len >> PAGE_SHIFT > self.mem.nr_frames();
        if obvious && !self.mem.overcommit_always.load(Relaxed) { Err(Errno::ENOMEM) } else { Ok(()) }
    }

    fn shared_anon(&self, len: u64) -> Result<Arc<dyn MappedFile>, Errno> {
        let mapping = AddressSpace::with_backing(len, Arc::new(ZeroFile), Backing::Memory)?;
        Ok(Arc::new(SharedAnon { mapping }))
    }

    /// A free place of `len` bytes: `addr` itself when that is asked for or, as a hint, free; else the highest place
    /// below the mmap base (Linux's `get_unmapped_area`).
    pub(super) fn get_unmapped_area(&self, addr: u64, len: u64, flags: MapFlags) -> Result<u64, Errno> {
        if flags.contains(MapFlags::FIXED_NOREPLACE) {
            let end = addr + len;
            return if self.vmas.overlapping(addr, end).is_empty() { Ok(addr) } else { Err(Errno::EEXIST) };
        }
        if flags.contains(MapFlags::FIXED) {
            return Ok(addr);
        }
        // A hint beyond the default window says that the program can live with such addresses, as in Linux.
        let (task_size, window) = (self.task_size(), self.map_window());
        let end = if addr > window { task_size } else { window };
        let hint_fits = addr >= MMAP_MIN_ADDR && addr <= task_size - len;
        if hint_fits && self.vmas.is_free(self.page, addr, len) {
            return Ok(addr);
        }
        let search = Search {
            len,
            align: self.page.bytes(),
            low: self.page.align_up(MMAP_MIN_ADDR).unwrap_or(MMAP_MIN_ADDR),
            high: if addr > window {
                self.layout.mmap_base + (task_size - window)
            } else {
                self.layout.mmap_base
            },
        };
        let place = self.vmas.find_topdown(self.page, search).or_else(|| {
            let low = window / 3;
            self.vmas.find_bottomup(self.page, Search { low: self.page.align_down(low), high: end, ..search })
        });
        place.ok_or(Errno::ENOMEM)
    }

    /// Adds the stack area that exec starts a program with: `start..end`, growing down from there.
    pub fn map_stack(&mut self, start: u64, end: u64, prot: Prot) -> Result<(), Errno> {
        self.vmas.reserve(1)?;
        if !self.vmas.overlapping(start, end).is_empty() || end > self.task_size() || start >= end {
            return Err(Errno::ENOMEM);
        }
        let mut vma = Vma::anonymous(start, end, prot);
        vma.flags = VmFlags::GROWSDOWN;
        self.counters.total_vm += vma.len();
        self.vmas.insert(vma);
        Ok(())
    }
}
