//! What is blocked. A thread changes its own mask only. Mirrors `set_current_blocked`.

use super::signal_pending;
use crate::task::{Current, current};
use abi::Errno;
use abi::signal::SigSet;
use core::sync::atomic::Ordering;

impl Current {
    /// Blocks what is in `mask` and nothing else. SIGKILL and SIGSTOP cannot be blocked.
    pub fn set_blocked(&self, mask: SigSet) {
        let state = self.process.signals.state.lock();
        self.signals.blocked.store(mask.without(SigSet::KERNEL_ONLY).0, Ordering::Relaxed);
        self.recalc_sigpending(&state);
    }

    /// What a handler's return shall block: what was blocked before a call that blocked other signals, or what is now.
    pub(super) fn take_mask_to_save(&self) -> SigSet {
        self.signals.saved_mask.lock().take().unwrap_or(self.signals.blocked())
    }

    /// Blocks again what was blocked before such a call, if no handler does.
    pub(super) fn restore_saved_mask(&self) {
        let saved = self.signals.saved_mask.lock().take();
        if let Some(mask) = saved {
            self.set_blocked(mask);
        }
    }
}

/// Does `work` with `mask` blocked instead of what is blocked now, if there is one. When a signal ends it, that is delivered
/// under `mask`, and what was blocked before comes back after its handler: so the caller returns to EL0 with that error.
pub fn with_sigmask<R>(mask: Option<SigSet>, work: impl FnOnce() -> Result<R, Errno>) -> Result<R, Errno> {
    let Some(mask) = mask else { return work() };
    let task = current();
    *task.signals.saved_mask.lock() = Some(task.signals.blocked());
    task.set_blocked(mask);
    let result = work();
    let interrupted = matches!(result, Err(error) if error == Errno::EINTR || error.is_restart());
    if !interrupted || !signal_pending() {
        task.restore_saved_mask();
    }
    result
}
