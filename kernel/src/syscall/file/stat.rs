//! What is told about a file: fstat, newfstatat, statx.

use super::super::SysResult;
use super::super::layout::{Stat, Statx, StatxTimestamp, Timespec};
use super::{check_flags, place_at};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::task::current;
use abi::{Errno, raw};
use fs::kstat::{self, Kstat};

/// `fstat(2)`.
pub fn fstat(frame: &mut TrapFrame) -> SysResult {
    let [fd, to, ..] = frame.args();
    let stat = current().files()?.get(fd)?.stat()?;
    UserPtr::new(to).write(Stat::from(&stat))?;
    Ok(0)
}

/// `newfstatat(2)`.
pub fn newfstatat(frame: &mut TrapFrame) -> SysResult {
    const KNOWN: u32 = raw::AT_SYMLINK_NOFOLLOW | raw::AT_NO_AUTOMOUNT | raw::AT_EMPTY_PATH;
    let [dirfd, path, to, flags, ..] = frame.args();
    let flags = check_flags(flags, KNOWN)?;
    let fs = current().fs()?;
    let stat = place_at(&fs, dirfd, path, flags)?.dentry.inode().stat()?;
    UserPtr::new(to).write(Stat::from(&stat))?;
    Ok(0)
}

/// `statx(2)`. All of the basic fields are given, whatever was asked for; nothing else is known here.
pub fn statx(frame: &mut TrapFrame) -> SysResult {
    const KNOWN: u32 =
        raw::AT_SYMLINK_NOFOLLOW | raw::AT_NO_AUTOMOUNT | raw::AT_EMPTY_PATH | raw::AT_STATX_SYNC_TYPE;
    let [dirfd, path, flags, mask, to, _] = frame.args();
    let (flags, mask) = (flags as u32, mask as u32);
    let both = flags & raw::AT_STATX_SYNC_TYPE == raw::AT_STATX_SYNC_TYPE;
    if mask & raw::STATX__RESERVED != 0 || both || flags & !KNOWN != 0 {
        return Err(Errno::EINVAL);
    }
    let fs = current().fs()?;
    let stat = place_at(&fs, dirfd, path, flags)?.dentry.inode().stat()?;
    UserPtr::new(to).write(Statx::from(&stat))?;
    Ok(0)
}

impl From<&Kstat> for Statx {
    fn from(stat: &Kstat) -> Statx {
        let time = |time: kstat::Timespec| StatxTimestamp { sec: time.sec, nsec: time.nsec, reserved: 0 };
        Statx {
            mask: raw::STATX_BASIC_STATS,
            blksize: stat.blksize,
            attributes: 0,
            nlink: stat.nlink,
            uid: stat.uid,
            gid: stat.gid,
            mode: stat.mode as u16,
            pad1: 0,
            ino: stat.ino,
            size: stat.size,
            blocks: stat.blocks,
            attributes_mask: 0,
            atime: time(stat.atime),
            btime: time(kstat::Timespec::default()),
            ctime: time(stat.ctime),
            mtime: time(stat.mtime),
            rdev_major: stat.rdev.major,
            rdev_minor: stat.rdev.minor,
            dev_major: stat.dev.major,
            dev_minor: stat.dev.minor,
            spare: [0; 14],
        }
    }
}

impl From<&Kstat> for Stat {
    fn from(stat: &Kstat) -> Stat {
        let time = |time: kstat::Timespec| Timespec { sec: time.sec, nsec: time.nsec.into() };
        Stat {
            dev: stat.dev.encode().into(),
            ino: stat.ino,
            mode: stat.mode,
            nlink: stat.nlink,
            uid: stat.uid,
            gid: stat.gid,
            rdev: stat.rdev.encode().into(),
            pad1: 0,
            size: stat.size,
            blksize: stat.blksize,
            pad2: 0,
            blocks: stat.blocks,
            atime: time(stat.atime),
            mtime: time(stat.mtime),
            ctime: time(stat.ctime),
            unused: [0; 2],
        }
    }
}
