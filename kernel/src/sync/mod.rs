//! Locks. Everything is locked as for several CPUs.
//!
//! [`IrqMutex`] is the spin lock for what interrupt handlers and short critical sections share. The order of
//! locks is in DESIGN.md.

mod irq_mutex;

pub use irq_mutex::IrqMutex;
