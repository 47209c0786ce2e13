//! Memory: each call passes its arguments through the page-size adapter, `mm::page_abi`, and then does what
//! `mm::mmap` does.

use super::SysResult;
use crate::arch::trap::TrapFrame;
use crate::heap;
use crate::task::current;
use abi::{Errno, MapFlags, Prot};
use fs::vfs::{MmapTarget, Sharing};
use mm::mmap::{Advice, MmapRequest, RemapFlags};
use mm::page_abi::{self, MADVISE, MPROTECT, MUNMAP};

/// `brk(2)`: the end of the heap that then holds.
pub fn brk(frame: &mut TrapFrame) -> SysResult {
    let [brk, ..] = frame.args();
    Ok(current().user_mm()?.lock().brk(brk))
}

/// `mmap(2)`.
pub fn mmap(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, prot, flags, fd, offset] = frame.args();
    heap::reserve()?;
    let task = current();
    let user_mm = task.user_mm()?;
    // What lies beyond the known bits is ignored, as in Linux, but for MAP_SHARED_VALIDATE.
    let prot = Prot::from_bits_truncate(prot as u32);
    let known = MapFlags::from_bits_truncate(flags as u32);
    let sharing = match known & MapFlags::SHARED_VALIDATE {
        MapFlags::SHARED => Sharing::Shared,
        MapFlags::PRIVATE => Sharing::Private,
        MapFlags::SHARED_VALIDATE if u64::from(known.bits()) != flags => return Err(Errno::EOPNOTSUPP),
        MapFlags::SHARED_VALIDATE => Sharing::Shared,
        _ => return Err(Errno::EINVAL),
    };
    if known.contains(MapFlags::HUGETLB) {
        // There is no pool of huge pages.
        return Err(Errno::ENOMEM);
    }
    let mut may = Prot::READ | Prot::WRITE | Prot::EXEC;
    let mut file = None;
    if !known.contains(MapFlags::ANONYMOUS) {
        let open = task.files()?.get(fd)?;
        file = match open.mmap_target(prot, sharing)? {
            MmapTarget::File(mapped) => Some(mapped),
            MmapTarget::Anonymous => None,
        };
        if sharing == Sharing::Shared && !open.may_write_shared() {
            may -= Prot::WRITE;
        }
        // Positions in a file are signed (Linux: `file_mmap_ok`).
        let end = offset.checked_add(len).and_then(|end| i64::try_from(end).ok());
        if file.is_some() && end.is_none() {
            return Err(Errno::EOVERFLOW);
        }
    }
    let mut flags = known - MapFlags::SHARED_VALIDATE;
    flags |= if sharing == Sharing::Shared { MapFlags::SHARED } else { MapFlags::PRIVATE };
    let args = page_abi::mmap(user_mm.page_size(), user_mm.task_size(), addr, len, flags, offset)?;
    user_mm.lock().mmap(MmapRequest { args, prot, flags, file, may })
}

/// `munmap(2)`.
pub fn munmap(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, ..] = frame.args();
    let mm = current().user_mm()?;
    let range = page_abi::range(mm.page_size(), mm.task_size(), MUNMAP, addr, len)?;
    mm.lock().munmap(range.start, range.end)?;
    Ok(0)
}

/// `mprotect(2)`.
pub fn mprotect(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, prot, ..] = frame.args();
    let mm = current().user_mm()?;
    let prot = u32::try_from(prot).ok().and_then(Prot::from_bits).ok_or(Errno::EINVAL)?;
    let grows = Prot::GROWSDOWN | Prot::GROWSUP;
    if prot.contains(grows) {
        return Err(Errno::EINVAL);
    }
    let range = page_abi::range(mm.page_size(), mm.task_size(), MPROTECT, addr, len)?;
    if !range.is_empty() {
        mm.lock().mprotect(range.start, range.end, prot)?;
    }
    Ok(0)
}

/// `mremap(2)`.
pub fn mremap(frame: &mut TrapFrame) -> SysResult {
    let [addr, old_len, new_len, flags, new_addr, _] = frame.args();
    let mm = current().user_mm()?;
    let flags = u32::try_from(flags).ok().and_then(RemapFlags::from_bits).ok_or(Errno::EINVAL)?;
    let args = page_abi::mremap(mm.page_size(), mm.task_size(), addr, old_len, new_len)?;
    if flags.contains(RemapFlags::FIXED) && !mm.page_size().is_aligned(new_addr) {
        return Err(Errno::EINVAL);
    }
    mm.lock().mremap(addr, args, flags, new_addr)
}

/// `madvise(2)`.
pub fn madvise(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, advice, ..] = frame.args();
    let mm = current().user_mm()?;
    let advice = Advice::from_raw(advice as u32).ok_or(Errno::EINVAL)?;
    let range = page_abi::range(mm.page_size(), mm.task_size(), MADVISE, addr, len)?;
    if !range.is_empty() {
        mm.lock().madvise(range.start, range.end, advice)?;
    }
    Ok(0)
}
