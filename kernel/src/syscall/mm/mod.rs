//! Memory: each call passes its arguments through the page-size adapter, `mm::page_abi`, and then does what
//! `mm::mmap` does.

mod advice;
mod lock;
mod map;
mod numa;
mod pkey;
pub mod trace;

pub use advice::{madvise, mincore, mseal, msync, remap_file_pages};
pub use lock::{mlock, mlock2, mlockall, munlock, munlockall};
pub use map::mmap;
pub use numa::{get_mempolicy, mbind, set_mempolicy};
pub use pkey::{pkey_alloc, pkey_free, pkey_mprotect};

use super::SysResult;
use crate::arch::trap::TrapFrame;
use crate::task::current;
use crate::task::user_mm::UserMm;
use abi::{CapSet, Errno, Prot};
use core::ops::Range;
use mm::mmap::{Privilege, RemapFlags};
use mm::page_abi::{self, MPROTECT, MUNMAP, RangeRule, Unaligned};
use mm::vma::VmFlags;

/// The range of a call that is refused, or rounded, as `rule` has it.
fn range(mm: &UserMm, rule: RangeRule, addr: u64, len: u64) -> Result<Range<u64>, Errno> {
    if rule.unaligned == Unaligned::Refused {
        trace::unaligned(mm.page_size(), rule.call, addr);
    }
    page_abi::range(mm.page_size(), mm.task_size(), rule, addr, len)
}

/// Whether the limit of locked memory holds for the caller.
fn privilege() -> Privilege {
    if current().has_capability(CapSet::IPC_LOCK) { Privilege::Unlimited } else { Privilege::Limited }
}

/// `brk(2)`: the end of the heap that then holds.
pub fn brk(frame: &mut TrapFrame) -> SysResult {
    let [brk, ..] = frame.args();
    let mm = current().user_mm()?;
    let mut locked = mm.lock();
    let old = locked.layout.brk;
    let more = mm.page_size().align_up(brk.saturating_sub(old)).unwrap_or(u64::MAX);
    if locked.mlock_future_ok(more, VmFlags::empty(), privilege()).is_err() {
        return Ok(old);
    }
    let new = locked.brk(brk);
    let locks = new > old && locked.locks_future();
    drop(locked);
    if locks {
        mm.populate_as_mapped(mm.page_size().align_down(old), new);
    }
    Ok(new)
}

/// `munmap(2)`.
pub fn munmap(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, ..] = frame.args();
    let mm = current().user_mm()?;
    let range = range(&mm, MUNMAP, addr, len)?;
    mm.lock().munmap(range.start, range.end)?;
    Ok(0)
}

/// `mprotect(2)`.
pub fn mprotect(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, prot, ..] = frame.args();
    protect(addr, len, prot)
}

/// Gives a range another protection. What `prot` asks for beyond the known is refused only once the range is found good, as
/// Linux does.
fn protect(addr: u64, len: u64, prot: u64) -> SysResult {
    /// `PROT_SEM`, which means nothing.
    const SEM: u64 = 8;
    let mm = current().user_mm()?;
    let known = Prot::from_bits_truncate(prot as u32);
    if known.contains(Prot::GROWSDOWN | Prot::GROWSUP) {
        return Err(Errno::EINVAL);
    }
    let range = range(&mm, MPROTECT, addr, len)?;
    if range.is_empty() {
        return Ok(0);
    }
    if prot & !(u64::from(Prot::all().bits()) | SEM) != 0 {
        return Err(Errno::EINVAL);
    }
    mm.lock().mprotect(range.start, range.end, known)?;
    Ok(0)
}

/// `mremap(2)`.
pub fn mremap(frame: &mut TrapFrame) -> SysResult {
    let [addr, old_len, new_len, flags, new_addr, _] = frame.args();
    let mm = current().user_mm()?;
    let flags = u32::try_from(flags).ok().and_then(RemapFlags::from_bits).ok_or(Errno::EINVAL)?;
    trace::unaligned(mm.page_size(), "mremap", addr);
    let args = page_abi::mremap(mm.page_size(), mm.task_size(), addr, old_len, new_len)?;
    if flags.contains(RemapFlags::FIXED) && !mm.page_size().is_aligned(new_addr) {
        trace::unaligned(mm.page_size(), "mremap", new_addr);
        return Err(Errno::EINVAL);
    }
    let mut locked = mm.lock();
    if let Some(more) = args.new_len.checked_sub(args.old_len)
        && locked.vmas().at(addr).is_some_and(|vma| vma.flags.contains(VmFlags::LOCKED))
    {
        locked.mlock_future_ok(more, VmFlags::LOCKED, privilege())?;
    }
    let to = locked.mremap(addr, args, flags, new_addr)?;
    let grown = locked.vmas().at(to).is_some_and(|vma| vma.flags.contains(VmFlags::LOCKED));
    drop(locked);
    if grown {
        mm.populate_as_mapped(to, to + args.new_len);
    }
    Ok(to)
}
