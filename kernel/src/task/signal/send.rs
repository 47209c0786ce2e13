//! Sending. Mirrors `__send_signal_locked` and `prepare_signal`.

use super::SharedState;
use crate::task::table::{self, INIT_PID};
use crate::task::{Pid, SIGPENDING, Task, current, sched};
use abi::Errno;
use abi::raw;
use abi::signal::{DefaultAction, SigAction, SigInfo, SigSet, Signal};
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

/// Who is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalTarget {
    /// Any thread of the process.
    Process,
    /// This one.
    Thread,
}

/// Sends what `info` says to `task`. A signal that would be ignored is dropped, and so is one to a thread of the kernel or a
/// zombie. EAGAIN if the queue of real-time signals is full. May be called from an interrupt handler; the caller has checked
/// that the sender may.
pub fn send(task: &Arc<Task>, info: SigInfo, target: SignalTarget) -> Result<(), Errno> {
    let Some(signal) = info.signal() else { return Err(Errno::EINVAL) };
    if !task.is_user() {
        return Ok(());
    }
    let limit = task.rlimits.lock()[raw::RLIMIT_SIGPENDING as usize].cur;
    let mut state = task.process.signals.state.lock();
    prepare(task, &mut state, signal);
    if is_ignored(task, signal) {
        return Ok(());
    }
    match target {
        SignalTarget::Process => state.pending.add(signal, info, limit)?,
        SignalTarget::Thread => task.signals.pending.lock().add(signal, info, limit)?,
    }
    if !task.signals.blocked().contains(signal) {
        task.work.fetch_or(SIGPENDING, Ordering::Relaxed);
        if signal == Signal::SIGKILL {
            sched::resume(task);
        }
        sched::wake(task);
    }
    Ok(())
}

/// [`send`] to the process with this number, from the kernel. One that is gone is none of the caller's business. May be
/// called from an interrupt handler.
pub fn kernel_signal(pid: Pid, info: SigInfo) {
    if let Some(task) = table::find(pid) {
        // Only the queue of real-time signals can be full, and then this one is lost as on Linux.
        let _ = send(&task, info, SignalTarget::Process);
    }
}

/// The same, to the running thread.
pub fn send_to_current(info: SigInfo) {
    let _ = send(&current().arc(), info, SignalTarget::Thread);
}

/// What a stop signal or SIGCONT does when it is sent, whether it is blocked or not: each cancels the other.
fn prepare(task: &Arc<Task>, state: &mut SharedState, signal: Signal) {
    let forgotten = if signal == Signal::SIGCONT {
        SigSet::STOP
    } else if SigSet::STOP.contains(signal) {
        SigSet::of(&[Signal::SIGCONT])
    } else {
        return;
    };
    state.pending.flush(forgotten);
    task.signals.pending.lock().flush(forgotten);
    if signal == Signal::SIGCONT && state.stop.resume() {
        task.work.fetch_or(SIGPENDING, Ordering::Relaxed);
        sched::resume(task);
    }
}

/// Whether `signal` would do nothing if it came. One that is blocked may still be wanted later.
fn is_ignored(task: &Task, signal: Signal) -> bool {
    let real_blocked = SigSet(task.signals.real_blocked.load(Ordering::Relaxed));
    if task.signals.blocked().union(real_blocked).contains(signal) {
        return false;
    }
    let action = task.process.actions.get(signal);
    action.ignores(signal) || is_unkillable(task) && action.handler == SigAction::SIG_DFL
}

/// Whether default actions do nothing to the task: without init there is no system.
pub(super) fn is_unkillable(task: &Task) -> bool {
    task.pid() == INIT_PID
}

impl Task {
    /// Replaces what the process does on `signal`. One that would be ignored now is forgotten.
    pub fn set_action(&self, signal: Signal, action: SigAction) {
        let mut state = self.process.signals.state.lock();
        self.process.actions.set(signal, action);
        let ignored = action.handler == SigAction::SIG_IGN
            || action.handler == SigAction::SIG_DFL && signal.default_action() == DefaultAction::Ignore;
        if ignored {
            let signals = SigSet::of(&[signal]);
            state.pending.flush(signals);
            self.signals.pending.lock().flush(signals);
        }
        self.recalc_sigpending(&state);
    }
}
