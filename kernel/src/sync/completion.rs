//! An event that happens once, Linux's `struct completion`.

use core::sync::atomic::{AtomicBool, Ordering};

use super::WaitQueue;

/// Something that one side waits for and the other announces.
pub struct Completion {
    done: AtomicBool,
    waiters: WaitQueue,
}

impl Completion {
    /// It has not happened yet.
    pub const fn new() -> Self {
        Completion { done: AtomicBool::new(false), waiters: WaitQueue::new() }
    }

    /// It has happened. May be called from an interrupt handler.
    pub fn complete(&self) {
        self.done.store(true, Ordering::Release);
        self.waiters.wake_all();
    }

    /// Sleeps until it has happened.
    pub fn wait(&self) {
        self.waiters.wait_until(|| self.done.load(Ordering::Acquire).then_some(()));
    }

    /// Sleeps until it has happened, or until SIGKILL comes for the sleeper, who is about to die then.
    pub fn wait_killable(&self) {
        let _ = self.waiters.wait_killable(|| self.done.load(Ordering::Acquire).then_some(()));
    }
}
