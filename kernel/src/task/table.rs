//! All tasks but the idle ones, by number, and the relation of parents and children.
//!
//! Children are found by looking through the table: it is short, and nothing has to be allocated or
//! kept in step. A zombie stays in the table until its parent asks. Mirrors `kernel/pid.c`.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use abi::Errno;

use super::{Pid, RunState, Task, sched};
use crate::sync::IrqMutex;

/// The number of the first program; orphans go to it.
pub const INIT_PID: Pid = 1;

/// Numbers are below this, Linux's default of `kernel.pid_max`.
const PID_MAX: Pid = 32768;

/// After the numbers have wrapped, the low ones stay with those who have run since boot.
const RESERVED_PIDS: Pid = 300;

/// Most tasks that can exist: half of the numbers, so that finding a free one is quick.
const TASKS_MAX: usize = PID_MAX as usize / 2;

struct Table {
    /// Ordered by number.
    tasks: Vec<Arc<Task>>,
    next: Pid,
}

static TABLE: IrqMutex<Table> = IrqMutex::new(Table { tasks: Vec::new(), next: INIT_PID });

impl Table {
    fn search(&self, pid: Pid) -> Result<usize, usize> {
        self.tasks.binary_search_by_key(&pid, |task| task.pid)
    }
}

/// A number that no task has. It is the caller's until [`insert`]: numbers go round, so it isn't given
/// out again soon.
pub fn alloc_pid() -> Result<Pid, Errno> {
    let mut table = TABLE.lock();
    if table.tasks.len() >= TASKS_MAX {
        return Err(Errno::EAGAIN);
    }
    loop {
        let pid = table.next;
        table.next = if pid + 1 < PID_MAX { pid + 1 } else { RESERVED_PIDS };
        if table.search(pid).is_err() {
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
    Ok(())
}

/// The task with this number, zombies included.
pub fn find(pid: Pid) -> Option<Arc<Task>> {
    let table = TABLE.lock();
    table.search(pid).ok().map(|at| table.tasks[at].clone())
}

/// Number of tasks, zombies included.
pub fn count() -> usize {
    TABLE.lock().tasks.len()
}

/// Makes `task`, the running one, a zombie, gives its children to init and tells its parent. One without
/// a parent is forgotten at once.
pub fn make_zombie(task: &Task) {
    let mut orphaned_zombie = false;
    let parent = {
        let mut table = TABLE.lock();
        if task.nr_children.swap(0, Ordering::Relaxed) > 0 {
            let mut moved = 0;
            for child in table.tasks.iter().filter(|child| child.ppid() == task.pid) {
                child.ppid.store(INIT_PID, Ordering::Relaxed);
                orphaned_zombie |= child.state() == RunState::Zombie;
                moved += 1;
            }
            if let Ok(at) = table.search(INIT_PID) {
                table.tasks[at].nr_children.fetch_add(moved, Ordering::Relaxed);
            }
        }
        task.set_state(RunState::Zombie);
        match table.search(task.ppid()) {
            Ok(at) => Some(table.tasks[at].clone()),
            Err(_) => {
                // The scheduler still holds a reference, so nothing is freed under the lock.
                if let Ok(at) = table.search(task.pid) {
                    table.tasks.remove(at);
                }
                None
            }
        }
    };
    if let Some(parent) = parent {
        parent.child_event.wake_all();
    }
    if orphaned_zombie && let Some(init) = find(INIT_PID) {
        init.child_event.wake_all();
    }
}

/// Which children `wait4` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFor {
    /// Any.
    Any,
    /// The one with this number.
    Pid(Pid),
}

/// Takes a zombie among `parent`'s children out of the table. `Ok(None)` if there are such children but
/// all of them live, ECHILD if there is none.
pub fn reap(parent: &Task, which: WaitFor) -> Result<Option<Arc<Task>>, Errno> {
    let mut table = TABLE.lock();
    let mut found = false;
    let wanted = |task: &Task| match which {
        WaitFor::Any => true,
        WaitFor::Pid(pid) => task.pid == pid,
    };
    let zombie = table.tasks.iter().position(|child| {
        let matches = child.ppid() == parent.pid && wanted(child);
        found |= matches;
        matches && child.state() == RunState::Zombie
    });
    match zombie {
        Some(at) => {
            parent.nr_children.fetch_sub(1, Ordering::Relaxed);
            Ok(Some(table.tasks.remove(at)))
        }
        None if found => Ok(None),
        None => Err(Errno::ECHILD),
    }
}
