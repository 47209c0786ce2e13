//! Locks. Everything is locked as for several CPUs.
//!
//! [`IrqMutex`] is the spin lock for what interrupt handlers and short critical sections share; a [`Mutex`]
//! is held by tasks that may sleep; on a [`WaitQueue`] or a [`Completion`] they wait for an event. The
//! order of locks is in DESIGN.md.

mod completion;
mod irq_mutex;
mod mutex;
pub mod park;
mod wait_queue;

pub use completion::Completion;
pub use irq_mutex::IrqMutex;
pub use mutex::{Mutex, MutexGuard};
pub use wait_queue::WaitQueue;
