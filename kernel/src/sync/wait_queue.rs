//! Where tasks wait for a condition, Linux's `wait_event` and `wake_up`.
//!
//! The waker makes the condition true first and then calls [`WaitQueue::wake_all`]; the waiter enters
//! the queue first and then looks at the condition. So no wake-up is lost, and a wake-up for nothing is
//! allowed everywhere: waiters look again.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use super::IrqMutex;
use crate::task::{Task, current, sched};

/// Tasks that wait, the longest waiting first.
pub struct WaitQueue {
    waiters: IrqMutex<VecDeque<Arc<Task>>>,
}

impl WaitQueue {
    /// Nobody waits.
    pub const fn new() -> Self {
        WaitQueue { waiters: IrqMutex::new(VecDeque::new()) }
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

    /// Sleeps until `condition` gives a value or the clock reaches `deadline`: then `None`.
    pub fn wait_until_deadline<R>(
        &self,
        deadline: u64,
        mut condition: impl FnMut() -> Option<R>,
    ) -> Option<R> {
        loop {
            if let Some(result) = condition() {
                return Some(result);
            }
            self.enter();
            let mut result = condition();
            let mut over = false;
            if result.is_none() {
                over = sched::schedule_until(deadline);
            }
            self.leave();
            if result.is_none() && over {
                result = condition();
            }
            if result.is_some() || over {
                return result;
            }
        }
    }

    /// Wakes everybody. May be called from an interrupt handler.
    pub fn wake_all(&self) {
        let mut waiters = self.waiters.lock();
        while let Some(task) = waiters.pop_front() {
            sched::wake(&task);
        }
    }

    /// Wakes the one that has waited longest. May be called from an interrupt handler.
    pub fn wake_one(&self) {
        let mut waiters = self.waiters.lock();
        while let Some(task) = waiters.pop_front() {
            // One that something else woke meanwhile does not count: it may be on its way out.
            if sched::wake(&task) {
                return;
            }
        }
    }

    /// From here on a wake-up makes the current task runnable. Without memory for the entry the task
    /// stays runnable, and its waiting becomes polling.
    fn enter(&self) {
        let mut waiters = self.waiters.lock();
        if waiters.try_reserve(1).is_ok() {
            let task = current();
            sched::prepare_to_block(&task);
            waiters.push_back(task.arc());
        }
    }

    /// Takes the current task out, however its sleep ended.
    fn leave(&self) {
        let task = current();
        sched::stay_runnable(&task);
        let mut waiters = self.waiters.lock();
        let left = waiters.iter().position(|waiter| core::ptr::eq(&**waiter, &*task));
        // Our own reference is not the last one, so nothing is freed under the lock.
        left.and_then(|at| waiters.remove(at));
    }
}
