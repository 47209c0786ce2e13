//! The memory of programs: `mm`'s address space behind its lock, and its way onto the CPU. Mirrors the glue parts
//! of Linux's `kernel/fork.c` (`mm_struct`) and `context_switch`.

use super::exec::mm_limits;
use super::remote::Program;
use super::{Current, Task, current};
use crate::arch::machine::Machine;
use crate::arch::{barrier, mmu_context, percpu};
use crate::memory;
use crate::sync::{Mutex, MutexGuard};
use ::mm::Mm;
use ::mm::arm64::asid::Context;
use ::mm::fault::{VmFault, Waited};
use ::mm::filemap::{AddressSpace, EvenCows, SharedMm};
use ::mm::types::{Access, PageSize};
use abi::Errno;
use alloc::sync::{Arc, Weak};
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering};

/// What a fault took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing but memory.
    Minor,
    /// Something from a device.
    Major,
}

/// The address space of a process, or of several that share it.
pub struct UserMm {
    /// Linux's mmap lock. Not to be held while user memory is accessed: the fault takes it.
    mm: Mutex<Mm<Machine>>,
    context: Arc<Context>,
    page_size: PageSize,
    task_size: u64,
    /// What runs in it, for those who look at it from outside.
    program: Arc<Program>,
    /// Its private memory was taken away, because memory had run out: it is not accessed any more.
    reaped: AtomicBool,
}

impl UserMm {
    /// Takes over the address space that was made for `program`; the files that it maps know it from here on. ENOMEM when
    /// that cannot be noted.
    pub fn new(mm: Mm<Machine>, program: Arc<Program>) -> Result<Arc<UserMm>, Errno> {
        let context = mm.tables().context.clone();
        let (page_size, task_size) = (mm.page_size(), mm.task_size());
        let reaped = AtomicBool::new(false);
        let user_mm = Arc::new(UserMm { mm: Mutex::new(mm), context, page_size, task_size, program, reaped });
        let shared: Weak<UserMm> = Arc::downgrade(&user_mm);
        user_mm.lock().publish(shared)?;
        Ok(user_mm)
    }

    /// The address space, for as long as the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, Mm<Machine>> {
        self.mm.lock()
    }

    /// A copy for a child.
    pub fn fork(&self) -> Result<Arc<UserMm>, Errno> {
        if self.is_reaped() {
            return Err(Errno::ENOMEM);
        }
        let mm = self.lock().fork()?;
        UserMm::new(mm, self.program.clone())
    }

    /// The page size that the process sees.
    pub fn page_size(&self) -> PageSize {
        self.page_size
    }

    /// End of user addresses.
    pub fn task_size(&self) -> u64 {
        self.task_size
    }

    /// What runs in it.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Whether its private memory was taken away.
    pub fn is_reaped(&self) -> bool {
        self.reaped.load(Ordering::Relaxed)
    }

    /// Its private memory is about to be taken away, so that faults fail from now on.
    pub fn set_reaped(&self) {
        self.reaped.store(true, Ordering::Relaxed);
    }

    /// Makes `addr` accessible. Waits for the disk with the lock released, then looks again: the area may have
    /// gone meanwhile.
    pub fn handle_fault(&self, addr: u64, access: Access) -> Result<FaultKind, VmFault> {
        let mut kind = FaultKind::Minor;
        loop {
            // What was there is lost, and nobody shall take zeros for it.
            if self.is_reaped() {
                return Err(VmFault::Bus);
            }
            let io = match self.lock().handle_fault(addr, access) {
                Err(VmFault::Io(io)) => io,
                other => return other.map(|()| kind),
            };
            let waited = io.wait(memory::get()).map_err(VmFault::of_io)?;
            if waited == Waited::Read {
                kind = FaultKind::Major;
            }
            self.lock().note_wait(waited);
        }
    }
}

impl SharedMm for UserMm {
    fn unmap_mapping_range(&self, mapping: &AddressSpace, pages: Range<u64>, even_cows: EvenCows) {
        self.lock().unmap_mapping_range(mapping, pages, even_cows);
    }

    fn try_drop_native_tables(&self) -> u64 {
        self.mm.try_lock().map_or(0, |mut mm| mm.drop_native_tables())
    }
}

impl Task {
    /// Lets new resource limits take effect on the task's memory.
    pub fn apply_limits(&self) {
        let mm = self.mm.lock().clone();
        if let Some(mm) = mm {
            let limits = mm_limits(&self.rlimits.lock());
            mm.lock().limits = limits;
        }
    }
}

impl Current {
    /// Drops memory that the task has used, but not what getrusage wants to know of it.
    fn give_up(&self, old: Option<Arc<UserMm>>) {
        if let Some(old) = old {
            self.max_rss.fetch_max(old.usage().peak_rss, Ordering::Relaxed);
        }
    }
}

/// Makes this CPU see the memory of `next`, or none for a thread of the kernel. Interrupts are masked.
pub(super) fn switch_mm(next: &Task) {
    let cpu = percpu::this_cpu();
    let mm = next.mm.lock();
    cpu.set_current_mm(mm.as_ref());
    let cpu = cpu.number();
    match &*mm {
        Some(mm) => {
            let asid = memory::get().switch_context(&mm.context, cpu);
            mmu_context::activate(mm.context.live(), asid);
        }
        None => {
            mmu_context::deactivate();
            memory::get().leave_context(cpu);
        }
    }
}

/// Loads the address space again if the running task is in it: its tables are others now.
pub fn join(context: &Context) {
    let flags = barrier::irq_save();
    let task = current();
    let ours = task.mm.lock().as_ref().is_some_and(|mm| core::ptr::eq(&*mm.context, context));
    if ours {
        switch_mm(&task);
    }
    barrier::irq_restore(flags);
}

/// Gives the running task `mm` in place of what it had, which is returned; whoever waits for the end of its use
/// (`vfork`) is told. The caller drops the old one where it may sleep.
fn exchange(task: &Current, mm: Option<Arc<UserMm>>) -> Option<Arc<UserMm>> {
    let flags = barrier::irq_save();
    task.task_size.store(mm.as_ref().map_or(0, |mm| mm.task_size), Ordering::Relaxed);
    task.is_user.store(mm.is_some(), Ordering::Relaxed);
    let old = core::mem::replace(&mut *task.mm.lock(), mm);
    switch_mm(task);
    barrier::irq_restore(flags);
    let waiter = task.vfork_done.lock().take();
    if let Some(done) = waiter {
        done.complete();
    }
    old
}

/// Makes the running task a program in `mm`.
pub(super) fn install(mm: Arc<UserMm>) {
    let task = current();
    task.give_up(exchange(&task, Some(mm)));
}

/// The running task no longer needs any memory.
pub(super) fn release() {
    let task = current();
    task.give_up(exchange(&task, None));
}
