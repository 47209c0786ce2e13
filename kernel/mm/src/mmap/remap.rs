//! mremap: grow, shrink, move (Linux's `mm/mremap.c`).

use crate::arm64::tlb::MmuGather;
use crate::hw::Hw;
use crate::mm::Mm;
use crate::page_abi::MremapArgs;
use crate::vma::{VmFlags, Vma};
use abi::{Errno, MapFlags};
use bitflags::bitflags;

bitflags! {
    /// `MREMAP_*`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RemapFlags: u32 {
        /// The mapping may move.
        const MAYMOVE = 1;
        /// It moves to the given address.
        const FIXED = 2;
        /// The old area stays, empty.
        const DONTUNMAP = 4;
    }
}

impl<H: Hw> Mm<H> {
    /// Gives the mapping at `addr` the new length, moving it if need and flags be, and returns its address. `new_addr` is
    /// read with FIXED only, is aligned then. EFAULT when the range isn't in one area, EINVAL for contradictory flags and
    /// overlapping ranges, ENOMEM when there is no room or no memory.
    pub fn mremap(
        &mut self,
        addr: u64,
        args: MremapArgs,
        flags: RemapFlags,
        new_addr: u64,
    ) -> Result<u64, Errno> {
        let MremapArgs { old_len, new_len } = args;
        let fixed = flags.contains(RemapFlags::FIXED);
        let keep = flags.contains(RemapFlags::DONTUNMAP);
        if (fixed || keep) && !flags.contains(RemapFlags::MAYMOVE) || keep && old_len != new_len {
            return Err(Errno::EINVAL);
        }
        if fixed {
            let fits = new_addr <= self.task_size() - new_len;
            let overlaps = new_addr < addr + old_len && addr < new_addr.saturating_add(new_len);
            if !fits || overlaps {
                return Err(Errno::EINVAL);
            }
        }
        let vma = self.vmas.at(addr).ok_or(Errno::EFAULT)?.clone();
        if vma.flags.contains(VmFlags::SEALED) {
            return Err(Errno::EPERM);
        }
        if old_len == 0 && !vma.is_shared() {
            return Err(Errno::EINVAL);
        }
        if keep && vma.file.is_some() {
            return Err(Errno::EINVAL);
        }
        if addr + old_len.min(new_len) > vma.end || addr + old_len > vma.end {
            return Err(Errno::EFAULT);
        }
        if !fixed && !keep {
            if new_len <= old_len && old_len > 0 {
                return self.shrink(addr, old_len, new_len);
            }
            if self.grow_in_place(&vma, addr, old_len, new_len)? {
                return Ok(addr);
            }
            if !flags.contains(RemapFlags::MAYMOVE) {
                return Err(Errno::ENOMEM);
            }
        }
        self.move_area(&vma, addr, args, flags, new_addr)
    }

    fn shrink(&mut self, addr: u64, old_len: u64, new_len: u64) -> Result<u64, Errno> {
        if new_len < old_len {
            self.munmap(addr + new_len, addr + old_len)?;
        }
        Ok(addr)
    }

    /// Whether the area could be extended where it is.
    fn grow_in_place(&mut self, vma: &Vma, addr: u64, old_len: u64, new_len: u64) -> Result<bool, Errno> {
        let more = new_len - old_len;
        let at_end = old_len > 0 && addr + old_len == vma.end;
        let in_range = vma.end.checked_add(more).is_some_and(|end| end <= self.task_size());
        if !at_end || !in_range || !self.vmas.is_free(self.page, vma.end, more) {
            return Ok(false);
        }
        self.check_address_space(more)?;
        self.vmas.reserve(1)?;
        let mut extension = vma.clone();
        extension.start = vma.end;
        extension.end = vma.end + more;
        extension.pgoff = vma.pgoff_of(vma.end);
        extension.flags.remove(VmFlags::HAS_ANON);
        self.vmas.insert(extension);
        self.counters.total_vm += more;
        Ok(true)
    }

    fn check_address_space(&self, more: u64) -> Result<(), Errno> {
        let total = self.counters.total_vm.saturating_add(more);
        if total > self.limits.address_space { Err(Errno::ENOMEM) } else { Ok(()) }
    }

    fn alloc_for_move(&mut self, from: u64, to: u64, len: u64) -> Result<(), Errno> {
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        tables.pte_alloc_for_move(&mut gather, from, to, len)
    }

    fn move_area(
        &mut self,
        vma: &Vma,
        addr: u64,
        MremapArgs { old_len, new_len }: MremapArgs,
        flags: RemapFlags,
        new_addr: u64,
    ) -> Result<u64, Errno> {
        self.check_address_space(new_len)?;
        let keep = flags.contains(RemapFlags::DONTUNMAP);
        let kept_len = old_len.min(new_len);
        self.vmas.reserve(6)?;
        let to = if flags.contains(RemapFlags::FIXED) {
            new_addr
        } else {
            self.get_unmapped_area(0, new_len, MapFlags::empty())?
        };
        self.alloc_for_move(addr, to, kept_len)?;
        if flags.contains(RemapFlags::FIXED) {
            self.can_modify(to, to + new_len)?;
            self.vmas.split(to);
            self.vmas.split(to + new_len);
            self.unmap_split(to, to + new_len);
            // Unmapping may have freed tables that were just made sure of.
            self.alloc_for_move(addr, to, kept_len)?;
        }
        let mut moved = vma.clone();
        moved.start = to;
        moved.end = to + new_len;
        moved.pgoff = if vma.file.is_some() { vma.pgoff_of(addr) } else { to >> crate::types::PAGE_SHIFT };
        moved.flags.remove(VmFlags::HEAP);
        self.vmas.insert(moved);
        self.counters.total_vm += new_len;
        let tables = self.tables.get_mut();
        let mut gather = MmuGather::new(&self.mem, &self.context);
        tables.move_ptes(&mut gather, addr, to, kept_len);
        drop(gather);
        if !keep && old_len > 0 {
            self.vmas.split(addr);
            self.vmas.split(addr + old_len);
            self.unmap_split(addr, addr + old_len);
        }
        Ok(to)
    }
}
