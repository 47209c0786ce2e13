//! Nice values and I/O priorities, of a process, a group of processes, or all that a user has. Mirrors `setpriority` of
//! Linux's `kernel/sys.c` and `block/ioprio.c`.

use abi::{CapSet, Errno, raw};
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use super::SysResult;
use super::sched::limit_allows_nice;
use crate::arch::trap::TrapFrame;
use crate::task::cred::Cred;
use crate::task::{Pid, Task, current, table};

/// Whom a call is about.
#[derive(Clone, Copy)]
enum Whom {
    Process(Pid),
    Group(Pid),
    User(u32),
}

impl Whom {
    /// From the numbers that `setpriority` takes, the first of which is `process` for a process.
    fn new(which: u64, process: u32, who: u64) -> Result<Whom, Errno> {
        let who = who as u32;
        let task = current();
        Ok(match (which as u32).checked_sub(process) {
            Some(0) => Whom::Process(if who == 0 { task.pid() } else { who }),
            Some(1) => Whom::Group(if who == 0 { task.process.pgrp() } else { who }),
            Some(2) => Whom::User(if who == 0 { task.cred().uid } else { who }),
            _ => return Err(Errno::EINVAL),
        })
    }

    fn includes(self, task: &Task) -> bool {
        match self {
            Whom::Process(pid) => task.pid() == pid,
            Whom::Group(pgrp) => task.process.pgrp() == pgrp,
            Whom::User(uid) => task.is_user() && task.cred().uid == uid,
        }
    }

    /// Calls `visit` for each of the tasks, with the table of tasks locked. ESRCH if there is none.
    fn for_each(self, mut visit: impl FnMut(&Arc<Task>)) -> Result<(), Errno> {
        table::with_all(|tasks| {
            let mut found = Err(Errno::ESRCH);
            for task in tasks.iter().filter(|task| self.includes(task)) {
                found = Ok(());
                visit(task);
            }
            found
        })
    }
}

/// `setpriority(2)`.
pub fn setpriority(frame: &mut TrapFrame) -> SysResult {
    let [which, who, nice, ..] = frame.args();
    let whom = Whom::new(which, raw::PRIO_PROCESS, who)?;
    let nice = (nice as i32).clamp(-20, 19) as i8;
    let caller = current();
    let cred = caller.cred();
    let mut result = Ok(0);
    whom.for_each(|task| {
        if let Err(error) = set_nice(&cred, task, nice) {
            result = Err(error);
        }
    })?;
    result
}

/// EPERM for somebody else's task, EACCES if the limit does not allow so much.
fn set_nice(caller: &Cred, task: &Task, nice: i8) -> Result<(), Errno> {
    let theirs = task.cred();
    let owner = caller.euid == theirs.uid || caller.euid == theirs.euid;
    if !owner && !caller.has(CapSet::SYS_NICE) {
        return Err(Errno::EPERM);
    }
    let limit = task.rlimits.lock()[raw::RLIMIT_NICE as usize].cur;
    let raises = nice < task.attributes.nice();
    if raises && !limit_allows_nice(limit, nice) && !caller.has(CapSet::SYS_NICE) {
        return Err(Errno::EACCES);
    }
    task.attributes.set_nice(nice);
    Ok(())
}

/// `getpriority(2)`: 20 - nice of the one that is served best, so that it is never negative.
pub fn getpriority(frame: &mut TrapFrame) -> SysResult {
    let [which, who, ..] = frame.args();
    let mut best = 0;
    Whom::new(which, raw::PRIO_PROCESS, who)?
        .for_each(|task| best = best.max(20 - i64::from(task.attributes.nice())))?;
    Ok(best as u64)
}

/// `IOPRIO_WHO_PROCESS`: numbers of `ioprio_set` begin with 1.
const IOPRIO_WHO_PROCESS: u32 = 1;
const CLASS_SHIFT: u32 = 13;
const CLASS_NONE: u32 = 0;
const CLASS_RT: u32 = 1;
const CLASS_BE: u32 = 2;
const CLASS_IDLE: u32 = 3;
/// The level within a class; what is between the two is a hint.
const LEVEL_MASK: u32 = 7;

/// `ioprio_set(2)`.
pub fn ioprio_set(frame: &mut TrapFrame) -> SysResult {
    let [which, who, ioprio, ..] = frame.args();
    let ioprio = ioprio as u32;
    let caller = current().cred();
    let (class, data) = (ioprio >> CLASS_SHIFT, ioprio & ((1 << CLASS_SHIFT) - 1));
    match class {
        CLASS_RT if !caller.has(CapSet::SYS_ADMIN) && !caller.has(CapSet::SYS_NICE) => {
            return Err(Errno::EPERM);
        }
        CLASS_RT | CLASS_BE | CLASS_IDLE => {}
        CLASS_NONE if data & LEVEL_MASK == 0 => {}
        _ => return Err(Errno::EINVAL),
    }
    let mut result = Ok(0);
    Whom::new(which, IOPRIO_WHO_PROCESS, who)?.for_each(|task| {
        let theirs = task.cred();
        let owner = theirs.uid == caller.euid || theirs.uid == caller.uid;
        if owner || caller.has(CapSet::SYS_NICE) {
            task.attributes.ioprio.store(ioprio as u16, Ordering::Relaxed);
        } else {
            result = Err(Errno::EPERM);
        }
    })?;
    result
}

/// `ioprio_get(2)`: the best of all. For a group or a user, one without a priority has the one of its nice value.
pub fn ioprio_get(frame: &mut TrapFrame) -> SysResult {
    let [which, who, ..] = frame.args();
    let whom = Whom::new(which, IOPRIO_WHO_PROCESS, who)?;
    let mut best = u32::MAX;
    whom.for_each(|task| {
        let set: u32 = task.attributes.ioprio.load(Ordering::Relaxed).into();
        let one = match whom {
            Whom::Process(_) => set,
            _ if set >> CLASS_SHIFT != CLASS_NONE => set,
            _ => (CLASS_BE << CLASS_SHIFT) | ((20 + i32::from(task.attributes.nice())) as u32 / 5),
        };
        best = best.min(one);
    })?;
    Ok(best.into())
}
