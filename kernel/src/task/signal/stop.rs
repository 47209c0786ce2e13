//! Stopping and going on: job control's half of signals. Mirrors `do_signal_stop` and `do_notify_parent_cldstop`.

use super::{SharedState, kernel_signal};
use crate::task::jobs::is_orphaned_pgrp;
use crate::task::{RunState, Task, current, sched};
use abi::signal::{SaFlags, SigAction, SigInfo, Signal, code};

/// Where a process is between running and stopped.
pub(super) struct StopState {
    /// Whether a stop signal was taken out and SIGCONT has not come since: the stop may happen.
    dequeued: bool,
    stopped: bool,
    /// What the parent has not asked for yet.
    report: Option<StopReport>,
    /// Goes on, and the parent has not been told yet.
    resumed: bool,
}

/// What a parent that waits for stopped children learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReport {
    /// This signal stopped the child.
    Stopped(Signal),
    /// It goes on.
    Continued,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopEvent {
    /// `WUNTRACED`.
    Stopped,
    /// `WCONTINUED`.
    Continued,
}

impl StopState {
    pub(super) const fn new() -> StopState {
        StopState { dequeued: false, stopped: false, report: None, resumed: false }
    }

    /// SIGCONT came. Whether it finds a stopped process.
    pub(super) fn resume(&mut self) -> bool {
        self.dequeued = false;
        let was_stopped = core::mem::replace(&mut self.stopped, false);
        if was_stopped {
            self.report = Some(StopReport::Continued);
            self.resumed = true;
        }
        was_stopped
    }

    /// A stop signal is on its way.
    pub(super) fn note_dequeued(&mut self) {
        self.dequeued = true;
    }

    /// Whether the parent has to be told something.
    pub(super) fn has_news(&self) -> bool {
        self.resumed
    }

    /// Whether it goes on and the parent has not been told; it is told now.
    pub(super) fn take_resumed(&mut self) -> bool {
        core::mem::replace(&mut self.resumed, false)
    }
}

impl Task {
    /// What the parent may learn about stopping. It learns each thing once, unless it only looks.
    pub fn stop_report(&self, wanted: StopEvent, take: Take) -> Option<StopReport> {
        let mut state = self.process.signals.state.lock();
        let matches = |report: &mut StopReport| {
            matches!(
                (*report, wanted),
                (StopReport::Stopped(_), StopEvent::Stopped) | (StopReport::Continued, StopEvent::Continued)
            )
        };
        match take {
            Take::Look => state.stop.report.filter(|report| matches(&mut { *report })),
            Take::Take => state.stop.report.take_if(matches),
        }
    }
}

/// Whether a report stays for the next who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// It stays (`WNOWAIT`).
    Look,
    /// It goes.
    Take,
}

/// Stops the current process on `signal`, which was taken out, until SIGCONT or SIGKILL. But for SIGSTOP nothing stops a
/// process that nobody could let go on.
pub(super) fn stop(signal: Signal) {
    let task = current();
    if signal != Signal::SIGSTOP && is_orphaned_pgrp(task.process.pgrp()) {
        return;
    }
    {
        let mut state = task.process.signals.state.lock();
        // SIGCONT or SIGKILL may have come meanwhile.
        if !state.stop.dequeued || is_killed(&task, &state) {
            return;
        }
        state.stop.dequeued = false;
        state.stop.stopped = true;
        state.stop.report = Some(StopReport::Stopped(signal));
        task.set_state(RunState::Stopped);
    }
    notify_parent(&task, StopReport::Stopped(signal));
    sched::schedule();
    let mut state = task.process.signals.state.lock();
    state.stop.stopped = false;
    task.recalc_sigpending(&state);
}

fn is_killed(task: &Task, state: &SharedState) -> bool {
    state.pending.set().union(task.signals.pending.lock().set()).contains(Signal::SIGKILL)
}

/// Tells the parent that the task has stopped or goes on.
pub(super) fn notify_parent(task: &Task, report: StopReport) {
    let (code, status) = match report {
        StopReport::Stopped(signal) => (code::CLD_STOPPED, signal),
        StopReport::Continued => (code::CLD_CONTINUED, Signal::SIGCONT),
    };
    let Some(parent) = crate::task::table::find(task.ppid()) else { return };
    let action = parent.process.actions.get(Signal::SIGCHLD);
    if action.handler != SigAction::SIG_IGN && !action.flags().contains(SaFlags::NOCLDSTOP) {
        kernel_signal(parent.pid(), task.child_info(Signal::SIGCHLD, code, status.number()));
    }
    parent.wake_waiters();
}

impl Task {
    /// What a parent learns by SIGCHLD.
    pub fn child_info(&self, signal: Signal, code: i32, status: u32) -> SigInfo {
        /// Clock ticks of programs, USER_HZ, are this long.
        const TICK_NS: u64 = 10_000_000;
        SigInfo::child(signal, code, self.pid(), self.cred().uid, status, self.cpu_time() / TICK_NS, 0)
    }
}
