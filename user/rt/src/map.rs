//! A memory mapping as an owned slice: mmap(2) for programs that don't play tricks.

use crate::sys::{Errno, raw, syscall};
use core::ops::{Deref, DerefMut};
use rustix::fd::{AsRawFd, BorrowedFd};

/// Readable and writable private memory, unmapped when dropped.
pub struct Mapping {
    start: *mut u8,
    len: usize,
}

impl Mapping {
    /// Fresh anonymous memory.
    pub fn anonymous(len: usize) -> Result<Mapping, Errno> {
        Mapping::new(len, raw::MAP_PRIVATE | raw::MAP_ANONYMOUS, -1)
    }

    /// The first `len` bytes of a file. What is written stays in this process; the file must be at
    /// least that long.
    pub fn file(file: BorrowedFd<'_>, len: usize) -> Result<Mapping, Errno> {
        Mapping::new(len, raw::MAP_PRIVATE, file.as_raw_fd())
    }

    fn new(len: usize, flags: u32, fd: i32) -> Result<Mapping, Errno> {
        let prot = (raw::PROT_READ | raw::PROT_WRITE) as usize;
        // SAFETY: without MAP_FIXED the kernel chooses a free place.
        let start = unsafe { syscall(raw::__NR_mmap, [0, len, prot, flags as usize, fd as usize, 0]) }?;
        Ok(Mapping { start: start as *mut u8, len })
    }
    /// Takes the right to write away, for good.
    pub fn freeze(self) -> Result<Frozen, Errno> {
        // SAFETY: the mapping stays, and nothing can write to it through `Frozen`.
        unsafe { syscall(raw::__NR_mprotect, [self.start as usize, self.len, raw::PROT_READ as usize]) }?;
        Ok(Frozen(self))
    }
}

/// A mapping that can only be read.
pub struct Frozen(Mapping);

impl Deref for Frozen {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: mapped readable for as long as this value lives.
        unsafe { core::slice::from_raw_parts(self.start, self.len) }
    }
}

impl DerefMut for Mapping {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: mapped writable, private, and only this value knows of it.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: nobody else has this memory.
        let _ = unsafe { syscall(raw::__NR_munmap, [self.start as usize, self.len]) };
    }
}
