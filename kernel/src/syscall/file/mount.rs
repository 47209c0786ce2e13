//! Mounting, and what is mounted.

use super::super::SysResult;
use super::super::layout::Statfs;
use super::{check_flags, place_at};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPtr, strncpy_from_user};
use crate::file::{new_file_system, vfs};
use crate::heap;
use crate::task::current;
use abi::{CapSet, Errno, raw};
use alloc::string::String;
use alloc::vec::Vec;
use fs::vfs::{MountFlags, NAME_MAX, Path};

/// Longest option string, a page as on Linux.
const DATA_MAX: usize = 4096;
/// Wishes that change nothing here: times are always kept as `relatime` says, and nothing is written late.
const MS_IGNORED: u32 = raw::MS_SYNCHRONOUS
    | raw::MS_DIRSYNC
    | raw::MS_NOATIME
    | raw::MS_NODIRATIME
    | raw::MS_SILENT
    | raw::MS_RELATIME
    | raw::MS_STRICTATIME
    | raw::MS_LAZYTIME;

/// `mount(2)`: a new tmpfs or another view of `/proc`. ENODEV for other types; EINVAL for what is no new mount (remounting, binding, moving).
pub fn mount(frame: &mut TrapFrame) -> SysResult {
    let [source, target, kind, flags, data, _] = frame.args();
    heap::reserve()?;
    let flags = flags as u32;
    let source = optional(source, NAME_MAX)?;
    let kind = optional(kind, NAME_MAX)?;
    let data = optional(data, DATA_MAX)?;
    let fs = current().fs()?;
    fs.cred().require(CapSet::SYS_ADMIN)?;
    let at = place_at(&fs, raw::AT_FDCWD as u64, target, 0)?;
    if flags & !(MS_IGNORED | raw::MS_RDONLY | raw::MS_NOSUID | raw::MS_NODEV | raw::MS_NOEXEC) != 0 {
        return Err(Errno::EINVAL);
    }
    let new = new_file_system(&kind, &data)?;
    let flags = MountFlags {
        read_only: flags & raw::MS_RDONLY != 0,
        nodev: flags & raw::MS_NODEV != 0,
        noexec: flags & raw::MS_NOEXEC != 0,
        nosuid: flags & raw::MS_NOSUID != 0,
    };
    vfs().mount(new, at, flags, String::from_utf8_lossy(&source).into_owned())?;
    Ok(0)
}

/// A string of less than `limit` bytes, empty if there is none.
fn optional(from: u64, limit: usize) -> Result<Vec<u8>, Errno> {
    if from == 0 { Ok(Vec::new()) } else { strncpy_from_user(from, limit, Errno::EINVAL) }
}

/// `umount2(2)`.
pub fn umount2(frame: &mut TrapFrame) -> SysResult {
    const KNOWN: u32 = raw::MNT_FORCE | raw::UMOUNT_NOFOLLOW;
    let [target, flags, ..] = frame.args();
    let flags = check_flags(flags, KNOWN)?;
    let fs = current().fs()?;
    fs.cred().require(CapSet::SYS_ADMIN)?;
    let nofollow = if flags & raw::UMOUNT_NOFOLLOW != 0 { raw::AT_SYMLINK_NOFOLLOW } else { 0 };
    vfs().umount(place_at(&fs, raw::AT_FDCWD as u64, target, nofollow)?)?;
    Ok(0)
}

/// `statfs(2)`.
pub fn statfs(frame: &mut TrapFrame) -> SysResult {
    let [path, to, ..] = frame.args();
    let fs = current().fs()?;
    let place = place_at(&fs, raw::AT_FDCWD as u64, path, 0)?;
    write_statfs(&place, to)
}

/// `fstatfs(2)`.
pub fn fstatfs(frame: &mut TrapFrame) -> SysResult {
    let [fd, to, ..] = frame.args();
    let file = current().files()?.get(fd)?;
    write_statfs(file.path(), to)
}

fn write_statfs(place: &Path, to: u64) -> SysResult {
    // `ST_VALID` and the like, Linux's `include/linux/statfs.h`.
    const ST_RDONLY: u64 = 0x1;
    const ST_NOSUID: u64 = 0x2;
    const ST_NODEV: u64 = 0x4;
    const ST_NOEXEC: u64 = 0x8;
    const ST_VALID: u64 = 0x20;
    const ST_RELATIME: u64 = 0x1000;
    let stat = place.mount.fs.statfs();
    let mount = place.mount.flags;
    let flag = |on, value| if on { value } else { 0 };
    let flags = ST_VALID
        | ST_RELATIME
        | flag(mount.read_only, ST_RDONLY)
        | flag(mount.nosuid, ST_NOSUID)
        | flag(mount.nodev, ST_NODEV)
        | flag(mount.noexec, ST_NOEXEC);
    let dev = place.mount.root.inode().stat()?.dev.encode();
    UserPtr::new(to).write(Statfs {
        kind: stat.magic,
        bsize: stat.block_size,
        blocks: stat.blocks,
        bfree: stat.blocks_free,
        bavail: stat.blocks_free,
        files: stat.files,
        ffree: stat.files_free,
        fsid: [dev, 0],
        namelen: NAME_MAX as u64,
        frsize: stat.block_size,
        flags,
        spare: [0; 4],
    })?;
    Ok(0)
}
