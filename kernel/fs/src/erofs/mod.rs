//! EROFS, read-only: the root file system. A small reader of its own, written from the description of
//! the format, for images without compression: plain, inline and chunk-based files.
//!
//! The order in which a read meets the files: `volume` (superblock, metadata reads) -> `file` (inode,
//! where its bytes are) -> `dir`. This file plugs them into the VFS.
//!
//! An image is never trusted. Whatever bytes it holds, each operation ends with a result or an
//! [`Errno`], after work that the size of the image bounds: EUCLEAN for damage, EOPNOTSUPP for features
//! that this reader lacks, and a line in the log that says which inode.

mod crc32c;
mod dir;
mod file;
mod ondisk;
mod volume;

pub use volume::MountError;

use crate::alloc_util::{try_arc, try_zeroed};
use crate::block::BlockSource;
use crate::inode::{DirVisitor, FileSystem, FsStat, Inode};
use crate::kstat::{Dev, FileType, Kstat};
use abi::Errno;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use file::ErofsFile;
use hashbrown::HashMap;
use mm::filemap::{AddressSpace, AddressSpaceOps, Backing};
use spin::Mutex;
use volume::Volume;

/// Longest symlink target, `PATH_MAX` without its NUL.
const SYMLINK_MAX: u64 = 4095;

/// Linux's `EROFS_SUPER_MAGIC_V1`, for `statfs`.
const EROFS_MAGIC: u64 = ondisk::SUPER_MAGIC as u64;

/// A mounted EROFS image.
pub struct Erofs {
    shared: Arc<Shared>,
}

/// What the file system and its inodes have in common.
struct Shared {
    volume: Arc<Volume>,
    /// Inodes in use by nid: two names of one file, or two opens, share one page cache. An inode
    /// leaves when its last user drops it.
    inodes: Mutex<HashMap<u64, Weak<ErofsInode>>>,
}

struct ErofsInode {
    shared: Arc<Shared>,
    file: Arc<ErofsFile>,
    /// The page cache, made when the first open asks for it: `stat` needs none.
    mapping: Mutex<Option<Arc<AddressSpace>>>,
}

impl Erofs {
    /// Mounts the image on `source`, the device with number `dev`.
    pub fn mount(source: Arc<dyn BlockSource>, dev: Dev) -> Result<Erofs, MountError> {
        let volume = try_arc(Volume::open(source, dev)?).map_err(MountError::Io)?;
        let shared =
            try_arc(Shared { volume, inodes: Mutex::new(HashMap::new()) }).map_err(MountError::Io)?;
        let erofs = Erofs { shared };
        let root = erofs.root().map_err(MountError::Io)?;
        if root.file_type() != FileType::Directory {
            return Err(MountError::Damaged("the root is not a directory"));
        }
        Ok(erofs)
    }
}

impl FileSystem for Erofs {
    fn name(&self) -> &'static str {
        "erofs"
    }

    fn root(&self) -> Result<Arc<dyn Inode>, Errno> {
        let root = self.shared.volume.root_nid();
        Ok(self.shared.inode(root)?)
    }

    fn statfs(&self) -> FsStat {
        let volume = &self.shared.volume;
        FsStat {
            magic: EROFS_MAGIC,
            block_size: volume.block_size(),
            blocks: volume.blocks(),
            blocks_free: 0,
            files: volume.inodes(),
            files_free: 0,
        }
    }
}

impl Shared {
    fn inode(self: &Arc<Shared>, nid: u64) -> Result<Arc<ErofsInode>, Errno> {
        if let Some(inode) = self.cached(nid) {
            return Ok(inode);
        }
        // Reading sleeps, so the lock is not held; if somebody was faster, the other inode wins.
        let file = try_arc(ErofsFile::read(&self.volume, nid)?)?;
        let inode = try_arc(ErofsInode { shared: self.clone(), file, mapping: Mutex::new(None) })?;
        let mut inodes = self.inodes.lock();
        if let Some(winner) = inodes.get(&nid).and_then(Weak::upgrade) {
            drop(inodes);
            return Ok(winner);
        }
        inodes.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        inodes.insert(nid, Arc::downgrade(&inode));
        Ok(inode)
    }

    fn cached(&self, nid: u64) -> Option<Arc<ErofsInode>> {
        self.inodes.lock().get(&nid).and_then(Weak::upgrade)
    }
}

impl Drop for ErofsInode {
    fn drop(&mut self) {
        let mut inodes = self.shared.inodes.lock();
        // A new inode of the same number may have taken the place in between.
        if inodes.get(&self.file.nid()).is_some_and(|weak| weak.strong_count() == 0) {
            inodes.remove(&self.file.nid());
        }
    }
}

impl Inode for ErofsInode {
    fn file_type(&self) -> FileType {
        self.file.file_type()
    }

    fn stat(&self) -> Result<Kstat, Errno> {
        Ok(self.file.stat())
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        if self.file_type() != FileType::Directory {
            return Err(Errno::ENOTDIR);
        }
        let nid = dir::lookup(&self.file, name)?;
        Ok(self.shared.inode(nid)?)
    }

    fn names_are_ours(&self) -> bool {
        true
    }

    fn readdir(&self, pos: u64, visit: DirVisitor<'_>) -> Result<(), Errno> {
        if self.file_type() != FileType::Directory {
            return Err(Errno::ENOTDIR);
        }
        dir::readdir(&self.file, pos, visit)
    }

    fn readlink(&self) -> Result<Vec<u8>, Errno> {
        if self.file_type() != FileType::Symlink {
            return Err(Errno::EINVAL);
        }
        let size = self.file.size();
        if size > SYMLINK_MAX {
            return Err(self.shared.volume.damaged(self.file.nid(), "symlink too long"));
        }
        let mut target = try_zeroed(size as usize)?;
        self.file.read_data(0, &mut target)?;
        if target.contains(&0) {
            return Err(self.shared.volume.damaged(self.file.nid(), "symlink with a NUL"));
        }
        Ok(target)
    }

    fn data(&self) -> Option<Arc<dyn AddressSpaceOps>> {
        match self.file_type() {
            FileType::Regular => Some(self.file.clone()),
            _ => None,
        }
    }

    fn mapping(&self) -> Result<Arc<AddressSpace>, Errno> {
        if let Some(mapping) = &*self.mapping.lock() {
            return Ok(mapping.clone());
        }
        let data = self.data().ok_or(Errno::EINVAL)?;
        // Made without the lock; if two opens race, the first to come back decides.
        let backing = Backing::Device(self.shared.volume.device());
        let made = AddressSpace::with_backing(self.file.size(), data, backing)?;
        Ok(self.mapping.lock().get_or_insert(made).clone())
    }
}
