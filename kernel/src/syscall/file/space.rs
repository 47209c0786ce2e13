//! Space of files and what may still be done to them: fallocate, truncate, seals, memfd_create.

use super::super::SysResult;
use super::{at_exec, check_flags, length, open_file, open_limit, place_at};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::strncpy_from_user;
use crate::file::{PageCache, unnamed, vfs};
use crate::heap;
use crate::task::current;
use abi::{Errno, raw};
use fs::inode::Fallocate;
use fs::kstat::FileType;
use fs::seal::Seals;
use fs::vfs::File;

/// Modes of `fallocate(2)`, `uapi/linux/falloc.h`. One operation at a time; only some keep the size.
const KEEP_SIZE: u32 = 0x01;
const PUNCH_HOLE: u32 = 0x02;

/// Longest name of a memfd, without its NUL: with `memfd:` before it, it is a file's.
const MEMFD_NAME_MAX: usize = 249;

/// `fallocate(2)`. What no file system here can do is EOPNOTSUPP, as are modes that do not exist.
pub fn fallocate(frame: &mut TrapFrame) -> SysResult {
    let [fd, mode, offset, len, ..] = frame.args();
    heap::reserve()?;
    let file = open_file(fd)?;
    let (offset, len) = (length(offset)? as u64, length(len)? as u64);
    if len == 0 {
        return Err(Errno::EINVAL);
    }
    let what = match mode as u32 {
        0 => Fallocate::Allocate,
        KEEP_SIZE => Fallocate::AllocateBeyond,
        mode if mode == PUNCH_HOLE | KEEP_SIZE => Fallocate::PunchHole,
        _ => return Err(Errno::EOPNOTSUPP),
    };
    if !file.is_writable() {
        return Err(Errno::EBADF);
    }
    match file.path().file_type() {
        FileType::Regular => {}
        FileType::Fifo => return Err(Errno::ESPIPE),
        FileType::Directory => return Err(Errno::EISDIR),
        _ => return Err(Errno::ENODEV),
    }
    let end = offset.checked_add(len).filter(|end| i64::try_from(*end).is_ok()).ok_or(Errno::EFBIG)?;
    file.path().dentry.inode().fallocate(&PageCache, what, offset, end)?;
    Ok(0)
}

/// `truncate(2)`.
pub fn truncate(frame: &mut TrapFrame) -> SysResult {
    let [path, size, ..] = frame.args();
    let size = length(size)? as u64;
    let fs = current().fs()?;
    let place = place_at(&fs, raw::AT_FDCWD as u64, path, 0)?;
    vfs().truncate(fs.context().cred, &PageCache, &place, size)?;
    Ok(0)
}

/// `ftruncate(2)`.
pub fn ftruncate(frame: &mut TrapFrame) -> SysResult {
    let [fd, size, ..] = frame.args();
    let size = length(size)? as u64;
    open_file(fd)?.truncate(&PageCache, size)?;
    Ok(0)
}

/// `fcntl(F_GET_SEALS)`. EINVAL for a file that can have none.
pub fn get_seals(file: &File) -> SysResult {
    let sealing = file.path().dentry.inode().sealing().ok_or(Errno::EINVAL)?;
    Ok(sealing.get().bits().into())
}

/// `fcntl(F_ADD_SEALS)`.
pub fn add_seals(file: &File, seals: u64) -> SysResult {
    if !file.is_writable() {
        return Err(Errno::EPERM);
    }
    let seals = Seals::from_bits(seals as u32).ok_or(Errno::EINVAL)?;
    let inode = file.path().dentry.inode();
    inode.sealing().ok_or(Errno::EINVAL)?.add(seals, inode.stat()?.mode)?;
    Ok(0)
}

/// `memfd_create(2)`.
pub fn memfd_create(frame: &mut TrapFrame) -> SysResult {
    const NO_EXEC: u32 = raw::MFD_NOEXEC_SEAL;
    const KNOWN: u32 = raw::MFD_CLOEXEC | raw::MFD_ALLOW_SEALING | NO_EXEC | raw::MFD_EXEC;
    let [name, flags, ..] = frame.args();
    heap::reserve()?;
    let flags = check_flags(flags, KNOWN)?;
    if flags & (NO_EXEC | raw::MFD_EXEC) == NO_EXEC | raw::MFD_EXEC {
        return Err(Errno::EINVAL);
    }
    let name = strncpy_from_user(name, MEMFD_NAME_MAX + 1, Errno::EINVAL)?;
    let (mode, seals) = match flags & (NO_EXEC | raw::MFD_ALLOW_SEALING) {
        0 => (0o777, Seals::SEAL),
        raw::MFD_ALLOW_SEALING => (0o777, Seals::empty()),
        // Sealing against execution allows further seals.
        _ => (0o666, Seals::EXEC),
    };
    let task = current();
    let fs = task.fs()?;
    let file = unnamed().memfd(fs.context().cred, &name, mode, seals)?;
    let at_exec = at_exec(flags & raw::MFD_CLOEXEC != 0);
    Ok(task.files()?.install(file, at_exec, open_limit(&task))?.into())
}
