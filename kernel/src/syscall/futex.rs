//! `futex(2)` and the lists of locks that a dying thread leaves behind. Mirrors Linux's `kernel/futex/syscalls.c`.

use abi::{CapSet, Errno};

use super::SysResult;
use super::layout::Timespec;
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPtr, cmpxchg_user};
use crate::drivers::timer;
use crate::heap;
use crate::task::futex::{self, Deadline, Key, Scope};
use crate::task::robust::ROBUST_LIST_HEAD_SIZE;
use crate::task::signal::RestartBlock;
use crate::task::{current, table};
use crate::wall_clock;

const FUTEX_WAIT: u32 = 0;
const FUTEX_WAKE: u32 = 1;
const FUTEX_REQUEUE: u32 = 3;
const FUTEX_CMP_REQUEUE: u32 = 4;
const FUTEX_WAKE_OP: u32 = 5;
const FUTEX_WAIT_BITSET: u32 = 9;
const FUTEX_WAKE_BITSET: u32 = 10;
const FUTEX_PRIVATE_FLAG: u32 = 128;
const FUTEX_CLOCK_REALTIME: u32 = 256;

/// `futex(2)`. Locks with priority inheritance are ENOSYS.
pub fn futex(frame: &mut TrapFrame) -> SysResult {
    let [addr, operation, value, fourth, addr2, value3] = frame.args();
    heap::reserve()?;
    let (operation, value, value3) = (operation as u32, value as u32, value3 as u32);
    let scope = if operation & FUTEX_PRIVATE_FLAG != 0 { Scope::Private } else { Scope::Shared };
    let realtime = operation & FUTEX_CLOCK_REALTIME != 0;
    let command = operation & !(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    if realtime && command != FUTEX_WAIT_BITSET {
        return Err(Errno::ENOSYS);
    }
    match command {
        FUTEX_WAIT | FUTEX_WAIT_BITSET => {
            let relative = command == FUTEX_WAIT;
            let deadline = deadline(UserPtr::new(fourth), relative, realtime)?;
            let bitset = if relative { u32::MAX } else { value3 };
            wait(Wait { addr, scope, value, bitset }, deadline)
        }
        FUTEX_WAKE => wake(addr, scope, value, u32::MAX),
        FUTEX_WAKE_BITSET => wake(addr, scope, value, value3),
        FUTEX_REQUEUE | FUTEX_CMP_REQUEUE => {
            let (wakes, moves) = (count(value)?, count(fourth as u32)?);
            let (from, to) = (Key::new(addr, scope)?, Key::new(addr2, scope)?);
            let compares = command == FUTEX_CMP_REQUEUE;
            if compares && UserPtr::<u32>::new(addr).read()? != value3 {
                return Err(Errno::EAGAIN);
            }
            let (woken, moved) = futex::requeue(&from, &to, wakes, moves)?;
            Ok((woken + moved) as u64)
        }
        FUTEX_WAKE_OP => wake_op(addr, addr2, scope, value, fourth as u32, value3),
        _ => Err(Errno::ENOSYS),
    }
}

/// A number of waiters to be moved or woken; EINVAL for a negative one.
fn count(value: u32) -> Result<usize, Errno> {
    i32::try_from(value).map(|count| count as usize).map_err(|_| Errno::EINVAL)
}

/// When a wait ends, on the clock since boot.
fn deadline(timeout: UserPtr<Timespec>, relative: bool, realtime: bool) -> Result<Deadline, Errno> {
    if timeout.is_null() {
        return Ok(None);
    }
    let nanos = timeout.read()?.to_nanos()?;
    Ok(Some(match (relative, realtime) {
        (true, _) => timer::now().saturating_add(nanos),
        (false, false) => nanos,
        (false, true) => timer::now().saturating_add(nanos.saturating_sub(wall_clock::now())),
    }))
}

struct Wait {
    addr: u64,
    scope: Scope,
    value: u32,
    bitset: u32,
}

fn wait(wait: Wait, deadline: Deadline) -> SysResult {
    let Wait { addr, scope, value, bitset } = wait;
    match (futex::wait(addr, scope, value, bitset, deadline), deadline) {
        (Ok(()), _) => Ok(0),
        // It goes on to the same time if no handler comes.
        (Err(Errno::ERESTARTSYS), Some(deadline)) => {
            let scope_and_value = u64::from(value) | u64::from(scope == Scope::Private) << 32;
            let data = [addr, scope_and_value, bitset.into(), deadline];
            Err(RestartBlock { call: wait_again, data }.interrupt())
        }
        (Err(error), _) => Err(error),
    }
}

fn wait_again([addr, scope_and_value, bitset, deadline]: [u64; 4]) -> SysResult {
    let scope = if scope_and_value >> 32 != 0 { Scope::Private } else { Scope::Shared };
    wait(Wait { addr, scope, value: scope_and_value as u32, bitset: bitset as u32 }, Some(deadline))
}

fn wake(addr: u64, scope: Scope, most: u32, bitset: u32) -> SysResult {
    if bitset == 0 {
        return Err(Errno::EINVAL);
    }
    let key = Key::new(addr, scope)?;
    // Linux wakes one even if asked for none or for a negative number.
    let most = usize::try_from(most as i32).unwrap_or(1).max(1);
    Ok(futex::wake(&key, most, bitset) as u64)
}

/// Changes the word at `addr2`, wakes waiters at `addr`, and at `addr2` if its old value compares so.
fn wake_op(addr: u64, addr2: u64, scope: Scope, wakes: u32, wakes2: u32, encoded: u32) -> SysResult {
    const SHIFT_ARGUMENT: u32 = 8;
    let (key, key2) = (Key::new(addr, scope)?, Key::new(addr2, scope)?);
    let sign_extend = |field: u32| (field << 20) as i32 >> 20;
    let mut argument = sign_extend(encoded >> 12 & 0xfff);
    let compared = sign_extend(encoded & 0xfff);
    let operation = encoded >> 28 & 0xf;
    if operation & SHIFT_ARGUMENT != 0 {
        argument = 1 << (argument & 31);
    }
    let change = |old: u32| match operation & !SHIFT_ARGUMENT {
        0 => Ok(argument as u32),
        1 => Ok(old.wrapping_add(argument as u32)),
        2 => Ok(old | argument as u32),
        3 => Ok(old & !(argument as u32)),
        4 => Ok(old ^ argument as u32),
        _ => Err(Errno::ENOSYS),
    };
    let mut old = UserPtr::<u32>::new(addr2).read()?;
    loop {
        let found = cmpxchg_user(addr2, old, change(old)?)?;
        if found == old {
            break;
        }
        old = found;
    }
    let old = old as i32;
    let holds = match encoded >> 24 & 0xf {
        0 => old == compared,
        1 => old != compared,
        2 => old < compared,
        3 => old <= compared,
        4 => old > compared,
        5 => old >= compared,
        _ => return Err(Errno::ENOSYS),
    };
    let most = |wakes: u32| usize::try_from(wakes as i32).unwrap_or(1).max(1);
    let mut woken = futex::wake(&key, most(wakes), u32::MAX);
    if holds {
        woken += futex::wake(&key2, most(wakes2), u32::MAX);
    }
    Ok(woken as u64)
}

/// `set_robust_list(2)`.
pub fn set_robust_list(frame: &mut TrapFrame) -> SysResult {
    let [head, len, ..] = frame.args();
    if len != ROBUST_LIST_HEAD_SIZE {
        return Err(Errno::EINVAL);
    }
    current().set_robust_list(head);
    Ok(0)
}

/// `get_robust_list(2)`, also of another task if one could trace it.
pub fn get_robust_list(frame: &mut TrapFrame) -> SysResult {
    let [pid, head, len, ..] = frame.args();
    let caller = current();
    let task = match pid as u32 {
        0 => caller.arc(),
        pid => table::find(pid).ok_or(Errno::ESRCH)?,
    };
    if task.pid() != caller.pid() {
        let (mine, theirs) = (caller.cred(), task.cred());
        let same_user = [theirs.uid, theirs.euid, theirs.suid].iter().all(|uid| *uid == mine.uid);
        let same_group = [theirs.gid, theirs.egid, theirs.sgid].iter().all(|gid| *gid == mine.gid);
        if !(same_user && same_group) {
            mine.require(CapSet::SYS_PTRACE)?;
        }
    }
    UserPtr::new(len).write(ROBUST_LIST_HEAD_SIZE)?;
    UserPtr::new(head).write(task.robust_list())?;
    Ok(0)
}
