//! Files and descriptors. The rules are in `fs::vfs`; here arguments become its types: opening (`open`), descriptors
//! (`descriptor`, `lock`), bytes (`rw`, `copy`, `splice`, `space`, `hints`), names (`names`), attributes (`stat`, `attr`, `xattr`), waiting
//! (`poll`, `select`), `mount`. This file has what they share.

mod attr;
mod copy;
mod descriptor;
mod hints;
mod lock;
mod mount;
mod names;
mod open;
mod poll;
mod rw;
mod select;
mod space;
mod splice;
mod stat;
mod xattr;

pub use attr::{faccessat, faccessat2, fchmod, fchmodat, fchmodat2, fchown, fchownat, utimensat};
pub use copy::{copy_file_range, sendfile};
pub use descriptor::{close, close_range, dup, dup3, fcntl, pipe2};
pub use hints::{fadvise64, fsync, readahead, sync, sync_file_range, syncfs};
pub use lock::flock;
pub use mount::{fstatfs, mount, statfs, umount2};
pub use names::{
    chdir, chroot, fchdir, getcwd, linkat, mkdirat, mknodat, readlinkat, renameat, renameat2, symlinkat,
    umask, unlinkat,
};
pub use open::{openat, openat2};
pub use poll::ppoll;
pub use rw::{
    getdents64, ioctl, lseek, pread64, preadv, preadv2, pwrite64, pwritev, pwritev2, read, readv, write,
    writev,
};
pub use select::pselect6;
pub use space::{fallocate, ftruncate, memfd_create, truncate};
pub use splice::{splice, tee, vmsplice};
pub use stat::{fstat, newfstatat, statx};
pub use xattr::{
    fgetxattr, flistxattr, fremovexattr, fsetxattr, getxattr, lgetxattr, listxattr, llistxattr, lremovexattr,
    lsetxattr, removexattr, setxattr,
};

use crate::arch::uaccess::UserPath;
use crate::file::{AtExec, FsView, vfs};
use crate::task::{Current, current};
use abi::{Errno, raw};
use alloc::sync::Arc;
use core::ops::Deref;
use fs::vfs::{EmptyPath, File, LastSymlink, Path};

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

/// The open file behind `fd`. EBADF for one that only names a place (`O_PATH`), too.
fn open_file(fd: u64) -> Result<Arc<File>, Errno> {
    let file = current().files()?.get(fd)?;
    if file.is_path() { Err(Errno::EBADF) } else { Ok(file) }
}

/// Where a walk begins.
enum Base<'a> {
    /// At the root, as the path says so.
    Root(&'a Path),
    /// At the working directory or at what a descriptor stands for.
    Place(Path),
}

impl Deref for Base<'_> {
    type Target = Path;

    fn deref(&self) -> &Path {
        match self {
            Base::Root(path) => path,
            Base::Place(path) => path,
        }
    }
}

/// Where the walk of `path` begins: at `dirfd`, which is looked at only if the path is relative.
fn base<'a>(task: &Current, fs: &'a FsView, dirfd: u64, path: &[u8]) -> Result<Base<'a>, Errno> {
    if path.first() == Some(&b'/') {
        return Ok(Base::Root(fs.root()));
    }
    if dirfd as i32 == raw::AT_FDCWD {
        return Ok(Base::Place(fs.cwd()));
    }
    Ok(Base::Place(task.files()?.get(dirfd)?.path().clone()))
}

/// The place that the arguments of an `*at` call name, of whose flags `AT_SYMLINK_NOFOLLOW`, `AT_SYMLINK_FOLLOW` (for
/// calls that do not follow by themselves, whose wrapper leaves it in) and `AT_EMPTY_PATH` count.
fn place_at(fs: &FsView, dirfd: u64, path: u64, flags: u32) -> Result<Path, Errno> {
    let mut buffer = UserPath::new();
    let path = buffer.read(path)?;
    let last_symlink =
        if flags & raw::AT_SYMLINK_NOFOLLOW != 0 { LastSymlink::Keep } else { LastSymlink::Follow };
    let empty = if flags & raw::AT_EMPTY_PATH != 0 { EmptyPath::Base } else { EmptyPath::Refuse };
    let base = base(&current(), fs, dirfd, path)?;
    vfs().lookup(fs.context(), &base, path, last_symlink, empty)
}

/// EINVAL for flags that a call does not know.
fn check_flags(flags: u64, known: u32) -> Result<u32, Errno> {
    let flags = flags as u32;
    if flags & !known == 0 { Ok(flags) } else { Err(Errno::EINVAL) }
}
