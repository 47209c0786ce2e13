//! Where the vectors enter Rust: one function for each kind of exception.
//!
//! Interrupts are masked on entry, except for system calls, and masked again by the vectors before they
//! leave. Mirrors Linux's arm64 `entry-common.c` and `traps.c`.
#![allow(unsafe_code)] // Called from assembly, installs the vectors.

use core::arch::{asm, global_asm};
use core::fmt;
use core::mem::{offset_of, size_of};

use super::barrier;
use super::fault::{self, Esr};
use super::percpu::PerCpu;
use crate::kstack::KernelStack;
use crate::task::{self, Task};

global_asm!(
    include_str!("vectors.S"),
    FRAME_SIZE = const size_of::<TrapFrame>(),
    FRAME_LR = const offset_of!(TrapFrame, regs) + 30 * 8,
    FRAME_SP = const offset_of!(TrapFrame, sp),
    FRAME_PC = const offset_of!(TrapFrame, pc),
    FRAME_ORIG_X0 = const offset_of!(TrapFrame, orig_x0),
    FRAME_RECORD = const offset_of!(TrapFrame, record),
    PERCPU_CURRENT = const offset_of!(PerCpu, current),
    PERCPU_STACK_LOW = const offset_of!(PerCpu, stack_low),
    PERCPU_OVERFLOW_TOP = const offset_of!(PerCpu, overflow_top),
    TASK_WORK = const offset_of!(Task, work),
    KSTACK_SHIFT = const crate::kstack::KSTACK_SIZE.trailing_zeros(),
);

unsafe extern "C" {
    static exception_vectors: u8;
}

/// Registers of what an exception interrupted. `vectors.S` knows the layout.
#[repr(C, align(16))]
#[derive(Clone, Default)]
pub struct TrapFrame {
    /// x0 to x30.
    pub regs: [u64; 31],
    /// SP_EL0, or the kernel's SP before the exception.
    pub sp: u64,
    /// Where to go on: ELR_EL1.
    pub pc: u64,
    /// SPSR_EL1.
    pub pstate: u64,
    /// x0 before a system call's result replaced it.
    pub orig_x0: u64,
    /// x8 of a system call; stale otherwise.
    pub syscall: u64,
    /// Frame record that continues the interrupted kernel function's chain; unused for EL0.
    record: [u64; 2],
}

impl TrapFrame {
    /// The state in which a program begins: all registers zero, EL0, interrupts unmasked.
    pub fn user(pc: u64, sp: u64) -> TrapFrame {
        TrapFrame { pc, sp, ..TrapFrame::default() }
    }

    /// Stores a copy where the frame of a program lies: at the top of its kernel stack, which is below the frame
    /// empty. Its address.
    pub fn place_at_top_of(&self, stack: &KernelStack) -> *mut TrapFrame {
        let at = (stack.top() - size_of::<TrapFrame>()) as *mut TrapFrame;
        // SAFETY: the stack is mapped, its top is aligned, and no function's frame reaches this place: the task has
        // not run, or its first frame was put below.
        unsafe { at.write(self.clone()) };
        at
    }

    /// The arguments of a system call.
    #[inline(always)]
    pub fn args(&self) -> [u64; 6] {
        let [a, b, c, d, e, f, ..] = self.regs;
        [a, b, c, d, e, f]
    }
}

/// The registers as a panic prints them.
impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "pc  {:016x}  lr  {:016x}  sp  {:016x}  pstate {:08x}",
            self.pc, self.regs[30], self.sp, self.pstate
        )?;
        for (row, regs) in self.regs[..30].chunks(3).enumerate() {
            for (column, value) in regs.iter().enumerate() {
                let gap = if column == 0 { "" } else { "  " };
                write!(f, "{gap}x{:<2} {value:016x}", row * 3 + column)?;
            }
            if row < 9 {
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

/// Points this CPU at the vectors. `percpu::init` has run.
pub fn init() {
    // SAFETY: the vectors are kernel text, 2K-aligned, and cover all sixteen cases.
    unsafe {
        asm!("msr vbar_el1, {}", "isb", in(reg) &raw const exception_vectors, options(nostack, preserves_flags));
    }
}

/// A system call. Interrupts are enabled.
#[unsafe(no_mangle)]
extern "C" fn syscall_entry(frame: &mut TrapFrame) {
    crate::syscall::dispatch(frame);
}

/// Any synchronous exception of EL0 but a system call.
#[unsafe(no_mangle)]
extern "C" fn el0_sync_entry(frame: &mut TrapFrame, esr: u64, far: u64) {
    barrier::irq_enable();
    fault::el0_sync(frame, Esr(esr), far);
}

/// A synchronous exception of the kernel: a uaccess fault, or a bug.
#[unsafe(no_mangle)]
extern "C" fn el1_sync_entry(frame: &mut TrapFrame, esr: u64, far: u64) {
    // Code that faults on user memory may sleep; what runs with interrupts masked may not, and does not.
    if frame.pstate & PSTATE_I == 0 {
        barrier::irq_enable();
    }
    fault::el1_sync(frame, Esr(esr), far);
}

/// SPSR_EL1.I: interrupts were masked.
const PSTATE_I: u64 = 1 << 7;

/// An interrupt, from either level.
#[unsafe(no_mangle)]
extern "C" fn irq_entry() {
    crate::irq::handle_irq();
}

/// What was asked of the task while it was in the kernel, before it leaves for EL0. Interrupts are masked.
#[unsafe(no_mangle)]
extern "C" fn exit_to_user_work(frame: &mut TrapFrame) {
    barrier::irq_enable();
    task::exit_to_user_work(frame);
}

/// A kernel stack ran into its guard page. Runs on the overflow stack, never returns.
#[unsafe(no_mangle)]
extern "C" fn stack_overflow_entry(frame: &TrapFrame, esr: u64, far: u64) -> ! {
    fault::die("kernel stack overflow", frame, Esr(esr), far)
}

/// A vector that should never be taken.
#[unsafe(no_mangle)]
extern "C" fn bad_exception_entry(frame: &TrapFrame, vector: usize, esr: u64, far: u64) -> ! {
    const KINDS: [&str; 4] =
        ["unexpected synchronous exception", "unexpected IRQ", "unexpected FIQ", "SError"];
    fault::die(KINDS[vector % KINDS.len()], frame, Esr(esr), far)
}
