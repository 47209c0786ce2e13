//! Signals that a program brings upon itself: exceptions, and frames that cannot be written or read. Mirrors arm64's
//! `arm64_force_sig_fault` and `force_sig_info`.

use crate::arch::fault::Esr;
use crate::arch::trap::TrapFrame;
use crate::task::exit::{ExitReason, exit};
use crate::task::{Current, SIGPENDING, current};
use abi::signal::{SigAction, SigInfo, SigSet, Signal, code};
use core::sync::atomic::Ordering;

/// What the CPU said of the last fault, as far as a program may know.
#[derive(Clone, Copy)]
pub struct Fault {
    /// The address of an abort; 0 of anything else.
    pub addr: u64,
    /// The syndrome.
    pub esr: u64,
}

/// The program did at `frame` what cannot be helped: it gets the signal of `info`, or ends by it, with a line in the log.
/// `fault` is what a handler's context shows.
pub fn force_fault(info: SigInfo, fault: Fault, esr: Esr, frame: &TrapFrame) {
    let task = current();
    *task.signals.fault.lock() = Some(fault);
    force(&task, info, |signal| {
        let (comm, len) = task.comm();
        log::info!(
            "{}[{}]: {signal:?} at {:#018x}, pc {:#018x}, sp {:#018x}, ESR {:#010x} ({})",
            comm[..len].escape_ascii(),
            task.pid(),
            info.addr(),
            frame.pc,
            frame.sp,
            esr.0,
            esr.name(),
        );
    });
}

/// A signal that is blocked or ignored gets its default action, which is to end the program.
fn force(task: &Current, info: SigInfo, before_death: impl FnOnce(Signal)) {
    let Some(signal) = info.signal() else { return };
    let handler = task.process.actions.get(signal).handler;
    if handler <= SigAction::SIG_IGN || task.signals.blocked().contains(signal) {
        before_death(signal);
        exit(ExitReason::Signal(signal));
    }
    let _state = task.process.signals.state.lock();
    let mut pending = task.signals.pending.lock();
    // What the same instruction did before has been delivered, so nothing is merged with it.
    pending.flush(SigSet::of(&[signal]));
    // It is not real-time, so it is never refused.
    let _ = pending.add(signal, info, u64::MAX);
    task.work.fetch_or(SIGPENDING, Ordering::Relaxed);
}

/// The program's memory does not serve: the stack took no frame for `signal`, or it was SIGSEGV that was to be forced.
pub fn force_sigsegv(frame: &TrapFrame, signal: Signal) {
    let task = current();
    if signal == Signal::SIGSEGV {
        // Its handler cannot be called, so there is no point in trying again.
        task.process.actions.set(signal, SigAction::default());
    }
    let (comm, len) = task.comm();
    force(&task, SigInfo::kernel(Signal::SIGSEGV), |_| {
        log::info!(
            "{}[{}]: no way to deliver {signal:?}, sp {:#018x}",
            comm[..len].escape_ascii(),
            task.pid(),
            frame.sp,
        );
    });
}

/// A handler returned to a frame that is none.
pub(super) fn bad_frame(frame: &TrapFrame) {
    let task = current();
    let (comm, len) = task.comm();
    force(&task, SigInfo::fault(Signal::SIGSEGV, code::SEGV_MAPERR, frame.sp), |_| {
        log::info!(
            "{}[{}]: bad frame in rt_sigreturn, sp {:#018x}",
            comm[..len].escape_ascii(),
            task.pid(),
            frame.sp,
        );
    });
}
