//! What each CPU has for itself; `TPIDR_EL1` points at it.
//!
//! One CPU runs today. The shape is for several: nothing outside this file knows how many there are,
//! and whoever asks for "this CPU" does so with interrupts masked or in a task that cannot migrate.
#![allow(unsafe_code)] // TPIDR_EL1 is turned into a reference here and nowhere else.

use core::arch::asm;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use alloc::sync::Arc;

use crate::task::Task;
use crate::task::user_mm::UserMm;

/// CPUs that the static table has room for.
pub const MAX_CPUS: usize = 8;

/// Bytes of the stack on which a kernel stack overflow is reported.
const OVERFLOW_STACK_SIZE: usize = 16 * 1024;

#[repr(C, align(16))]
struct OverflowStack(core::cell::UnsafeCell<[u8; OVERFLOW_STACK_SIZE]>);

// SAFETY: only the CPU that the stack belongs to uses it, from assembly.
unsafe impl Sync for OverflowStack {}

static OVERFLOW_STACKS: [OverflowStack; MAX_CPUS] =
    [const { OverflowStack(core::cell::UnsafeCell::new([0; OVERFLOW_STACK_SIZE])) }; MAX_CPUS];

/// State of one CPU. The entry code knows the offsets of the first three fields.
#[repr(C, align(64))]
pub struct PerCpu {
    /// The running task. Held as an `Arc` by the scheduler as long as it runs.
    pub(super) current: AtomicPtr<Task>,
    /// Lowest address of the kernel stack in use.
    pub(super) stack_low: AtomicUsize,
    /// Top of this CPU's overflow stack.
    pub(super) overflow_top: AtomicUsize,
    /// The address space of the running task, null for a thread of the kernel.
    current_mm: AtomicPtr<UserMm>,
    /// The task that ran before, from the switch until its reference is dropped.
    switched_from: AtomicPtr<Task>,
    number: AtomicUsize,
}

static PER_CPU: [PerCpu; MAX_CPUS] = [const {
    PerCpu {
        current: AtomicPtr::new(core::ptr::null_mut()),
        stack_low: AtomicUsize::new(0),
        overflow_top: AtomicUsize::new(0),
        current_mm: AtomicPtr::new(core::ptr::null_mut()),
        switched_from: AtomicPtr::new(core::ptr::null_mut()),
        number: AtomicUsize::new(0),
    }
}; MAX_CPUS];

unsafe extern "C" {
    static __boot_stack_bottom: u8;
}

/// Lowest address of the stack on which the boot CPU starts, and idles later.
pub fn boot_stack_low() -> usize {
    &raw const __boot_stack_bottom as usize
}

/// Makes `TPIDR_EL1` point at the state of CPU `number`, which is the one that calls, on the stack
/// that begins at `stack_low`.
pub fn init(number: usize, stack_low: usize) {
    let cpu = &PER_CPU[number];
    cpu.number.store(number, Ordering::Relaxed);
    cpu.stack_low.store(stack_low, Ordering::Relaxed);
    let overflow = OVERFLOW_STACKS[number].0.get() as usize + OVERFLOW_STACK_SIZE;
    cpu.overflow_top.store(overflow, Ordering::Relaxed);
    // SAFETY: TPIDR_EL1 has no effect on execution; only `this_cpu` and the entry code read it.
    unsafe { asm!("msr tpidr_el1, {}", in(reg) cpu, options(nostack, preserves_flags)) };
}

impl PerCpu {
    /// This CPU's number, counted from 0 in the order of the device tree.
    pub fn number(&self) -> usize {
        self.number.load(Ordering::Relaxed)
    }

    /// The running task, null before the scheduler has one.
    pub fn current_ptr(&self) -> *const Task {
        self.current.load(Ordering::Relaxed)
    }

    /// Names the address space that the running task holds.
    pub fn set_current_mm(&self, mm: Option<&Arc<UserMm>>) {
        let mm = mm.map_or(core::ptr::null(), Arc::as_ptr);
        self.current_mm.store(mm.cast_mut(), Ordering::Relaxed);
    }

    /// Leaves the reference to the task that is switched from for the other side of the switch.
    pub(super) fn set_switched_from(&self, task: *const Task) {
        self.switched_from.store(task.cast_mut(), Ordering::Relaxed);
    }

    /// Takes what [`PerCpu::set_switched_from`] left.
    pub(super) fn take_switched_from(&self) -> *const Task {
        self.switched_from.swap(core::ptr::null_mut(), Ordering::Relaxed)
    }

    /// Names `task` as the running one, on the kernel stack that begins at `stack_low`.
    pub(super) fn set_current(&self, task: *const Task, stack_low: usize) {
        self.current.store(task.cast_mut(), Ordering::Relaxed);
        self.stack_low.store(stack_low, Ordering::Relaxed);
    }
}

/// The calling CPU's state.
pub fn this_cpu() -> &'static PerCpu {
    let pointer: *const PerCpu;
    // SAFETY: reading TPIDR_EL1 has no side effect.
    unsafe { asm!("mrs {}, tpidr_el1", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    // SAFETY: `init` ran as the first thing on this CPU and stored the address of a static.
    unsafe { &*pointer }
}

/// The task that this CPU runs.
///
/// Panics before the scheduler has named one.
pub fn current_task() -> &'static Task {
    let task = this_cpu().current_ptr();
    assert!(!task.is_null(), "no current task yet");
    // SAFETY: `current` owns a reference while the task runs, and the caller is that task (or an interrupt
    // handler on top of it): the caller's uses end before the task can.
    unsafe { &*task }
}

/// Calls `f` with the address space of the task that this CPU runs, if it has one. `f` may sleep, but does not give
/// the task another address space.
pub fn with_current_mm<R>(f: impl FnOnce(&UserMm) -> R) -> Option<R> {
    let mm = this_cpu().current_mm.load(Ordering::Relaxed);
    // SAFETY: the running task holds a reference and only it can replace that, which `f` does not do. If `f` sleeps
    // the task keeps it meanwhile.
    unsafe { mm.as_ref() }.map(f)
}

/// A counted reference to the task that this CPU runs.
pub fn current_arc() -> Arc<Task> {
    let task: *const Task = current_task();
    // SAFETY: the pointer came from `Arc::into_raw` and its reference is held while the task runs.
    unsafe {
        Arc::increment_strong_count(task);
        Arc::from_raw(task)
    }
}
