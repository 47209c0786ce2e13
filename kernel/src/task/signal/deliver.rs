//! Delivery: what a task does about its signals on the way back to EL0. Mirrors `get_signal` and arm64's `do_signal`.

use super::restart::Interrupted;
use super::send::is_unkillable;
use super::stop::{StopReport, notify_parent, stop};
use super::{SharedState, frame};
use crate::arch::trap::TrapFrame;
use crate::task::exit::{ExitReason, exit};
use crate::task::{Current, Task, current};
use abi::signal::{DefaultAction, SaFlags, SigAction, SigInfo, SigSet, Signal};

/// Delivers one signal to the current task, which is about to leave for EL0 with the registers in `frame`; or makes it call
/// again what a signal interrupted that needs no handler. Whoever calls looks at the task's work again.
pub fn do_signal(frame: &mut TrapFrame) {
    let task = current();
    let interrupted = Interrupted::take(&task, frame);
    match next_signal(&task) {
        Some((signal, info, action)) => {
            if let Some(interrupted) = interrupted {
                interrupted.before_handler(frame, &action);
            }
            handle(&task, frame, signal, &task.process.timers.delivered(info), &action);
        }
        None => {
            if let Some(interrupted) = interrupted {
                interrupted.again(frame);
            }
            task.restore_saved_mask();
        }
    }
}

/// Takes out the next signal that has a handler, and does what the others ask for.
fn next_signal(task: &Current) -> Option<(Signal, SigInfo, SigAction)> {
    loop {
        let mut state = task.process.signals.state.lock();
        if state.stop.take_resumed() {
            drop(state);
            notify_parent(task, StopReport::Continued);
            continue;
        }
        let Some((signal, info)) = task.dequeue(&mut state, task.signals.blocked()) else {
            task.recalc_sigpending(&state);
            return None;
        };
        let action = task.process.actions.take(signal);
        match action.handler {
            SigAction::SIG_IGN => {}
            SigAction::SIG_DFL => match signal.default_action() {
                DefaultAction::Ignore | DefaultAction::Continue => {}
                _ if is_unkillable(task) => {}
                DefaultAction::Stop => {
                    state.stop.note_dequeued();
                    drop(state);
                    stop(signal);
                }
                DefaultAction::Terminate | DefaultAction::Core => {
                    drop(state);
                    exit(ExitReason::Signal(signal));
                }
            },
            _ => {
                task.recalc_sigpending(&state);
                return Some((signal, info, action));
            }
        }
    }
}

impl Task {
    /// Takes out the first pending signal that is not in `blocked`: the thread's own come before the process's.
    pub(super) fn dequeue(&self, state: &mut SharedState, blocked: SigSet) -> Option<(Signal, SigInfo)> {
        let mut own = self.signals.pending.lock();
        let first = |set: SigSet| set.without(blocked).first();
        if let Some(signal) = first(own.set()) {
            return Some((signal, own.take(signal)));
        }
        let signal = first(state.pending.set())?;
        Some((signal, state.pending.take(signal)))
    }
}

/// Makes the program call its handler, or end if its stack takes no frame.
fn handle(task: &Current, frame: &mut TrapFrame, signal: Signal, info: &SigInfo, action: &SigAction) {
    // A critical section ends here, before the handler sees where it was.
    if task.handle_rseq(frame).is_err() {
        return super::fault::force_sigsegv(frame, Signal::SIGSEGV);
    }
    let mask = task.take_mask_to_save();
    if frame::setup(task, frame, info, action, mask).is_err() {
        return super::fault::force_sigsegv(frame, signal);
    }
    let mut blocked = task.signals.blocked().union(action.mask);
    if !action.flags().contains(SaFlags::NODEFER) {
        blocked = blocked.with(signal);
    }
    task.set_blocked(blocked);
}
