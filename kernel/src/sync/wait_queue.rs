//! Where tasks wait for a condition, Linux's `wait_event` and `wake_up`.
//!
//! The waker makes the condition true first and then calls [`WaitQueue::wake_all`]; the waiter enters
//! the queue first and then looks at the condition. So no wake-up is lost, and a wake-up for nothing is
//! allowed everywhere: waiters look again.

use abi::Errno;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering, fence};

use super::IrqMutex;
use crate::task::{Task, current, sched};

/// Tasks that wait, the longest waiting first.
pub struct WaitQueue {
    /// Whether somebody may be in the queue: what a waker looks at instead of the lock. Set before the waiter looks
    /// at its condition, read after the waker has changed it; the fences put these in order.
    occupied: AtomicBool,
    waiters: IrqMutex<VecDeque<Arc<Task>>>,
}

impl WaitQueue {
    /// Nobody waits.
    pub const fn new() -> Self {
        WaitQueue { occupied: AtomicBool::new(false), waiters: IrqMutex::new(VecDeque::new()) }
    }

    /// Sleeps until `condition` gives a value. It is called with no lock held and may take locks, but
    /// must not sleep. The caller is a task with no spin lock held.
    pub fn wait_until<R>(&self, mut condition: impl FnMut() -> Option<R>) -> R {
        loop {
            if let Some(result) = condition() {
                return result;
            }
            self.enter();
            let result = condition();
            if result.is_none() {
                sched::schedule();
            }
            self.leave();
            if let Some(result) = result {
                return result;
            }
        }
    }

    /// [`wait_until`](WaitQueue::wait_until), but a signal ends the sleep: ERESTARTSYS.
    pub fn wait_interruptible<R>(&self, condition: impl FnMut() -> Option<R>) -> Result<R, Errno> {
        self.wait_unless(condition, || current().signal_pending().then_some(Errno::ERESTARTSYS))
    }

    /// The same, but only SIGKILL ends the sleep.
    pub fn wait_killable<R>(&self, condition: impl FnMut() -> Option<R>) -> Result<R, Errno> {
        self.wait_unless(condition, || current().fatal_signal_pending().then_some(Errno::ERESTARTSYS))
    }

    fn wait_unless<R>(
        &self,
        mut condition: impl FnMut() -> Option<R>,
        reason: impl Fn() -> Option<Errno>,
    ) -> Result<R, Errno> {
        loop {
            if let Some(result) = condition() {
                return Ok(result);
            }
            self.enter();
            let result = condition().map(Ok).or_else(|| reason().map(Err));
            if result.is_none() {
                sched::schedule();
            }
            self.leave();
            if let Some(result) = result {
                return result;
            }
        }
    }

    /// Wakes everybody. May be called from an interrupt handler.
    pub fn wake_all(&self) {
        if self.is_empty() {
            return;
        }
        let mut waiters = self.waiters.lock();
        while let Some(task) = waiters.pop_front() {
            sched::wake(&task);
        }
    }

    /// Wakes the one that has waited longest. May be called from an interrupt handler.
    pub fn wake_one(&self) {
        if self.is_empty() {
            return;
        }
        let mut waiters = self.waiters.lock();
        while let Some(task) = waiters.pop_front() {
            // One that something else woke meanwhile does not count: it may be on its way out.
            if sched::wake(&task) {
                return;
            }
        }
    }

    #[inline]
    fn is_empty(&self) -> bool {
        fence(Ordering::SeqCst);
        !self.occupied.load(Ordering::Relaxed)
    }

    /// From here on a wake-up makes the current task runnable. Without memory for the entry the task
    /// stays runnable, and its waiting becomes polling.
    pub(super) fn enter(&self) {
        let mut waiters = self.waiters.lock();
        if waiters.try_reserve(1).is_ok() {
            let task = current();
            sched::prepare_to_block(&task);
            waiters.push_back(task.arc());
            self.occupied.store(true, Ordering::Relaxed);
        }
        drop(waiters);
        fence(Ordering::SeqCst);
    }

    /// Takes the current task out, however its sleep ended.
    pub(super) fn leave(&self) {
        let task = current();
        sched::stay_runnable(&task);
        let mut waiters = self.waiters.lock();
        let left = waiters.iter().position(|waiter| core::ptr::eq(&**waiter, &*task));
        // Our own reference is not the last one, so nothing is freed under the lock.
        left.and_then(|at| waiters.remove(at));
        if waiters.is_empty() {
            self.occupied.store(false, Ordering::Relaxed);
        }
    }
}
