//! Opening files: the flags of `openat(2)` and who may. Mirrors `build_open_flags` of Linux's
//! `fs/open.c`, and `do_open` and `may_open` of `fs/namei.c`; the order of the checks is theirs, because
//! it decides which error a program sees.

use super::Vfs;
use super::dentry::{Dentry, lookup_child_locked};
use super::file::{File, FileKind};
use super::mount::Path;
use super::walk::{FsContext, Intent, LastSymlink, Resolve, Walked, walk_within};
use crate::inode::{Linkable, NewInode, NewKind, PageIo};
use crate::io::Wait;
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

/// Permission bits with set-id and sticky ones.
const S_IALLUGO: u32 = 0o7777;

/// What `openat(2)` is told besides a path.
#[derive(Clone, Copy, Debug)]
pub struct OpenHow {
    /// `O_*`.
    pub flags: OpenFlags,
    /// Permission bits of a file that is created; the umask is applied to them.
    pub mode: u32,
    /// Where the walk may not go (`openat2`).
    pub resolve: Resolve,
}

impl OpenHow {
    /// Without bounds for the walk.
    pub const fn new(flags: OpenFlags, mode: u32) -> OpenHow {
        OpenHow { flags, mode, resolve: Resolve::empty() }
    }
}

/// What is to be opened.
struct Found {
    path: Path,
    origin: Origin,
}

/// Whether it was there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Existing,
    Created,
}

impl Vfs {
    /// `openat(2)`: opens what `path` names, from `base` if it is relative. Unknown flags are ignored, as
    /// `openat` (but not `openat2`) does. `io` is needed to cut the file (`O_TRUNC`).
    pub fn open(
        &self,
        context: FsContext<'_>,
        io: &dyn PageIo,
        base: &Path,
        path: &[u8],
        how: OpenHow,
    ) -> Result<Arc<File>, Errno> {
        let flags = check_flags(how.flags)?;
        // A file that somebody else makes, or removes, between our look and our turn makes us look again.
        loop {
            let found = self.find_or_create(context, base, path, OpenHow { flags, ..how })?;
            if let Some(found) = found {
                let unnamed = flags.contains(OpenFlags::TMPFILE_BIT) && !flags.contains(OpenFlags::PATH);
                let found =
                    if unnamed { make_unnamed(context, &found.path, flags, how.mode)? } else { found };
                return self.open_found(context, io, found, flags);
            }
        }
    }

    /// Finds what is to be opened; with `O_CREAT`, makes it if it is not there. `None` if somebody was faster.
    fn find_or_create(
        &self,
        context: FsContext<'_>,
        base: &Path,
        path: &[u8],
        how: OpenHow,
    ) -> Result<Option<Found>, Errno> {
        let OpenHow { flags, mode, resolve } = how;
        let exclusive = flags.contains(OpenFlags::CREAT | OpenFlags::EXCL);
        let keep = exclusive || flags.contains(OpenFlags::NOFOLLOW);
        let last_symlink = if keep { LastSymlink::Keep } else { LastSymlink::Follow };
        let create = flags.contains(OpenFlags::CREAT);
        let intent = if create { Intent::CreateFile } else { Intent::Find };

        let (path, trailing_slash) =
            match walk_within(self, context, base, path, last_symlink, intent, resolve)? {
                Walked::Found { path, trailing_slash } => (path, trailing_slash),
                Walked::Missing { parent, name } => {
                    let _names = parent.dentry.lock_names();
                    match lookup_child_locked(&parent.dentry, &name, &self.recent) {
                        Ok(_) => return Ok(None),
                        Err(Errno::ENOENT) => {}
                        Err(error) => return Err(error),
                    }
                    parent.want_write()?;
                    let mode = mode & S_IALLUGO;
                    let dentry = self.create_locked(context, &parent, &name, NewKind::Regular, mode)?;
                    let path = Path { mount: parent.mount.clone(), dentry };
                    return Ok(Some(Found { path, origin: Origin::Created }));
                }
                Walked::Parent { .. } => return Err(Errno::ENOENT),
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
        Ok(Some(Found { path, origin: Origin::Existing }))
    }

    fn open_found(
        &self,
        context: FsContext<'_>,
        io: &dyn PageIo,
        found: Found,
        flags: OpenFlags,
    ) -> Result<Arc<File>, Errno> {
        let Found { path, origin } = found;
        if flags.contains(OpenFlags::PATH) {
            return File::new(path, FileKind::Path, flags);
        }
        let cuts = flags.contains(OpenFlags::TRUNC) && path.file_type() == FileType::Regular;
        if cuts {
            path.want_write()?;
        }
        let inode = path.dentry.inode();
        // Whoever makes a file may do with it what the flags say, whatever mode it got.
        let stat = match origin {
            Origin::Existing => may_open(&path, context.cred, wanted_access(flags))?,
            Origin::Created => inode.stat()?,
        };
        if flags.contains(OpenFlags::NOATIME) && !context.cred.owns(stat.uid) {
            return Err(Errno::EPERM);
        }
        let kind = self.open_inode(&path, &stat, flags)?;
        // Only what has a page cache can be asked to go past it.
        if flags.contains(OpenFlags::DIRECT) && !matches!(kind, FileKind::PageCache(_)) {
            return Err(Errno::EINVAL);
        }
        if cuts && origin == Origin::Existing {
            path.drop_set_id(io)?;
            inode.truncate(io, 0)?;
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
        let kind = self.open_inode(&path, &stat, OpenFlags::empty())?;
        File::new(path, kind, OpenFlags::LARGEFILE)
    }

    fn open_inode(&self, path: &Path, stat: &Kstat, flags: OpenFlags) -> Result<FileKind, Errno> {
        match path.file_type() {
            FileType::Regular => match path.dentry.inode().open_special()? {
                Some(special) => Ok(FileKind::Special(special)),
                None => Ok(FileKind::PageCache(path.dentry.inode().mapping()?)),
            },
            FileType::Directory => Ok(FileKind::Directory),
            FileType::CharDevice => {
                let device = self.devices.get(stat.rdev).ok_or(Errno::ENXIO)?;
                device.open(flags)?;
                Ok(FileKind::Device(device))
            }
            FileType::Symlink => Err(Errno::ELOOP),
            // No driver takes block device nodes, and a socket's node is never opened.
            FileType::BlockDevice | FileType::Socket => Err(Errno::ENXIO),
            FileType::Fifo => {
                let wait = if flags.contains(OpenFlags::NONBLOCK) { Wait::NonBlock } else { Wait::Block };
                Ok(FileKind::Pipe(path.dentry.inode().pipe()?.open(flags.access(), wait)?))
            }
        }
    }
}

/// Makes a file without a name in the directory `dir` (Linux's `vfs_tmpfile`).
fn make_unnamed(context: FsContext<'_>, dir: &Path, flags: OpenFlags, mode: u32) -> Result<Found, Errno> {
    dir.want_write()?;
    let inode = dir.dentry.inode();
    permission(&inode.stat()?, context.cred, MAY_WRITE | MAY_EXEC)?;
    let linkable = if flags.contains(OpenFlags::EXCL) { Linkable::No } else { Linkable::Yes };
    let mode = mode & S_IALLUGO & !context.umask;
    let new = NewInode { kind: NewKind::Regular, mode, uid: context.cred.uid, gid: context.cred.gid };
    let dentry = Dentry::new_unnamed(&dir.dentry, inode.tmpfile(&new, linkable)?)?;
    Ok(Found { path: Path { mount: dir.mount.clone(), dentry }, origin: Origin::Created })
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
