//! Opening: openat and openat2. The rules are those of `fs::vfs`; `openat2` refuses what `openat` ignores.

use super::super::SysResult;
use super::super::layout::RawOpenHow;
use super::{at_exec, base, open_limit};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPath, UserPtr, UserSlice};
use crate::file::{PageCache, vfs};
use crate::heap;
use crate::task::current;
use abi::{Errno, OpenFlags};
use fs::vfs::{OpenHow, Resolve};

/// Permission bits with set-id and sticky ones.
const S_IALLUGO: u64 = 0o7777;
/// Largest structure that `openat2` takes, whatever a process's page is.
const OPEN_HOW_MAX: usize = 4096;

/// `openat(2)`.
pub fn openat(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, flags, mode, ..] = frame.args();
    open(dirfd, path, OpenHow::new(OpenFlags::from_bits_retain(flags as u32), mode as u32))
}

fn open(dirfd: u64, path: u64, how: OpenHow) -> SysResult {
    heap::reserve()?;
    let mut buffer = UserPath::new();
    let path = buffer.read(path)?;
    let task = current();
    let fs = task.fs()?;
    // A walk with bounds begins at its directory, even if the path says "at the root".
    let relative: &[u8] = if how.resolve.intersects(Resolve::SCOPED) { b"." } else { path };
    let base = base(&task, &fs, dirfd, relative)?;
    let file = vfs().open(fs.context(), &PageCache, &base, path, how)?;
    let at_exec = at_exec(how.flags.contains(OpenFlags::CLOEXEC));
    Ok(task.files()?.install(file, at_exec, open_limit(&task))?.into())
}

/// `openat2(2)`.
pub fn openat2(frame: &mut TrapFrame) -> SysResult {
    let [dirfd, path, how, size, ..] = frame.args();
    let how = check_open_how(open_how_from_user(how, size)?)?;
    open(dirfd, path, how)
}

/// The structure that the caller's headers know, which may be a newer one: E2BIG if it has what we do not know.
fn open_how_from_user(from: u64, size: u64) -> Result<RawOpenHow, Errno> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size < size_of::<RawOpenHow>() {
        return Err(Errno::EINVAL);
    }
    if size > OPEN_HOW_MAX {
        return Err(Errno::E2BIG);
    }
    let bytes = UserSlice::new(from, size)?;
    let mut at = size_of::<RawOpenHow>();
    while at < size {
        let mut rest = [0; 64];
        let len = rest.len().min(size - at);
        if bytes.read_at(at, &mut rest[..len]) < len {
            return Err(Errno::EFAULT);
        }
        if rest.iter().any(|byte| *byte != 0) {
            return Err(Errno::E2BIG);
        }
        at += len;
    }
    UserPtr::new(from).read()
}

/// What `openat` ignores is an error here (Linux's `build_open_flags`).
fn check_open_how(how: RawOpenHow) -> Result<OpenHow, Errno> {
    const PATH_FLAGS: OpenFlags =
        OpenFlags::PATH.union(OpenFlags::DIRECTORY).union(OpenFlags::NOFOLLOW).union(OpenFlags::CLOEXEC);
    let flags = u32::try_from(how.flags).ok().and_then(OpenFlags::from_bits).ok_or(Errno::EINVAL)?;
    let resolve = Resolve::from_bits(how.resolve).ok_or(Errno::EINVAL)?;
    if resolve.contains(Resolve::BENEATH | Resolve::IN_ROOT) {
        return Err(Errno::EINVAL);
    }
    let creates = flags.intersects(OpenFlags::CREAT | OpenFlags::TMPFILE_BIT);
    if how.mode & !(if creates { S_IALLUGO } else { 0 }) != 0 {
        return Err(Errno::EINVAL);
    }
    if flags.contains(OpenFlags::PATH) && !(flags - PATH_FLAGS).is_empty() {
        return Err(Errno::EINVAL);
    }
    if resolve.contains(Resolve::CACHED) && (creates || flags.contains(OpenFlags::TRUNC)) {
        return Err(Errno::EAGAIN);
    }
    Ok(OpenHow { flags, mode: how.mode as u32, resolve })
}
