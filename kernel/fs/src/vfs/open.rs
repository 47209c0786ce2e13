//! Opening files: the flags of `openat(2)` and who may. Mirrors `build_open_flags` of Linux's
//! `fs/open.c`, and `do_open` and `may_open` of `fs/namei.c`; the order of the checks is theirs, because
//! it decides which error a program sees.

use super::Vfs;
use super::file::{File, FileKind};
use super::mount::Path;
use super::walk::{FsContext, Intent, LastSymlink, Walked, walk};
use crate::kstat::{FileType, Kstat};
use crate::perm::{Access, Cred, MAY_EXEC, MAY_READ, MAY_WRITE, permission};
use abi::{Errno, OpenAccess, OpenFlags};
use alloc::sync::Arc;

/// With `O_PATH`, all other flags are ignored.
const PATH_FLAGS: OpenFlags =
    OpenFlags::PATH.union(OpenFlags::DIRECTORY).union(OpenFlags::NOFOLLOW).union(OpenFlags::CLOEXEC);

/// Flags that only act while opening, or that belong to the descriptor.
const TRANSIENT_FLAGS: OpenFlags = OpenFlags::CREAT
    .union(OpenFlags::EXCL)
    .union(OpenFlags::NOCTTY)
    .union(OpenFlags::TRUNC)
    .union(OpenFlags::CLOEXEC);

impl Vfs {
    /// `openat(2)`: opens what `path` names, from `base` if it is relative. Unknown flags are ignored, as
    /// `openat` (but not `openat2`) does.
    ///
    /// No file system here can create files yet, and all are mounted read-only: `O_CREAT` of what does
    /// not exist is EROFS, so the mode of a new file does not come up.
    pub fn open(
        &self,
        context: FsContext<'_>,
        base: &Path,
        path: &[u8],
        flags: OpenFlags,
    ) -> Result<Arc<File>, Errno> {
        let flags = check_flags(flags)?;
        let exclusive = flags.contains(OpenFlags::CREAT | OpenFlags::EXCL);
        let keep = exclusive || flags.contains(OpenFlags::NOFOLLOW);
        let last_symlink = if keep { LastSymlink::Keep } else { LastSymlink::Follow };
        let create = flags.contains(OpenFlags::CREAT);
        let intent = if create { Intent::CreateFile } else { Intent::Find };

        let (path, trailing_slash) = match walk(self, context, base, path, last_symlink, intent)? {
            Walked::Found { path, trailing_slash } => (path, trailing_slash),
            Walked::Missing { parent } if create => return Err(creation_error(&parent)),
            Walked::Missing { .. } => return Err(Errno::ENOENT),
        };
        let file_type = path.file_type();
        if exclusive {
            return Err(Errno::EEXIST);
        }
        if create && file_type == FileType::Directory {
            return Err(Errno::EISDIR);
        }
        let directory = trailing_slash || flags.contains(OpenFlags::DIRECTORY);
        if directory && file_type != FileType::Directory {
            return Err(Errno::ENOTDIR);
        }
        if flags.contains(OpenFlags::PATH) {
            return File::new(path, FileKind::Path, flags);
        }
        if flags.contains(OpenFlags::TMPFILE_BIT) {
            return Err(creation_error(&path));
        }
        if flags.contains(OpenFlags::TRUNC) && file_type == FileType::Regular && path.mount.flags.read_only {
            return Err(Errno::EROFS);
        }
        let stat = may_open(&path, context.cred, wanted_access(flags))?;
        if flags.contains(OpenFlags::NOATIME) && context.cred.uid != 0 && context.cred.uid != stat.uid {
            return Err(Errno::EPERM);
        }
        let kind = self.open_inode(&path, &stat)?;
        // Only what has a page cache can be asked to go past it.
        if flags.contains(OpenFlags::DIRECT) && !matches!(kind, FileKind::PageCache(_)) {
            return Err(Errno::EINVAL);
        }
        File::new(path, kind, (flags - TRANSIENT_FLAGS) | OpenFlags::LARGEFILE)
    }

    /// Opens a program for `execve(2)` or its interpreter: a regular file that may be executed, else EACCES.
    pub fn open_exec(&self, context: FsContext<'_>, base: &Path, path: &[u8]) -> Result<Arc<File>, Errno> {
        let path = self.lookup(context, base, path, LastSymlink::Follow, super::EmptyPath::Refuse)?;
        self.open_exec_at(context, path)
    }

    /// The same for a place that is known already (`execveat` with `AT_EMPTY_PATH`).
    pub fn open_exec_at(&self, context: FsContext<'_>, path: Path) -> Result<Arc<File>, Errno> {
        let stat = may_open(&path, context.cred, MAY_EXEC)?;
        if stat.file_type() != FileType::Regular || path.mount.flags.noexec {
            return Err(Errno::EACCES);
        }
        let kind = self.open_inode(&path, &stat)?;
        File::new(path, kind, OpenFlags::LARGEFILE)
    }

    fn open_inode(&self, path: &Path, stat: &Kstat) -> Result<FileKind, Errno> {
        match path.file_type() {
            FileType::Regular => Ok(FileKind::PageCache(path.dentry.inode().mapping()?)),
            FileType::Directory => Ok(FileKind::Directory),
            FileType::CharDevice => {
                let device = self.devices.get(stat.rdev).ok_or(Errno::ENXIO)?;
                Ok(FileKind::Device(device))
            }
            FileType::Symlink => Err(Errno::ELOOP),
            // No driver takes block device nodes, and a socket's node is never opened.
            FileType::BlockDevice | FileType::Fifo | FileType::Socket => Err(Errno::ENXIO),
        }
    }
}

/// Normalises the flags; EINVAL for combinations that mean nothing.
fn check_flags(flags: OpenFlags) -> Result<OpenFlags, Errno> {
    let flags = OpenFlags::from_bits_truncate(flags.bits());
    if flags.contains(OpenFlags::PATH) {
        return Ok(flags & PATH_FLAGS);
    }
    if flags.contains(OpenFlags::TMPFILE_BIT) {
        let writes =
            matches!(flags.access(), OpenAccess::Write | OpenAccess::ReadWrite | OpenAccess::Neither);
        if !flags.contains(OpenFlags::DIRECTORY) || flags.contains(OpenFlags::CREAT) || !writes {
            return Err(Errno::EINVAL);
        }
    } else if flags.contains(OpenFlags::CREAT | OpenFlags::DIRECTORY) {
        return Err(Errno::EINVAL);
    }
    Ok(flags)
}

/// What is asked of the file's permissions. Truncation is a write, whatever the access mode.
fn wanted_access(flags: OpenFlags) -> Access {
    let access = match flags.access() {
        OpenAccess::Read => MAY_READ,
        OpenAccess::Write => MAY_WRITE,
        OpenAccess::ReadWrite | OpenAccess::Neither => MAY_READ | MAY_WRITE,
    };
    if flags.contains(OpenFlags::TRUNC) { access | MAY_WRITE } else { access }
}

/// Why nothing can be created in `dir`: the mount is read-only, or its file system cannot do it.
fn creation_error(dir: &Path) -> Errno {
    if dir.mount.flags.read_only { Errno::EROFS } else { Errno::EACCES }
}

/// Whether the file may be opened so; its attributes if it may.
fn may_open(path: &Path, cred: &Cred, want: Access) -> Result<Kstat, Errno> {
    let mount = path.mount.flags;
    let file_type = path.file_type();
    match file_type {
        FileType::Symlink => return Err(Errno::ELOOP),
        FileType::Directory if want & MAY_WRITE != 0 => return Err(Errno::EISDIR),
        FileType::Regular => {}
        _ if want & MAY_EXEC != 0 => return Err(Errno::EACCES),
        FileType::CharDevice | FileType::BlockDevice if mount.nodev => return Err(Errno::EACCES),
        _ => {}
    }
    // Devices, pipes and sockets are not stored in the file system, so that read-only does not bind them.
    if want & MAY_WRITE != 0 && file_type == FileType::Regular && mount.read_only {
        return Err(Errno::EROFS);
    }
    let stat = path.dentry.inode().stat()?;
    permission(&stat, cred, want)?;
    Ok(stat)
}
