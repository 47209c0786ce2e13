//! Signals that were sent and not delivered yet. Mirrors Linux's `struct sigpending`.

use abi::Errno;
use abi::signal::{SigInfo, SigSet, Signal, code};
use alloc::collections::VecDeque;

/// Those of one thread, or of all threads of a process.
pub struct Pending {
    set: SigSet,
    /// Why they came, oldest first: one for each real-time signal that was sent, at most one of each other kind.
    queue: VecDeque<SigInfo>,
}

impl Pending {
    /// None.
    pub const fn new() -> Pending {
        Pending { set: SigSet::EMPTY, queue: VecDeque::new() }
    }

    /// Which ones.
    pub fn set(&self) -> SigSet {
        self.set
    }

    /// Signals that are kept with the reason for which they came.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Adds a signal. Of one that is not real-time only the first is kept. With `limit` entries here, or without memory, the
    /// reason is lost; a real-time signal for which a program gave one is refused then (EAGAIN).
    pub fn add(&mut self, signal: Signal, info: SigInfo, limit: u64) -> Result<(), Errno> {
        if !signal.is_realtime() && self.set.contains(signal) {
            return Ok(());
        }
        // The kernel's own reasons, and kill's for the old signals, are kept whatever the limit.
        let within = !signal.is_realtime() && info.code >= 0 || (self.queue.len() as u64) < limit;
        if within && self.queue.try_reserve(1).is_ok() {
            self.queue.push_back(info);
        } else if signal.is_realtime() && info.code != code::SI_USER {
            return Err(Errno::EAGAIN);
        }
        self.set = self.set.with(signal);
        Ok(())
    }

    /// Takes out the oldest `signal`, which is in the set.
    pub fn take(&mut self, signal: Signal) -> SigInfo {
        let is_it = |info: &SigInfo| info.signal() == Some(signal);
        let first = self.queue.iter().position(is_it);
        let info = first.and_then(|at| self.queue.remove(at));
        if !self.queue.iter().any(is_it) {
            self.set = self.set.without(SigSet::of(&[signal]));
        }
        // One without a reason: as Linux shows it.
        info.unwrap_or(SigInfo::from_process(signal, code::SI_USER, 0, 0))
    }

    /// Whether a signal of POSIX timer `id` waits here.
    pub fn has_timer(&self, id: u32) -> bool {
        self.queue.iter().any(|info| info.code == code::SI_TIMER && info.timer_id() == id)
    }

    /// Forgets all of `signals`.
    pub fn flush(&mut self, signals: SigSet) {
        if !self.set.intersection(signals).is_empty() {
            self.set = self.set.without(signals);
            self.queue.retain(|info| info.signal().is_some_and(|signal| !signals.contains(signal)));
        }
    }
}
