//! Page faults: the way from the exception to the memory of the current program. Mirrors the middle of
//! `do_page_fault` in Linux's arm64 `fault.c`.

use abi::signal::{Signal, code};
use mm::fault::VmFault;
use mm::types::Access;

use crate::arch::percpu;
use crate::task::current;

/// What became of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultOutcome {
    /// The page is there: try the instruction again.
    Done,
    /// The program gets this signal with this code, or the caller of uaccess EFAULT.
    Signal(Signal, i32),
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
        // The kernel takes the memory back the hard way, as Linux's OOM killer does.
        Err(VmFault::Oom) => FaultOutcome::Signal(Signal::SIGKILL, code::SI_KERNEL),
        // `UserMm::handle_fault` waits for these itself.
        Err(VmFault::Io(_)) => FaultOutcome::Done,
    }
}
