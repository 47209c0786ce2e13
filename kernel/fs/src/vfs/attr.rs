//! Attributes of files: mode, owner, times, size. Mirrors Linux's `fs/attr.c` and `fs/utimes.c`.

use super::Vfs;
use super::file::{File, FileKind};
use super::mount::Path;
use crate::inode::{PageIo, SetAttr, SetTime};
use crate::kstat::{FileType, Kstat};
use crate::perm::{Cred, MAY_WRITE, permission};
use abi::{CapSet, Errno};

const S_ISUID: u32 = 0o4000;
const S_ISGID: u32 = 0o2000;
const S_IXGRP: u32 = 0o0010;
const S_IALLUGO: u32 = 0o7777;

/// The two times of `utimensat(2)`; `None` is `UTIME_OMIT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Last access.
    pub atime: Option<SetTime>,
    /// Last change of the bytes.
    pub mtime: Option<SetTime>,
}

impl Vfs {
    /// `fchmodat(2)` and `fchmod(2)`.
    pub fn chmod(&self, cred: &Cred, path: &Path, mode: u32) -> Result<(), Errno> {
        path.want_write()?;
        let stat = path.dentry.inode().stat()?;
        if path.file_type() == FileType::Symlink {
            return Err(Errno::EOPNOTSUPP);
        }
        check_owner(&stat, cred)?;
        let mut mode = mode & S_IALLUGO;
        if !cred.keeps_setgid(stat.gid) {
            mode &= !S_ISGID;
        }
        path.dentry.inode().setattr(&SetAttr { mode: Some(mode), ..SetAttr::default() })
    }

    /// `fchownat(2)` and `fchown(2)`; `None` leaves as it is.
    pub fn chown(&self, cred: &Cred, path: &Path, uid: Option<u32>, gid: Option<u32>) -> Result<(), Errno> {
        path.want_write()?;
        let stat = path.dentry.inode().stat()?;
        let owner = cred.uid == stat.uid;
        let uid_allowed = uid.is_none_or(|uid| owner && uid == stat.uid);
        let gid_allowed = gid.is_none_or(|gid| owner && (gid == stat.gid || cred.in_group(gid)));
        if !(cred.has(CapSet::CHOWN) || uid_allowed && gid_allowed) {
            return Err(Errno::EPERM);
        }
        // A program that changes hands does not keep its privileges.
        let mode = match stat.file_type() {
            FileType::Directory => None,
            _ if cred.keeps_setgid(stat.gid) => without_set_id(&stat, MemberOf::Group),
            _ => without_set_id(&stat, MemberOf::Neither),
        };
        path.dentry.inode().setattr(&SetAttr { mode, uid, gid, ..SetAttr::default() })
    }

    /// `utimensat(2)`.
    pub fn utimens(&self, cred: &Cred, path: &Path, times: Times) -> Result<(), Errno> {
        let Times { atime, mtime } = times;
        if atime.is_none() && mtime.is_none() {
            return Ok(());
        }
        path.want_write()?;
        let stat = path.dentry.inode().stat()?;
        let now = Some(SetTime::Now);
        if !cred.owns(stat.uid) {
            // Whoever may write may set both to the present.
            if (atime, mtime) != (now, now) {
                return Err(Errno::EPERM);
            }
            permission(&stat, cred, MAY_WRITE)?;
        }
        path.dentry.inode().setattr(&SetAttr { atime, mtime, ..SetAttr::default() })
    }

    /// `truncate(2)`.
    pub fn truncate(&self, cred: &Cred, io: &dyn PageIo, path: &Path, size: u64) -> Result<(), Errno> {
        match path.file_type() {
            FileType::Directory => return Err(Errno::EISDIR),
            FileType::Regular => {}
            _ => return Err(Errno::EINVAL),
        }
        path.want_write()?;
        permission(&path.dentry.inode().stat()?, cred, MAY_WRITE)?;
        path.drop_set_id(io)?;
        path.dentry.inode().truncate(io, size)
    }
}

impl Path {
    /// The bytes of the file here are about to change: a program does not keep its privileges (Linux's
    /// `file_remove_privs`).
    pub(super) fn drop_set_id(&self, io: &dyn PageIo) -> Result<(), Errno> {
        if io.writer_keeps_set_id() || self.file_type() != FileType::Regular {
            return Ok(());
        }
        match without_set_id(&self.dentry.inode().stat()?, MemberOf::Group) {
            None => Ok(()),
            mode => self.dentry.inode().setattr(&SetAttr { mode, ..SetAttr::default() }),
        }
    }
}

impl File {
    /// `ftruncate(2)`.
    pub fn truncate(&self, io: &dyn PageIo, size: u64) -> Result<(), Errno> {
        match self.kind() {
            FileKind::Path => Err(Errno::EBADF),
            FileKind::PageCache(_) | FileKind::Special(_) if self.is_writable() => {
                self.path().drop_set_id(io)?;
                self.path().dentry.inode().truncate(io, size)
            }
            _ => Err(Errno::EINVAL),
        }
    }
}

/// Whether whoever changes a file belongs to its group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MemberOf {
    Group,
    Neither,
}

/// The permission bits without set-user-id, and without set-group-id where it is one, if that makes a difference.
/// Without group execution it stands for mandatory locks, and stays with members of the group.
fn without_set_id(stat: &Kstat, member: MemberOf) -> Option<u32> {
    let mut lost = S_ISUID;
    if stat.mode & S_IXGRP != 0 || member == MemberOf::Neither {
        lost |= S_ISGID;
    }
    (stat.mode & lost != 0).then_some(stat.mode & S_IALLUGO & !lost)
}

/// EPERM unless `cred` owns the file.
fn check_owner(stat: &Kstat, cred: &Cred) -> Result<(), Errno> {
    if cred.owns(stat.uid) { Ok(()) } else { Err(Errno::EPERM) }
}
