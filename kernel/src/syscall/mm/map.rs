//! mmap (Linux's `ksys_mmap_pgoff` and the part of `do_mmap` that looks at flags).

use super::{SysResult, privilege, trace};
use crate::arch::trap::TrapFrame;
use crate::heap;
use crate::task::current;
use abi::{Errno, MapFlags, Prot};
use fs::vfs::{MmapTarget, Sharing};
use mm::mmap::MmapRequest;
use mm::page_abi;
use mm::vma::VmFlags;

/// Flags that MAP_SHARED_VALIDATE takes for any file (Linux's `LEGACY_MAP_MASK`); the sizes of huge pages are not asked for.
const LEGACY: MapFlags = MapFlags::all().difference(MapFlags::SYNC).difference(MapFlags::FIXED_NOREPLACE);

/// `mmap(2)`.
pub fn mmap(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, prot, flags, fd, offset] = frame.args();
    heap::reserve()?;
    let task = current();
    let user_mm = task.user_mm()?;
    // What lies beyond the known bits is ignored, as in Linux, but for MAP_SHARED_VALIDATE.
    let prot = Prot::from_bits_truncate(prot as u32);
    let known = MapFlags::from_bits_truncate(flags as u32);
    let anonymous = known.contains(MapFlags::ANONYMOUS);
    let page = user_mm.page_size();
    trace::unaligned(page, "mmap", offset);
    if !page.is_aligned(offset) {
        return Err(Errno::EINVAL);
    }
    if !anonymous {
        task.files()?.get(fd)?;
    }
    if known.intersects(MapFlags::FIXED | MapFlags::FIXED_NOREPLACE) {
        trace::unaligned(page, "mmap", addr);
    }
    let args = page_abi::mmap(page, user_mm.task_size(), addr, len, known, offset)?;
    let sharing = match known & MapFlags::SHARED_VALIDATE {
        MapFlags::SHARED => Sharing::Shared,
        MapFlags::PRIVATE => Sharing::Private,
        // Without a file it is no type at all.
        MapFlags::SHARED_VALIDATE if anonymous => return Err(Errno::EINVAL),
        MapFlags::SHARED_VALIDATE if flags & !u64::from(LEGACY.bits()) != 0 => return Err(Errno::EOPNOTSUPP),
        MapFlags::SHARED_VALIDATE => Sharing::Shared,
        _ => return Err(Errno::EINVAL),
    };
    let grows_oddly = known.contains(MapFlags::GROWSDOWN) && (sharing == Sharing::Shared || !anonymous);
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
    let mut mm = user_mm.lock();
    let mut lock = VmFlags::empty();
    if flags.contains(MapFlags::LOCKED) {
        mm.can_do_mlock(privilege())?;
        lock = VmFlags::LOCKED;
    }
    if flags.contains(MapFlags::LOCKED) || mm.locks_future() {
        mm.mlock_future_ok(args.len, lock, privilege())?;
    }
    if grows_oddly {
        return Err(Errno::EINVAL);
    }
    let populates = flags.contains(MapFlags::LOCKED)
        || mm.locks_future()
        || flags & (MapFlags::POPULATE | MapFlags::NONBLOCK) == MapFlags::POPULATE;
    let start = mm.mmap(MmapRequest { args, prot, flags, file, may })?;
    drop(mm);
    if populates {
        user_mm.populate_as_mapped(start, start + args.len);
    }
    Ok(start)
}
