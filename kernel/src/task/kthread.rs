//! Threads of the kernel. Mirrors `kernel/kthread.c`.
#![allow(unsafe_code)] // A boxed function travels through a register.

use alloc::boxed::Box;
use alloc::sync::Arc;

use abi::Errno;

use super::process::Process;
use super::{Kind, Pid, Task, cred, current, sched, table};
use crate::arch::trap::TrapFrame;
use crate::kstack::KernelStack;

type Body = Box<dyn FnOnce() + Send>;

/// Starts `body` as a task of its own. When it returns, the thread goes, unless it has become a program.
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<Pid, Errno> {
    let pid = table::alloc_pid()?;
    let stack = KernelStack::new()?;
    let frame = TrapFrame::default().place_at_top_of(&stack);
    let process = Arc::new(Process::new());
    let mut task = Task::new(Kind::Normal, pid, Some(stack), name.as_bytes(), cred::root(), process);
    let body: *mut Body = Box::into_raw(Box::new(Box::new(body)));
    task.thread.prepare(frame, Some((run, body as usize)));
    let task = Arc::new(task);
    table::insert(&task, 0).inspect_err(|_| {
        // SAFETY: the thread will never run, so the box is still ours alone.
        drop(unsafe { Box::from_raw(body) });
    })?;
    sched::start(&task);
    Ok(pid)
}

/// The first function on a kernel thread's stack. Interrupts are enabled.
extern "C" fn run(body: usize) {
    // SAFETY: `spawn` made the pointer from a box and gave it to this thread only.
    let body = unsafe { Box::from_raw(body as *mut Body) };
    body();
    if !current().is_user() {
        super::exit::exit_kernel_thread();
    }
}
