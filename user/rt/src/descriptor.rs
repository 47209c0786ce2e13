//! Descriptors by number, for programs that arrange those of others: a shell.

use crate::sys::{Errno, raw, syscall};
use core::ffi::CStr;

/// Whether a descriptor outlives an execve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Exec {
    /// The next program has it.
    Keeps,
    /// The next program does not have it.
    Closes,
}

/// Opens a file by `O_*` flags.
pub fn open(path: &CStr, flags: u32, mode: u32) -> Result<i32, Errno> {
    let args = [raw::AT_FDCWD as usize, path.as_ptr() as usize, flags as usize, mode as usize];
    // SAFETY: the kernel reads the string.
    unsafe { syscall(raw::__NR_openat, args) }.map(|descriptor| descriptor as i32)
}

/// Closes a descriptor; one that is not open is closed already.
pub fn close(descriptor: i32) {
    // SAFETY: the caller names descriptors by number, so no owned one is meant.
    let _ = unsafe { syscall(raw::__NR_close, [descriptor as usize]) };
}

/// Makes `to` another name of `from`. What `to` was before is closed.
pub fn duplicate(from: i32, to: i32, exec: Exec) -> Result<(), Errno> {
    let flags = if exec == Exec::Closes { raw::O_CLOEXEC as usize } else { 0 };
    // SAFETY: as `close`.
    unsafe { syscall(raw::__NR_dup3, [from as usize, to as usize, flags]) }.map(drop)
}

/// Moves a descriptor to another number.
pub fn rename(from: i32, to: i32) -> Result<(), Errno> {
    if from != to {
        duplicate(from, to, Exec::Keeps)?;
        close(from);
    }
    Ok(())
}

/// A pipe: where to read, and where to write.
pub fn pipe() -> Result<(i32, i32), Errno> {
    let mut ends = [0i32; 2];
    // SAFETY: the kernel writes the two numbers.
    unsafe { syscall(raw::__NR_pipe2, [ends.as_mut_ptr() as usize, 0]) }?;
    Ok((ends[0], ends[1]))
}

/// Whether it is a terminal.
pub fn is_terminal(descriptor: i32) -> bool {
    const TCGETS: usize = 0x5401;
    // What it writes is 36 bytes long.
    let mut modes = [0u64; 8];
    let args = [descriptor as usize, TCGETS, modes.as_mut_ptr() as usize];
    // SAFETY: the kernel writes no more than the buffer holds.
    unsafe { syscall(raw::__NR_ioctl, args) }.is_ok()
}
