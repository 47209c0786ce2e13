//! remap_file_pages: another part of a shared file in the same place, by a new mapping (Linux's emulation of it in
//! `mm/mmap.c`).

use crate::hw::Hw;
use crate::mm::Mm;
use crate::mmap::MmapRequest;
use crate::page_abi::MmapArgs;
use crate::vma::VmFlags;
use abi::{Errno, MapFlags};

impl<H: Hw> Mm<H> {
    /// Maps the file of the shared area at `start` there again, from kernel page `pgoff` on, over `start..end`, which is
    /// aligned and not empty. EINVAL where that is not one shared file with one protection.
    pub fn remap_file_pages(&mut self, start: u64, end: u64, pgoff: u64) -> Result<(), Errno> {
        let vma = self.vmas.at(start).filter(|vma| vma.is_shared()).ok_or(Errno::EINVAL)?.clone();
        let file = vma.file.clone().ok_or(Errno::EINVAL)?;
        let mut covered = start;
        for next in self.vmas.overlapping(start, end) {
            let same_file = next
                .file
                .as_ref()
                .is_some_and(|other| alloc::sync::Arc::ptr_eq(other.mapping(), file.mapping()));
            if next.start > covered || !same_file || next.prot != vma.prot || next.flags != vma.flags {
                return Err(Errno::EINVAL);
            }
            covered = next.end;
        }
        if covered < end {
            return Err(Errno::EINVAL);
        }
        let mut flags = MapFlags::SHARED | MapFlags::FIXED;
        flags.set(MapFlags::LOCKED, vma.flags.contains(VmFlags::LOCKED));
        let args = MmapArgs { addr: start, len: end - start, pgoff };
        self.mmap(MmapRequest { args, prot: vma.prot, flags, file: Some(file), may: vma.may }).map(drop)
    }
}
