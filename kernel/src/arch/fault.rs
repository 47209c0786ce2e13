//! What a synchronous exception means. Exception classes and fault status codes are decoded by two
//! tables, one line per cause, like `fault_info` in Linux's arm64 `fault.c`.

use abi::signal::{SigInfo, Signal, code};
use mm::types::Access;

use super::trap::TrapFrame;
use super::uaccess;
use crate::task::signal::{Fault, force_fault};
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
            Handling::Raise(..) | Handling::Float => class.name,
        }
    }
}

const EC_IABT_LOW: usize = 0x20;
const EC_IABT_CUR: usize = 0x21;
const EC_PC_ALIGNMENT: usize = 0x22;
const EC_DABT_CUR: usize = 0x25;

/// What an exception class asks for when it comes from EL0.
#[derive(Clone, Copy)]
enum Handling {
    /// The fault status decides.
    Abort,
    /// The program gets this signal, with this code, for the instruction.
    Raise(Signal, i32),
    /// As `Raise`, but a floating point exception says more.
    Float,
}

struct Class {
    name: &'static str,
    handling: Handling,
}

const fn abort(name: &'static str) -> Class {
    Class { name, handling: Handling::Abort }
}

const fn raise(name: &'static str, signal: Signal, code: i32) -> Class {
    Class { name, handling: Handling::Raise(signal, code) }
}

const fn illegal(name: &'static str) -> Class {
    raise(name, Signal::SIGILL, code::ILL_ILLOPC)
}

const UNKNOWN_CLASS: Class = illegal("unknown exception class");

/// By EC, "ESR_EL1, Exception Syndrome Register" in the Arm manual: what EL0 can cause and, for the report, what
/// the kernel can.
static CLASSES: [Class; 64] = {
    let mut table = [const { UNKNOWN_CLASS }; 64];
    table[0x00] = illegal("undefined instruction");
    table[0x01] = illegal("trapped WFI or WFE");
    table[0x07] = illegal("trapped FP/SIMD");
    table[0x09] = illegal("trapped pointer authentication");
    table[0x0d] = illegal("branch target");
    table[0x0e] = illegal("illegal execution state");
    table[0x15] = illegal("SVC in the kernel");
    table[0x18] = illegal("trapped system register");
    table[0x19] = illegal("trapped SVE");
    table[0x1c] = raise("pointer authentication failure", Signal::SIGILL, code::ILL_ILLOPN);
    table[0x1d] = illegal("trapped SME");
    table[EC_IABT_LOW] = abort("instruction abort");
    table[EC_IABT_CUR] = abort("instruction abort in the kernel");
    table[EC_PC_ALIGNMENT] = raise("PC alignment", Signal::SIGBUS, code::BUS_ADRALN);
    table[0x24] = abort("data abort");
    table[EC_DABT_CUR] = abort("data abort in the kernel");
    table[0x26] = raise("SP alignment", Signal::SIGBUS, code::BUS_ADRALN);
    table[0x2c] = Class { name: "trapped floating point exception", handling: Handling::Float };
    table[0x2f] = raise("SError", Signal::SIGBUS, code::BUS_OBJERR);
    table[0x30] = raise("breakpoint register", Signal::SIGTRAP, code::TRAP_HWBKPT);
    table[0x32] = raise("software step", Signal::SIGTRAP, code::TRAP_TRACE);
    table[0x34] = raise("watchpoint", Signal::SIGTRAP, code::TRAP_HWBKPT);
    table[0x3c] = raise("BRK instruction", Signal::SIGTRAP, code::TRAP_BRKPT);
    table[0x3d] = raise("BRK in the kernel", Signal::SIGTRAP, code::TRAP_BRKPT);
    table
};

/// What a fault status asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Memory management can perhaps provide the page.
    Page,
    /// It cannot be helped: the program gets this signal, with this code.
    Fatal(Signal, i32),
}

struct FaultInfo {
    name: &'static str,
    cause: Cause,
}

const fn page(name: &'static str) -> FaultInfo {
    FaultInfo { name, cause: Cause::Page }
}

const fn bus(name: &'static str, code: i32) -> FaultInfo {
    FaultInfo { name, cause: Cause::Fatal(Signal::SIGBUS, code) }
}

const fn abort_of_object(name: &'static str) -> FaultInfo {
    bus(name, code::BUS_OBJERR)
}

/// What cannot be unless a table is broken: nothing is said about the cause.
const fn kill(name: &'static str) -> FaultInfo {
    FaultInfo { name, cause: Cause::Fatal(Signal::SIGKILL, code::SI_KERNEL) }
}

const RESERVED: FaultInfo = kill("reserved fault status");

/// By DFSC/IFSC, "ISS encoding for an exception from a Data Abort" in the Arm manual.
static FAULT_INFO: [FaultInfo; 64] = {
    let mut table = [const { RESERVED }; 64];
    table[0x00] = kill("level 0 address size fault");
    table[0x01] = kill("level 1 address size fault");
    table[0x02] = kill("level 2 address size fault");
    table[0x03] = kill("level 3 address size fault");
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
    table[0x10] = abort_of_object("synchronous external abort");
    table[0x11] =
        FaultInfo { name: "tag check fault", cause: Cause::Fatal(Signal::SIGSEGV, code::SEGV_MTESERR) };
    table[0x13] = abort_of_object("level -1 synchronous external abort on a table walk");
    table[0x14] = abort_of_object("level 0 synchronous external abort on a table walk");
    table[0x15] = abort_of_object("level 1 synchronous external abort on a table walk");
    table[0x16] = abort_of_object("level 2 synchronous external abort on a table walk");
    table[0x17] = abort_of_object("level 3 synchronous external abort on a table walk");
    table[0x18] = abort_of_object("synchronous parity or ECC error");
    table[0x1c] = abort_of_object("level 0 parity or ECC error on a table walk");
    table[0x1d] = abort_of_object("level 1 parity or ECC error on a table walk");
    table[0x1e] = abort_of_object("level 2 parity or ECC error on a table walk");
    table[0x1f] = abort_of_object("level 3 parity or ECC error on a table walk");
    table[0x21] = bus("alignment fault", code::BUS_ADRALN);
    table[0x29] = kill("level -1 address size fault");
    table[0x2b] = page("level -1 translation fault");
    table[0x30] = kill("TLB conflict abort");
    table[0x31] = kill("unsupported atomic hardware update");
    table[0x34] = kill("implementation defined fault (lockdown)");
    table[0x35] = abort_of_object("implementation defined fault (exclusive access)");
    table
};

/// The address without its tag byte (TCR_EL1.TBI0), so that it compares with VMAs. Addresses of the
/// kernel's half stay what they are.
fn untagged(far: u64) -> u64 {
    const SIGN_BIT: u32 = 55;
    ((far << (63 - SIGN_BIT)) as i64 >> (63 - SIGN_BIT)) as u64
}

/// Which floating point exception was trapped (`do_fpsimd_exc`).
fn float_code(esr: Esr) -> i32 {
    /// TFV: the bits of the exceptions are valid.
    const TFV: u64 = 1 << 23;
    const CAUSES: [(u64, i32); 5] = [
        (1 << 0, code::FPE_FLTINV),
        (1 << 1, code::FPE_FLTDIV),
        (1 << 2, code::FPE_FLTOVF),
        (1 << 3, code::FPE_FLTUND),
        (1 << 4, code::FPE_FLTRES),
    ];
    let cause = CAUSES.iter().find(|(bit, _)| esr.0 & TFV != 0 && esr.0 & bit != 0);
    cause.map_or(code::FPE_FLTUNK, |&(_, code)| code)
}

/// The syndrome as a handler's context shows it. Of the kernel's half of the addresses a program learns nothing but that it may
/// not go there (`set_thread_esr`).
fn shown(esr: Esr, far: u64) -> Esr {
    const EC_AND_IL: u64 = 0x7f << 25;
    const WNR: u64 = 1 << 6;
    const CM: u64 = 1 << 8;
    const TRANSLATION_LEVEL_0: u64 = 4;
    if untagged(far) >> 63 == 0 {
        return esr;
    }
    let direction = if esr.class() == EC_IABT_LOW { 0 } else { CM | WNR };
    Esr(esr.0 & (EC_AND_IL | direction) | TRANSLATION_LEVEL_0)
}

/// A synchronous exception of the program in `frame`.
pub fn el0_sync(frame: &TrapFrame, esr: Esr, far: u64) {
    let class = &CLASSES[esr.class()];
    let (signal, code, addr) = match class.handling {
        Handling::Abort => match FAULT_INFO[esr.fault_status()].cause {
            Cause::Page => match trap::user_fault(untagged(far), esr.access()) {
                FaultOutcome::Done | FaultOutcome::Killed => return,
                FaultOutcome::Signal(signal, code) => (signal, code, untagged(far)),
            },
            Cause::Fatal(signal, code) => (signal, code, untagged(far)),
        },
        Handling::Raise(signal, code) => {
            (signal, code, if esr.class() == EC_PC_ALIGNMENT { far } else { frame.pc })
        }
        Handling::Float => (Signal::SIGFPE, float_code(esr), frame.pc),
    };
    let info = SigInfo::fault(signal, code, addr);
    match class.handling {
        Handling::Abort => force_fault(info, Fault { addr: far, esr: shown(esr, far).0 }, esr, frame),
        _ => force_fault(info, Fault { addr: 0, esr: esr.0 }, esr, frame),
    }
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
