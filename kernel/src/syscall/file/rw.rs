//! Bytes of files: read and write in all variants, positions, directory entries, ioctl.

use super::super::SysResult;
use super::super::layout::Iovec;
use super::{at_exec, length};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPtr, UserSlice};
use crate::file::{PageCache, UserBuffers};
use crate::task::current;
use crate::task::signal::send_to_current;
use abi::signal::{SigInfo, Signal, code};
use abi::{Errno, OpenFlags, Whence};
use alloc::vec::Vec;
use arrayvec::ArrayVec;
use fs::vfs::{FileKind, MAX_RW_COUNT};

/// Buffers of a vectored call that are kept without allocating, Linux's UIO_FASTIOV.
const FAST_IOV: usize = 8;
/// Most buffers of a vectored call, UIO_MAXIOV.
const MAX_IOV: u64 = 1024;

/// `ioctl` commands that work on files of more than one type.
const FIONREAD: u32 = 0x541b;
const FIONBIO: u32 = 0x5421;
const FIONCLEX: u32 = 0x5450;
const FIOCLEX: u32 = 0x5451;

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
    let result = (|| {
        let file = current().files()?.get(fd)?;
        if !file.is_writable() {
            return Err(Errno::EBADF);
        }
        let buffers = [UserSlice::new(addr, len as usize)?];
        file.write(&PageCache, &mut UserBuffers::new(&buffers, MAX_RW_COUNT))
    })();
    Ok(broken_pipe(result)? as u64)
}

/// Sends the program SIGPIPE if `result` says that it wrote to a pipe without readers.
pub(super) fn broken_pipe(result: Result<usize, Errno>) -> Result<usize, Errno> {
    if result == Err(Errno::EPIPE) {
        let info = SigInfo::from_process(Signal::SIGPIPE, code::SI_USER, current().pid(), 0);
        send_to_current(info);
    }
    result
}

/// `pwrite64(2)`.
pub fn pwrite64(frame: &mut TrapFrame) -> SysResult {
    let [fd, addr, len, pos, ..] = frame.args();
    let pos = length(pos)? as u64;
    let file = current().files()?.get(fd)?;
    let buffers = [UserSlice::new(addr, len as usize)?];
    let count = file.pwrite(&PageCache, pos, &mut UserBuffers::new(&buffers, MAX_RW_COUNT))?;
    Ok(count as u64)
}

/// The buffers of a vectored call. EINVAL for too many, or for a negative length.
pub(super) fn with_iovecs<R>(
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

/// Where a vectored call begins.
#[derive(Clone, Copy)]
enum At {
    /// At the file position.
    Here,
    /// At this one.
    Pos(u64),
}

/// The flags of `preadv2` and `pwritev2`: hints about latency and durability, of which nothing follows here.
const RWF_HINTS: u64 = 0x1 | 0x2 | 0x4;

/// The position argument of `preadv2` and `pwritev2`, which can ask for the file position.
fn position(pos: u64, flags: u64) -> Result<At, Errno> {
    if flags & !RWF_HINTS != 0 {
        return Err(Errno::EOPNOTSUPP);
    }
    if pos == u64::MAX { Ok(At::Here) } else { Ok(At::Pos(length(pos)? as u64)) }
}

fn read_vector(fd: u64, list: u64, count: u64, at: At) -> SysResult {
    let file = current().files()?.get(fd)?;
    let read = |buffers: &[UserSlice]| {
        let mut sink = UserBuffers::new(buffers, MAX_RW_COUNT);
        match at {
            At::Here => file.read(&PageCache, &mut sink),
            At::Pos(pos) => file.pread(&PageCache, pos, &mut sink),
        }
    };
    Ok(with_iovecs(list, count, read)? as u64)
}

fn write_vector(fd: u64, list: u64, count: u64, at: At) -> SysResult {
    let result = (|| {
        let file = current().files()?.get(fd)?;
        with_iovecs(list, count, |buffers| {
            let mut source = UserBuffers::new(buffers, MAX_RW_COUNT);
            match at {
                At::Here => file.write(&PageCache, &mut source),
                At::Pos(pos) => file.pwrite(&PageCache, pos, &mut source),
            }
        })
    })();
    Ok(broken_pipe(result)? as u64)
}

/// `readv(2)`.
pub fn readv(frame: &mut TrapFrame) -> SysResult {
    let [fd, list, count, ..] = frame.args();
    read_vector(fd, list, count, At::Here)
}

/// `writev(2)`.
pub fn writev(frame: &mut TrapFrame) -> SysResult {
    let [fd, list, count, ..] = frame.args();
    write_vector(fd, list, count, At::Here)
}

/// `preadv(2)`.
pub fn preadv(frame: &mut TrapFrame) -> SysResult {
    let [fd, list, count, pos, ..] = frame.args();
    read_vector(fd, list, count, At::Pos(length(pos)? as u64))
}

/// `pwritev(2)`.
pub fn pwritev(frame: &mut TrapFrame) -> SysResult {
    let [fd, list, count, pos, ..] = frame.args();
    write_vector(fd, list, count, At::Pos(length(pos)? as u64))
}

/// `preadv2(2)`.
pub fn preadv2(frame: &mut TrapFrame) -> SysResult {
    let [fd, list, count, pos, _, flags] = frame.args();
    read_vector(fd, list, count, position(pos, flags)?)
}

/// `pwritev2(2)`.
pub fn pwritev2(frame: &mut TrapFrame) -> SysResult {
    let [fd, list, count, pos, _, flags] = frame.args();
    write_vector(fd, list, count, position(pos, flags)?)
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
    let task = current();
    let file = task.files()?.get(fd)?;
    match (command as u32, file.kind()) {
        (FIOCLEX | FIONCLEX, _) if !file.is_path() => {
            task.files()?.set_at_exec(fd, at_exec(command as u32 == FIOCLEX))?;
            Ok(0)
        }
        (FIONREAD, FileKind::Pipe(end)) => {
            UserPtr::new(arg).write(end.pipe().len() as u32)?;
            Ok(0)
        }
        (FIONREAD, FileKind::PageCache(mapping)) => {
            let pos = file.lseek(0, Whence::Cur)?;
            UserPtr::new(arg).write(mapping.size().saturating_sub(pos) as u32)?;
            Ok(0)
        }
        (FIONBIO, kind) if !matches!(kind, FileKind::Path) => {
            let on = UserPtr::<u32>::new(arg).read()? != 0;
            let flags = file.flags();
            file.set_flags(if on { flags | OpenFlags::NONBLOCK } else { flags - OpenFlags::NONBLOCK });
            Ok(0)
        }
        _ => file.ioctl(command as u32, arg),
    }
}
