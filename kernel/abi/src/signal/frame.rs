//! What a signal handler finds on its stack: Linux's `struct rt_sigframe` of arm64 (`arch/arm64/kernel/signal.c`,
//! `uapi/asm/sigcontext.h`). The kernel writes one to call a handler and reads it back, as an untrusted thing, when the
//! handler returns.
//!
//! ```text
//! frame record: x29, x30 of what was interrupted      higher addresses; continues the chain of the debugger
//! reserved room of 4096 bytes: records, each with a magic number and its size, ended by a zero one
//! sigcontext: fault address, x0 to x30, sp, pc, pstate
//! ucontext: flags, link, alternate stack, mask
//! siginfo                                             the handler's sp
//! ```

use super::{SigInfo, SigSet, SigStack};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Room for records.
const RESERVED_SIZE: usize = 4096;
/// Where the records begin.
pub const RECORDS_OFFSET: usize = size_of::<FrameHead>();
/// Bytes of the whole frame, most of them never written.
pub const RT_SIGFRAME_SIZE: usize = RECORDS_OFFSET + RESERVED_SIZE;
/// Bytes of the frame record above it.
pub const FRAME_RECORD_SIZE: usize = 16;
/// The least stack on which a handler can be called, AT_MINSIGSTKSZ: both, and what aligning may cost.
pub const MIN_STACK: usize = RT_SIGFRAME_SIZE + FRAME_RECORD_SIZE + 16;

const FPSIMD_MAGIC: u32 = 0x4650_8001;
const ESR_MAGIC: u32 = 0x4553_5201;
const ESR_CONTEXT_SIZE: u32 = 16;
/// Bytes of what each record begins with.
const RECORD_HEAD: usize = 8;

/// The frame up to its records.
#[repr(C)]
#[derive(Clone, Default, FromBytes, IntoBytes, Immutable)]
pub struct FrameHead {
    /// Why.
    pub info: SigInfo,
    info_rest: [u64; 10],
    flags: u64,
    link: u64,
    /// The alternate stack that was set.
    pub stack: SigStack,
    /// What was blocked.
    pub mask: SigSet,
    unused: [u64; 15],
    pad: u64,
    /// The address of the last fault.
    pub fault_address: u64,
    /// x0 to x30.
    pub regs: [u64; 31],
    /// The stack pointer.
    pub sp: u64,
    /// Where the program was.
    pub pc: u64,
    /// Its flags.
    pub pstate: u64,
    pad2: u64,
}

/// `struct fpsimd_context`.
#[repr(C)]
#[derive(Clone, FromBytes, IntoBytes, Immutable)]
pub struct FpsimdContext {
    magic: u32,
    size: u32,
    /// Sticky flags.
    pub fpsr: u32,
    /// Control.
    pub fpcr: u32,
    /// v0 to v31.
    pub vregs: [u128; 32],
}

impl FpsimdContext {
    /// The record of these registers.
    pub fn new(vregs: [u128; 32], fpsr: u32, fpcr: u32) -> FpsimdContext {
        FpsimdContext { magic: FPSIMD_MAGIC, size: size_of::<FpsimdContext>() as u32, fpsr, fpcr, vregs }
    }

    /// Whether it is still one, after a program had it.
    pub fn is_valid(&self) -> bool {
        self.magic == FPSIMD_MAGIC && self.size as usize == size_of::<FpsimdContext>()
    }
}

/// What the kernel writes of the frame.
#[repr(C)]
#[derive(Clone, IntoBytes, Immutable)]
pub struct RtSigframe {
    /// Up to the records.
    pub head: FrameHead,
    fpsimd: FpsimdContext,
    /// The syndrome of the last fault, if there was one, and the end of the records.
    tail: [u64; 4],
}

impl RtSigframe {
    /// The frame with its records; `esr` is the syndrome of the last fault.
    pub fn new(head: FrameHead, fpsimd: FpsimdContext, esr: Option<u64>) -> RtSigframe {
        const ESR_HEAD: u64 = (ESR_CONTEXT_SIZE as u64) << 32 | ESR_MAGIC as u64;
        let tail = esr.map_or([0; 4], |esr| [ESR_HEAD, esr, 0, 0]);
        RtSigframe { head, fpsimd, tail }
    }
}

/// A frame that the kernel did not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFrame;

/// Where the FP/SIMD record lies among the records; `head` gives magic and size of the record at an offset. Programs may
/// have moved and removed records; without this one, or with one that nobody knows, the frame is bad.
pub fn find_fpsimd(mut head: impl FnMut(usize) -> Result<[u32; 2], BadFrame>) -> Result<usize, BadFrame> {
    let mut offset = 0;
    let mut fpsimd = None;
    loop {
        if RESERVED_SIZE - offset < RECORD_HEAD || !offset.is_multiple_of(16) {
            return Err(BadFrame);
        }
        let [magic, size] = head(offset)?;
        let size = size as usize;
        if RESERVED_SIZE - offset < size {
            return Err(BadFrame);
        }
        match magic {
            0 if size == 0 => return fpsimd.ok_or(BadFrame),
            FPSIMD_MAGIC if fpsimd.is_none() && size == size_of::<FpsimdContext>() => fpsimd = Some(offset),
            ESR_MAGIC if size >= RECORD_HEAD => {}
            _ => return Err(BadFrame),
        }
        offset += size;
    }
}

/// The flags of a program from a frame, without what means nothing; bad if they name more rights than a program has.
pub fn user_pstate(pstate: u64) -> Result<u64, BadFrame> {
    /// SPSR_EL1's reserved bits with UAO, PAN, ALLINT and IL, which are not a program's; SS belongs to debuggers.
    const IGNORED: u64 = 0xffff_ffff_0000_0000 | 0x3 << 26 | 0x3 << 22 | 1 << 21 | 0xff << 13 | 1 << 5;
    /// D, A, I, F: all masks open.
    const MASKS: u64 = 0xf << 6;
    /// M: EL0 in AArch64 is zero.
    const MODE: u64 = 0x1f;
    let pstate = pstate & !IGNORED;
    if pstate & (MASKS | MODE) == 0 { Ok(pstate) } else { Err(BadFrame) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;

    #[test]
    fn the_layout_is_that_of_arm64_linux() {
        assert_eq!(size_of::<SigInfo>() + 80, SigInfo::SIZE);
        assert_eq!(offset_of!(FrameHead, flags), 128, "uc");
        assert_eq!(offset_of!(FrameHead, mask), 128 + 40, "uc.uc_sigmask");
        assert_eq!(offset_of!(FrameHead, fault_address), 128 + 176, "uc.uc_mcontext");
        assert_eq!(offset_of!(FrameHead, regs), 128 + 176 + 8);
        assert_eq!(RECORDS_OFFSET, 128 + 176 + 288, "uc.uc_mcontext.__reserved");
        assert_eq!(RT_SIGFRAME_SIZE, 4688);
        assert_eq!(size_of::<FpsimdContext>(), 528);
        assert_eq!(offset_of!(FpsimdContext, vregs), 16);
        assert_eq!(offset_of!(RtSigframe, fpsimd), RECORDS_OFFSET);
        assert_eq!(offset_of!(RtSigframe, tail), RECORDS_OFFSET + 528);
    }

    fn records(list: &[(usize, [u32; 2])]) -> Result<usize, BadFrame> {
        find_fpsimd(|at| list.iter().find(|(offset, _)| *offset == at).map(|(_, head)| *head).ok_or(BadFrame))
    }

    #[test]
    fn records_are_checked_one_by_one() {
        let fpsimd = [FPSIMD_MAGIC, 528];
        let esr = [ESR_MAGIC, 16];
        assert_eq!(records(&[(0, fpsimd), (528, esr), (544, [0, 0])]), Ok(0));
        assert_eq!(records(&[(0, esr), (16, fpsimd), (544, [0, 0])]), Ok(16), "in any order");
        assert_eq!(records(&[(0, [0, 0])]), Err(BadFrame), "no FP/SIMD");
        assert_eq!(records(&[(0, fpsimd), (528, fpsimd), (1056, [0, 0])]), Err(BadFrame), "twice");
        assert_eq!(records(&[(0, [FPSIMD_MAGIC, 512])]), Err(BadFrame), "a wrong size");
        assert_eq!(records(&[(0, fpsimd), (528, [0, 16])]), Err(BadFrame), "an end with a size");
        assert_eq!(records(&[(0, [0x1234_5678, 16])]), Err(BadFrame), "an unknown one");
        assert_eq!(records(&[(0, [ESR_MAGIC, 0])]), Err(BadFrame), "this would not end");
        assert_eq!(records(&[(0, [ESR_MAGIC, 8]), (8, fpsimd)]), Err(BadFrame), "not aligned");
        assert_eq!(records(&[(0, [ESR_MAGIC, u32::MAX])]), Err(BadFrame), "too large");
        assert_eq!(records(&[(0, [ESR_MAGIC, 4096])]), Err(BadFrame), "no room for the end");
    }

    #[test]
    fn flags_cannot_raise_privileges() {
        assert_eq!(user_pstate(0xf000_0000), Ok(0xf000_0000), "NZCV");
        assert_eq!(user_pstate(0x6000_1000 | 1 << 21), Ok(0x6000_1000), "SSBS stays, SS goes");
        for bad in [1, 4, 5, 0x10, 1 << 6, 1 << 7, 1 << 8, 1 << 9] {
            assert_eq!(user_pstate(0x6000_0000 | bad), Err(BadFrame), "{bad:#x}");
        }
        assert_eq!(user_pstate(!0x3df), Ok(0xf300_1c00));
    }
}
