//! `siginfo_t`: why a signal came. Linux's `asm-generic/siginfo.h`.

use super::Signal;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `si_code`: who sent the signal, or what happened. The name says which signal a code belongs to.
pub mod code {
    /// `kill(2)`.
    pub const SI_USER: i32 = 0;
    /// The kernel.
    pub const SI_KERNEL: i32 = 0x80;
    /// `sigqueue(3)`.
    pub const SI_QUEUE: i32 = -1;
    /// A POSIX timer.
    pub const SI_TIMER: i32 = -2;
    /// `tkill(2)` and `tgkill(2)`.
    pub const SI_TKILL: i32 = -6;
    /// An instruction that does not exist.
    pub const ILL_ILLOPC: i32 = 1;
    /// A pointer that fails its authentication, or another wrong operand.
    pub const ILL_ILLOPN: i32 = 2;
    /// A floating point division by zero.
    pub const FPE_FLTDIV: i32 = 3;
    /// A floating point overflow.
    pub const FPE_FLTOVF: i32 = 4;
    /// A floating point underflow.
    pub const FPE_FLTUND: i32 = 5;
    /// An inexact floating point result.
    pub const FPE_FLTRES: i32 = 6;
    /// An invalid floating point operation.
    pub const FPE_FLTINV: i32 = 7;
    /// A floating point exception of unknown cause.
    pub const FPE_FLTUNK: i32 = 14;
    /// Nothing is mapped.
    pub const SEGV_MAPERR: i32 = 1;
    /// What is mapped does not allow it.
    pub const SEGV_ACCERR: i32 = 2;
    /// A tag does not match.
    pub const SEGV_MTESERR: i32 = 9;
    /// A wrong alignment.
    pub const BUS_ADRALN: i32 = 1;
    /// No such physical address, or past the end of a file.
    pub const BUS_ADRERR: i32 = 2;
    /// The object has an error.
    pub const BUS_OBJERR: i32 = 3;
    /// A breakpoint instruction.
    pub const TRAP_BRKPT: i32 = 1;
    /// A single step.
    pub const TRAP_TRACE: i32 = 2;
    /// A breakpoint or watchpoint of the CPU.
    pub const TRAP_HWBKPT: i32 = 4;
    /// A child has exited.
    pub const CLD_EXITED: i32 = 1;
    /// A child was killed.
    pub const CLD_KILLED: i32 = 2;
    /// A child was killed and left an image of its memory.
    pub const CLD_DUMPED: i32 = 3;
    /// A child has stopped.
    pub const CLD_STOPPED: i32 = 5;
    /// A child goes on.
    pub const CLD_CONTINUED: i32 = 6;
}

/// Words of the part that depends on the signal.
const WORDS: usize = 4;

/// `siginfo_t` as far as it means anything: the first 48 of its 128 bytes, the rest is zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct SigInfo {
    /// Signal number.
    pub signo: i32,
    /// An error number, hardly ever used.
    pub errno: i32,
    /// See [`code`].
    pub code: i32,
    pad: u32,
    /// What depends on the signal and the code.
    fields: [u64; WORDS],
}

/// Two words of 32 bits, in memory order.
const fn pair(low: u32, high: u32) -> u64 {
    (high as u64) << 32 | low as u64
}

impl SigInfo {
    /// Bytes of `siginfo_t`.
    pub const SIZE: usize = 128;

    const fn new(signal: Signal, code: i32, fields: [u64; WORDS]) -> SigInfo {
        SigInfo { signo: signal.number() as i32, errno: 0, code, pad: 0, fields }
    }

    /// From the kernel, without a reason that could be told.
    pub const fn kernel(signal: Signal) -> SigInfo {
        SigInfo::new(signal, code::SI_KERNEL, [0; WORDS])
    }

    /// From process `pid` of user `uid`, by `kill` or `tkill` as `code` says.
    pub const fn from_process(signal: Signal, code: i32, pid: u32, uid: u32) -> SigInfo {
        SigInfo::new(signal, code, [pair(pid, uid), 0, 0, 0])
    }

    /// About the instruction or memory at `addr`.
    pub const fn fault(signal: Signal, code: i32, addr: u64) -> SigInfo {
        SigInfo::new(signal, code, [addr, 0, 0, 0])
    }

    /// From POSIX timer `id`, which expired `overrun` times more than once; `value` is the program's.
    pub const fn timer(signal: Signal, id: u32, overrun: u32, value: u64) -> SigInfo {
        SigInfo::new(signal, code::SI_TIMER, [pair(id, overrun), value, 0, 0])
    }

    /// Number of the POSIX timer that sent it, in the layout of those.
    pub const fn timer_id(&self) -> u32 {
        self.fields[0] as u32
    }

    /// The same from a timer that has expired `overrun` times more than once.
    #[must_use]
    pub const fn with_overrun(mut self, overrun: u32) -> SigInfo {
        self.fields[0] = pair(self.timer_id(), overrun);
        self
    }

    /// About child `pid` of user `uid`: `status` is its exit status or signal, the times are in clock ticks.
    pub const fn child(
        signal: Signal,
        code: i32,
        pid: u32,
        uid: u32,
        status: u32,
        utime: u64,
        stime: u64,
    ) -> SigInfo {
        SigInfo::new(signal, code, [pair(pid, uid), pair(status, 0), utime, stime])
    }

    /// The signal; `None` in what a program made up.
    pub fn signal(&self) -> Option<Signal> {
        u64::try_from(self.signo).ok().and_then(Signal::new)
    }

    /// Whether a program chose the code: those of the kernel are positive.
    pub const fn is_from_user(&self) -> bool {
        self.code <= 0
    }

    /// The sending process, in the layouts that have one.
    pub const fn pid(&self) -> u32 {
        self.fields[0] as u32
    }

    /// The address of a fault.
    pub const fn addr(&self) -> u64 {
        self.fields[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets as `siginfo_t` has them on 64-bit machines.
    #[test]
    fn fields_are_where_programs_look() {
        let info = SigInfo::child(Signal::SIGCHLD, code::CLD_EXITED, 7, 8, 9, 10, 11);
        let bytes = info.as_bytes();
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!([word(0), word(4), word(8)], [17, 0, 1]);
        assert_eq!([word(16), word(20), word(24)], [7, 8, 9], "si_pid, si_uid, si_status");
        assert_eq!([word(32), word(40)], [10, 11], "si_utime, si_stime");
        let info = SigInfo::timer(Signal::SIGALRM, 3, 2, 0x55);
        assert_eq!([info.as_bytes()[16], info.as_bytes()[20], info.as_bytes()[24]], [3, 2, 0x55]);
        assert_eq!(SigInfo::fault(Signal::SIGSEGV, 1, 0x1234).as_bytes()[16..18], [0x34, 0x12]);
    }
}
