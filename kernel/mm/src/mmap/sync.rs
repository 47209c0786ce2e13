//! msync (Linux's `mm/msync.c`). What can be written here lies in memory, so there is nothing to wait for: the call checks.

use crate::hw::Hw;
use crate::mm::Mm;
use crate::vma::VmFlags;
use abi::Errno;
use bitflags::bitflags;

bitflags! {
    /// `MS_*`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SyncFlags: u32 {
        /// Begins to write.
        const ASYNC = 1;
        /// Other mappings shall see the file.
        const INVALIDATE = 2;
        /// Writes.
        const SYNC = 4;
    }
}

impl<H: Hw> Mm<H> {
    /// Checks `start..end`, which is aligned and not empty. EBUSY when a locked area would be invalidated, ENOMEM for holes,
    /// once all else was done.
    pub fn msync(&self, start: u64, end: u64, flags: SyncFlags) -> Result<(), Errno> {
        let mut next = start;
        let mut holes = false;
        while next < end {
            let vma = self.vmas.find(next).filter(|vma| vma.start < end).ok_or(Errno::ENOMEM)?;
            holes |= vma.start > next;
            if holes && flags == SyncFlags::ASYNC {
                return Err(Errno::ENOMEM);
            }
            if flags.contains(SyncFlags::INVALIDATE) && vma.flags.contains(VmFlags::LOCKED) {
                return Err(Errno::EBUSY);
            }
            next = vma.end;
        }
        if holes { Err(Errno::ENOMEM) } else { Ok(()) }
    }
}
