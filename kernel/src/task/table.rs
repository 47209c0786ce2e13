//! All tasks but the idle ones, by number, and the relation of parents and children.
//!
//! Children are found by looking through the table: it is short, and nothing has to be allocated or
//! kept in step. A zombie stays in the table until its parent asks. Mirrors `kernel/pid.c`.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use abi::Errno;

use super::{Pid, Task, sched};
use crate::sync::IrqMutex;

/// The number of the first program; orphans go to it.
pub const INIT_PID: Pid = 1;

/// Numbers are below this, Linux's default of `kernel.pid_max`.
pub const PID_MAX: Pid = 32768;

/// After the numbers have wrapped, the low ones stay with those who have run since boot.
const RESERVED_PIDS: Pid = 300;

/// Most tasks that can exist: half of the numbers, so that finding a free one is quick.
pub const TASKS_MAX: usize = PID_MAX as usize / 2;

struct Table {
    /// Ordered by number.
    tasks: Vec<Arc<Task>>,
    next: Pid,
    /// Whether numbers have gone round: from then on one may name a group or a session whose leader is gone.
    wrapped: bool,
    /// Tasks made so far.
    forks: u64,
}

static TABLE: IrqMutex<Table> =
    IrqMutex::new(Table { tasks: Vec::new(), next: INIT_PID, wrapped: false, forks: 0 });

impl Table {
    fn search(&self, pid: Pid) -> Result<usize, usize> {
        self.tasks.binary_search_by_key(&pid, |task| task.pid)
    }

    /// Whether `pid` names anything.
    fn is_used(&self, pid: Pid) -> bool {
        let names = |task: &Arc<Task>| task.process.pgrp() == pid || task.process.session() == pid;
        self.search(pid).is_ok() || self.wrapped && self.tasks.iter().any(names)
    }
}

/// A number that no task, group or session has. It is the caller's until [`insert`]: numbers go round, so it isn't given
/// out again soon.
pub fn alloc_pid() -> Result<Pid, Errno> {
    let mut table = TABLE.lock();
    if table.tasks.len() >= TASKS_MAX {
        return Err(Errno::EAGAIN);
    }
    loop {
        let pid = table.next;
        table.wrapped |= pid + 1 == PID_MAX;
        table.next = if pid + 1 < PID_MAX { pid + 1 } else { RESERVED_PIDS };
        if !table.is_used(pid) {
            return Ok(pid);
        }
    }
}

/// Enters a task that is ready to run, as a child of the task numbered `parent` (0: of nobody).
pub fn insert(task: &Arc<Task>, parent: Pid) -> Result<(), Errno> {
    let mut table = TABLE.lock();
    table.tasks.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    sched::reserve(table.tasks.len() + 1)?;
    task.ppid.store(parent, Ordering::Relaxed);
    if let Ok(at) = table.search(parent) {
        table.tasks[at].nr_children.fetch_add(1, Ordering::Relaxed);
    }
    let at = table.search(task.pid).unwrap_or_else(|at| at);
    table.tasks.insert(at, task.clone());
    table.forks += 1;
    Ok(())
}

/// The task with this number, zombies included.
pub fn find(pid: Pid) -> Option<Arc<Task>> {
    let table = TABLE.lock();
    table.search(pid).ok().map(|at| table.tasks[at].clone())
}

/// The task with this number or the next one above it, zombies included.
pub fn find_from(pid: Pid) -> Option<Arc<Task>> {
    let table = TABLE.lock();
    let at = table.search(pid).unwrap_or_else(|at| at);
    table.tasks.get(at).cloned()
}

/// The number that was given out last.
pub fn last_pid() -> Pid {
    TABLE.lock().next.saturating_sub(1)
}

/// Tasks made so far.
pub fn nr_forks() -> u64 {
    TABLE.lock().forks
}

/// Number of tasks, zombies included.
pub fn count() -> usize {
    TABLE.lock().tasks.len()
}

/// The one with this number among `tasks`, which are ordered.
pub fn find_in(tasks: &[Arc<Task>], pid: Pid) -> Option<&Arc<Task>> {
    tasks.binary_search_by_key(&pid, |task| task.pid).ok().map(|at| &tasks[at])
}

/// Does `look` with all tasks, ordered by number, while none comes or goes. It must not sleep.
pub fn with_all<R>(look: impl FnOnce(&[Arc<Task>]) -> R) -> R {
    look(&TABLE.lock().tasks)
}

/// The same, where a task may be taken out, but not dropped: its memory is given back without the lock.
pub(super) fn with_all_mut<R>(change: impl FnOnce(&mut Vec<Arc<Task>>) -> R) -> R {
    change(&mut TABLE.lock().tasks)
}
