//! Calls on files and names, with their arguments as they are.

use crate::call;
use core::ffi::CStr;
use rt::sys::raw as linux;
use rt::sys::{Errno, Result};

const HERE: usize = linux::AT_FDCWD as usize;

/// What `stat(2)` tells, as far as the tests ask.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Attributes {
    /// Inode number.
    pub ino: u64,
    /// Type and permissions.
    pub mode: u32,
    /// Names.
    pub nlink: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Units of 512 bytes.
    pub blocks: u64,
    /// Time of the last access: seconds and nanoseconds.
    pub atime: (u64, u64),
    /// Of the last change of the bytes.
    pub mtime: (u64, u64),
}

/// `openat` with a mode for new files.
pub fn create(path: &CStr, flags: u32, mode: usize) -> Result {
    call(linux::__NR_openat, [HERE, path.as_ptr() as usize, flags as usize, mode])
}

/// `write`.
pub fn write(fd: usize, bytes: &[u8]) -> Result {
    call(linux::__NR_write, [fd, bytes.as_ptr() as usize, bytes.len()])
}

/// `pwrite64`.
pub fn pwrite(fd: usize, bytes: &[u8], offset: usize) -> Result {
    call(linux::__NR_pwrite64, [fd, bytes.as_ptr() as usize, bytes.len(), offset])
}

/// `lseek`.
pub fn lseek(fd: usize, offset: isize, whence: u32) -> Result {
    call(linux::__NR_lseek, [fd, offset as usize, whence as usize])
}

/// `ftruncate`.
pub fn ftruncate(fd: usize, size: usize) -> Result {
    call(linux::__NR_ftruncate, [fd, size])
}

/// `mkdirat`.
pub fn mkdir(path: &CStr, mode: usize) -> Result {
    call(linux::__NR_mkdirat, [HERE, path.as_ptr() as usize, mode])
}

/// `unlinkat` of a file.
pub fn unlink(path: &CStr) -> Result {
    call(linux::__NR_unlinkat, [HERE, path.as_ptr() as usize, 0])
}

/// `unlinkat` of a directory.
pub fn rmdir(path: &CStr) -> Result {
    call(linux::__NR_unlinkat, [HERE, path.as_ptr() as usize, linux::AT_REMOVEDIR as usize])
}

/// `linkat`.
pub fn link(old: &CStr, new: &CStr) -> Result {
    call(linux::__NR_linkat, [HERE, old.as_ptr() as usize, HERE, new.as_ptr() as usize, 0])
}

/// `symlinkat`.
pub fn symlink(target: &CStr, path: &CStr) -> Result {
    call(linux::__NR_symlinkat, [target.as_ptr() as usize, HERE, path.as_ptr() as usize])
}

/// `renameat2`.
pub fn rename(old: &CStr, new: &CStr, flags: u32) -> Result {
    let (old, new) = (old.as_ptr() as usize, new.as_ptr() as usize);
    call(linux::__NR_renameat2, [HERE, old, HERE, new, flags as usize])
}

/// `newfstatat` without following the last link.
pub fn lstat(path: &CStr) -> core::result::Result<Attributes, Errno> {
    let mut raw = [0u64; 16];
    let nofollow = linux::AT_SYMLINK_NOFOLLOW as usize;
    call(linux::__NR_newfstatat, [HERE, path.as_ptr() as usize, raw.as_mut_ptr() as usize, nofollow])?;
    Ok(decode(&raw))
}

/// `fstat`.
pub fn fstat(fd: usize) -> core::result::Result<Attributes, Errno> {
    let mut raw = [0u64; 16];
    call(linux::__NR_fstat, [fd, raw.as_mut_ptr() as usize])?;
    Ok(decode(&raw))
}

/// `struct stat` of arm64 as words.
fn decode(raw: &[u64; 16]) -> Attributes {
    Attributes {
        ino: raw[1],
        mode: raw[2] as u32,
        nlink: (raw[2] >> 32) as u32,
        uid: raw[3] as u32,
        gid: (raw[3] >> 32) as u32,
        size: raw[6],
        blocks: raw[8],
        atime: (raw[9], raw[10]),
        mtime: (raw[11], raw[12]),
    }
}

/// `pipe2`: the end to read from and the end to write to.
pub fn pipe(flags: u32) -> core::result::Result<(usize, usize), Errno> {
    let mut ends = [0i32; 2];
    call(linux::__NR_pipe2, [ends.as_mut_ptr() as usize, flags as usize])?;
    Ok((ends[0] as usize, ends[1] as usize))
}

/// `fcntl`.
pub fn fcntl(fd: usize, command: u32, arg: usize) -> Result {
    call(linux::__NR_fcntl, [fd, command as usize, arg])
}
