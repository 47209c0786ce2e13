//! Files of a tmpfs.

use super::dir::{Names, NewName};
use super::regular::Regular;
use super::xattr::Xattrs;
use super::{Shared, count_up};
use crate::alloc_util::{try_arc, try_copy};
use crate::inode::{
    DirEntry, DirVisitor, Fallocate, Inode, Linkable, NewInode, NewKind, PageIo, RenameKind, SetAttr,
    SetTime, SetXattr, WriteAt,
};
use crate::io::WriteSource;
use crate::kstat::{Dev, FileType, Kstat, Timespec};
use crate::pipe::{Pipe, PipeKind};
use crate::seal::{Sealing, Seals};
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicBool, Ordering};
use mm::filemap::{AddressSpace, AddressSpaceOps};
use spin::Mutex;

/// Bytes of extended attributes for each inode that the file system may have, on the whole.
const XATTR_BYTES: u64 = 1024;
/// What a name costs in the size of a directory, Linux's `BOGO_DIRENT_SIZE`.
const DIRENT_SIZE: u64 = 20;
/// The access time is renewed once in this many seconds, or if it is older than the last change (`relatime`).
const RELATIME: i64 = 24 * 60 * 60;
const S_ISGID: u32 = 0o2000;

/// A file of any type.
pub struct TmpInode {
    shared: Arc<Shared>,
    ino: u64,
    kind: Kind,
    attributes: Mutex<Attributes>,
    /// It may get a name although it has none.
    linkable: AtomicBool,
    xattrs: Xattrs,
}

enum Kind {
    Regular(Regular),
    Directory(Directory),
    Symlink(Vec<u8>),
    Fifo(Arc<Pipe>),
    Node(FileType, Dev),
}

struct Directory {
    names: Mutex<Names>,
    /// Inode number of the directory above.
    parent: Mutex<u64>,
}

struct Attributes {
    mode: u32,
    uid: u32,
    gid: u32,
    nlink: u32,
    atime: Timespec,
    mtime: Timespec,
    ctime: Timespec,
}

impl TmpInode {
    /// An inode that no name leads to yet, but that has the links of its first name. ENOSPC if there are too many.
    pub(super) fn new(
        shared: &Arc<Shared>,
        new: &NewInode<'_>,
        parent: Option<u64>,
    ) -> Result<Arc<TmpInode>, Errno> {
        // Only a memfd is for sealing.
        TmpInode::sealed(shared, new, parent, Seals::SEAL)
    }

    /// The same, with these seals on a regular file.
    pub(super) fn sealed(
        shared: &Arc<Shared>,
        new: &NewInode<'_>,
        parent: Option<u64>,
        seals: Seals,
    ) -> Result<Arc<TmpInode>, Errno> {
        let ino = shared.next_ino.fetch_add(1, Ordering::Relaxed);
        let kind = match new.kind {
            NewKind::Regular => Kind::Regular(Regular::new(shared.account.clone(), seals)?),
            NewKind::Directory => Kind::Directory(Directory {
                names: Mutex::new(Names::new()),
                parent: Mutex::new(parent.unwrap_or(ino)),
            }),
            NewKind::Symlink(target) => Kind::Symlink(try_copy(target)?),
            NewKind::Fifo => Kind::Fifo(Pipe::new(PipeKind::Named)?),
            NewKind::Socket => Kind::Node(FileType::Socket, Dev::default()),
            NewKind::CharDevice(dev) => Kind::Node(FileType::CharDevice, dev),
            NewKind::BlockDevice(dev) => Kind::Node(FileType::BlockDevice, dev),
        };
        let now = shared.now();
        let attributes = Attributes {
            mode: new.mode,
            uid: new.uid,
            gid: new.gid,
            nlink: if matches!(kind, Kind::Directory(_)) { 2 } else { 1 },
            atime: now,
            mtime: now,
            ctime: now,
        };
        count_up(&shared.inodes, 1, shared.options.max_inodes)?;
        // From here on dropping the inode counts it out.
        let (attributes, linkable) = (Mutex::new(attributes), AtomicBool::new(false));
        try_arc(TmpInode {
            shared: shared.clone(),
            ino,
            kind,
            attributes,
            linkable,
            xattrs: Xattrs::default(),
        })
    }

    fn directory(&self) -> Result<&Directory, Errno> {
        match &self.kind {
            Kind::Directory(directory) => Ok(directory),
            _ => Err(Errno::ENOTDIR),
        }
    }

    fn regular(&self) -> Result<&Regular, Errno> {
        match &self.kind {
            Kind::Regular(regular) => Ok(regular),
            _ => Err(Errno::EINVAL),
        }
    }

    fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory(_))
    }

    /// What is made in this directory, which may give it its group.
    fn inherit<'a>(&self, mut new: NewInode<'a>) -> NewInode<'a> {
        let mine = self.attributes.lock();
        if mine.mode & S_ISGID != 0 {
            new.gid = mine.gid;
            if new.kind == NewKind::Directory {
                new.mode |= S_ISGID;
            }
        }
        new
    }

    /// One name less.
    pub(super) fn drop_link(&self) {
        let now = self.shared.now();
        let mut attributes = self.attributes.lock();
        attributes.nlink = attributes.nlink.saturating_sub(1);
        attributes.ctime = now;
    }

    fn add_link(&self) {
        let now = self.shared.now();
        let mut attributes = self.attributes.lock();
        attributes.nlink = attributes.nlink.saturating_add(1);
        attributes.ctime = now;
    }

    /// The bytes, or the names of a directory, have changed.
    fn modified(&self) {
        let now = self.shared.now();
        let mut attributes = self.attributes.lock();
        attributes.mtime = now;
        attributes.ctime = now;
    }

    fn changed(&self) {
        let now = self.shared.now();
        self.attributes.lock().ctime = now;
    }

    /// A directory has come into this one, or gone.
    fn count_directory(&self, by: i32) {
        let mut attributes = self.attributes.lock();
        attributes.nlink = attributes.nlink.saturating_add_signed(by);
    }

    /// A name that stood for `inode` is gone from this directory.
    fn forget(&self, inode: &TmpInode) {
        if inode.is_directory() {
            // Its own `.`, and the `..` in it.
            inode.drop_link();
            self.count_directory(-1);
        }
        inode.drop_link();
    }

    fn check_empty(&self) -> Result<(), Errno> {
        match &self.kind {
            Kind::Directory(directory) if directory.names.lock().len() != 0 => Err(Errno::ENOTEMPTY),
            _ => Ok(()),
        }
    }

    /// Removes `name`, whatever it stands for.
    fn remove(&self, name: &[u8]) -> Result<(), Errno> {
        let directory = self.directory()?;
        let gone = directory.names.lock().remove(name).ok_or(Errno::ENOENT)?;
        self.forget(&gone);
        self.modified();
        Ok(())
    }

    fn exchange(&self, name: &[u8], other: &TmpInode, other_name: &[u8]) -> Result<(), Errno> {
        let (here, there) = (self.directory()?, other.directory()?);
        let mine = here.names.lock().get(name).ok_or(Errno::ENOENT)?;
        let theirs = there.names.lock().get(other_name).ok_or(Errno::ENOENT)?;
        here.names.lock().replace(name, theirs.clone());
        there.names.lock().replace(other_name, mine.clone());
        for (moved, from, to) in [(&mine, self, other), (&theirs, other, self)] {
            if let Kind::Directory(directory) = &moved.kind {
                from.count_directory(-1);
                to.count_directory(1);
                *directory.parent.lock() = to.ino;
            }
            moved.changed();
        }
        self.modified();
        other.modified();
        Ok(())
    }
}

impl Drop for TmpInode {
    fn drop(&mut self) {
        self.shared.inodes.fetch_sub(1, Ordering::Relaxed);
        self.shared.xattr_bytes.fetch_sub(self.xattrs.total(), Ordering::Relaxed);
        let Kind::Directory(directory) = &mut self.kind else { return };
        // What lies below goes here and not recursively, as far as there is memory for the list: a tree may be deeper
        // than a kernel stack.
        let mut below = Vec::new();
        let empty = |names: &mut Names, below: &mut Vec<Arc<TmpInode>>| {
            while let Some(inode) = names.pop() {
                if below.try_reserve(1).is_ok() {
                    below.push(inode);
                }
            }
        };
        empty(directory.names.get_mut(), &mut below);
        while let Some(inode) = below.pop() {
            if let Some(mut inode) = Arc::into_inner(inode)
                && let Kind::Directory(directory) = &mut inode.kind
            {
                empty(directory.names.get_mut(), &mut below);
            }
        }
    }
}

impl Inode for TmpInode {
    fn file_type(&self) -> FileType {
        match &self.kind {
            Kind::Regular(_) => FileType::Regular,
            Kind::Directory(_) => FileType::Directory,
            Kind::Symlink(_) => FileType::Symlink,
            Kind::Fifo(_) => FileType::Fifo,
            Kind::Node(file_type, _) => *file_type,
        }
    }

    fn stat(&self) -> Result<Kstat, Errno> {
        let (size, blocks, rdev) = match &self.kind {
            Kind::Regular(file) => (file.mapping.size(), file.mapping.nr_cached() * 8, Dev::default()),
            Kind::Directory(dir) => (DIRENT_SIZE * (dir.names.lock().len() as u64 + 2), 0, Dev::default()),
            Kind::Symlink(target) => (target.len() as u64, 0, Dev::default()),
            Kind::Fifo(_) => (0, 0, Dev::default()),
            Kind::Node(_, rdev) => (0, 0, *rdev),
        };
        let attributes = self.attributes.lock();
        Ok(Kstat {
            dev: self.shared.options.dev,
            ino: self.ino,
            mode: self.file_type().mode() | attributes.mode,
            nlink: attributes.nlink,
            uid: attributes.uid,
            gid: attributes.gid,
            rdev,
            size,
            blksize: super::BLOCK_SIZE as u32,
            blocks,
            atime: attributes.atime,
            mtime: attributes.mtime,
            ctime: attributes.ctime,
        })
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        let found = self.directory()?.names.lock().get(name).ok_or(Errno::ENOENT)?;
        Ok(found)
    }

    fn names_are_ours(&self) -> bool {
        true
    }

    fn readdir(&self, pos: u64, visit: DirVisitor<'_>) -> Result<(), Errno> {
        let directory = self.directory()?;
        let mut cookie = pos;
        loop {
            // The visitor may sleep (it copies to a program), so the lock is taken anew for each entry.
            let named;
            let (at, ino, file_type, name): (u64, u64, FileType, &[u8]) = match cookie {
                0 => (0, self.ino, FileType::Directory, b"."),
                1 => (1, *directory.parent.lock(), FileType::Directory, b".."),
                _ => match directory.names.lock().next(cookie) {
                    Some((at, found)) => {
                        named = found;
                        (at, named.inode.ino, named.inode.file_type(), &named.name)
                    }
                    None => break,
                },
            };
            cookie = at + 1;
            let entry = DirEntry { ino, file_type: Some(file_type), name, next: cookie };
            if visit(&entry) == ControlFlow::Break(()) {
                break;
            }
        }
        self.accessed();
        Ok(())
    }

    fn create(&self, name: &[u8], new: &NewInode<'_>) -> Result<Arc<dyn Inode>, Errno> {
        let directory = self.directory()?;
        let copy = NewName::new(name)?;
        directory.names.lock().reserve()?;
        let new = self.inherit(*new);
        let inode = TmpInode::new(&self.shared, &new, Some(self.ino))?;
        if inode.is_directory() {
            self.count_directory(1);
        }
        directory.names.lock().insert(copy, inode.clone());
        self.modified();
        Ok(inode)
    }

    fn link(&self, name: &[u8], target: &Arc<dyn Inode>) -> Result<(), Errno> {
        let directory = self.directory()?;
        let target: Arc<dyn Any + Send + Sync> = target.clone();
        let target = target.downcast::<TmpInode>().map_err(|_| Errno::EXDEV)?;
        let copy = NewName::new(name)?;
        directory.names.lock().reserve()?;
        target.linkable.store(false, Ordering::Relaxed);
        target.add_link();
        directory.names.lock().insert(copy, target);
        self.modified();
        Ok(())
    }

    fn unlink(&self, name: &[u8]) -> Result<(), Errno> {
        self.remove(name)
    }

    fn rmdir(&self, name: &[u8]) -> Result<(), Errno> {
        let victim = self.directory()?.names.lock().get(name).ok_or(Errno::ENOENT)?;
        victim.check_empty()?;
        self.remove(name)
    }

    fn rename(
        &self,
        name: &[u8],
        new_dir: &Arc<dyn Inode>,
        new_name: &[u8],
        kind: RenameKind,
    ) -> Result<(), Errno> {
        let target: &dyn Any = &**new_dir;
        let target = target.downcast_ref::<TmpInode>().ok_or(Errno::EXDEV)?;
        if kind == RenameKind::Exchange {
            return self.exchange(name, target, new_name);
        }
        let (from, to) = (self.directory()?, target.directory()?);
        let copy = NewName::new(new_name)?;
        let moved = from.names.lock().get(name).ok_or(Errno::ENOENT)?;
        let there = to.names.lock().get(new_name);
        match &there {
            Some(victim) => victim.check_empty()?,
            None => to.names.lock().reserve()?,
        }
        if let Some(victim) = there {
            to.names.lock().replace(new_name, moved.clone());
            target.forget(&victim);
        } else {
            to.names.lock().insert(copy, moved.clone());
        }
        from.names.lock().remove(name);
        if let Kind::Directory(directory) = &moved.kind {
            self.count_directory(-1);
            target.count_directory(1);
            *directory.parent.lock() = target.ino;
        }
        moved.changed();
        self.modified();
        target.modified();
        Ok(())
    }

    fn setattr(&self, set: &SetAttr) -> Result<(), Errno> {
        let now = self.shared.now();
        let time = |time| match time {
            SetTime::Now => now,
            SetTime::To(time) => time,
        };
        let sealed = self.sealing().is_some_and(|sealing| sealing.get().contains(Seals::EXEC));
        let mut attributes = self.attributes.lock();
        let a = &mut *attributes;
        if sealed && set.mode.is_some_and(|mode| (mode ^ a.mode) & 0o111 != 0) {
            return Err(Errno::EPERM);
        }
        a.mode = set.mode.unwrap_or(a.mode);
        a.uid = set.uid.unwrap_or(a.uid);
        a.gid = set.gid.unwrap_or(a.gid);
        a.atime = set.atime.map_or(a.atime, time);
        a.mtime = set.mtime.map_or(a.mtime, time);
        a.ctime = now;
        Ok(())
    }

    fn accessed(&self) {
        let now = self.shared.now();
        let mut attributes = self.attributes.lock();
        let Attributes { atime, mtime, ctime, .. } = *attributes;
        if atime <= mtime || atime <= ctime || now.sec - atime.sec >= RELATIME {
            attributes.atime = now;
        }
    }

    fn readlink(&self) -> Result<Vec<u8>, Errno> {
        match &self.kind {
            Kind::Symlink(target) => try_copy(target),
            _ => Err(Errno::EINVAL),
        }
    }

    fn write(
        &self,
        io: &dyn PageIo,
        at: WriteAt,
        source: &mut dyn WriteSource,
    ) -> Result<(usize, u64), Errno> {
        let (done, end) = self.regular()?.write(io, at, source)?;
        if done != 0 {
            self.modified();
        }
        Ok((done, end))
    }

    fn truncate(&self, io: &dyn PageIo, size: u64) -> Result<(), Errno> {
        self.regular()?.truncate(io, size)?;
        self.modified();
        Ok(())
    }

    fn fallocate(&self, io: &dyn PageIo, what: Fallocate, from: u64, to: u64) -> Result<(), Errno> {
        self.regular()?.fallocate(io, what, from, to, &self.shared.account)?;
        self.modified();
        Ok(())
    }

    fn get_xattr(&self, name: &[u8]) -> Result<Vec<u8>, Errno> {
        self.xattrs.get(name)
    }

    fn set_xattr(&self, name: &[u8], value: Option<&[u8]>, how: SetXattr) -> Result<(), Errno> {
        let most = self.shared.options.max_inodes.saturating_mul(XATTR_BYTES);
        self.xattrs.set(name, value, how, &self.shared.xattr_bytes, most)?;
        self.changed();
        Ok(())
    }

    fn list_xattrs(&self, hidden: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
        self.xattrs.list(hidden)
    }

    fn sealing(&self) -> Option<&Sealing> {
        self.regular().ok().map(|file| &file.sealing)
    }

    fn tmpfile(&self, new: &NewInode<'_>, linkable: Linkable) -> Result<Arc<dyn Inode>, Errno> {
        let inode = TmpInode::new(&self.shared, &self.inherit(*new), None)?;
        inode.drop_link();
        inode.linkable.store(linkable == Linkable::Yes, Ordering::Relaxed);
        Ok(inode)
    }

    fn linkable(&self) -> Linkable {
        if self.linkable.load(Ordering::Relaxed) { Linkable::Yes } else { Linkable::No }
    }

    fn pipe(&self) -> Result<Arc<Pipe>, Errno> {
        match &self.kind {
            Kind::Fifo(pipe) => Ok(pipe.clone()),
            _ => Err(Errno::ENXIO),
        }
    }

    fn data(&self) -> Option<Arc<dyn AddressSpaceOps>> {
        match &self.kind {
            Kind::Regular(_) => Some(self.shared.account.clone()),
            _ => None,
        }
    }

    fn mapping(&self) -> Result<Arc<AddressSpace>, Errno> {
        Ok(self.regular()?.mapping.clone())
    }
}
