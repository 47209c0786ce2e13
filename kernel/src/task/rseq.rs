//! Restartable sequences: a program says in its own memory that it is in a piece of code that must run in one go on one CPU.
//! If it was preempted there, or gets a signal there, it goes on at the abort handler instead. Mirrors Linux's
//! `kernel/rseq.c`.
//!
//! A switch away from a registered task sets [`RSEQ`](super::RSEQ) among its work; the return to EL0 looks at what the program
//! has written. All of that is an allegation: what makes no sense is SIGSEGV.

use abi::Errno;
use core::sync::atomic::Ordering;
use zerocopy::FromBytes;

use super::{Current, RSEQ, Task};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::sync::IrqMutex;

/// Bytes of `struct rseq` that mean something: AT_RSEQ_FEATURE_SIZE.
pub const FEATURE_SIZE: u64 = 28;
/// Its alignment, AT_RSEQ_ALIGN.
pub const ALIGN: u64 = 32;
/// Size of the first version, with its padding.
const ORIGINAL_SIZE: u32 = 32;

/// Words of `struct rseq`.
const CPU_ID_START: usize = 0;
const CPU_ID: usize = 1;
/// In units of 64 bits.
const RSEQ_CS: usize = 1;
const NODE_ID: usize = 5;
const MM_CID: usize = 6;

/// In `cpu_id` after the registration has ended.
const CPU_ID_UNINITIALIZED: u32 = u32::MAX;

/// What a thread has registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Address of its `struct rseq`.
    pub addr: u64,
    /// Its size.
    pub len: u32,
    /// What must stand before an abort handler.
    pub signature: u32,
}

/// The registration of a thread.
pub type Rseq = IrqMutex<Option<Registration>>;

/// `struct rseq_cs`.
#[repr(C)]
#[derive(FromBytes)]
struct CriticalSection {
    version: u32,
    flags: u32,
    start: u64,
    length: u64,
    abort: u64,
}

impl Registration {
    /// EINVAL for what is no `struct rseq`, EFAULT for one that is out of reach.
    pub fn check(&self, task: &Task) -> Result<(), Errno> {
        let aligned = self.addr.is_multiple_of(ALIGN);
        if self.len < ORIGINAL_SIZE || !aligned {
            return Err(Errno::EINVAL);
        }
        let end = self.addr.checked_add(self.len.into());
        if end.is_some_and(|end| end <= task.task_size()) { Ok(()) } else { Err(Errno::EFAULT) }
    }

    fn words(&self) -> UserPtr<u32> {
        UserPtr::new(self.addr)
    }

    fn section(&self) -> Result<UserPtr<u64>, Errno> {
        UserPtr::<u64>::new(self.addr).at(RSEQ_CS)
    }

    /// Tells the program where it runs: there is one CPU.
    fn store_cpu(&self) -> Result<(), Errno> {
        for word in [CPU_ID_START, CPU_ID, NODE_ID, MM_CID] {
            self.words().at(word)?.write(0)?;
        }
        Ok(())
    }

    /// The program is in no critical section, and runs nowhere yet or here.
    pub fn begin(&self) -> Result<(), Errno> {
        self.section()?.write(0)?;
        self.store_cpu()
    }

    /// It is no longer told.
    pub fn end(&self) -> Result<(), Errno> {
        for (word, value) in [(CPU_ID_START, 0), (CPU_ID, CPU_ID_UNINITIALIZED), (NODE_ID, 0), (MM_CID, 0)] {
            self.words().at(word)?.write(value)?;
        }
        Ok(())
    }

    /// Lets the program go on at its abort handler if `frame` is in its critical section.
    fn fix_up(&self, task: &Task, frame: &mut TrapFrame) -> Result<(), Errno> {
        let at = self.section()?;
        let section_at = at.read()?;
        if section_at == 0 {
            return Ok(());
        }
        let section = UserPtr::<CriticalSection>::new(section_at).read()?;
        let limit = task.task_size();
        let CriticalSection { version, flags, start, length, abort } = section;
        let end = start.checked_add(length).filter(|end| *end < limit).ok_or(Errno::EINVAL)?;
        let inside = (start..end).contains(&abort);
        if start >= limit || abort >= limit || version != 0 || inside {
            return Err(Errno::EINVAL);
        }
        let signature_at = abort.checked_sub(4).ok_or(Errno::EINVAL)?;
        if UserPtr::<u32>::new(signature_at).read()? != self.signature {
            return Err(Errno::EINVAL);
        }
        if !(start..end).contains(&frame.pc) {
            // Left it without saying so, which spares the program a store.
            return at.write(0);
        }
        // The flags that used to keep it from being aborted are none any more.
        if flags != 0 {
            return Err(Errno::EINVAL);
        }
        at.write(0)?;
        frame.pc = abort;
        Ok(())
    }
}

impl Task {
    /// The scheduler takes the CPU from the task.
    #[inline]
    pub(super) fn note_preemption(&self) {
        if self.has_rseq.load(Ordering::Relaxed) {
            self.work.fetch_or(RSEQ, Ordering::Relaxed);
        }
    }

    /// Gives a new task its parent's registration, which is at the same place in its copy of the memory.
    pub(super) fn inherit_rseq(&mut self, parent: &Task) {
        if !parent.has_rseq.load(Ordering::Relaxed) {
            return;
        }
        let registration = *parent.rseq.lock();
        *self.rseq.get_mut() = registration;
        self.has_rseq = registration.is_some().into();
    }
}

impl Current {
    /// What the thread has registered.
    pub fn rseq(&self) -> Option<Registration> {
        *self.rseq.lock()
    }

    /// Forgets that.
    pub(super) fn forget_rseq(&self) {
        if self.has_rseq.load(Ordering::Relaxed) {
            self.set_rseq(None);
        }
    }

    /// Replaces that.
    pub fn set_rseq(&self, registration: Option<Registration>) {
        *self.rseq.lock() = registration;
        self.has_rseq.store(registration.is_some(), Ordering::Relaxed);
        if registration.is_none() {
            // What is left of an earlier preemption would keep the task from returning to EL0.
            self.work.fetch_and(!RSEQ, Ordering::Relaxed);
        }
    }

    /// The program in `frame` was preempted, or is about to get a signal. Whether its memory makes sense.
    pub fn handle_rseq(&self, frame: &mut TrapFrame) -> Result<(), Errno> {
        if !self.has_rseq.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.work.fetch_and(!RSEQ, Ordering::Relaxed);
        match self.rseq() {
            Some(registration) => {
                registration.fix_up(self, frame)?;
                registration.store_cpu()
            }
            None => Ok(()),
        }
    }
}
