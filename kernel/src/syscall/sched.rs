//! Policies, priorities and CPUs of tasks. Tasks take turns whatever is set: what one asks for is kept, checked and told, as
//! far as it allows others nothing that they should not have. Mirrors Linux's `kernel/sched/syscalls.c`.

use abi::{CapSet, Errno, raw};
use alloc::sync::Arc;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::SysResult;
use super::layout::Timespec;
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPtr, UserSlice};
use crate::drivers::timer;
use crate::task::attributes::Policy;
use crate::task::{Current, Task, current, sched, table};

const SCHED_NORMAL: u32 = 0;
const SCHED_FIFO: u32 = 1;
const SCHED_RR: u32 = 2;
const SCHED_BATCH: u32 = 3;
const SCHED_IDLE: u32 = 5;
const SCHED_DEADLINE: u32 = 6;
const RESET_ON_FORK: u32 = 0x4000_0000;

/// Largest priority under SCHED_FIFO and SCHED_RR.
const MAX_RT_PRIORITY: u32 = 99;
/// Time that a task under SCHED_RR has for its turn on Linux.
const RR_SLICE: u64 = 100_000_000;

fn is_real_time(policy: u32) -> bool {
    matches!(policy, SCHED_FIFO | SCHED_RR)
}

/// The task with number `pid`, 0 for the caller's. EINVAL if it is negative, ESRCH if there is none.
fn target(pid: u64) -> Result<Arc<Task>, Errno> {
    match u32::try_from(pid as i32).map_err(|_| Errno::EINVAL)? {
        0 => Ok(current().arc()),
        pid => table::find(pid).ok_or(Errno::ESRCH),
    }
}

/// Whether the caller's effective user is the target's real or effective one.
fn is_same_owner(caller: &Current, target: &Task) -> bool {
    let (mine, theirs) = (caller.cred(), target.cred());
    mine.euid == theirs.euid || mine.euid == theirs.uid
}

/// What `sched_setattr` and its older sisters ask for.
struct Wanted {
    policy: Policy,
    nice: Option<i8>,
}

/// `__sched_setscheduler`: checks what is wanted and sets it.
fn set_scheduler(target: &Task, wanted: Wanted) -> SysResult {
    let Wanted { policy, nice } = wanted;
    let Policy { policy: kind, rt_priority, reset_on_fork } = policy;
    if !matches!(kind, SCHED_NORMAL | SCHED_FIFO | SCHED_RR | SCHED_BATCH | SCHED_IDLE) {
        return Err(Errno::EINVAL);
    }
    if rt_priority > MAX_RT_PRIORITY || is_real_time(kind) != (rt_priority != 0) {
        return Err(Errno::EINVAL);
    }
    let caller = current();
    let old = target.attributes.policy();
    let fair_nice = nice.unwrap_or(target.attributes.nice());
    let privileged = {
        let limits = target.rlimits.lock();
        let rt_limit = limits[raw::RLIMIT_RTPRIO as usize].cur;
        let raises_nice = !is_real_time(kind)
            && fair_nice < target.attributes.nice()
            && !limit_allows_nice(limits[raw::RLIMIT_NICE as usize].cur, fair_nice);
        let raises_priority = is_real_time(kind)
            && (kind != old.policy && rt_limit == 0
                || rt_priority > old.rt_priority && u64::from(rt_priority) > rt_limit);
        let leaves_idle = old.policy == SCHED_IDLE
            && kind != SCHED_IDLE
            && !limit_allows_nice(limits[raw::RLIMIT_NICE as usize].cur, target.attributes.nice());
        let takes_back = old.reset_on_fork && !reset_on_fork;
        raises_nice || raises_priority || leaves_idle || takes_back
    };
    if privileged || !is_same_owner(&caller, target) {
        caller.require(CapSet::SYS_NICE)?;
    }
    target.attributes.set_policy(policy);
    if !is_real_time(kind) {
        target.attributes.set_nice(fair_nice);
    }
    Ok(0)
}

/// A policy with its flag, as `sched_setscheduler` takes them in one number.
fn split(policy: u32, rt_priority: u32) -> Policy {
    Policy { policy: policy & !RESET_ON_FORK, rt_priority, reset_on_fork: policy & RESET_ON_FORK != 0 }
}

/// `sched_setscheduler(2)`.
pub fn sched_setscheduler(frame: &mut TrapFrame) -> SysResult {
    let [pid, policy, param, ..] = frame.args();
    let policy = u32::try_from(policy as i32).map_err(|_| Errno::EINVAL)?;
    let (target, priority) = target_and_param(pid, param)?;
    set_scheduler(&target, Wanted { policy: split(policy, priority), nice: None })
}

/// `sched_setparam(2)`.
pub fn sched_setparam(frame: &mut TrapFrame) -> SysResult {
    let [pid, param, ..] = frame.args();
    let (target, rt_priority) = target_and_param(pid, param)?;
    let policy = Policy { rt_priority, ..target.attributes.policy() };
    set_scheduler(&target, Wanted { policy, nice: None })
}

/// The task that a call names, and the priority in its `struct sched_param`.
fn target_and_param(pid: u64, param: u64) -> Result<(Arc<Task>, u32), Errno> {
    let param = UserPtr::<u32>::new(param);
    if (pid as i32) < 0 || param.is_null() {
        return Err(Errno::EINVAL);
    }
    let priority = param.read()?;
    Ok((target(pid)?, priority))
}

/// `sched_getscheduler(2)`.
pub fn sched_getscheduler(frame: &mut TrapFrame) -> SysResult {
    let [pid, ..] = frame.args();
    let policy = target(pid)?.attributes.policy();
    let reset = if policy.reset_on_fork { RESET_ON_FORK } else { 0 };
    Ok((policy.policy | reset).into())
}

/// `sched_getparam(2)`.
pub fn sched_getparam(frame: &mut TrapFrame) -> SysResult {
    let [pid, param, ..] = frame.args();
    let param = UserPtr::new(param);
    if param.is_null() {
        return Err(Errno::EINVAL);
    }
    param.write(target(pid)?.attributes.policy().rt_priority)?;
    Ok(0)
}

/// `struct sched_attr`.
#[repr(C)]
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
struct SchedAttr {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
    util_min: u32,
    util_max: u32,
}

/// Size of the first version.
const ATTR_SIZE_VER0: u32 = 48;
const FLAG_RESET_ON_FORK: u64 = 0x1;
const FLAG_KEEP_POLICY: u64 = 0x8;
const FLAG_KEEP_PARAMS: u64 = 0x10;
/// The flags that exist but mean nothing without deadlines and utilisation.
const FLAGS_OTHER: u64 = 0x2 | 0x4 | 0x20 | 0x40;

/// `sched_getattr(2)`.
pub fn sched_getattr(frame: &mut TrapFrame) -> SysResult {
    const PAGE: u32 = 4096;
    let [pid, to, size, flags, ..] = frame.args();
    let size = size as u32;
    if to == 0 || !(ATTR_SIZE_VER0..=PAGE).contains(&size) || flags as u32 != 0 {
        return Err(Errno::EINVAL);
    }
    let target = target(pid)?;
    let policy = target.attributes.policy();
    let full = size_of::<SchedAttr>() as u32;
    let attr = SchedAttr {
        size: size.min(full),
        policy: policy.policy,
        flags: if policy.reset_on_fork { FLAG_RESET_ON_FORK } else { 0 },
        nice: if is_real_time(policy.policy) { 0 } else { target.attributes.nice().into() },
        priority: policy.rt_priority,
        util_max: 1024,
        ..SchedAttr::default()
    };
    let (to, length) = (UserSlice::new(to, size as usize)?, size.min(full) as usize);
    let stored = to.write_at(0, &attr.as_bytes()[..length]) == length
        && to.clear_at(length, size as usize - length) == size as usize - length;
    if stored { Ok(0) } else { Err(Errno::EFAULT) }
}

/// `sched_setattr(2)`. Deadlines are refused: nobody could promise them.
pub fn sched_setattr(frame: &mut TrapFrame) -> SysResult {
    let [pid, from, flags, ..] = frame.args();
    if from == 0 || (pid as i32) < 0 || flags as u32 != 0 {
        return Err(Errno::EINVAL);
    }
    let attr = read_attr(from)?;
    if attr.flags & !(FLAG_RESET_ON_FORK | FLAG_KEEP_POLICY | FLAG_KEEP_PARAMS | FLAGS_OTHER) != 0 {
        return Err(Errno::EINVAL);
    }
    let target = target(pid)?;
    let old = target.attributes.policy();
    let keeps = attr.flags & FLAG_KEEP_POLICY != 0;
    if !keeps && (attr.policy as i32) < 0 {
        return Err(Errno::EINVAL);
    }
    if attr.policy == SCHED_DEADLINE && !keeps {
        let sensible = attr.runtime != 0 && attr.runtime <= attr.deadline;
        current().require(CapSet::SYS_NICE)?;
        return Err(if sensible { Errno::EBUSY } else { Errno::EINVAL });
    }
    let policy = Policy {
        policy: if keeps { old.policy } else { attr.policy },
        rt_priority: if attr.flags & FLAG_KEEP_PARAMS != 0 { old.rt_priority } else { attr.priority },
        reset_on_fork: attr.flags & FLAG_RESET_ON_FORK != 0,
    };
    let nice = (attr.flags & FLAG_KEEP_PARAMS == 0).then_some(attr.nice.clamp(-20, 19) as i8);
    set_scheduler(&target, Wanted { policy, nice })
}

/// A `struct sched_attr` of whatever size the program knows. What we do not know must be zero.
fn read_attr(from: u64) -> Result<SchedAttr, Errno> {
    const PAGE: u32 = 4096;
    let full = size_of::<SchedAttr>();
    let size_at = UserPtr::<u32>::new(from);
    let size = match size_at.read()? {
        0 => ATTR_SIZE_VER0,
        size => size,
    };
    let too_big = |errno| size_at.write(full as u32).and(Err(errno));
    if !(ATTR_SIZE_VER0..=PAGE).contains(&size) {
        return too_big(Errno::E2BIG);
    }
    let mut attr = SchedAttr::default();
    let slice = UserSlice::new(from, size as usize)?;
    let known = full.min(size as usize);
    if slice.read_at(0, &mut attr.as_mut_bytes()[..known]) < known {
        return Err(Errno::EFAULT);
    }
    for at in known..size as usize {
        let mut byte = [0];
        if slice.read_at(at, &mut byte) == 0 {
            return Err(Errno::EFAULT);
        }
        if byte != [0] {
            return too_big(Errno::E2BIG);
        }
    }
    Ok(attr)
}

/// `sched_get_priority_max(2)`.
pub fn sched_get_priority_max(frame: &mut TrapFrame) -> SysResult {
    priority_bound(frame, MAX_RT_PRIORITY)
}

/// `sched_get_priority_min(2)`.
pub fn sched_get_priority_min(frame: &mut TrapFrame) -> SysResult {
    priority_bound(frame, 1)
}

fn priority_bound(frame: &TrapFrame, real_time: u32) -> SysResult {
    let [policy, ..] = frame.args();
    match policy as u32 {
        SCHED_FIFO | SCHED_RR => Ok(real_time.into()),
        SCHED_NORMAL | SCHED_BATCH | SCHED_IDLE | SCHED_DEADLINE => Ok(0),
        _ => Err(Errno::EINVAL),
    }
}

/// `sched_rr_get_interval(2)`.
pub fn sched_rr_get_interval(frame: &mut TrapFrame) -> SysResult {
    let [pid, to, ..] = frame.args();
    let slice = match target(pid)?.attributes.policy().policy {
        SCHED_RR => RR_SLICE,
        SCHED_FIFO => 0,
        _ => timer::TICK_NSEC,
    };
    UserPtr::new(to).write(Timespec::from_nanos(slice))?;
    Ok(0)
}

/// `sched_getaffinity(2)`: one CPU.
pub fn sched_getaffinity(frame: &mut TrapFrame) -> SysResult {
    const WORD: u64 = size_of::<u64>() as u64;
    let [pid, len, to, ..] = frame.args();
    let len = u64::from(len as u32);
    if len == 0 || !len.is_multiple_of(WORD) {
        return Err(Errno::EINVAL);
    }
    target_or_missing(pid)?;
    UserPtr::new(to).write(1u64)?;
    Ok(WORD)
}

/// `sched_setaffinity(2)`: EINVAL unless the one CPU is among them.
pub fn sched_setaffinity(frame: &mut TrapFrame) -> SysResult {
    let [pid, len, from, ..] = frame.args();
    let len = (len as u32 as usize).min(size_of::<u64>());
    let mut mask = [0; size_of::<u64>()];
    if UserSlice::new(from, len)?.read_at(0, &mut mask[..len]) < len {
        return Err(Errno::EFAULT);
    }
    let target = target_or_missing(pid)?;
    let caller = current();
    if !is_same_owner(&caller, &target) {
        caller.require(CapSet::SYS_NICE)?;
    }
    if mask[0] & 1 == 0 { Err(Errno::EINVAL) } else { Ok(0) }
}

/// [`target`], for the calls that do not tell a negative number from a wrong one.
fn target_or_missing(pid: u64) -> Result<Arc<Task>, Errno> {
    target(pid).map_err(|_| Errno::ESRCH)
}

/// `sched_yield(2)`.
pub fn sched_yield(_: &mut TrapFrame) -> SysResult {
    sched::schedule();
    Ok(0)
}

/// `getcpu(2)`.
pub fn getcpu(frame: &mut TrapFrame) -> SysResult {
    let [cpu, node, ..] = frame.args();
    for to in [cpu, node].map(UserPtr::new) {
        if !to.is_null() {
            to.write(0u32)?;
        }
    }
    Ok(0)
}

/// Whether RLIMIT_NICE of this height allows a nice value: the limit counts from 1 (nice 19) to 40 (nice -20).
pub(super) fn limit_allows_nice(limit: u64, nice: i8) -> bool {
    (20 - i64::from(nice)) as u64 <= limit
}
