//! Waiting for the result of one request.

use crate::sync::{IrqMutex, WaitQueue};
use abi::Errno;
use alloc::sync::Arc;

/// The end of a request: told once, from any context, and waited for by a task.
pub struct Completion {
    result: IrqMutex<Option<Result<(), Errno>>>,
    waiters: WaitQueue,
}

impl Completion {
    /// One whose request has not ended.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { result: IrqMutex::new(None), waiters: WaitQueue::new() })
    }

    /// Tells the end.
    pub fn complete(&self, result: Result<(), Errno>) {
        *self.result.lock() = Some(result);
        self.waiters.wake_all();
    }

    /// Waits for the end.
    pub fn wait(&self) -> Result<(), Errno> {
        self.waiters.wait_until(|| *self.result.lock())
    }
}
