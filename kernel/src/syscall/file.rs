//! Files and descriptors. The rules are in `fs::vfs`; here arguments become its types.

use super::SysResult;
use super::layout::{Iovec, Stat, Timespec};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPtr, UserSlice, copy_to_user, path_from_user};
use crate::file::{AtExec, FsInfo, PageCache, UserBuffers, vfs};
use crate::heap;
use crate::task::{Current, current};
use abi::{Errno, OpenFlags, Whence, raw};
use alloc::sync::Arc;
use alloc::vec::Vec;
use arrayvec::ArrayVec;
use fs::kstat::{self, FileType, Kstat};
use fs::vfs::{EmptyPath, File, LastSymlink, MAX_RW_COUNT, PATH_MAX, Path};

/// Buffers of a vectored call that are kept without allocating, Linux's UIO_FASTIOV.
const FAST_IOV: usize = 8;
/// Most buffers of a vectored call, UIO_MAXIOV.
const MAX_IOV: u64 = 1024;

/// A position or a length that is signed in the end: negative ones are EINVAL.
fn length(len: u64) -> Result<usize, Errno> {
    isize::try_from(len).map(|len| len as usize).map_err(|_| Errno::EINVAL)
}

fn open_limit(task: &Current) -> u64 {
    task.rlimits.lock()[raw::RLIMIT_NOFILE as usize].cur
}

fn at_exec(close: bool) -> AtExec {
    if close { AtExec::Close } else { AtExec::Keep }
}

/// Where the walk of `path` begins: at `dirfd`, which is looked at only if the path is relative.
fn base(task: &Current, fs: &FsInfo, dirfd: u64, path: &[u8]) -> Result<Path, Errno> {
    if dirfd as i32 == raw::AT_FDCWD || path.first() == Some(&b'/') {
        return Ok(fs.cwd());
    }
    Ok(task.files()?.get(dirfd)?.path().clone())
}

/// `openat(2)`.
pub fn openat(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, flags, ..] = frame.args();
    heap::reserve()?;
    let path = path_from_user(path)?;
    let task = current();
    let fs = task.fs()?;
    let flags = OpenFlags::from_bits_retain(flags as u32);
    let file = vfs().open(fs.context(), &base(&task, &fs, dirfd, &path)?, &path, flags)?;
    let at_exec = at_exec(flags.contains(OpenFlags::CLOEXEC));
    Ok(task.files()?.install(file, at_exec, open_limit(&task))?.into())
}

/// `close(2)`.
pub fn close(frame: &mut TrapFrame) -> SysResult {
    let [fd, ..] = frame.args();
    current().files()?.close(fd)?;
    Ok(0)
}

/// `dup(2)`.
pub fn dup(frame: &mut TrapFrame) -> SysResult {
    let [fd, ..] = frame.args();
    let task = current();
    let files = task.files()?;
    let file = files.get(fd)?;
    Ok(files.install(file, AtExec::Keep, open_limit(&task))?.into())
}

/// `dup3(2)`.
pub fn dup3(frame: &mut TrapFrame) -> SysResult {
    let [old, new, flags, ..] = frame.args();
    let flags = flags as u32;
    if flags & !raw::O_CLOEXEC != 0 || old as u32 == new as u32 {
        return Err(Errno::EINVAL);
    }
    let task = current();
    let limit = open_limit(&task);
    let files = task.files()?;
    let new = new as u32;
    if u64::from(new) >= limit {
        return Err(Errno::EBADF);
    }
    files.replace(new, files.get(old)?, at_exec(flags != 0), limit)?;
    Ok(new.into())
}

/// `read(2)`.
pub fn read(frame: &mut TrapFrame) -> SysResult {
    let [fd, addr, len, ..] = frame.args();
    let file = current().files()?.get(fd)?;
    if !file.is_readable() {
        return Err(Errno::EBADF);
    }
    let buffers = [UserSlice::new(addr, len as usize)?];
    let count = file.read(&PageCache, &mut UserBuffers::new(&buffers, MAX_RW_COUNT))?;
    Ok(count as u64)
}

/// `pread64(2)`.
pub fn pread64(frame: &mut TrapFrame) -> SysResult {
    let [fd, addr, len, pos, ..] = frame.args();
    let pos = length(pos)? as u64;
    let file = current().files()?.get(fd)?;
    let buffers = [UserSlice::new(addr, len as usize)?];
    let count = file.pread(&PageCache, pos, &mut UserBuffers::new(&buffers, MAX_RW_COUNT))?;
    Ok(count as u64)
}

/// `write(2)`.
pub fn write(frame: &mut TrapFrame) -> SysResult {
    let [fd, addr, len, ..] = frame.args();
    let file = current().files()?.get(fd)?;
    if !file.is_writable() {
        return Err(Errno::EBADF);
    }
    let buffers = [UserSlice::new(addr, len as usize)?];
    let count = file.write(&mut UserBuffers::new(&buffers, MAX_RW_COUNT))?;
    Ok(count as u64)
}

/// The buffers of a vectored call. EINVAL for too many, or for a negative length.
fn with_iovecs<R>(
    addr: u64,
    count: u64,
    f: impl FnOnce(&[UserSlice]) -> Result<R, Errno>,
) -> Result<R, Errno> {
    if count > MAX_IOV {
        return Err(Errno::EINVAL);
    }
    let list = UserPtr::<Iovec>::new(addr);
    let buffer = |index: usize| {
        let iovec = list.at(index)?.read()?;
        UserSlice::new(iovec.base, length(iovec.len)?)
    };
    let count = count as usize;
    if count <= FAST_IOV {
        let mut buffers = ArrayVec::<UserSlice, FAST_IOV>::new();
        for index in 0..count {
            buffers.push(buffer(index)?);
        }
        return f(&buffers);
    }
    let mut buffers = Vec::new();
    buffers.try_reserve_exact(count).map_err(|_| Errno::ENOMEM)?;
    for index in 0..count {
        buffers.push(buffer(index)?);
    }
    f(&buffers)
}

/// `readv(2)`.
pub fn readv(frame: &mut TrapFrame) -> SysResult {
    let [fd, list, count, ..] = frame.args();
    let file = current().files()?.get(fd)?;
    let read = |buffers: &[UserSlice]| file.read(&PageCache, &mut UserBuffers::new(buffers, MAX_RW_COUNT));
    Ok(with_iovecs(list, count, read)? as u64)
}

/// `writev(2)`.
pub fn writev(frame: &mut TrapFrame) -> SysResult {
    let [fd, list, count, ..] = frame.args();
    let file = current().files()?.get(fd)?;
    let write = |buffers: &[UserSlice]| file.write(&mut UserBuffers::new(buffers, MAX_RW_COUNT));
    Ok(with_iovecs(list, count, write)? as u64)
}

/// `lseek(2)`.
pub fn lseek(frame: &mut TrapFrame) -> SysResult {
    let [fd, offset, whence, ..] = frame.args();
    let file = current().files()?.get(fd)?;
    let whence = Whence::from_raw(whence as u32).ok_or(Errno::EINVAL)?;
    file.lseek(offset as i64, whence)
}

/// `getdents64(2)`.
pub fn getdents64(frame: &mut TrapFrame) -> SysResult {
    let [fd, addr, len, ..] = frame.args();
    let file = current().files()?.get(fd)?;
    // The length is an unsigned int.
    let buffers = [UserSlice::new(addr, len as u32 as usize)?];
    Ok(file.getdents64(&mut UserBuffers::new(&buffers, MAX_RW_COUNT))? as u64)
}

/// `ioctl(2)`.
pub fn ioctl(frame: &mut TrapFrame) -> SysResult {
    let [fd, command, arg, ..] = frame.args();
    let file: Arc<File> = current().files()?.get(fd)?;
    file.ioctl(command as u32, arg)
}

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
    let flags = flags as u32;
    if flags & !KNOWN != 0 {
        return Err(Errno::EINVAL);
    }
    let path = path_from_user(path)?;
    let last_symlink =
        if flags & raw::AT_SYMLINK_NOFOLLOW != 0 { LastSymlink::Keep } else { LastSymlink::Follow };
    let empty = if flags & raw::AT_EMPTY_PATH != 0 { EmptyPath::Base } else { EmptyPath::Refuse };
    let task = current();
    let fs = task.fs()?;
    let base = base(&task, &fs, dirfd, &path)?;
    let place = vfs().lookup(fs.context(), &base, &path, last_symlink, empty)?;
    let stat = place.dentry.inode().stat()?;
    UserPtr::new(to).write(Stat::from(&stat))?;
    Ok(0)
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
    if place.file_type() != FileType::Directory {
        return Err(Errno::ENOTDIR);
    }
    fs.set_cwd(place);
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

/// `sync(2)`: nothing is ever dirty on a read-only disk.
pub fn sync(_: &mut TrapFrame) -> SysResult {
    Ok(0)
}
