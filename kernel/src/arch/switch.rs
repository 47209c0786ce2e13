//! The switch between tasks on one CPU: kernel stack, callee-saved registers, FP/SIMD and the user's
//! thread registers. Called by the scheduler only. Mirrors Linux's `__switch_to` (arm64 `process.c`).
#![allow(unsafe_code)] // Stack pointers change here.

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;

use alloc::sync::Arc;

use super::barrier;
use super::fpsimd::{self, FpState};
use super::percpu::this_cpu;
use super::trap::TrapFrame;
use crate::task::Task;

global_asm!(include_str!("switch.S"));

unsafe extern "C" {
    fn cpu_switch_to(from: *mut CpuContext, to: *const CpuContext);
    fn ret_from_fork();
}

/// Callee-saved registers of a task that does not run. The layout is known to `switch.S`.
#[repr(C)]
#[derive(Default)]
struct CpuContext {
    /// x19 to x28.
    callee: [u64; 10],
    fp: u64,
    pc: u64,
    sp: u64,
}

/// What the architecture keeps for a task. Only the task itself, or the scheduler while the task does
/// not run, touches the inside.
#[derive(Default)]
pub struct ThreadState {
    context: UnsafeCell<CpuContext>,
    user: UnsafeCell<UserState>,
}

// SAFETY: the scheduler runs a task on one CPU at a time, and only that CPU uses the cells.
unsafe impl Sync for ThreadState {}

/// What EL0 sees beyond the trap frame.
#[derive(Clone, Default)]
struct UserState {
    fp: FpState,
    /// TPIDR_EL0, the thread pointer of the C library.
    tls: u64,
}

impl ThreadState {
    /// Makes the first switch to this task call `function(argument)` on the stack whose top is
    /// `frame`; then, or at once with no function, it leaves for EL0 with the registers in `frame`.
    ///
    /// The task has not run yet.
    pub fn prepare(&mut self, frame: *mut TrapFrame, function: Option<(extern "C" fn(usize), usize)>) {
        let context = self.context.get_mut();
        *context = CpuContext::default();
        if let Some((function, argument)) = function {
            context.callee[0] = function as usize as u64;
            context.callee[1] = argument as u64;
        }
        context.pc = ret_from_fork as *const () as u64;
        context.sp = frame as u64;
    }

    /// Gives this task, which has not run yet, a copy of what EL0 sees of the calling task.
    pub fn copy_user_from_current(&mut self, current: &ThreadState) {
        // SAFETY: `current` is the running task, so nobody else looks at its cell.
        let from = unsafe { &mut *current.user.get() };
        fpsimd::save(&mut from.fp);
        from.tls = read_tls();
        self.user.get_mut().clone_from(from);
    }

    /// Sets the thread pointer of this task, which has not run yet.
    pub fn set_tls(&mut self, tls: u64) {
        self.user.get_mut().tls = tls;
    }
}

/// Gives the running program the registers that a new program starts with: all zero.
pub fn flush_user_state() {
    fpsimd::load(&FpState::default());
    write_tls(0);
}

/// Gives the CPU to `next`; returns when somebody switches back to the caller's task.
///
/// Interrupts are masked. Only a program has state beyond its kernel stack.
pub fn switch_to(next: Arc<Task>) {
    let cpu = this_cpu();
    let prev = cpu.current_ptr();
    // SAFETY: the running task is held by the reference that `current` owns.
    let prev_thread = unsafe {
        let prev = &*prev;
        if prev.is_user() {
            let user = &mut *prev.thread.user.get();
            fpsimd::save(&mut user.fp);
            user.tls = read_tls();
        }
        prev.thread.context.get()
    };
    if next.is_user() {
        // SAFETY: `next` runs nowhere, and this CPU is about to run it.
        let user = unsafe { &*next.thread.user.get() };
        fpsimd::load(&user.fp);
        write_tls(user.tls);
    }
    let next_thread = next.thread.context.get();
    let stack_low = next.stack_low();
    cpu.set_current(Arc::into_raw(next), stack_low);
    cpu.set_switched_from(prev);
    // SAFETY: both contexts are valid, `next`'s was saved here or made by `prepare`, its stack is its own,
    // and with interrupts masked nothing comes between the naming of the task and its stack.
    unsafe { cpu_switch_to(prev_thread, next_thread) };
    finish_switch();
}

/// Lets go of the task that ran before, now that its stack is not in use any more. A dead one may be
/// freed by this.
fn finish_switch() {
    let prev = this_cpu().take_switched_from();
    // SAFETY: the pointer is the reference that `current` owned while the task ran.
    drop(unsafe { Arc::from_raw(prev) });
}

/// The first thing that a new task does: what `switch_to` does when it returns.
#[unsafe(no_mangle)]
extern "C" fn schedule_tail() {
    finish_switch();
    barrier::irq_enable();
    crate::task::first_turn();
}

/// Names `task` as what this CPU runs already: the boot context becomes the idle task.
pub fn adopt(task: Arc<Task>) {
    let stack_low = task.stack_low();
    this_cpu().set_current(Arc::into_raw(task), stack_low);
}

fn read_tls() -> u64 {
    let tls;
    // SAFETY: reading TPIDR_EL0 has no side effect.
    unsafe { asm!("mrs {}, tpidr_el0", out(reg) tls, options(nomem, nostack, preserves_flags)) };
    tls
}

fn write_tls(tls: u64) {
    // SAFETY: TPIDR_EL0 means nothing to the kernel.
    unsafe { asm!("msr tpidr_el0, {}", in(reg) tls, options(nomem, nostack, preserves_flags)) };
}
