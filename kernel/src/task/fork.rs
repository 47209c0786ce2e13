//! Making a process out of a process. Mirrors `kernel/fork.c`.

use abi::signal::Signal;
use abi::{CapSet, Errno, raw};
use alloc::sync::Arc;
use bitflags::bitflags;
use core::sync::atomic::Ordering;

use super::cred::Cred;
use super::signal::AltStack;
use super::{Current, Kind, Pid, Task, current, sched, table};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::heap;
use crate::kstack::KernelStack;
use crate::sync::Completion;

bitflags! {
    /// `CLONE_*`, `uapi/linux/sched.h`: those that mean something with one thread in each process. The
    /// others (threads, namespaces) are refused.
    #[derive(Clone, Copy, Debug)]
    pub struct CloneFlags: u32 {
        /// Share the memory.
        const VM = 0x100;
        /// Share working directory and umask.
        const FS = 0x200;
        /// Share the table of open files.
        const FILES = 0x400;
        /// Share what signals do; only with the memory.
        const SIGHAND = 0x800;
        /// The parent sleeps until the child has given the memory back.
        const VFORK = 0x4000;
        /// The child's parent is the caller's.
        const PARENT = 0x8000;
        /// Set the thread pointer.
        const SETTLS = 0x8_0000;
        /// Store the child's number in the parent's memory.
        const PARENT_SETTID = 0x10_0000;
        /// Zero the child's word when it goes.
        const CHILD_CLEARTID = 0x20_0000;
        /// Ignored, as in Linux.
        const DETACHED = 0x40_0000;
        /// Ignored without a tracer.
        const UNTRACED = 0x80_0000;
        /// Store the child's number in the child's memory.
        const CHILD_SETTID = 0x100_0000;
    }
}

/// What `clone(2)` is given.
#[derive(Clone, Copy, Debug)]
pub struct CloneArgs {
    /// Flags without the exit signal.
    pub flags: CloneFlags,
    /// What the parent gets when the child ends.
    pub exit_signal: Option<Signal>,
    /// The child's stack pointer, or 0 for the parent's.
    pub stack: u64,
    /// Where PARENT_SETTID stores.
    pub parent_tid: u64,
    /// The child's thread pointer.
    pub tls: u64,
    /// Where CHILD_SETTID and CHILD_CLEARTID store.
    pub child_tid: u64,
}

/// Starts a copy of the current program, which sees 0 as the call's result. Its number.
///
/// All that can fail happens before anybody can see the child. A signal that waits is delivered first, so that those who are
/// killed make no more children.
pub fn clone(frame: &TrapFrame, args: &CloneArgs) -> Result<Pid, Errno> {
    let parent = current();
    let flags = args.flags;
    if flags.contains(CloneFlags::SIGHAND) && !flags.contains(CloneFlags::VM) {
        return Err(Errno::EINVAL);
    }
    if parent.signal_pending() {
        return Err(Errno::ERESTARTNOINTR);
    }
    heap::reserve()?;
    let cred = parent.cred();
    check_process_limit(&parent, &cred)?;
    let pid = table::alloc_pid()?;
    let stack = KernelStack::new()?;
    let (comm, len) = parent.comm();
    let actions = &parent.process.actions;
    let actions = if flags.contains(CloneFlags::SIGHAND) { actions.share() } else { actions.fork() };
    let exit_signal =
        if flags.contains(CloneFlags::PARENT) { parent.process.exit_signal() } else { args.exit_signal };
    let process = parent.process.fork(actions, exit_signal);
    // A child that runs at the same time in the same memory would share the stack of its handlers, too.
    let own_stack = !flags.contains(CloneFlags::VM) || flags.contains(CloneFlags::VFORK);
    let altstack = if own_stack { *parent.signals.altstack.lock() } else { AltStack::default() };
    let mut child = Task::new(Kind::Normal, pid, Some(stack), &comm[..len], cred, process);
    child.signals = parent.signals.fork(altstack);
    child.attributes = parent.attributes.fork();

    let mut child_frame = frame.clone();
    child_frame.regs[0] = 0;
    if args.stack != 0 {
        child_frame.sp = args.stack;
    }
    child.set_user_frame(&child_frame);
    child.thread.copy_user_from_current(&parent.thread);
    if flags.contains(CloneFlags::SETTLS) {
        child.thread.set_tls(args.tls);
    }

    let files = parent.files()?;
    child.files =
        Some(if flags.contains(CloneFlags::FILES) { files } else { Arc::new(files.fork()?) }).into();
    let fs = parent.fs_info()?;
    child.fs = Some(if flags.contains(CloneFlags::FS) { fs } else { Arc::new(fs.fork()) }).into();
    child.set_personality(parent.personality());
    child.rlimits = (*parent.rlimits.lock()).into();
    if flags.contains(CloneFlags::CHILD_CLEARTID) {
        child.set_clear_child_tid(args.child_tid);
    }
    let vfork_done = if flags.contains(CloneFlags::VFORK) {
        let done = Arc::new(Completion::new());
        child.vfork_done = Some(done.clone()).into();
        Some(done)
    } else {
        None
    };
    let mm = parent.user_mm()?;
    let mm = if flags.contains(CloneFlags::VM) { mm } else { mm.fork()? };
    if !flags.contains(CloneFlags::VM) {
        child.inherit_rseq(&parent);
    }
    if flags.contains(CloneFlags::CHILD_SETTID) {
        child.set_child_tid = args.child_tid;
    }
    child.task_size = mm.task_size().into();
    child.is_user = true.into();
    child.mm = Some(mm).into();

    let child = Arc::new(child);
    let child_parent = if flags.contains(CloneFlags::PARENT) { parent.ppid() } else { parent.pid() };
    table::insert(&child, child_parent)?;
    if flags.contains(CloneFlags::PARENT_SETTID) {
        // A bad address is the program's own business, as in Linux.
        let _ = UserPtr::new(args.parent_tid).write(pid);
    }
    sched::start(&child);
    if let Some(done) = vfork_done {
        done.wait_killable();
    }
    Ok(pid)
}

/// EAGAIN if the caller's user has as many tasks as its limit allows; root and the administrators are not bound.
fn check_process_limit(parent: &Task, cred: &Cred) -> Result<(), Errno> {
    if cred.user.is_root() || cred.effective().intersects(CapSet::SYS_RESOURCE | CapSet::SYS_ADMIN) {
        return Ok(());
    }
    let limit = parent.rlimits.lock()[raw::RLIMIT_NPROC as usize].cur;
    if cred.user.tasks() >= limit { Err(Errno::EAGAIN) } else { Ok(()) }
}

impl Current {
    /// Whether the caller's user has more tasks than its limit allows.
    pub(super) fn is_over_process_limit(&self, cred: &Cred) -> bool {
        cred.user.tasks() > self.rlimits.lock()[raw::RLIMIT_NPROC as usize].cur
    }

    /// EAGAIN if the caller became a user with too many tasks, and has too many still.
    pub(super) fn check_late_process_limit(&self, cred: &Cred) -> Result<(), Errno> {
        let late = self.attributes.too_many_tasks.load(Ordering::Relaxed);
        if late && self.is_over_process_limit(cred) {
            return Err(Errno::EAGAIN);
        }
        self.attributes.too_many_tasks.store(false, Ordering::Relaxed);
        Ok(())
    }
}
