//! Signals. Mirrors Linux's `kernel/signal.c` and arm64's `signal.c`.
//!
//! [`send`] queues one and wakes its thread, from any context. On the way back to EL0 the thread finds [`SIGPENDING`] among
//! its work, and `deliver` takes what is not blocked: it ends or stops the program, or lets `frame` write what a handler needs
//! onto the program's stack. `fault` sends what a program brings upon itself, `mask` keeps what is blocked, `altstack` the
//! stack for handlers, `stop` the stopped state, `restart` the calls that are made again, `trampoline` the code to which
//! handlers return. Numbers, sets and the frame's layout are in `abi::signal`.

mod action;
mod altstack;
mod deliver;
mod fault;
mod frame;
mod mask;
mod pending;
mod restart;
mod send;
mod stop;
mod timedwait;
mod trampoline;

pub use action::Actions;
pub use altstack::AltStack;
pub use deliver::do_signal;
pub use fault::{Fault, force_fault, force_sigsegv};
pub use frame::sigreturn;
pub use mask::with_sigmask;
pub use restart::{RestartBlock, restart_syscall};
pub use send::{SignalTarget, kernel_signal, send, send_to_current};
pub use stop::{StopEvent, StopReport, Take};
pub use timedwait::timed_wait;

use crate::sync::IrqMutex;
use crate::task::{SIGPENDING, Task, current};
use abi::signal::{SigSet, Signal};
use core::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use pending::Pending;
use stop::StopState;

/// What belongs to one thread.
pub struct ThreadSignals {
    /// What is not delivered now; the thread alone changes it.
    blocked: AtomicU64,
    /// What was blocked before `rt_sigtimedwait` let its signals wake the thread.
    real_blocked: AtomicU64,
    /// What is to be blocked again after a call that blocked other signals meanwhile.
    saved_mask: IrqMutex<Option<SigSet>>,
    /// Sent to this thread. Locked inside the process's lock.
    pending: IrqMutex<Pending>,
    /// Where handlers run that ask for it.
    pub altstack: IrqMutex<AltStack>,
    /// The error with which the last call said that a signal ended it; 0 if none did.
    interrupted: AtomicU16,
    /// How `restart_syscall` goes on.
    restart: IrqMutex<Option<RestartBlock>>,
    /// The last fault's address and syndrome, which handlers see.
    fault: IrqMutex<Option<Fault>>,
}

/// What the threads of a process share.
pub struct SharedSignals {
    /// Held over every change of what is pending for the process or one of its threads, and over stopping.
    state: IrqMutex<SharedState>,
}

struct SharedState {
    pending: Pending,
    stop: StopState,
}

impl SharedSignals {
    /// Nothing was sent.
    pub const fn new() -> SharedSignals {
        let state = SharedState { pending: Pending::new(), stop: StopState::new() };
        SharedSignals { state: IrqMutex::new(state) }
    }
}

impl ThreadSignals {
    /// Nothing was sent, nothing is blocked.
    pub fn new() -> ThreadSignals {
        ThreadSignals {
            blocked: AtomicU64::new(0),
            real_blocked: AtomicU64::new(0),
            saved_mask: IrqMutex::new(None),
            pending: IrqMutex::new(Pending::new()),
            altstack: IrqMutex::new(AltStack::default()),
            interrupted: AtomicU16::new(0),
            restart: IrqMutex::new(None),
            fault: IrqMutex::new(None),
        }
    }

    /// A child's: it inherits what is blocked, and the alternate stack unless it shares the memory that is in.
    pub fn fork(&self, altstack: AltStack) -> ThreadSignals {
        let signals = ThreadSignals::new();
        signals.blocked.store(self.blocked().0, Ordering::Relaxed);
        *signals.altstack.lock() = altstack;
        signals
    }

    /// What is not delivered now.
    pub fn blocked(&self) -> SigSet {
        SigSet(self.blocked.load(Ordering::Relaxed))
    }
}

impl Task {
    /// What was sent to the task and its process, delivered or not.
    pub fn pending_signals(&self) -> SigSet {
        let state = self.process.signals.state.lock();
        state.pending.set().union(self.signals.pending.lock().set())
    }

    /// What was sent to the task alone, and what to its process, delivered or not.
    pub fn pending_apart(&self) -> [SigSet; 2] {
        let state = self.process.signals.state.lock();
        [self.signals.pending.lock().set(), state.pending.set()]
    }

    /// Entries that are kept for what was sent to the task and its process.
    pub fn queued_signals(&self) -> usize {
        let state = self.process.signals.state.lock();
        state.pending.len() + self.signals.pending.lock().len()
    }

    /// Whether a signal of POSIX timer `id` was sent and not delivered yet.
    pub fn timer_signal_waits(&self, id: u32) -> bool {
        let state = self.process.signals.state.lock();
        state.pending.has_timer(id) || self.signals.pending.lock().has_timer(id)
    }

    /// Whether a signal is to be delivered to the task: it shall not go to sleep where it can be interrupted.
    pub fn signal_pending(&self) -> bool {
        self.work.load(Ordering::Relaxed) & SIGPENDING != 0
    }

    /// Whether the task is about to die of SIGKILL.
    pub fn fatal_signal_pending(&self) -> bool {
        self.signal_pending() && self.pending_signals().contains(Signal::SIGKILL)
    }

    /// Sets or clears the task's mark, by what is pending and not blocked.
    fn recalc_sigpending(&self, state: &SharedState) {
        let pending = state.pending.set().union(self.signals.pending.lock().set());
        if pending.without(self.signals.blocked()).is_empty() && !state.stop.has_news() {
            self.work.fetch_and(!SIGPENDING, Ordering::Relaxed);
        } else {
            self.work.fetch_or(SIGPENDING, Ordering::Relaxed);
        }
    }
}

/// Whether a signal is to be delivered to the current task.
pub fn signal_pending() -> bool {
    current().signal_pending()
}
