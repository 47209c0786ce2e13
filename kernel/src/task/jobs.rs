//! Process groups and sessions. They live in the tasks themselves; the task table's lock is held while they change, so that a
//! look at all tasks sees one state. Mirrors the parts of Linux's `kernel/sys.c`, `kernel/signal.c` and `kernel/exit.c` that
//! deal with them.

use super::table::{self, INIT_PID};
use super::{Pid, RunState, Task, current};
use abi::Errno;
use alloc::sync::Arc;

/// `setpgid(2)`, with the meaning of zeros resolved.
pub fn set_pgrp(pid: Pid, pgrp: Pid) -> Result<(), Errno> {
    let caller = current();
    table::with_all(|tasks| {
        let task = table::find_in(tasks, pid).ok_or(Errno::ESRCH)?;
        if task.pid() == caller.pid() {
        } else if task.ppid() == caller.pid() {
            if task.process.session() != caller.process.session() {
                return Err(Errno::EPERM);
            }
            if task.process.has_execed() {
                return Err(Errno::EACCES);
            }
        } else {
            return Err(Errno::ESRCH);
        }
        if task.process.session() == task.pid() {
            return Err(Errno::EPERM);
        }
        let in_session = |member: &Arc<Task>| {
            member.process.pgrp() == pgrp && member.process.session() == caller.process.session()
        };
        if pgrp != pid && !tasks.iter().any(in_session) {
            return Err(Errno::EPERM);
        }
        task.process.set_pgrp(pgrp);
        Ok(())
    })
}

/// `setsid(2)`: the new session's number. EPERM for the leader of a group.
pub fn set_sid() -> Result<Pid, Errno> {
    let caller = current();
    table::with_all(|tasks| {
        if tasks.iter().any(|task| task.process.pgrp() == caller.pid()) {
            return Err(Errno::EPERM);
        }
        caller.process.set_session(caller.pid());
        caller.process.set_pgrp(caller.pid());
        caller.process.set_has_tty(false);
        Ok(caller.pid())
    })
}

/// Sends to all processes of a group that `may` allows; the group's answer is good if one's is. ESRCH for an empty group.
pub fn signal_pgrp(
    pgrp: Pid,
    mut send_one: impl FnMut(&Arc<Task>) -> Result<(), Errno>,
) -> Result<(), Errno> {
    table::with_all(|tasks| {
        let mut result = Err(Errno::ESRCH);
        for task in tasks.iter().filter(|task| task.process.pgrp() == pgrp) {
            let sent = send_one(task);
            if result.is_err() {
                result = sent;
            }
        }
        result
    })
}

/// Whether nobody is left who could let a stopped member of the group go on: no member has a parent in another group of the
/// session.
pub fn is_orphaned_pgrp(pgrp: Pid) -> bool {
    table::with_all(|tasks| is_orphaned(tasks, pgrp, None))
}

/// The same, as if `leaving` were gone already.
pub(super) fn is_orphaned(tasks: &[Arc<Task>], pgrp: Pid, leaving: Option<Pid>) -> bool {
    !tasks.iter().filter(|task| task.process.pgrp() == pgrp).any(|task| {
        let counts = Some(task.pid()) != leaving && task.state() != RunState::Zombie;
        counts
            && table::find_in(tasks, task.ppid()).is_some_and(|parent| {
                parent.pid() != INIT_PID
                    && parent.process.pgrp() != pgrp
                    && parent.process.session() == task.process.session()
            })
    })
}

/// Whether a member of the group is stopped.
pub(super) fn has_stopped(tasks: &[Arc<Task>], pgrp: Pid) -> bool {
    tasks.iter().any(|task| task.process.pgrp() == pgrp && task.state() == RunState::Stopped)
}
