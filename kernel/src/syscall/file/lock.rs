//! Advisory locks: flock, and the commands of fcntl that lock ranges. Mirrors the system calls of Linux's `fs/locks.c`.

use super::super::SysResult;
use super::super::layout::Flock;
use super::open_file;
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::file::Files;
use crate::heap;
use crate::task::current;
use abi::{Errno, Whence, raw};
use fs::io::Wait;
use fs::vfs::{File, LockOwner, LockType, RangeLock};

/// Operations of `flock(2)`, `uapi/asm-generic/fcntl.h`; those with `LOCK_MAND` have no effect any more.
const LOCK_SH: u32 = 1;
const LOCK_EX: u32 = 2;
const LOCK_NB: u32 = 4;
const LOCK_UN: u32 = 8;
const LOCK_MAND: u32 = 32;

/// Kinds of locks in a `struct flock`.
const F_RDLCK: i16 = 0;
const F_WRLCK: i16 = 1;
const F_UNLCK: i16 = 2;

/// The last byte that a file can have.
const OFFSET_MAX: u64 = i64::MAX as u64;

/// `flock(2)`.
pub fn flock(frame: &mut TrapFrame) -> SysResult {
    let [fd, operation, ..] = frame.args();
    let operation = operation as u32;
    if operation & LOCK_MAND != 0 {
        return Ok(0);
    }
    let kind = match operation & !LOCK_NB {
        LOCK_SH => Some(LockType::Shared),
        LOCK_EX => Some(LockType::Exclusive),
        LOCK_UN => None,
        _ => return Err(Errno::EINVAL),
    };
    heap::reserve()?;
    let file = open_file(fd)?;
    if kind.is_some() && !file.is_readable() && !file.is_writable() {
        return Err(Errno::EBADF);
    }
    file.flock(kind, if operation & LOCK_NB != 0 { Wait::NonBlock } else { Wait::Block })?;
    Ok(0)
}

/// `fcntl` with a command that [`is_lock_command`].
pub fn fcntl_lock(files: &Files, file: &File, command: u32, arg: u64) -> SysResult {
    heap::reserve()?;
    let pointer = UserPtr::<Flock>::new(arg);
    let request = pointer.read()?;
    let of_file = matches!(command, raw::F_OFD_GETLK | raw::F_OFD_SETLK | raw::F_OFD_SETLKW);
    if of_file && request.pid != 0 {
        return Err(Errno::EINVAL);
    }
    let gets = matches!(command, raw::F_GETLK | raw::F_OFD_GETLK);
    let kind = match request.kind {
        F_RDLCK => Some(LockType::Shared),
        F_WRLCK => Some(LockType::Exclusive),
        F_UNLCK if command != raw::F_GETLK => None,
        _ => return Err(Errno::EINVAL),
    };
    let owner = match of_file {
        true => LockOwner::open_file(file),
        false => LockOwner::Process(files.lock_owner()),
    };
    let (start, end) = range(file, &request)?;
    let pid = current().pid();
    let lock = RangeLock { owner, pid, kind: kind.unwrap_or(LockType::Shared), start, end };
    if gets {
        let found = if kind.is_some() { file.conflicting_range(&lock) } else { None };
        pointer.write(found.map_or(Flock { kind: F_UNLCK, ..request }, describe))?;
        return Ok(0);
    }
    match kind {
        Some(LockType::Shared) if !file.is_readable() => return Err(Errno::EBADF),
        Some(LockType::Exclusive) if !file.is_writable() => return Err(Errno::EBADF),
        _ => {}
    }
    let waits = matches!(command, raw::F_SETLKW | raw::F_OFD_SETLKW);
    file.lock_range(lock, kind, if waits { Wait::Block } else { Wait::NonBlock })?;
    Ok(0)
}

/// Whether a command of `fcntl` is about locks on ranges.
pub fn is_lock_command(command: u32) -> bool {
    use raw::{F_GETLK, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_SETLK, F_SETLKW};
    [F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW].contains(&command)
}

/// First and last byte of what is asked for (Linux's `flock64_to_posix_lock`).
fn range(file: &File, request: &Flock) -> Result<(u64, u64), Errno> {
    let base = match Whence::from_raw(request.whence as u32) {
        Some(Whence::Set) => 0,
        Some(Whence::Cur) => file.lseek(0, Whence::Cur).unwrap_or(0) as i64,
        Some(Whence::End) => file.stat()?.size as i64,
        _ => return Err(Errno::EINVAL),
    };
    let start = base.checked_add(request.start).ok_or(Errno::EOVERFLOW)?;
    let first = u64::try_from(start).map_err(|_| Errno::EINVAL)?;
    match request.len {
        0 => Ok((first, OFFSET_MAX)),
        len @ 1.. => Ok((first, start.checked_add(len - 1).ok_or(Errno::EOVERFLOW)? as u64)),
        // A negative length means what lies before.
        len => {
            let before = start.checked_add(len).and_then(|at| u64::try_from(at).ok()).ok_or(Errno::EINVAL)?;
            Ok((before, first.checked_sub(1).ok_or(Errno::EINVAL)?))
        }
    }
}

fn describe(lock: RangeLock) -> Flock {
    Flock {
        kind: if lock.kind == LockType::Shared { F_RDLCK } else { F_WRLCK },
        whence: 0,
        pad: 0,
        start: lock.start as i64,
        len: if lock.end == OFFSET_MAX { 0 } else { (lock.end - lock.start + 1) as i64 },
        // The lock of an open file is no process's.
        pid: if matches!(lock.owner, LockOwner::OpenFile(_)) { -1 } else { lock.pid as i32 },
        pad2: 0,
    }
}
