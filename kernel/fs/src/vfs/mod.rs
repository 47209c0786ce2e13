//! The virtual file system: one tree out of several file systems, open files, and the rules of Linux's
//! file system calls.
//!
//! How the syscall layer uses it:
//! - The kernel keeps one [`Vfs`]; each process has a root and a current directory ([`Path`]s) and
//!   credentials, handed to each call as an [`FsContext`]; each descriptor is an `Arc<File>`.
//! - `openat(dirfd, path, flags, mode)`: copy the path from the program, find the base (`dirfd`'s
//!   [`File::path`], or the current directory for `AT_FDCWD`; a descriptor is only looked at if the path
//!   is relative), call [`Vfs::open`]. `O_CLOEXEC` belongs to the descriptor and is the caller's business.
//! - `read`, `pread64`, `write`, `lseek`, `getdents64`, `ioctl`, `fstat`: the methods of [`File`]. Bytes
//!   go through a [`ReadSink`](crate::io::ReadSink) or [`WriteSource`](crate::io::WriteSource) over the
//!   program's memory, whose length the caller has cut to [`MAX_RW_COUNT`].
//! - `newfstatat`, `readlinkat`, `faccessat`: [`Vfs::lookup`], then the inode.
//! - `mkdirat`, `unlinkat`, `linkat`, `symlinkat`, `renameat2`: the methods of [`Vfs`] with these names.
//! - `fchmodat`, `fchownat`, `utimensat`, `truncate`: [`Vfs::lookup`], then [`Vfs::chmod`] and its like.
//! - `pipe2`, `memfd_create`: [`Unnamed`].
//! - `execve`: [`Vfs::open_exec`].
//! - `mmap`: [`File::mmap_target`].
//!
//! Everything here may sleep, as file systems read their metadata; callers hold no spin lock.

mod attr;
mod dentry;
mod file;
mod getdents;
mod locks;
mod mmap;
mod mount;
mod name_map;
mod namei;
mod open;
mod rename;
mod unnamed;
mod walk;
mod xattr;

pub use attr::Times;
pub use dentry::Dentry;
pub use file::{File, FileKind};
pub use locks::{LockOwner, LockType, RangeLock};
pub use mmap::{MmapTarget, Sharing};
pub use mount::{Mount, MountFlags, Path};
pub use open::OpenHow;
pub use rename::RenameMode;
pub use unnamed::Unnamed;
pub use walk::{EmptyPath, FsContext, LastSymlink, Resolve};

use crate::inode::FileSystem;
use crate::io::DeviceTable;
use crate::kstat::{Dev, FileType};
use crate::sleep::SleepMutex;
use abi::Errno;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};
use dentry::{Recent, forget_below};
use mount::MountTable;
use spin::Mutex;
use walk::{Intent, Walked, walk};

/// Longest path with its NUL, `PATH_MAX`.
pub const PATH_MAX: usize = 4096;
/// Longest name, `NAME_MAX`.
pub const NAME_MAX: usize = 255;
/// What one read or write transfers at most: Linux cuts longer ones to this, the same for all page sizes.
pub const MAX_RW_COUNT: usize = 0x7fff_f000;

/// The tree of all mounted file systems.
pub struct Vfs {
    root: Path,
    mounts: MountTable,
    devices: DeviceTable,
    recent: Mutex<Recent>,
    /// Held while two directories are locked for a rename.
    renames: SleepMutex<()>,
    next_anonymous_minor: AtomicU32,
}

impl Vfs {
    /// A tree whose root is the root of `fs`. `source` is what `/proc/mounts` shows in the first column.
    pub fn new(fs: Arc<dyn FileSystem>, flags: MountFlags, source: String) -> Result<Vfs, Errno> {
        let root = Dentry::new_root(fs.root()?)?;
        let mounts = MountTable::new();
        let mount = mounts.add(Mount::new(fs, root, None, flags, source))?;
        Ok(Vfs {
            root: Path::root_of(mount),
            mounts,
            devices: DeviceTable::default(),
            recent: Mutex::new(Recent::new()?),
            renames: SleepMutex::new(()),
            next_anonymous_minor: AtomicU32::new(1),
        })
    }

    /// The root of the tree, where init begins.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The drivers of device nodes.
    pub fn devices(&self) -> &DeviceTable {
        &self.devices
    }

    /// A device number for a file system that lies on no device.
    pub fn anonymous_dev(&self) -> Dev {
        Dev::new(0, self.next_anonymous_minor.fetch_add(1, Ordering::Relaxed))
    }

    /// Covers the directory `at` with the root of `fs`. ENOTDIR if `at` is no directory.
    pub fn mount(
        &self,
        fs: Arc<dyn FileSystem>,
        at: Path,
        flags: MountFlags,
        source: String,
    ) -> Result<Arc<Mount>, Errno> {
        if at.file_type() != FileType::Directory {
            return Err(Errno::ENOTDIR);
        }
        let root = Dentry::new_root(fs.root()?)?;
        self.mounts.add(Mount::new(fs, root, Some(at), flags, source))
    }

    /// The mounts, oldest first.
    pub fn mounts(&self) -> Vec<Arc<Mount>> {
        self.mounts.list()
    }

    /// Finds what `path` names, from `base` if it is relative.
    pub fn lookup(
        &self,
        context: FsContext<'_>,
        base: &Path,
        path: &[u8],
        last_symlink: LastSymlink,
        empty: EmptyPath,
    ) -> Result<Path, Errno> {
        if path.is_empty() && empty == EmptyPath::Base {
            return Ok(base.clone());
        }
        match walk(self, context, base, path, last_symlink, Intent::Find)? {
            Walked::Found { path, trailing_slash } => {
                if trailing_slash && path.file_type() != FileType::Directory {
                    return Err(Errno::ENOTDIR);
                }
                Ok(path)
            }
            Walked::Missing { .. } | Walked::Parent { .. } => Err(Errno::ENOENT),
        }
    }

    /// Lets go of the names that are remembered though nobody uses them, and with them of their files.
    pub fn drop_dentries(&self) {
        forget_below(&self.root.dentry, &self.recent);
        self.mounts.list().iter().for_each(|mount| forget_below(&mount.root, &self.recent));
    }

    /// `umount2(2)` of what is mounted at `path`, whose root that is. EINVAL if nothing is, EBUSY if it is in use.
    pub fn umount(&self, path: Path) -> Result<(), Errno> {
        let mount = self.mounts.remove(&path)?;
        // Names that were used lately would keep the file system's files alive.
        forget_below(&mount.root, &self.recent);
        Ok(())
    }
}
