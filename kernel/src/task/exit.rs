//! The end of a task, and how its parent learns of it. Mirrors `kernel/exit.c`.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use abi::Errno;

use super::signal::Signal;
use super::table::{self, INIT_PID, WaitFor};
use super::user_mm::FaultKind;
use super::{Pid, Task, current, sched, user_mm};
use crate::arch::uaccess::UserPtr;
use crate::panic;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// By itself, with this status; its low byte counts.
    Code(u8),
    /// By a signal.
    Signal(Signal),
}

impl ExitReason {
    /// The word that `wait4` stores: see `bits/waitstatus.h`.
    pub fn wait_status(self) -> u32 {
        match self {
            ExitReason::Code(code) => u32::from(code) << 8,
            ExitReason::Signal(signal) => signal.number(),
        }
    }
}

/// Ends the current task.
pub fn exit(reason: ExitReason) -> ! {
    let task = current();
    if task.pid() == INIT_PID {
        panic::fatal(format_args!("init ended ({reason:?}): nothing is left to run"));
    }
    let clear_child_tid = task.clear_child_tid.swap(0, Ordering::Relaxed);
    if clear_child_tid != 0 {
        // A program that gave a bad address hears nothing of it.
        let _ = UserPtr::<u32>::new(clear_child_tid).write(0);
    }
    let files = task.files.lock().take();
    drop(files);
    let fs = task.fs.lock().take();
    drop(fs);
    user_mm::release();
    task.exit_status.store(reason.wait_status(), Ordering::Relaxed);
    table::make_zombie(&task);
    sched::schedule();
    unreachable!("a dead task was scheduled")
}

/// Ends the current thread of the kernel. Nobody waits for it.
pub fn exit_kernel_thread() -> ! {
    table::make_zombie(&current());
    sched::schedule();
    unreachable!("a dead task was scheduled")
}

/// Whether [`wait`] sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitMode {
    /// Until a child has exited.
    Block,
    /// Not at all (`WNOHANG`).
    Poll,
}

/// What a task has used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Nanoseconds on a CPU.
    pub cpu_time: u64,
    /// Faults that needed no device.
    pub min_flt: u64,
    /// Faults that did.
    pub maj_flt: u64,
}

impl Usage {
    fn add(&mut self, other: Usage) {
        self.cpu_time += other.cpu_time;
        self.min_flt += other.min_flt;
        self.maj_flt += other.maj_flt;
    }
}

impl Task {
    /// What the task has used so far.
    pub fn usage(&self) -> Usage {
        Usage {
            cpu_time: self.cpu_time(),
            min_flt: self.min_flt.load(Ordering::Relaxed),
            maj_flt: self.maj_flt.load(Ordering::Relaxed),
        }
    }

    /// Counts a fault.
    pub fn count_fault(&self, kind: FaultKind) {
        let counter = match kind {
            FaultKind::Minor => &self.min_flt,
            FaultKind::Major => &self.maj_flt,
        };
        // Only the task itself counts.
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// A child that has exited.
#[derive(Clone, Copy, Debug)]
pub struct Reaped {
    /// Its number.
    pub pid: Pid,
    /// `wait4`'s status word.
    pub status: u32,
    /// What it used, with the children that it waited for.
    pub usage: Usage,
}

/// Waits for a child to exit and forgets it. `None` if all live and `mode` says not to wait.
pub fn wait(which: WaitFor, mode: WaitMode) -> Result<Option<Reaped>, Errno> {
    let parent = current();
    let reaped = |child: Arc<Task>| {
        let mut usage = child.usage();
        usage.add(*child.children_usage.lock());
        parent.children_usage.lock().add(usage);
        Reaped { pid: child.pid(), status: child.exit_status.load(Ordering::Relaxed), usage }
    };
    match mode {
        WaitMode::Poll => Ok(table::reap(&parent, which)?.map(reaped)),
        WaitMode::Block => {
            let child = parent.child_event.wait_until(|| table::reap(&parent, which).transpose());
            child.map(|child| Some(reaped(child)))
        }
    }
}
