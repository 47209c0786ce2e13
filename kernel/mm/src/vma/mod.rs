//! Virtual memory areas: what a process has mapped, before any page of it exists. Mirrors Linux's `mm/vma.c`.

mod set;
mod unmapped;

pub use set::{MAX_MAP_COUNT, VmaSet};
pub use unmapped::{Hole, Search};

use crate::filemap::MappedFile;
use crate::types::{PAGE_SHIFT, PageSize};
use abi::Prot;
use alloc::sync::Arc;
use bitflags::bitflags;

/// Process pages that stay free below a growing stack (Linux's `stack_guard_gap`).
pub const STACK_GUARD_PAGES: u64 = 256;

bitflags! {
    /// Properties of a VMA besides its protection.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct VmFlags: u32 {
        /// Writes reach the object (VM_SHARED).
        const SHARED = 1 << 0;
        /// Grows down on a fault below it (VM_GROWSDOWN).
        const GROWSDOWN = 1 << 1;
        /// Not inherited by fork (VM_DONTCOPY).
        const DONTCOPY = 1 << 2;
        /// MADV_HUGEPAGE.
        const HUGEPAGE = 1 << 3;
        /// MADV_NOHUGEPAGE.
        const NOHUGEPAGE = 1 << 4;
        /// May hold anonymous folios, so fork must copy its entries (Linux: `vma->anon_vma`).
        const HAS_ANON = 1 << 5;
        /// The heap that brk made; never merged with what mmap made.
        const HEAP = 1 << 6;
        /// Locked in memory (VM_LOCKED).
        const LOCKED = 1 << 7;
        /// With LOCKED: as pages are touched, not at once (VM_LOCKONFAULT).
        const LOCKONFAULT = 1 << 8;
        /// A child of fork finds it empty (VM_WIPEONFORK).
        const WIPEONFORK = 1 << 9;
        /// Not part of a core dump (VM_DONTDUMP).
        const DONTDUMP = 1 << 10;
        /// It stays as it is (VM_SEALED).
        const SEALED = 1 << 11;
    }
}

/// One area.
#[derive(Clone)]
pub struct Vma {
    /// First address, on a process page boundary.
    pub start: u64,
    /// Address after the last, on a process page boundary.
    pub end: u64,
    /// What it allows.
    pub prot: Prot,
    /// What mprotect may make it allow (VM_MAYREAD...).
    pub may: Prot,
    /// The rest.
    pub flags: VmFlags,
    /// What is mapped; `None` for private anonymous memory.
    pub file: Option<Arc<dyn MappedFile>>,
    /// Position of `start` in the file, in kernel pages; for anonymous memory the address it was made for.
    pub pgoff: u64,
}

impl VmFlags {
    /// What a mlock call decides (Linux's `VM_LOCKED_MASK`).
    pub const LOCKED_MASK: VmFlags = VmFlags::LOCKED.union(VmFlags::LOCKONFAULT);
}

impl Vma {
    /// A private anonymous area.
    pub fn anonymous(start: u64, end: u64, prot: Prot) -> Vma {
        Vma {
            start,
            end,
            prot,
            may: Prot::READ | Prot::WRITE | Prot::EXEC,
            flags: VmFlags::empty(),
            file: None,
            pgoff: start >> PAGE_SHIFT,
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.end - self.start
    }

    /// Whether nothing is in it; never so for one in a [`VmaSet`].
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether writes reach the mapped object.
    pub fn is_shared(&self) -> bool {
        self.flags.contains(VmFlags::SHARED)
    }

    /// The kernel page of the file that is mapped at `addr`.
    pub fn pgoff_of(&self, addr: u64) -> u64 {
        self.pgoff + ((addr - self.start) >> PAGE_SHIFT)
    }

    /// First address that other mappings should leave alone: a stack keeps its guard gap.
    pub fn start_with_gap(&self, page: PageSize) -> u64 {
        if self.flags.contains(VmFlags::GROWSDOWN) {
            self.start.saturating_sub(STACK_GUARD_PAGES * page.bytes())
        } else {
            self.start
        }
    }

    /// Whether `next`, which begins where this ends, is its continuation in every respect.
    fn continues_in(&self, next: &Vma) -> bool {
        const IGNORED: VmFlags = VmFlags::HAS_ANON;
        let same_file = match (&self.file, &next.file) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        self.end == next.start
            && self.prot == next.prot
            && self.may == next.may
            && self.flags.difference(IGNORED) == next.flags.difference(IGNORED)
            && !self.flags.contains(VmFlags::GROWSDOWN)
            && same_file
            && self.pgoff_of(self.end) == next.pgoff
    }
}
