//! Page faults: the way from the exception to the memory of the current program. Mirrors the middle of
//! `do_page_fault` in Linux's arm64 `fault.c`.

use abi::signal::{Signal, code};
use mm::fault::VmFault;
use mm::types::Access;

use crate::arch::percpu;
use crate::task::current;
use crate::task::oom::{self, Relief};

/// What became of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultOutcome {
    /// The page is there: try the instruction again.
    Done,
    /// The program gets this signal with this code, or the caller of uaccess EFAULT.
    Signal(Signal, i32),
    /// The program is about to die of SIGKILL and does not return to EL0.
    Killed,
}

/// A fault on `addr`, of the program or of the kernel on its behalf. May sleep.
pub fn user_fault(addr: u64, access: Access) -> FaultOutcome {
    // A thread of the kernel has nothing that could be mapped.
    let result = percpu::with_current_mm(|mm| mm.handle_fault(addr, access)).unwrap_or(Err(VmFault::MapErr));
    match result {
        Ok(kind) => {
            current().count_fault(kind);
            FaultOutcome::Done
        }
        Err(VmFault::MapErr) => FaultOutcome::Signal(Signal::SIGSEGV, code::SEGV_MAPERR),
        Err(VmFault::AccErr) => FaultOutcome::Signal(Signal::SIGSEGV, code::SEGV_ACCERR),
        Err(VmFault::Bus) => FaultOutcome::Signal(Signal::SIGBUS, code::BUS_ADRERR),
        Err(VmFault::Oom) => match oom::out_of_memory() {
            Relief::Retry => FaultOutcome::Done,
            Relief::Die => FaultOutcome::Killed,
        },
        // `UserMm::handle_fault` waits for these itself.
        Err(VmFault::Io(_)) => FaultOutcome::Done,
    }
}
