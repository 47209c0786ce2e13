//! The end of a task, and how its parent learns of it. Mirrors `kernel/exit.c`.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use abi::signal::{SaFlags, SigAction, SigInfo, Signal, code};

use super::signal::{SignalTarget, send};
use super::table::{self, INIT_PID};
use super::user_mm::FaultKind;
use super::wait::Waited;
use super::{Current, Pid, RunState, Task, current, jobs, sched, user_mm};
use crate::drivers::tty::control;
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
    task.release_user_words();
    task.process.timers.exit();
    if task.process.session() == task.pid() {
        control::session_leader_exits(&task);
    }
    let files = task.files.lock().take();
    drop(files);
    let fs = task.fs.lock().take();
    drop(fs);
    user_mm::release();
    task.exit_status.store(reason.wait_status(), Ordering::Relaxed);
    notify(&task, reason);
    sched::schedule();
    unreachable!("a dead task was scheduled")
}

/// Ends the current thread of the kernel. Nobody waits for it.
pub fn exit_kernel_thread() -> ! {
    notify(&current(), ExitReason::Code(0));
    sched::schedule();
    unreachable!("a dead task was scheduled")
}

/// Makes the current task a zombie, gives its children away, and tells its parent. One whose parent does not want to know,
/// or is none, is forgotten at once. Mirrors `exit_notify`.
fn notify(task: &Current, reason: ExitReason) {
    let (code, status) = match reason {
        ExitReason::Code(status) => (code::CLD_EXITED, status.into()),
        ExitReason::Signal(signal) => (code::CLD_KILLED, signal.number()),
    };
    let (parent, reaper) = table::with_all_mut(|tasks| {
        let reaper = leave_children(task, tasks);
        kill_orphaned_pgrp(tasks, task, task.ppid(), Some(task.pid()));
        task.set_state(RunState::Zombie);
        let parent = table::find_in(tasks, task.ppid()).cloned();
        let forgotten = parent.as_ref().is_none_or(|parent| tell_parent(parent, task, code, status));
        if forgotten {
            // The scheduler still holds a reference, so nothing is freed under the lock.
            tasks.retain(|other| other.pid() != task.pid());
            if let Some(parent) = &parent {
                parent.nr_children.fetch_sub(1, Ordering::Relaxed);
            }
        }
        (parent, reaper)
    });
    for waiter in [parent, reaper].into_iter().flatten() {
        waiter.wake_waiters();
    }
}

/// Who gets the children of `task`: its nearest ancestor that asked for orphans (`PR_SET_CHILD_SUBREAPER`), or init.
fn reaper_of(tasks: &[Arc<Task>], task: &Task) -> Option<Arc<Task>> {
    let mut pid = task.ppid();
    while let Some(ancestor) = table::find_in(tasks, pid) {
        if ancestor.attributes.child_subreaper.load(Ordering::Relaxed) {
            return Some(ancestor.clone());
        }
        pid = ancestor.ppid();
    }
    table::find_in(tasks, INIT_PID).cloned()
}

/// Gives the children of `task` to whoever takes orphans, who is returned if one of them is to be waited for.
fn leave_children(task: &Task, tasks: &[Arc<Task>]) -> Option<Arc<Task>> {
    if task.nr_children.swap(0, Ordering::Relaxed) == 0 {
        return None;
    }
    let reaper = reaper_of(tasks, task)?;
    let mut has_ended = false;
    for child in tasks.iter().filter(|child| child.ppid() == task.pid()) {
        child.ppid.store(reaper.pid(), Ordering::Relaxed);
        reaper.nr_children.fetch_add(1, Ordering::Relaxed);
        let wanted = child.attributes.pdeath_signal.load(Ordering::Relaxed);
        if let Some(signal) = Signal::new(wanted.into()) {
            let info = SigInfo::from_process(signal, code::SI_USER, task.pid(), task.cred().uid);
            let _ = send(child, info, SignalTarget::Process);
        }
        if child.state() == RunState::Zombie {
            has_ended = true;
            let (code, status) = Waited::of_zombie(child).code_and_status();
            tell_parent(&reaper, child, code, status);
        }
        kill_orphaned_pgrp(tasks, child, task.pid(), None);
    }
    has_ended.then_some(reaper)
}

/// Sends the parent what it gets when `child` ends. Whether it does not want to wait for it (`do_notify_parent`).
fn tell_parent(parent: &Arc<Task>, child: &Task, code: i32, status: u32) -> bool {
    let Some(signal) = child.process.exit_signal() else { return false };
    let action = parent.process.actions.get(signal);
    let ignores = signal == Signal::SIGCHLD && action.handler == SigAction::SIG_IGN;
    if !ignores {
        // It is not real-time, or the parent has chosen to lose it.
        let _ = send(parent, child.child_info(signal, code, status), SignalTarget::Process);
    }
    ignores || signal == Signal::SIGCHLD && action.flags().contains(SaFlags::NOCLDWAIT)
}

/// A group that loses the last process which could let its stopped members go on gets SIGHUP and SIGCONT. `task` is a member,
/// `parent` its parent that was; `leaving` does not count any more.
fn kill_orphaned_pgrp(tasks: &[Arc<Task>], task: &Task, parent: Pid, leaving: Option<Pid>) {
    let Some(parent) = table::find_in(tasks, parent) else { return };
    let pgrp = task.process.pgrp();
    if parent.process.pgrp() != pgrp
        && parent.process.session() == task.process.session()
        && jobs::has_stopped(tasks, pgrp)
        && jobs::is_orphaned(tasks, pgrp, leaving)
    {
        for signal in [Signal::SIGHUP, Signal::SIGCONT] {
            for member in tasks.iter().filter(|member| member.process.pgrp() == pgrp) {
                let _ = send(member, SigInfo::kernel(signal), SignalTarget::Process);
            }
        }
    }
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
    /// Most bytes in memory at a time, of the task or of the largest child.
    pub max_rss: u64,
}

impl Usage {
    /// Adds what another used.
    pub(super) fn add(&mut self, other: Usage) {
        self.cpu_time += other.cpu_time;
        self.min_flt += other.min_flt;
        self.maj_flt += other.maj_flt;
        self.max_rss = self.max_rss.max(other.max_rss);
    }
}

impl Task {
    /// What the task has used so far; of the memory that it has now only its dead know the most, see
    /// [`Task::max_rss_now`].
    pub fn usage(&self) -> Usage {
        Usage {
            cpu_time: self.cpu_time(),
            min_flt: self.min_flt.load(Ordering::Relaxed),
            maj_flt: self.maj_flt.load(Ordering::Relaxed),
            max_rss: self.max_rss.load(Ordering::Relaxed),
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
