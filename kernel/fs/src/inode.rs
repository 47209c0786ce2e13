//! What a file system provides: Linux's `struct super_operations` and `struct inode_operations`.
//!
//! An inode is shared (`Arc<dyn Inode>`) by all names and opens of a file. The VFS asks for the type
//! before it calls an operation that only one type has; the defaults answer as Linux does for an inode
//! without that operation.

use crate::kstat::{FileType, Kstat};
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use mm::filemap::{AddressSpace, AddressSpaceOps};

/// One entry of a directory, as `readdir` shows it to its visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirEntry<'a> {
    /// Inode number.
    pub ino: u64,
    /// Type, if the directory knows it.
    pub file_type: Option<FileType>,
    /// The name.
    pub name: &'a [u8],
    /// Cookie from which the entries after this one are read.
    pub next: u64,
}

/// Takes the entries of a directory, until it breaks because it has no room for this one.
pub type DirVisitor<'a> = &'a mut dyn FnMut(&DirEntry<'_>) -> ControlFlow<()>;

/// A file of any type.
///
/// Any method may sleep: callers hold no spin lock.
pub trait Inode: Send + Sync {
    /// Its type, which never changes.
    fn file_type(&self) -> FileType;

    /// What `stat(2)` tells about it.
    fn stat(&self) -> Result<Kstat, Errno>;

    /// Directory: the inode called `name`, which is never empty, `.` or `..`, and at most `NAME_MAX` long.
    fn lookup(&self, _name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        Err(Errno::ENOTDIR)
    }

    /// Directory: visits its entries, `.` and `..` included, from cookie `pos` (0 is the first).
    fn readdir(&self, _pos: u64, _visit: DirVisitor<'_>) -> Result<(), Errno> {
        Err(Errno::ENOTDIR)
    }

    /// Symlink: its target.
    fn readlink(&self) -> Result<Vec<u8>, Errno> {
        Err(Errno::EINVAL)
    }

    /// Regular file: where its bytes are.
    fn data(&self) -> Option<Arc<dyn AddressSpaceOps>> {
        None
    }

    /// Regular file: its page cache, the same for all who use the inode.
    fn mapping(&self) -> Result<Arc<AddressSpace>, Errno> {
        Err(Errno::EINVAL)
    }
}

/// What `statfs(2)` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FsStat {
    /// `f_type`.
    pub magic: u64,
    /// Size of a block.
    pub block_size: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Free blocks.
    pub blocks_free: u64,
    /// Inodes in all.
    pub files: u64,
    /// Free inodes.
    pub files_free: u64,
}

/// A file system that can be mounted.
pub trait FileSystem: Send + Sync {
    /// Its type, as `/proc/mounts` shows it.
    fn name(&self) -> &'static str;

    /// Its root directory.
    fn root(&self) -> Result<Arc<dyn Inode>, Errno>;

    /// What `statfs(2)` tells about it.
    fn statfs(&self) -> FsStat;
}
