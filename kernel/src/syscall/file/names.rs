//! Names in the tree: making, removing, renaming; where a process is.

use super::super::SysResult;
use super::{base, check_flags, place_at};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{copy_to_user, path_from_user};
use crate::file::{FsView, vfs};
use crate::heap;
use crate::task::current;
use abi::{CapSet, Errno, raw};
use alloc::vec::Vec;
use fs::inode::NewKind;
use fs::kstat::{Dev, FileType};
use fs::perm::may_traverse;
use fs::vfs::{EmptyPath, LastSymlink, PATH_MAX, Path, RenameMode};

/// `mkdirat(2)`.
pub fn mkdirat(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, mode, ..] = frame.args();
    heap::reserve()?;
    let path = path_from_user(path)?;
    let task = current();
    let fs = task.fs()?;
    vfs().mkdir(fs.context(), &*base(&task, &fs, dirfd, &path)?, &path, mode as u32)?;
    Ok(0)
}

/// `mknodat(2)`.
pub fn mknodat(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, mode, dev, ..] = frame.args();
    heap::reserve()?;
    let (mode, dev) = (mode as u32, Dev::decode(dev as u32));
    let kind = match mode & fs::kstat::S_IFMT {
        0 => NewKind::Regular,
        _ => match FileType::from_mode(mode).ok_or(Errno::EINVAL)? {
            FileType::Regular => NewKind::Regular,
            FileType::Fifo => NewKind::Fifo,
            FileType::Socket => NewKind::Socket,
            FileType::CharDevice => NewKind::CharDevice(dev),
            FileType::BlockDevice => NewKind::BlockDevice(dev),
            FileType::Directory => return Err(Errno::EPERM),
            FileType::Symlink => return Err(Errno::EINVAL),
        },
    };
    let path = path_from_user(path)?;
    let task = current();
    let fs = task.fs()?;
    vfs().mknod(fs.context(), &*base(&task, &fs, dirfd, &path)?, &path, kind, mode)?;
    Ok(0)
}

/// `symlinkat(2)`.
pub fn symlinkat(frame: &mut TrapFrame) -> SysResult {
    let [target, dirfd, path, ..] = frame.args();
    heap::reserve()?;
    let target = path_from_user(target)?;
    let path = path_from_user(path)?;
    if target.is_empty() {
        return Err(Errno::ENOENT);
    }
    let task = current();
    let fs = task.fs()?;
    vfs().symlink(fs.context(), &target, &*base(&task, &fs, dirfd, &path)?, &path)?;
    Ok(0)
}

/// `linkat(2)`.
pub fn linkat(frame: &mut TrapFrame) -> SysResult {
    let [old_dirfd, old, dirfd, path, flags, _] = frame.args();
    heap::reserve()?;
    let flags = check_flags(flags, raw::AT_SYMLINK_FOLLOW | raw::AT_EMPTY_PATH)?;
    let nofollow = if flags & raw::AT_SYMLINK_FOLLOW != 0 { 0 } else { raw::AT_SYMLINK_NOFOLLOW };
    let task = current();
    let fs = task.fs()?;
    // A name for what was only handed over takes the right to search everywhere.
    if flags & raw::AT_EMPTY_PATH != 0 && !fs.cred().has(CapSet::DAC_READ_SEARCH) {
        return Err(Errno::ENOENT);
    }
    let old = place_at(&fs, old_dirfd, old, nofollow | flags & raw::AT_EMPTY_PATH)?;
    let path = path_from_user(path)?;
    vfs().link(fs.context(), &old, &*base(&task, &fs, dirfd, &path)?, &path)?;
    Ok(0)
}

/// `unlinkat(2)`.
pub fn unlinkat(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, flags, ..] = frame.args();
    let flags = check_flags(flags, raw::AT_REMOVEDIR)?;
    let path = path_from_user(path)?;
    let task = current();
    let fs = task.fs()?;
    let base = base(&task, &fs, dirfd, &path)?;
    if flags & raw::AT_REMOVEDIR != 0 {
        vfs().rmdir(fs.context(), &base, &path)?;
    } else {
        vfs().unlink(fs.context(), &base, &path)?;
    }
    Ok(0)
}

/// `renameat(2)`.
pub fn renameat(frame: &mut TrapFrame) -> SysResult {
    rename(frame, RenameMode::Replace)
}

/// `renameat2(2)`.
pub fn renameat2(frame: &mut TrapFrame) -> SysResult {
    let [.., flags, _] = frame.args();
    let mode = match flags as u32 {
        0 => RenameMode::Replace,
        raw::RENAME_NOREPLACE => RenameMode::NoReplace,
        raw::RENAME_EXCHANGE => RenameMode::Exchange,
        _ => return Err(Errno::EINVAL),
    };
    rename(frame, mode)
}

fn rename(frame: &TrapFrame, mode: RenameMode) -> SysResult {
    let [old_dirfd, old, new_dirfd, new, ..] = frame.args();
    heap::reserve()?;
    let old = path_from_user(old)?;
    let new = path_from_user(new)?;
    let task = current();
    let fs = task.fs()?;
    let old_base = base(&task, &fs, old_dirfd, &old)?;
    let new_base = base(&task, &fs, new_dirfd, &new)?;
    vfs().rename(fs.context(), (&old_base, &old), (&new_base, &new), mode)?;
    Ok(0)
}

/// `umask(2)`.
pub fn umask(frame: &mut TrapFrame) -> SysResult {
    let [umask, ..] = frame.args();
    Ok(current().fs()?.set_umask(umask as u32 & 0o777).into())
}

/// `readlinkat(2)`: the target without a NUL, cut to what fits.
pub fn readlinkat(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, to, len, ..] = frame.args();
    let len = i32::try_from(len as u32).ok().filter(|&len| len > 0).ok_or(Errno::EINVAL)? as usize;
    let path = path_from_user(path)?;
    let task = current();
    let fs = task.fs()?;
    let base = base(&task, &fs, dirfd, &path)?;
    let place = vfs().lookup(fs.context(), &base, &path, LastSymlink::Keep, EmptyPath::Base)?;
    // Only a link opened by itself (O_PATH) is read through an empty path.
    let not_a_link = if path.is_empty() { Errno::ENOENT } else { Errno::EINVAL };
    if place.file_type() != FileType::Symlink {
        return Err(not_a_link);
    }
    let target = place.dentry.inode().readlink()?;
    let target = &target[..target.len().min(len)];
    copy_to_user(to, target)?;
    Ok(target.len() as u64)
}

/// `chdir(2)`.
pub fn chdir(frame: &mut TrapFrame) -> SysResult {
    let [path, ..] = frame.args();
    let path = path_from_user(path)?;
    let fs = current().fs()?;
    let place = vfs().lookup(fs.context(), &fs.cwd(), &path, LastSymlink::Follow, EmptyPath::Refuse)?;
    enter(place)
}

/// `fchdir(2)`.
pub fn fchdir(frame: &mut TrapFrame) -> SysResult {
    let [fd, ..] = frame.args();
    enter(current().files()?.get(fd)?.path().clone())
}

/// Makes `place` the working directory.
fn enter(place: Path) -> SysResult {
    let fs = current().fs()?;
    may_enter(&fs, &place)?;
    fs.set_cwd(place);
    Ok(0)
}

/// Whether a process may be in `place`.
fn may_enter(fs: &FsView, place: &Path) -> Result<(), Errno> {
    if place.file_type() != FileType::Directory {
        return Err(Errno::ENOTDIR);
    }
    may_traverse(&**place.dentry.inode(), fs.context().cred)
}

/// `chroot(2)`. The working directory stays where it is.
pub fn chroot(frame: &mut TrapFrame) -> SysResult {
    let [path, ..] = frame.args();
    heap::reserve()?;
    let path = path_from_user(path)?;
    let fs = current().fs()?;
    let place = vfs().lookup(fs.context(), &fs.cwd(), &path, LastSymlink::Follow, EmptyPath::Refuse)?;
    may_enter(&fs, &place)?;
    fs.cred().require(CapSet::SYS_CHROOT)?;
    fs.set_root(place);
    Ok(0)
}

/// `getcwd(2)`: the length with the NUL.
pub fn getcwd(frame: &mut TrapFrame) -> SysResult {
    let [to, len, ..] = frame.args();
    let fs = current().fs()?;
    let mut text = match fs.cwd().to_text(fs.root())? {
        Some(text) => text,
        None => {
            let mut text = Vec::from(b"(unreachable)");
            text.extend_from_slice(&fs.cwd().to_full_text()?);
            text
        }
    };
    text.push(0);
    debug_assert!(text.len() <= PATH_MAX + b"(unreachable)".len());
    if text.len() as u64 > len {
        return Err(Errno::ERANGE);
    }
    copy_to_user(to, &text)?;
    Ok(text.len() as u64)
}
