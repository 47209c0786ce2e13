//! Waiting for signals without handlers. Mirrors `do_sigtimedwait`.

use crate::sync::park;
use crate::task::current;
use abi::Errno;
use abi::signal::{SigInfo, SigSet};
use core::sync::atomic::Ordering;

/// Takes out a signal of `wanted`; waits for one until the clock reaches `deadline`. EAGAIN if none came, EINTR if another
/// came.
pub fn timed_wait(wanted: SigSet, deadline: Option<u64>) -> Result<SigInfo, Errno> {
    let task = current();
    let others = SigSet(!wanted.without(SigSet::KERNEL_ONLY).0);
    let take = || {
        let mut state = task.process.signals.state.lock();
        let found = task.dequeue(&mut state, others);
        task.recalc_sigpending(&state);
        found.map(|(_, info)| info)
    };
    if let Some(info) = take() {
        return Ok(task.process.timers.delivered(info));
    }
    // They wake us while we wait; to senders they stay blocked, so that none is dropped as ignored.
    let blocked = task.signals.blocked();
    task.signals.real_blocked.store(blocked.0, Ordering::Relaxed);
    task.set_blocked(blocked.intersection(others));
    let waited = park::wait_for_any(&[], deadline, &mut || false);
    task.set_blocked(blocked);
    task.signals.real_blocked.store(0, Ordering::Relaxed);
    match (take(), waited) {
        (Some(info), _) => Ok(task.process.timers.delivered(info)),
        (None, Ok(())) => Err(Errno::EAGAIN),
        (None, Err(_)) => Err(Errno::EINTR),
    }
}
