//! The frame of a handler on the program's stack: written before it runs, read back when it returns. Mirrors arm64's
//! `setup_rt_frame` and `rt_sigreturn`; the layout is in `abi::signal`.

use super::{fault, trampoline};
use crate::arch::fpsimd::{self, FpState};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPtr, copy_to_user};
use crate::task::{Current, current};
use abi::Errno;
use abi::signal::{
    BadFrame, FRAME_RECORD_SIZE, FpsimdContext, FrameHead, RECORDS_OFFSET, RT_SIGFRAME_SIZE, RtSigframe,
    SaFlags, SigAction, SigInfo, SigSet, find_fpsimd, user_pstate,
};
use zerocopy::IntoBytes;

/// SPSR_EL1.BTYPE: what kind of branch came last. A handler begins as if by none.
const PSTATE_BTYPE: u64 = 0x3 << 10;

const STACK_ALIGN: u64 = 16;

/// Writes the frame and makes `frame` the handler's beginning; `mask` is what shall be blocked after it. EFAULT where the
/// stack cannot take it.
pub(super) fn setup(
    task: &Current,
    frame: &mut TrapFrame,
    info: &SigInfo,
    action: &SigAction,
    mask: SigSet,
) -> Result<(), Errno> {
    let flags = action.flags();
    let restorer = match flags.contains(SaFlags::RESTORER) {
        true => action.restorer,
        false => trampoline::address(&*task.user_mm()?)?,
    };
    let (top, stack) = {
        let mut altstack = task.signals.altstack.lock();
        let top = if flags.contains(SaFlags::ONSTACK) { altstack.top(frame) } else { frame.sp };
        (top, altstack.save())
    };
    let record = (top & !(STACK_ALIGN - 1)).wrapping_sub(FRAME_RECORD_SIZE as u64);
    let sp = record.wrapping_sub(RT_SIGFRAME_SIZE as u64);

    let last_fault = *task.signals.fault.lock();
    let mut head = FrameHead::default();
    head.info = *info;
    head.stack = stack;
    head.mask = mask;
    head.fault_address = last_fault.map_or(0, |fault| fault.addr);
    head.regs = frame.regs;
    head.sp = frame.sp;
    head.pc = frame.pc;
    head.pstate = frame.pstate;
    let mut fp = FpState::default();
    fpsimd::save(&mut fp);
    let fpsimd = FpsimdContext::new(fp.vregs, fp.fpsr, fp.fpcr);
    let written = RtSigframe::new(head, fpsimd, last_fault.map(|fault| fault.esr));
    copy_to_user(record, [frame.regs[29], frame.regs[30]].as_bytes())?;
    copy_to_user(sp, written.as_bytes())?;

    frame.regs[0] = info.signo as u64;
    if flags.contains(SaFlags::SIGINFO) {
        frame.regs[1] = sp;
        frame.regs[2] = sp + SigInfo::SIZE as u64;
    }
    frame.regs[29] = record;
    frame.regs[30] = restorer;
    frame.sp = sp;
    frame.pc = action.handler;
    frame.pstate &= !PSTATE_BTYPE;
    Ok(())
}

/// `rt_sigreturn(2)`: makes `frame` what was interrupted. A frame that the kernel would not have written is answered by
/// SIGSEGV. What x0 shall be.
pub fn sigreturn(frame: &mut TrapFrame) -> u64 {
    let task = current();
    task.forget_restart();
    if restore(&task, frame).is_err() {
        fault::bad_frame(frame);
    }
    frame.regs[0]
}

fn restore(task: &Current, frame: &mut TrapFrame) -> Result<(), BadFrame> {
    let sp = frame.sp;
    if !sp.is_multiple_of(STACK_ALIGN) {
        return Err(BadFrame);
    }
    let head = UserPtr::<FrameHead>::new(sp).read().map_err(|_| BadFrame)?;
    task.set_blocked(head.mask);
    frame.regs = head.regs;
    frame.sp = head.sp;
    frame.pc = head.pc;
    let records = sp.checked_add(RECORDS_OFFSET as u64).ok_or(BadFrame)?;
    let pstate = user_pstate(head.pstate)?;
    frame.pstate = pstate;
    let at =
        find_fpsimd(|offset| UserPtr::<[u32; 2]>::new(records + offset as u64).read().map_err(|_| BadFrame))?;
    let fpsimd = UserPtr::<FpsimdContext>::new(records + at as u64).read().map_err(|_| BadFrame)?;
    if !fpsimd.is_valid() {
        // Another thread has changed it since.
        return Err(BadFrame);
    }
    fpsimd::load(&FpState { vregs: fpsimd.vregs, fpsr: fpsimd.fpsr, fpcr: fpsimd.fpcr });
    // The stack that was set, unless it cannot be: Linux says nothing, either.
    let _ = task.signals.altstack.lock().set(&head.stack, head.sp);
    Ok(())
}
