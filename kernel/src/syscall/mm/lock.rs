//! Memory that stays: mlock and its relatives (Linux's `mm/mlock.c`).

use super::{SysResult, privilege, range};
use crate::arch::trap::TrapFrame;
use crate::task::current;
use abi::Errno;
use mm::fault::VmFault;
use mm::mmap::{LockAll, Locking, Populate};
use mm::page_abi::{MLOCK, MUNLOCK};

/// `mlock(2)`.
pub fn mlock(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, ..] = frame.args();
    lock(addr, len, Locking::Now)
}

/// `mlock2(2)`.
pub fn mlock2(frame: &mut TrapFrame) -> SysResult {
    const ONFAULT: u64 = 1;
    let [addr, len, flags, ..] = frame.args();
    match flags as u32 as u64 {
        0 => lock(addr, len, Locking::Now),
        ONFAULT => lock(addr, len, Locking::OnFault),
        _ => Err(Errno::EINVAL),
    }
}

fn lock(addr: u64, len: u64, locking: Locking) -> SysResult {
    let mm = current().user_mm()?;
    let privilege = privilege();
    mm.lock().can_do_mlock(privilege)?;
    let range = range(&mm, MLOCK, addr, len)?;
    if range.is_empty() {
        return Ok(0);
    }
    mm.lock().mlock(range.start, range.end, locking, privilege)?;
    // As POSIX has it (Linux's `__mlock_posix_error_return`).
    mm.populate(range, Populate::AsMapped).map_err(|fault| match fault {
        VmFault::Oom => Errno::EAGAIN,
        _ => Errno::ENOMEM,
    })?;
    Ok(0)
}

/// `munlock(2)`.
pub fn munlock(frame: &mut TrapFrame) -> SysResult {
    let [addr, len, ..] = frame.args();
    let mm = current().user_mm()?;
    let range = range(&mm, MUNLOCK, addr, len)?;
    if !range.is_empty() {
        mm.lock().munlock(range.start, range.end)?;
    }
    Ok(0)
}

/// `mlockall(2)`.
pub fn mlockall(frame: &mut TrapFrame) -> SysResult {
    const CURRENT: u32 = 1;
    const FUTURE: u32 = 2;
    const ONFAULT: u32 = 4;
    let [flags, ..] = frame.args();
    let flags = flags as u32;
    if flags == 0 || flags & !(CURRENT | FUTURE | ONFAULT) != 0 || flags == ONFAULT {
        return Err(Errno::EINVAL);
    }
    let mm = current().user_mm()?;
    let privilege = privilege();
    let locking = if flags & ONFAULT != 0 { Locking::OnFault } else { Locking::Now };
    let what = LockAll {
        current: (flags & CURRENT != 0).then_some(locking),
        future: if flags & FUTURE != 0 { locking } else { Locking::Unlocked },
    };
    let mut locked = mm.lock();
    locked.can_do_mlock(privilege)?;
    locked.mlockall(what, privilege)?;
    drop(locked);
    if what.current == Some(Locking::Now) {
        mm.populate_as_mapped(0, mm.task_size());
    }
    Ok(0)
}

/// `munlockall(2)`.
pub fn munlockall(_: &mut TrapFrame) -> SysResult {
    let mm = current().user_mm()?;
    let what = LockAll { current: Some(Locking::Unlocked), future: Locking::Unlocked };
    mm.lock().mlockall(what, mm::mmap::Privilege::Unlimited)?;
    Ok(0)
}
