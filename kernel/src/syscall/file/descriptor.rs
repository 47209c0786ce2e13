//! Descriptors: closing, duplicating, their flags; files that have no name.

use super::super::SysResult;
use super::lock::{fcntl_lock, is_lock_command};
use super::space::{add_seals, get_seals};
use super::{at_exec, open_limit};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::file::{AtExec, unnamed};
use crate::heap;
use crate::task::current;
use abi::{Errno, OpenFlags, raw};
use fs::vfs::FileKind;

/// Flags of `close_range(2)`, `uapi/linux/close_range.h`.
const CLOSE_RANGE_UNSHARE: u32 = 1 << 1;
const CLOSE_RANGE_CLOEXEC: u32 = 1 << 2;

/// `close(2)`.
pub fn close(frame: &mut TrapFrame) -> SysResult {
    let [fd, ..] = frame.args();
    current().files()?.close(fd)?;
    Ok(0)
}

/// `close_range(2)`. Sharing a table is not a matter here: it is private to each process.
pub fn close_range(frame: &mut TrapFrame) -> SysResult {
    let [first, last, flags, ..] = frame.args();
    let (first, last) = (first as u32, last as u32);
    let flags = super::check_flags(flags, CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)?;
    if first > last {
        return Err(Errno::EINVAL);
    }
    let files = current().files()?;
    for fd in first..=last.min(files.len().saturating_sub(1)) {
        // Numbers without a file behind them are passed over.
        let _ = if flags & CLOSE_RANGE_CLOEXEC != 0 {
            files.set_at_exec(fd.into(), AtExec::Close)
        } else {
            files.close(fd.into())
        };
    }
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

/// `fcntl(2)`.
pub fn fcntl(frame: &mut TrapFrame) -> SysResult {
    let [fd, command, arg, ..] = frame.args();
    let task = current();
    let files = task.files()?;
    let file = files.get(fd)?;
    let command = command as u32;
    match command {
        raw::F_DUPFD | raw::F_DUPFD_CLOEXEC => {
            let limit = open_limit(&task);
            let lowest = u64::from(arg as u32);
            if lowest >= limit {
                return Err(Errno::EINVAL);
            }
            let at_exec = at_exec(command == raw::F_DUPFD_CLOEXEC);
            return Ok(files.install_from(lowest as u32, file, at_exec, limit)?.into());
        }
        raw::F_GETFD => {
            let closes = files.at_exec(fd)? == AtExec::Close;
            return Ok(if closes { raw::FD_CLOEXEC.into() } else { 0 });
        }
        raw::F_SETFD => {
            files.set_at_exec(fd, at_exec(arg as u32 & raw::FD_CLOEXEC != 0))?;
            return Ok(0);
        }
        raw::F_GETFL => return Ok(file.flags().bits().into()),
        _ if file.is_path() => return Err(Errno::EBADF),
        raw::F_SETFL => {
            file.set_flags(OpenFlags::from_bits_truncate(arg as u32));
            return Ok(0);
        }
        _ if is_lock_command(command) => return fcntl_lock(&files, &file, command, arg),
        _ => {}
    }
    match (command, file.kind()) {
        (raw::F_GET_SEALS, _) => get_seals(&file),
        (raw::F_ADD_SEALS, _) => add_seals(&file, arg),
        (raw::F_GETPIPE_SZ, FileKind::Pipe(end)) => Ok(end.pipe().capacity() as u64),
        (raw::F_SETPIPE_SZ, FileKind::Pipe(end)) => {
            let wanted = usize::try_from(arg as u32).map_err(|_| Errno::EINVAL)?;
            Ok(end.pipe().set_capacity(wanted)? as u64)
        }
        (raw::F_GETPIPE_SZ | raw::F_SETPIPE_SZ, _) => Err(Errno::EBADF),
        _ => Err(Errno::EINVAL),
    }
}

/// `pipe2(2)`.
pub fn pipe2(frame: &mut TrapFrame) -> SysResult {
    let [to, flags, ..] = frame.args();
    heap::reserve()?;
    let flags = OpenFlags::from_bits_retain(super::check_flags(
        flags,
        raw::O_CLOEXEC | raw::O_NONBLOCK | raw::O_DIRECT,
    )?);
    let task = current();
    let (files, limit) = (task.files()?, open_limit(&task));
    let fs = task.fs()?;
    let [reader, writer] = unnamed().pipe(fs.context().cred, flags - OpenFlags::CLOEXEC)?;
    let at_exec = at_exec(flags.contains(OpenFlags::CLOEXEC));
    let reader = files.install(reader, at_exec, limit)?;
    let result = files.install(writer, at_exec, limit).and_then(|writer| {
        UserPtr::new(to).write([reader, writer]).inspect_err(|_| {
            let _ = files.close(writer.into());
        })
    });
    if result.is_err() {
        let _ = files.close(reader.into());
    }
    result.map(|()| 0)
}
