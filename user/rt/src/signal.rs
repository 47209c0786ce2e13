//! Signals, as far as programs here need them: ignored, by default, or caught, which is to note that they came.

use crate::sys::signal::{SigAction, SigSet, Signal};
use crate::sys::{Result, raw, syscall};
use core::sync::atomic::{AtomicU64, Ordering};

/// Signals that were caught and not taken.
static CAUGHT: AtomicU64 = AtomicU64::new(0);

extern "C" fn note(signal: i32) {
    if let Some(signal) = u64::try_from(signal).ok().and_then(Signal::new) {
        CAUGHT.fetch_or(SigSet::of(&[signal]).0, Ordering::Relaxed);
    }
}

fn set(signal: Signal, handler: u64) -> Result {
    let action = SigAction { handler, ..SigAction::default() };
    let args = [signal.number() as usize, (&raw const action).addr(), 0, size_of::<SigSet>()];
    // SAFETY: the kernel reads the action; the handler touches an atomic only.
    unsafe { syscall(raw::__NR_rt_sigaction, args) }
}

/// Lets `signal` do what it does by default. SIGKILL and SIGSTOP do nothing else.
pub fn default(signal: Signal) {
    // Refused for these two only.
    let _ = set(signal, SigAction::SIG_DFL);
}

/// Ignores `signal`; EINVAL for SIGKILL and SIGSTOP.
pub fn ignore(signal: Signal) -> Result {
    set(signal, SigAction::SIG_IGN)
}

/// Notes `signal` when it comes, and lets it interrupt calls; EINVAL for SIGKILL and SIGSTOP.
pub fn catch(signal: Signal) -> Result {
    set(signal, note as *const () as u64)
}

/// The signals that were caught and not taken.
pub fn caught() -> SigSet {
    SigSet(CAUGHT.load(Ordering::Relaxed))
}

/// Whether `signal` was caught; from now on it was not.
pub fn take(signal: Signal) -> bool {
    let bit = SigSet::of(&[signal]).0;
    CAUGHT.fetch_and(!bit, Ordering::Relaxed) & bit != 0
}
