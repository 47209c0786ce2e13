//! Attributes of files: permissions, owners, times, sizes.

use super::super::SysResult;
use super::super::layout::Timespec;
use super::{check_flags, open_file, place_at};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::drivers::timer::NSEC_PER_SEC;
use crate::file::vfs;
use crate::task::current;
use abi::{Errno, raw};
use fs::inode::SetTime;
use fs::kstat::{self, FileType};
use fs::perm::{MAY_EXEC, MAY_WRITE, permission};
use fs::vfs::{Path, Times};

/// `fchmodat(2)`, which has no flags.
pub fn fchmodat(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, mode, ..] = frame.args();
    chmod_at(dirfd, path, mode, 0)
}

/// `fchmodat2(2)`.
pub fn fchmodat2(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, mode, flags, ..] = frame.args();
    chmod_at(dirfd, path, mode, check_flags(flags, raw::AT_SYMLINK_NOFOLLOW | raw::AT_EMPTY_PATH)?)
}

fn chmod_at(dirfd: u64, path: u64, mode: u64, flags: u32) -> SysResult {
    let fs = current().fs()?;
    let place = place_at(&fs, dirfd, path, flags)?;
    vfs().chmod(fs.context().cred, &place, mode as u32)?;
    Ok(0)
}

/// `fchmod(2)`.
pub fn fchmod(frame: &mut TrapFrame) -> SysResult {
    let [fd, mode, ..] = frame.args();
    vfs().chmod(current().fs()?.context().cred, open_file(fd)?.path(), mode as u32)?;
    Ok(0)
}

/// `fchownat(2)`.
pub fn fchownat(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, uid, gid, flags, _] = frame.args();
    let flags = check_flags(flags, raw::AT_SYMLINK_NOFOLLOW | raw::AT_EMPTY_PATH)?;
    let fs = current().fs()?;
    let place = place_at(&fs, dirfd, path, flags)?;
    vfs().chown(fs.context().cred, &place, owner(uid), owner(gid))?;
    Ok(0)
}

/// `fchown(2)`.
pub fn fchown(frame: &mut TrapFrame) -> SysResult {
    let [fd, uid, gid, ..] = frame.args();
    vfs().chown(current().fs()?.context().cred, open_file(fd)?.path(), owner(uid), owner(gid))?;
    Ok(0)
}

/// A user or group number; -1 stands for the present one.
fn owner(id: u64) -> Option<u32> {
    Some(id as u32).filter(|id| *id != u32::MAX)
}

/// `utimensat(2)`. Without a path, the descriptor's file is meant.
pub fn utimensat(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, times, flags, ..] = frame.args();
    let times = times_from_user(UserPtr::new(times))?;
    if times.atime.is_none() && times.mtime.is_none() {
        return Ok(0);
    }
    let fs = current().fs()?;
    let cred = fs.context().cred;
    if path == 0 && dirfd as i32 != raw::AT_FDCWD {
        check_flags(flags, 0)?;
        vfs().utimens(cred, open_file(dirfd)?.path(), times)?;
        return Ok(0);
    }
    let flags = check_flags(flags, raw::AT_SYMLINK_NOFOLLOW | raw::AT_EMPTY_PATH)?;
    vfs().utimens(cred, &place_at(&fs, dirfd, path, flags)?, times)?;
    Ok(0)
}

/// The two times of `utimensat`; none given means the present for both.
fn times_from_user(times: UserPtr<Timespec>) -> Result<Times, Errno> {
    const UTIME_NOW: i64 = 0x3fff_ffff;
    const UTIME_OMIT: i64 = 0x3fff_fffe;
    if times.is_null() {
        return Ok(Times { atime: Some(SetTime::Now), mtime: Some(SetTime::Now) });
    }
    let time = |index| {
        let Timespec { sec, nsec } = times.at(index)?.read()?;
        match nsec {
            UTIME_NOW => Ok(Some(SetTime::Now)),
            UTIME_OMIT => Ok(None),
            0.. if (nsec as u64) < NSEC_PER_SEC => {
                Ok(Some(SetTime::To(kstat::Timespec { sec, nsec: nsec as u32 })))
            }
            _ => Err(Errno::EINVAL),
        }
    };
    Ok(Times { atime: time(0)?, mtime: time(1)? })
}

/// `faccessat(2)`, which has no flags.
pub fn faccessat(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, mode, ..] = frame.args();
    access(dirfd, path, mode, 0)
}

/// `faccessat2(2)`.
pub fn faccessat2(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, mode, flags, ..] = frame.args();
    let known = raw::AT_EACCESS | raw::AT_SYMLINK_NOFOLLOW | raw::AT_EMPTY_PATH;
    access(dirfd, path, mode, check_flags(flags, known)?)
}

fn access(dirfd: u64, path: u64, mode: u64, flags: u32) -> SysResult {
    let want = check_flags(mode, 7)?;
    let fs = current().fs()?;
    if flags & raw::AT_EACCESS != 0 {
        may_access(&place_at(&fs, dirfd, path, flags)?, fs.context().cred, want)?;
        return Ok(0);
    }
    // The path is walked with the real identity, too.
    let real = fs.with_real_ids();
    may_access(&place_at(&real, dirfd, path, flags)?, real.context().cred, want)?;
    Ok(0)
}

fn may_access(place: &Path, cred: &fs::perm::Cred, want: u32) -> Result<(), Errno> {
    let stored = matches!(place.file_type(), FileType::Regular | FileType::Directory | FileType::Symlink);
    let mount = place.mount.flags;
    if want & MAY_EXEC != 0 && mount.noexec && place.file_type() == FileType::Regular {
        return Err(Errno::EACCES);
    }
    if want & MAY_WRITE != 0 && mount.read_only && stored {
        return Err(Errno::EROFS);
    }
    permission(&place.dentry.inode().stat()?, cred, want)
}
