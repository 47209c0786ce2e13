//! System calls that a signal ended early, and what they become. Mirrors the first half of arm64's `do_signal`.

use crate::arch::trap::TrapFrame;
use crate::task::{SYSCALL_RESTART, Task, current};
use abi::signal::{SaFlags, SigAction};
use abi::{Errno, raw};
use core::sync::atomic::Ordering;

/// Bytes of the SVC instruction.
const SVC_SIZE: u64 = 4;

/// How an interrupted call goes on that cannot just be made again, as it knows how much is left: Linux's
/// `struct restart_block`.
#[derive(Clone, Copy)]
pub struct RestartBlock {
    /// Does the rest.
    pub call: fn([u64; 4]) -> Result<u64, Errno>,
    /// What that is given.
    pub data: [u64; 4],
}

impl RestartBlock {
    /// Keeps it for [`restart_syscall`]; what the interrupted call returns.
    pub fn interrupt(self) -> Errno {
        *current().signals.restart.lock() = Some(self);
        Errno::ERESTART_RESTARTBLOCK
    }
}

/// `restart_syscall(2)`, which only the kernel makes programs call: goes on with what a signal interrupted.
pub fn restart_syscall() -> Result<u64, Errno> {
    let block = current().signals.restart.lock().take();
    match block {
        Some(block) => (block.call)(block.data),
        None => Err(Errno::EINTR),
    }
}

impl Task {
    /// The task's call ends with `error`, which says that it may have to be made again; no program sees it.
    #[cold]
    pub fn note_interrupted(&self, error: Errno) {
        self.signals.interrupted.store(error.raw(), Ordering::Relaxed);
        self.work.fetch_or(SYSCALL_RESTART, Ordering::Relaxed);
    }

    /// Forgets how an interrupted call would go on.
    pub(super) fn forget_restart(&self) {
        *self.signals.restart.lock() = None;
    }
}

/// A call that a signal ended early. The frame stands before the call, so that it would be made again.
pub(super) struct Interrupted(Errno);

impl Interrupted {
    /// The call from which the task is about to return, if it was interrupted.
    pub(super) fn take(task: &Task, frame: &mut TrapFrame) -> Option<Interrupted> {
        task.work.fetch_and(!SYSCALL_RESTART, Ordering::Relaxed);
        let error = task.signals.interrupted.swap(0, Ordering::Relaxed);
        if error == 0 {
            return None;
        }
        frame.regs[0] = frame.orig_x0;
        frame.pc = frame.pc.wrapping_sub(SVC_SIZE);
        Some(Interrupted(Errno::from_raw(error)))
    }

    /// A handler comes first: after some, the call only says that it was interrupted.
    pub(super) fn before_handler(self, frame: &mut TrapFrame, action: &SigAction) {
        let again = match self.0 {
            Errno::ERESTARTNOINTR => true,
            Errno::ERESTARTSYS => action.flags().contains(SaFlags::RESTART),
            _ => false,
        };
        if !again {
            frame.regs[0] = Errno::EINTR.to_ret();
            frame.pc = frame.pc.wrapping_add(SVC_SIZE);
        }
    }

    /// No handler comes.
    pub(super) fn again(self, frame: &mut TrapFrame) {
        if self.0 == Errno::ERESTART_RESTARTBLOCK {
            frame.regs[8] = raw::__NR_restart_syscall.into();
        }
    }
}
