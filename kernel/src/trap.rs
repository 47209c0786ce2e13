//! Page faults: the way from the exception to the memory of the current program. Mirrors the upper half of
//! `do_page_fault` in Linux's arm64 `fault.c`.

use crate::arch::fault::Access;
use crate::task::signal::Signal;

/// What became of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultOutcome {
    /// The page is there: try the instruction again.
    Done,
    /// The program gets this signal, or the caller of uaccess EFAULT.
    Signal(Signal),
}

/// A fault on `addr`, of the program or of the kernel on its behalf. May sleep.
pub fn user_fault(_addr: u64, _access: Access) -> FaultOutcome {
    FaultOutcome::Signal(Signal::SIGSEGV)
}
