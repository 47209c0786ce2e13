//! The table of open files of a process: small numbers for `Arc<File>`s. Mirrors Linux's `struct files_struct`.

use crate::sync::IrqMutex;
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use fs::vfs::File;

/// A descriptor's number.
pub type Descriptor = u32;

/// What `execve` does with a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtExec {
    /// Keeps it.
    Keep,
    /// Closes it (`FD_CLOEXEC`).
    Close,
}

#[derive(Clone)]
struct Slot {
    file: Arc<File>,
    at_exec: AtExec,
}

/// The descriptors of one process, or of several that share them.
pub struct Files {
    slots: IrqMutex<Vec<Option<Slot>>>,
}

impl Files {
    /// No descriptors.
    pub const fn new() -> Files {
        Files { slots: IrqMutex::new(Vec::new()) }
    }

    /// A copy, for a child.
    pub fn fork(&self) -> Result<Files, Errno> {
        let mut copy: Vec<Option<Slot>> = Vec::new();
        loop {
            let wanted = self.slots.lock().len();
            copy.try_reserve_exact(wanted).map_err(|_| Errno::ENOMEM)?;
            let slots = self.slots.lock();
            // Another task may have opened more meanwhile; nothing is allocated under the lock.
            if slots.len() <= copy.capacity() {
                copy.extend(slots.iter().cloned());
                break;
            }
        }
        Ok(Files { slots: IrqMutex::new(copy) })
    }

    /// The open file behind `fd`, or EBADF. A program's number is an int: what is beyond is ignored.
    pub fn get(&self, fd: u64) -> Result<Arc<File>, Errno> {
        let slots = self.slots.lock();
        let slot = slots.get(fd as u32 as usize).and_then(Option::as_ref).ok_or(Errno::EBADF)?;
        Ok(slot.file.clone())
    }

    /// Enters `file` under the lowest free number, which is below `limit`. EMFILE if all are taken.
    pub fn install(&self, file: Arc<File>, at_exec: AtExec, limit: u64) -> Result<Descriptor, Errno> {
        self.install_from(0, file, at_exec, limit)
    }

    /// [`install`](Files::install) under a number that is at least `lowest`.
    pub fn install_from(
        &self,
        lowest: Descriptor,
        file: Arc<File>,
        at_exec: AtExec,
        limit: u64,
    ) -> Result<Descriptor, Errno> {
        let mut slots = self.slots.lock();
        let lowest = lowest as usize;
        let free = slots.iter().skip(lowest).position(Option::is_none);
        let free = free.map_or(slots.len().max(lowest), |at| lowest + at);
        if free as u64 >= limit {
            return Err(Errno::EMFILE);
        }
        if let Some(missing) = (free + 1).checked_sub(slots.len()) {
            slots.try_reserve(missing).map_err(|_| Errno::ENOMEM)?;
            slots.resize_with(free + 1, || None);
        }
        slots[free] = Some(Slot { file, at_exec });
        Ok(free as Descriptor)
    }

    /// Enters `file` under `fd`, which is below `limit` (else EBADF), in place of what was there.
    pub fn replace(&self, fd: Descriptor, file: Arc<File>, at_exec: AtExec, limit: u64) -> Result<(), Errno> {
        if u64::from(fd) >= limit {
            return Err(Errno::EBADF);
        }
        let index = fd as usize;
        let old = {
            let mut slots = self.slots.lock();
            if let Some(missing) = (index + 1).checked_sub(slots.len()) {
                slots.try_reserve(missing).map_err(|_| Errno::ENOMEM)?;
                slots.resize_with(index + 1, || None);
            }
            slots[index].replace(Slot { file, at_exec })
        };
        // Closing may sleep, so not under the lock.
        old.into_iter().for_each(|slot| self.release(slot));
        Ok(())
    }

    /// One more than the largest number that may be in use.
    pub fn len(&self) -> Descriptor {
        self.slots.lock().len() as Descriptor
    }

    /// What `execve` will do with `fd`, or EBADF.
    pub fn at_exec(&self, fd: u64) -> Result<AtExec, Errno> {
        let slots = self.slots.lock();
        let slot = slots.get(fd as u32 as usize).and_then(Option::as_ref).ok_or(Errno::EBADF)?;
        Ok(slot.at_exec)
    }

    /// Says what `execve` shall do with `fd`, or EBADF.
    pub fn set_at_exec(&self, fd: u64, at_exec: AtExec) -> Result<(), Errno> {
        let mut slots = self.slots.lock();
        let slot = slots.get_mut(fd as u32 as usize).and_then(Option::as_mut).ok_or(Errno::EBADF)?;
        slot.at_exec = at_exec;
        Ok(())
    }

    /// Closes `fd`, or EBADF.
    pub fn close(&self, fd: u64) -> Result<(), Errno> {
        let slot = self.slots.lock().get_mut(fd as u32 as usize).and_then(Option::take);
        slot.map(|slot| self.release(slot)).ok_or(Errno::EBADF)
    }

    /// Closes what a new program shall not have.
    pub fn close_on_exec(&self) {
        let closes = |slot: &mut Option<Slot>| slot.take_if(|slot| slot.at_exec == AtExec::Close);
        loop {
            // One at a time: each is dropped without the lock.
            let Some(next) = self.slots.lock().iter_mut().find_map(closes) else { break };
            self.release(next);
        }
    }

    /// Lets go of a file, and of the locks that the process has on it.
    fn release(&self, slot: Slot) {
        slot.file.release_ranges(self.lock_owner());
    }

    /// In whose name the process locks ranges of files: all tasks that share the table are one.
    pub fn lock_owner(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let owner = self.lock_owner();
        self.slots.get_mut().iter().flatten().for_each(|slot| slot.file.release_ranges(owner));
    }
}
