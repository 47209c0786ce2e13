//! What a synchronous exception means. Exception classes and fault status codes are decoded by two
//! tables, one line per cause, like `fault_info` in Linux's arm64 `fault.c`.

use mm::types::Access;

use super::trap::TrapFrame;
use super::uaccess;
use crate::task::signal::{Signal, force_signal};
use crate::trap::{self, FaultOutcome};

/// ESR_EL1, "Exception Syndrome Register (EL1)" in the Arm manual.
#[derive(Clone, Copy, Debug)]
pub struct Esr(pub u64);

impl Esr {
    /// EC: the exception class.
    fn class(self) -> usize {
        (self.0 >> 26 & 0x3f) as usize
    }

    /// DFSC or IFSC of an abort.
    fn fault_status(self) -> usize {
        (self.0 & 0x3f) as usize
    }

    /// What the faulting access wanted. Cache maintenance faults as a write but is none (CM).
    fn access(self) -> Access {
        const WNR: u64 = 1 << 6;
        const CM: u64 = 1 << 8;
        match self.class() {
            EC_IABT_LOW | EC_IABT_CUR => Access::Exec,
            _ if self.0 & WNR != 0 && self.0 & CM == 0 => Access::Write,
            _ => Access::Read,
        }
    }

    /// What happened, for a person.
    pub fn name(self) -> &'static str {
        let class = &CLASSES[self.class()];
        match class.handling {
            Handling::Abort => FAULT_INFO[self.fault_status()].name,
            Handling::Raise(_) => class.name,
        }
    }
}

const EC_IABT_LOW: usize = 0x20;
const EC_IABT_CUR: usize = 0x21;
const EC_DABT_CUR: usize = 0x25;

/// What an exception class asks for when it comes from EL0.
#[derive(Clone, Copy)]
enum Handling {
    /// The fault status decides.
    Abort,
    /// The program gets this signal.
    Raise(Signal),
}

struct Class {
    name: &'static str,
    handling: Handling,
}

const fn abort(name: &'static str) -> Class {
    Class { name, handling: Handling::Abort }
}

const fn raise(name: &'static str, signal: Signal) -> Class {
    Class { name, handling: Handling::Raise(signal) }
}

const UNKNOWN_CLASS: Class = raise("unknown exception class", Signal::SIGILL);

/// By EC, "ESR_EL1, Exception Syndrome Register" in the Arm manual: what EL0 can cause and, for the report, what
/// the kernel can.
static CLASSES: [Class; 64] = {
    let mut table = [const { UNKNOWN_CLASS }; 64];
    table[0x00] = raise("undefined instruction", Signal::SIGILL);
    table[0x01] = raise("trapped WFI or WFE", Signal::SIGILL);
    table[0x07] = raise("trapped FP/SIMD", Signal::SIGILL);
    table[0x09] = raise("trapped pointer authentication", Signal::SIGILL);
    table[0x0d] = raise("branch target", Signal::SIGILL);
    table[0x0e] = raise("illegal execution state", Signal::SIGILL);
    table[0x15] = raise("SVC in the kernel", Signal::SIGILL);
    table[0x18] = raise("trapped system register", Signal::SIGILL);
    table[0x19] = raise("trapped SVE", Signal::SIGILL);
    table[0x1c] = raise("pointer authentication failure", Signal::SIGILL);
    table[0x1d] = raise("trapped SME", Signal::SIGILL);
    table[EC_IABT_LOW] = abort("instruction abort");
    table[EC_IABT_CUR] = abort("instruction abort in the kernel");
    table[0x22] = raise("PC alignment", Signal::SIGBUS);
    table[0x24] = abort("data abort");
    table[EC_DABT_CUR] = abort("data abort in the kernel");
    table[0x26] = raise("SP alignment", Signal::SIGBUS);
    table[0x2c] = raise("trapped floating point exception", Signal::SIGFPE);
    table[0x2f] = raise("SError", Signal::SIGBUS);
    table[0x30] = raise("breakpoint register", Signal::SIGTRAP);
    table[0x32] = raise("software step", Signal::SIGTRAP);
    table[0x34] = raise("watchpoint", Signal::SIGTRAP);
    table[0x3c] = raise("BRK instruction", Signal::SIGTRAP);
    table[0x3d] = raise("BRK in the kernel", Signal::SIGTRAP);
    table
};

/// What a fault status asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Memory management can perhaps provide the page.
    Page,
    /// It cannot be helped: the program gets this signal.
    Fatal(Signal),
}

struct FaultInfo {
    name: &'static str,
    cause: Cause,
}

const fn page(name: &'static str) -> FaultInfo {
    FaultInfo { name, cause: Cause::Page }
}

const fn bus(name: &'static str) -> FaultInfo {
    FaultInfo { name, cause: Cause::Fatal(Signal::SIGBUS) }
}

const fn segv(name: &'static str) -> FaultInfo {
    FaultInfo { name, cause: Cause::Fatal(Signal::SIGSEGV) }
}

const RESERVED: FaultInfo = bus("reserved fault status");

/// By DFSC/IFSC, "ISS encoding for an exception from a Data Abort" in the Arm manual.
static FAULT_INFO: [FaultInfo; 64] = {
    let mut table = [const { RESERVED }; 64];
    table[0x00] = segv("level 0 address size fault");
    table[0x01] = segv("level 1 address size fault");
    table[0x02] = segv("level 2 address size fault");
    table[0x03] = segv("level 3 address size fault");
    table[0x04] = page("level 0 translation fault");
    table[0x05] = page("level 1 translation fault");
    table[0x06] = page("level 2 translation fault");
    table[0x07] = page("level 3 translation fault");
    table[0x08] = page("level 0 access flag fault");
    table[0x09] = page("level 1 access flag fault");
    table[0x0a] = page("level 2 access flag fault");
    table[0x0b] = page("level 3 access flag fault");
    table[0x0c] = page("level 0 permission fault");
    table[0x0d] = page("level 1 permission fault");
    table[0x0e] = page("level 2 permission fault");
    table[0x0f] = page("level 3 permission fault");
    table[0x10] = bus("synchronous external abort");
    table[0x11] = segv("tag check fault");
    table[0x13] = bus("level -1 synchronous external abort on a table walk");
    table[0x14] = bus("level 0 synchronous external abort on a table walk");
    table[0x15] = bus("level 1 synchronous external abort on a table walk");
    table[0x16] = bus("level 2 synchronous external abort on a table walk");
    table[0x17] = bus("level 3 synchronous external abort on a table walk");
    table[0x18] = bus("synchronous parity or ECC error");
    table[0x1c] = bus("level 0 parity or ECC error on a table walk");
    table[0x1d] = bus("level 1 parity or ECC error on a table walk");
    table[0x1e] = bus("level 2 parity or ECC error on a table walk");
    table[0x1f] = bus("level 3 parity or ECC error on a table walk");
    table[0x21] = bus("alignment fault");
    table[0x29] = segv("level -1 address size fault");
    table[0x2b] = page("level -1 translation fault");
    table[0x30] = bus("TLB conflict abort");
    table[0x31] = bus("unsupported atomic hardware update");
    table[0x34] = bus("implementation defined fault (lockdown)");
    table[0x35] = bus("implementation defined fault (exclusive access)");
    table
};

/// The address without its tag byte (TCR_EL1.TBI0), so that it compares with VMAs. Addresses of the
/// kernel's half stay what they are.
fn untagged(far: u64) -> u64 {
    const SIGN_BIT: u32 = 55;
    ((far << (63 - SIGN_BIT)) as i64 >> (63 - SIGN_BIT)) as u64
}

/// A synchronous exception of the program in `frame`.
pub fn el0_sync(frame: &TrapFrame, esr: Esr, far: u64) {
    let (signal, addr) = match CLASSES[esr.class()].handling {
        Handling::Abort => match FAULT_INFO[esr.fault_status()].cause {
            Cause::Page => match trap::user_fault(untagged(far), esr.access()) {
                FaultOutcome::Done => return,
                FaultOutcome::Signal(signal) => (signal, far),
            },
            Cause::Fatal(signal) => (signal, far),
        },
        Handling::Raise(signal) => (signal, frame.pc),
    };
    force_signal(signal, addr, esr, frame);
}

/// A synchronous exception of the kernel in `frame`.
pub fn el1_sync(frame: &mut TrapFrame, esr: Esr, far: u64) {
    let addr = untagged(far);
    if esr.class() == EC_DABT_CUR && FAULT_INFO[esr.fault_status()].cause == Cause::Page {
        if let Some(fixup) = uaccess::search_exception_table(frame.pc) {
            if trap::user_fault(addr, esr.access()) != FaultOutcome::Done {
                frame.pc = fixup;
            }
            return;
        }
    } else if let Some(fixup) = uaccess::search_exception_table(frame.pc) {
        frame.pc = fixup;
        return;
    }
    die("kernel fault", frame, esr, far)
}

/// The kernel cannot go on: prints everything and stops the machine.
pub fn die(what: &str, frame: &TrapFrame, esr: Esr, far: u64) -> ! {
    let cause = format_args!("{what}: {}, ESR {:#010x}, FAR {far:#018x}", esr.name(), esr.0);
    crate::panic::die(cause, frame, frame.pc, frame.regs[29])
}
