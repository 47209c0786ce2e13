//! What a file system provides: Linux's `struct super_operations` and `struct inode_operations`.
//!
//! An inode is shared (`Arc<dyn Inode>`) by all names and opens of a file. The VFS asks for the type
//! before it calls an operation that only one type has; the defaults answer as Linux does for an inode
//! without that operation.

use crate::io::{ReadSink, WriteSource};
use crate::kstat::{Dev, FileType, Kstat, Timespec};
use crate::pipe::Pipe;
use crate::pseudo::SpecialFile;
use crate::seal::Sealing;
use crate::vfs::Path;
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bitflags::bitflags;
use core::any::Any;
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

/// What a new name in a directory is made for.
#[derive(Clone, Copy, Debug)]
pub struct NewInode<'a> {
    /// What it is.
    pub kind: NewKind<'a>,
    /// Permission bits, the umask already applied.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group, unless the directory gives its own away.
    pub gid: u32,
}

/// The type of a new inode and what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewKind<'a> {
    /// An empty regular file.
    Regular,
    /// An empty directory.
    Directory,
    /// A symbolic link to this target.
    Symlink(&'a [u8]),
    /// A named pipe.
    Fifo,
    /// The name of a socket.
    Socket,
    /// A character device.
    CharDevice(Dev),
    /// A block device.
    BlockDevice(Dev),
}

/// A time stamp to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTime {
    /// The present time.
    Now,
    /// This one.
    To(Timespec),
}

/// Attributes to be changed; what is `None` stays. The time of change becomes the present in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetAttr {
    /// Permission bits.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// Last access.
    pub atime: Option<SetTime>,
    /// Last change of the bytes.
    pub mtime: Option<SetTime>,
}

/// What a rename does about a file that has the new name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenameKind {
    /// Replaces it, if there is one.
    Replace,
    /// Gives it the old name.
    Exchange,
}

/// Where a write goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteAt {
    /// To this position.
    Pos(u64),
    /// To the end of the file, wherever that is by then.
    End,
}

/// How long a name that was looked up leads to the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Until the file system is told to change it.
    Stable,
    /// So far; it may change by itself, so whoever looks it up asks again.
    Current,
    /// No longer: the name must be looked up anew.
    Stale,
}

bitflags! {
    /// Flags of `setxattr(2)`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SetXattr: u32 {
        /// It must not exist.
        const CREATE = 0x1;
        /// It must exist.
        const REPLACE = 0x2;
    }
}

/// Whether a file without a name may get one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkable {
    /// It may.
    Yes,
    /// It may not (`O_EXCL`).
    No,
}

/// What `fallocate(2)` does to a range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallocate {
    /// Gives it space; the file grows as far as the range reaches.
    Allocate,
    /// Gives it space; the size stays (`FALLOC_FL_KEEP_SIZE`).
    AllocateBeyond,
    /// Takes its space and makes it zero (`FALLOC_FL_PUNCH_HOLE`).
    PunchHole,
}

/// A file of any type.
///
/// Any method may sleep: callers hold no spin lock. Of the methods that change names, the VFS calls only one at a time
/// for each directory involved, and it has checked permissions, types and what exists already.
pub trait Inode: Any + Send + Sync {
    /// Its type, which never changes.
    fn file_type(&self) -> FileType;

    /// What `stat(2)` tells about it.
    fn stat(&self) -> Result<Kstat, Errno>;

    /// Directory: the inode called `name`, which is never empty, `.` or `..`, and at most `NAME_MAX` long.
    fn lookup(&self, _name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        Err(Errno::ENOTDIR)
    }

    /// Directory: whether names come and go by calls of the VFS only, so that it may remember which ones are not there.
    fn names_are_ours(&self) -> bool {
        false
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

    /// Directory: makes `name`, which does not exist.
    fn create(&self, _name: &[u8], _new: &NewInode<'_>) -> Result<Arc<dyn Inode>, Errno> {
        Err(Errno::EPERM)
    }

    /// Directory: gives `target`, of the same file system and no directory, the further name `name`.
    fn link(&self, _name: &[u8], _target: &Arc<dyn Inode>) -> Result<(), Errno> {
        Err(Errno::EPERM)
    }

    /// Directory: removes `name`, which is no directory.
    fn unlink(&self, _name: &[u8]) -> Result<(), Errno> {
        Err(Errno::EPERM)
    }

    /// Directory: removes `name`, which is a directory. ENOTEMPTY if it has names besides `.` and `..`.
    fn rmdir(&self, _name: &[u8]) -> Result<(), Errno> {
        Err(Errno::EPERM)
    }

    /// Directory: moves `name` to `new_dir`, of the same file system, as `new_name`. ENOTEMPTY if a directory that is to be
    /// replaced has names.
    fn rename(
        &self,
        _name: &[u8],
        _new_dir: &Arc<dyn Inode>,
        _new_name: &[u8],
        _kind: RenameKind,
    ) -> Result<(), Errno> {
        Err(Errno::EPERM)
    }

    /// Changes attributes.
    fn setattr(&self, _set: &SetAttr) -> Result<(), Errno> {
        Err(Errno::EPERM)
    }

    /// The file was read: the time of the last access may change.
    fn accessed(&self) {}

    /// Regular file: writes what `source` has; returns how many bytes, and the position behind them.
    fn write(
        &self,
        _io: &dyn PageIo,
        _at: WriteAt,
        _source: &mut dyn WriteSource,
    ) -> Result<(usize, u64), Errno> {
        Err(Errno::EINVAL)
    }

    /// Regular file: sets its size.
    fn truncate(&self, _io: &dyn PageIo, _size: u64) -> Result<(), Errno> {
        Err(Errno::EINVAL)
    }

    /// Regular file: gives the bytes `from..to`, which are not empty, space, or takes it.
    fn fallocate(&self, _io: &dyn PageIo, _what: Fallocate, _from: u64, _to: u64) -> Result<(), Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// Regular file: its seals, if it can have any.
    fn sealing(&self) -> Option<&Sealing> {
        None
    }

    /// Directory: makes a file without a name (`O_TMPFILE`).
    fn tmpfile(&self, _new: &NewInode<'_>, _linkable: Linkable) -> Result<Arc<dyn Inode>, Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// Whether it may get a name although it has none.
    fn linkable(&self) -> Linkable {
        Linkable::No
    }

    /// The value of an extended attribute, or ENODATA.
    fn get_xattr(&self, _name: &[u8]) -> Result<Vec<u8>, Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// Sets an extended attribute, or removes it.
    fn set_xattr(&self, _name: &[u8], _value: Option<&[u8]>, _how: SetXattr) -> Result<(), Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// The names of the extended attributes, each with a NUL behind it, without those that begin with `hidden`.
    fn list_xattrs(&self, _hidden: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
        Ok(Vec::new())
    }

    /// Named pipe: what its openers share.
    fn pipe(&self) -> Result<Arc<Pipe>, Errno> {
        Err(Errno::ENXIO)
    }

    /// Regular file: its page cache, the same for all who use the inode.
    fn mapping(&self) -> Result<Arc<AddressSpace>, Errno> {
        Err(Errno::EINVAL)
    }

    /// Regular file: what an open of it reads and writes if that is not its page cache.
    fn open_special(&self) -> Result<Option<Arc<dyn SpecialFile>>, Errno> {
        Ok(None)
    }

    /// Symlink: where following it leads if that is a place and no text, as below `/proc/PID/fd` (Linux's `nd_jump_link`).
    fn jump(&self) -> Result<Option<Path>, Errno> {
        Ok(None)
    }

    /// Whether the name under which the file was looked up still leads to it (Linux's `d_revalidate`). Asked under a spin
    /// lock: it does not sleep.
    fn freshness(&self) -> Freshness {
        Freshness::Stable
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

/// How the kernel reads and writes the page cache, which needs the machine.
pub trait PageIo {
    /// Copies bytes of `mapping` from `pos` into `sink` until the sink is full or the file ends; returns
    /// how many, which may be fewer after an error, and 0 only at the end of the file or for an empty sink.
    fn read(&self, mapping: &Arc<AddressSpace>, pos: u64, sink: &mut dyn ReadSink) -> Result<usize, Errno>;

    /// Copies all of `source` to `pos`; returns how many bytes, which may be fewer after an error. The file grows as far
    /// as bytes came.
    fn write(
        &self,
        mapping: &Arc<AddressSpace>,
        pos: u64,
        source: &mut dyn WriteSource,
    ) -> Result<usize, Errno>;

    /// Sets the size; what is cut off is freed, what is added reads as zero.
    fn truncate(&self, mapping: &Arc<AddressSpace>, size: u64);

    /// Gives the bytes `from..to` folios where they have none; the size stays. All or nothing.
    fn fill_holes(&self, mapping: &Arc<AddressSpace>, from: u64, to: u64) -> Result<(), Errno>;

    /// Makes the bytes `from..to` read as zero, and frees what that leaves unused.
    fn punch_hole(&self, mapping: &Arc<AddressSpace>, from: u64, to: u64);

    /// Most bytes that the caller may make a file have (`RLIMIT_FSIZE`).
    fn file_size_limit(&self) -> u64 {
        u64::MAX
    }

    /// Tells the caller that a file would have become larger than that (SIGXFSZ).
    fn size_limit_exceeded(&self) {}

    /// Whether the set-id bits of a program stay though its bytes are changed (CAP_FSETID).
    fn writer_keeps_set_id(&self) -> bool {
        true
    }
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
