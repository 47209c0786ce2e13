//! Calls that tell the kernel what will be read or ask it to write things back: fadvise64, readahead, sync and its like.
//! What can be written lives in memory, so nothing is ever behind; the arguments are checked all the same.

use super::super::SysResult;
use super::{check_flags, length, open_file};
use crate::arch::trap::TrapFrame;
use abi::{Errno, raw};
use fs::kstat::FileType;
use fs::vfs::FileKind;

/// `fadvise64(2)`. Readahead finds its way by itself.
pub fn fadvise64(frame: &mut TrapFrame) -> SysResult {
    let [fd, _, len, advice, ..] = frame.args();
    let file = open_file(fd)?;
    if file.path().file_type() == FileType::Fifo {
        return Err(Errno::ESPIPE);
    }
    length(len)?;
    let known = raw::POSIX_FADV_NORMAL..=raw::POSIX_FADV_NOREUSE;
    if known.contains(&(advice as u32)) { Ok(0) } else { Err(Errno::EINVAL) }
}

/// `readahead(2)`. The pages come when they are read.
pub fn readahead(frame: &mut TrapFrame) -> SysResult {
    let [fd, ..] = frame.args();
    let file = open_file(fd)?;
    if !file.is_readable() {
        return Err(Errno::EBADF);
    }
    match file.kind() {
        FileKind::PageCache(_) => Ok(0),
        _ => Err(Errno::EINVAL),
    }
}

/// `sync(2)`.
pub fn sync(_: &mut TrapFrame) -> SysResult {
    Ok(0)
}

/// `syncfs(2)`.
pub fn syncfs(frame: &mut TrapFrame) -> SysResult {
    let [fd, ..] = frame.args();
    open_file(fd).map(|_| 0)
}

/// `fsync(2)` and `fdatasync(2)`.
pub fn fsync(frame: &mut TrapFrame) -> SysResult {
    let [fd, ..] = frame.args();
    match open_file(fd)?.kind() {
        FileKind::PageCache(_) | FileKind::Directory => Ok(0),
        _ => Err(Errno::EINVAL),
    }
}

/// `sync_file_range(2)`.
pub fn sync_file_range(frame: &mut TrapFrame) -> SysResult {
    const KNOWN: u32 =
        raw::SYNC_FILE_RANGE_WAIT_BEFORE | raw::SYNC_FILE_RANGE_WRITE | raw::SYNC_FILE_RANGE_WAIT_AFTER;
    let [fd, offset, len, flags, ..] = frame.args();
    let file = open_file(fd)?;
    check_flags(flags, KNOWN)?;
    let (offset, len) = (length(offset)?, length(len)?);
    isize::try_from(offset.wrapping_add(len)).map_err(|_| Errno::EINVAL)?;
    match file.path().file_type() {
        FileType::Regular | FileType::BlockDevice | FileType::Directory | FileType::Symlink => Ok(0),
        _ => Err(Errno::ESPIPE),
    }
}
