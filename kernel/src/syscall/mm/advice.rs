//! What a program says or asks about memory that it has mapped: madvise, mincore, msync, mseal, remap_file_pages.

use super::{SysResult, range, trace};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserSlice, copy_to_user};
use crate::task::current;
use crate::task::user_mm::UserMm;
use crate::{heap, memory};
use abi::{CapSet, Errno};
use core::ops::Range;
use mm::fault::VmFault;
use mm::mmap::{Advice, SyncFlags};
use mm::page_abi::{self, MADVISE, MSEAL, MSYNC};

/// `madvise(2)`.
pub fn madvise(frame: &mut TrapFrame) -> SysResult {
    const HWPOISON: u32 = 100;
    const SOFT_OFFLINE: u32 = 101;
    let [addr, len, advice, ..] = frame.args();
    let task = current();
    let mm = task.user_mm()?;
    let number = advice as u32;
    if matches!(number, HWPOISON | SOFT_OFFLINE) {
        task.require(CapSet::SYS_ADMIN)?;
    }
    let advice = Advice::from_raw(number).ok_or(Errno::EINVAL)?;
    let range = range(&mm, MADVISE, addr, len)?;
    if range.is_empty() {
        return Ok(0);
    }
    if let Advice::Populate(how) = advice {
        return mm.populate(range, how).map(|()| 0).map_err(|fault| match fault {
            VmFault::AccErr => Errno::EINVAL,
            VmFault::Bus => Errno::EFAULT,
            _ => Errno::ENOMEM,
        });
    }
    if advice == Advice::Remove {
        return remove(&mm, range).map(|()| 0);
    }
    mm.lock().madvise(range.start, range.end, advice)?;
    Ok(0)
}

/// MADV_REMOVE. Areas may come and go between two steps, as in Linux, which releases the lock, too.
fn remove(mm: &UserMm, range: Range<u64>) -> Result<(), Errno> {
    let mut next = range.start;
    let mut holes = false;
    while next < range.end {
        let removal = mm.lock().next_removal(next, range.end)?;
        memory::get().punch_hole(&removal.mapping, removal.bytes.start, removal.bytes.end);
        holes |= removal.after_hole;
        next = removal.next;
    }
    if holes { Err(Errno::ENOMEM) } else { Ok(()) }
}

/// `mincore(2)`.
pub fn mincore(frame: &mut TrapFrame) -> SysResult {
    /// Pages looked at with the lock held.
    const CHUNK: usize = 512;
    let [addr, len, vector, ..] = frame.args();
    let mm = current().user_mm()?;
    trace::unaligned(mm.page_size(), "mincore", addr);
    let (mut at, nr) = page_abi::mincore(mm.page_size(), mm.task_size(), addr, len)?;
    let nr = usize::try_from(nr).map_err(|_| Errno::EFAULT)?;
    let vector = UserSlice::new(vector, nr)?;
    let mut done = 0;
    while done < nr {
        let mut chunk = [0; CHUNK];
        let wanted = CHUNK.min(nr - done);
        let said = mm.lock().mincore(at, &mut chunk[..wanted])?;
        copy_to_user(vector.addr_at(done), &chunk[..said])?;
        done += said;
        at += said as u64 * mm.page_size().bytes();
    }
    Ok(0)
}

/// `msync(2)`.
pub fn msync(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, flags, ..] = frame.args();
    let mm = current().user_mm()?;
    let flags = SyncFlags::from_bits(flags as u32).ok_or(Errno::EINVAL)?;
    let range = range(&mm, MSYNC, addr, len);
    if flags.contains(SyncFlags::ASYNC | SyncFlags::SYNC) {
        return Err(Errno::EINVAL);
    }
    let range = range?;
    if !range.is_empty() {
        mm.lock().msync(range.start, range.end, flags)?;
    }
    Ok(0)
}

/// `mseal(2)`.
pub fn mseal(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, flags, ..] = frame.args();
    let mm = current().user_mm()?;
    if flags != 0 {
        return Err(Errno::EINVAL);
    }
    let range = range(&mm, MSEAL, addr, len)?;
    if !range.is_empty() {
        mm.lock().mseal(range.start, range.end)?;
    }
    Ok(0)
}

/// `remap_file_pages(2)`.
pub fn remap_file_pages(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, prot, pgoff, ..] = frame.args();
    heap::reserve()?;
    let mm = current().user_mm()?;
    if prot != 0 {
        return Err(Errno::EINVAL);
    }
    let (range, pgoff) = page_abi::remap_file_pages(mm.page_size(), addr, len, pgoff)?;
    mm.lock().remap_file_pages(range.start, range.end, pgoff)?;
    mm.populate_as_mapped(range.start, range.end);
    Ok(0)
}
