//! Making and removing names: mkdir, mknod, symlink, link, unlink, rmdir. Mirrors `filename_create` and the `vfs_` and
//! `do_` functions of Linux's `fs/namei.c`; the order of the checks is theirs, because it decides which error a program
//! sees.

use super::Vfs;
use super::dentry::{Dentry, add_child, lookup_child_locked};
use super::mount::Path;
use super::walk::{FsContext, Intent, Last, LastSymlink, Walked, check_name, walk};
use crate::inode::{Linkable, NewInode, NewKind};
use crate::kstat::{Dev, FileType, Kstat};
use crate::perm::{Cred, MAY_EXEC, MAY_WRITE, permission};
use abi::{CapSet, Errno};
use alloc::sync::Arc;

/// Set-group-id and sticky bits, and the permissions.
const S_IALLUGO: u32 = 0o7777;
/// What `mkdir` takes of its mode.
const MKDIR_MODE: u32 = 0o1777;
const S_ISVTX: u32 = 0o1000;
const S_ISGID: u32 = 0o2000;
const S_IXGRP: u32 = 0o0010;

/// A name in a directory, as it was written.
pub(super) struct Place<'a> {
    /// The directory.
    pub parent: Path,
    /// The last component.
    pub last: Last<'a>,
    /// Whether a slash stood behind it.
    pub trailing_slash: bool,
}

impl Vfs {
    /// `mkdirat(2)`.
    pub fn mkdir(&self, context: FsContext<'_>, base: &Path, path: &[u8], mode: u32) -> Result<(), Errno> {
        self.make(context, base, path, NewKind::Directory, mode & MKDIR_MODE).map(|_| ())
    }

    /// `mknodat(2)` and what it is for: everything but directories and symlinks.
    pub fn mknod(
        &self,
        context: FsContext<'_>,
        base: &Path,
        path: &[u8],
        kind: NewKind<'_>,
        mode: u32,
    ) -> Result<(), Errno> {
        self.make(context, base, path, kind, mode & S_IALLUGO).map(|_| ())
    }

    /// `symlinkat(2)`.
    pub fn symlink(
        &self,
        context: FsContext<'_>,
        target: &[u8],
        base: &Path,
        path: &[u8],
    ) -> Result<(), Errno> {
        if target.is_empty() {
            return Err(Errno::ENOENT);
        }
        // The umask does not concern symlinks, whose permissions nobody looks at.
        let context = FsContext { umask: 0, ..context };
        self.make(context, base, path, NewKind::Symlink(target), 0o777).map(|_| ())
    }

    /// Makes what `path` names, which must not exist.
    fn make(
        &self,
        context: FsContext<'_>,
        base: &Path,
        path: &[u8],
        kind: NewKind<'_>,
        mode: u32,
    ) -> Result<Arc<Dentry>, Errno> {
        let place = self.find_parent(context, base, path)?;
        let dir = &place.parent.dentry;
        let _names = dir.lock_names();
        let directory_only = kind == NewKind::Directory;
        let name = self.name_to_make(&place, directory_only)?;
        place.parent.want_write()?;
        self.create_locked(context, &place.parent, name, kind, mode)
    }

    /// Makes `name` in the directory `parent`, whose names the caller has locked and in which there is no such name.
    pub(super) fn create_locked(
        &self,
        context: FsContext<'_>,
        parent: &Path,
        name: &[u8],
        kind: NewKind<'_>,
        mode: u32,
    ) -> Result<Arc<Dentry>, Errno> {
        let dir = &parent.dentry;
        let dir_stat = may_create(dir, context.cred)?;
        // Device 0, 0 stands for a name that is not there, in a stack of file systems.
        let device = match kind {
            NewKind::CharDevice(dev) => dev != Dev::default(),
            NewKind::BlockDevice(_) => true,
            _ => false,
        };
        if device && !context.cred.has(CapSet::MKNOD) {
            return Err(Errno::EPERM);
        }
        let Cred { uid, gid, .. } = *context.cred;
        let mode = strip_setgid(mode, kind, &dir_stat, context.cred) & !context.umask;
        let new = NewInode { kind, mode, uid, gid };
        let inode = dir.inode().create(name, &new)?;
        add_child(dir, name, inode, &self.recent)
    }

    /// `linkat(2)`: gives the file at `old` a further name.
    pub fn link(&self, context: FsContext<'_>, old: &Path, base: &Path, path: &[u8]) -> Result<(), Errno> {
        let place = self.find_parent(context, base, path)?;
        let dir = &place.parent.dentry;
        let _names = dir.lock_names();
        let name = self.name_to_make(&place, false)?;
        place.parent.want_write()?;
        if !old.same_mount(&place.parent) {
            return Err(Errno::EXDEV);
        }
        may_create(dir, context.cred)?;
        if old.file_type() == FileType::Directory {
            return Err(Errno::EPERM);
        }
        let inode = old.dentry.inode();
        if inode.stat()?.nlink == 0 && inode.linkable() == Linkable::No {
            return Err(Errno::ENOENT);
        }
        dir.inode().link(name, inode)?;
        add_child(dir, name, inode.clone(), &self.recent)?;
        Ok(())
    }

    /// `unlinkat(2)` without flags: removes a name that is no directory's.
    pub fn unlink(&self, context: FsContext<'_>, base: &Path, path: &[u8]) -> Result<(), Errno> {
        let place = self.find_parent(context, base, path)?;
        let Last::Name(name) = place.last else { return Err(Errno::EISDIR) };
        place.parent.want_write()?;
        let dir = &place.parent.dentry;
        let _names = dir.lock_names();
        let victim = lookup_child_locked(dir, check_name(name)?, &self.recent)?;
        let is_directory = victim.inode().file_type() == FileType::Directory;
        if place.trailing_slash {
            return Err(if is_directory { Errno::EISDIR } else { Errno::ENOTDIR });
        }
        may_delete(dir, &victim, context.cred)?;
        if is_directory {
            return Err(Errno::EISDIR);
        }
        if victim.is_mountpoint() {
            return Err(Errno::EBUSY);
        }
        dir.inode().unlink(name)?;
        victim.unhash(&self.recent);
        Ok(())
    }

    /// `unlinkat(2)` with `AT_REMOVEDIR`: removes an empty directory.
    pub fn rmdir(&self, context: FsContext<'_>, base: &Path, path: &[u8]) -> Result<(), Errno> {
        let place = self.find_parent(context, base, path)?;
        let name = match place.last {
            Last::Name(name) => name,
            Last::Dot => return Err(Errno::EINVAL),
            Last::DotDot => return Err(Errno::ENOTEMPTY),
            Last::Root => return Err(Errno::EBUSY),
        };
        place.parent.want_write()?;
        let dir = &place.parent.dentry;
        let _names = dir.lock_names();
        let victim = lookup_child_locked(dir, check_name(name)?, &self.recent)?;
        may_delete(dir, &victim, context.cred)?;
        if victim.inode().file_type() != FileType::Directory {
            return Err(Errno::ENOTDIR);
        }
        if victim.is_mountpoint() {
            return Err(Errno::EBUSY);
        }
        // Nothing comes into being in a directory that is going.
        let _below = victim.lock_names();
        dir.inode().rmdir(name)?;
        victim.unhash(&self.recent);
        Ok(())
    }

    /// The directory of the last component, which is not looked for.
    pub(super) fn find_parent<'a>(
        &'a self,
        context: FsContext<'a>,
        base: &'a Path,
        path: &'a [u8],
    ) -> Result<Place<'a>, Errno> {
        match walk(self, context, base, path, LastSymlink::Keep, Intent::Parent)? {
            Walked::Parent { parent, last, trailing_slash } => Ok(Place { parent, last, trailing_slash }),
            // An intent of `Parent` has one result.
            Walked::Found { .. } | Walked::Missing { .. } => Err(Errno::EINVAL),
        }
    }

    /// The last component of `place`, whose directory is locked: EEXIST if it exists, ENOENT for a slash behind what is to
    /// be no directory.
    fn name_to_make<'a>(&self, place: &Place<'a>, directory: bool) -> Result<&'a [u8], Errno> {
        let Last::Name(name) = place.last else { return Err(Errno::EEXIST) };
        match lookup_child_locked(&place.parent.dentry, check_name(name)?, &self.recent) {
            Ok(_) => Err(Errno::EEXIST),
            Err(Errno::ENOENT) if place.trailing_slash && !directory => Err(Errno::ENOENT),
            Err(Errno::ENOENT) => Ok(name),
            Err(error) => Err(error),
        }
    }
}

/// Whether `cred` may make names in `dir` (Linux's `may_create`).
/// The directory's attributes if so.
pub(super) fn may_create(dir: &Dentry, cred: &Cred) -> Result<Kstat, Errno> {
    if dir.is_deleted() {
        return Err(Errno::ENOENT);
    }
    let stat = dir.inode().stat()?;
    permission(&stat, cred, MAY_WRITE | MAY_EXEC)?;
    Ok(stat)
}

/// A program that gets its group from its directory does not get that group's rights from whoever is not in it (Linux's
/// `mode_strip_sgid`).
fn strip_setgid(mode: u32, kind: NewKind<'_>, dir: &Kstat, cred: &Cred) -> u32 {
    let program = mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP && kind != NewKind::Directory;
    let strips = program && dir.mode & S_ISGID != 0 && !cred.keeps_setgid(dir.gid);
    if strips { mode & !S_ISGID } else { mode }
}

/// Whether `cred` may remove the name of `victim` from `dir` (Linux's `may_delete`, but for the types).
pub(super) fn may_delete(dir: &Dentry, victim: &Dentry, cred: &Cred) -> Result<(), Errno> {
    let stat = dir.inode().stat()?;
    permission(&stat, cred, MAY_WRITE | MAY_EXEC)?;
    if is_sticky_for(&stat, &victim.inode().stat()?, cred) { Err(Errno::EPERM) } else { Ok(()) }
}

/// In a sticky directory only the owners of the file and of the directory remove it.
fn is_sticky_for(dir: &Kstat, victim: &Kstat, cred: &Cred) -> bool {
    dir.mode & S_ISVTX != 0 && cred.uid != dir.uid && !cred.owns(victim.uid)
}
