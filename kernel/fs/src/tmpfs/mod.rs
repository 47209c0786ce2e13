//! A file system in memory: `/tmp`, `/run`, `/dev/shm`, the files of `memfd_create`, and below [`devfs`](crate::devfs).
//! Mirrors Linux's `mm/shmem.c`.
//!
//! Directories own their files, and the page cache of a file is its disk: a folio is charged to the file system when it
//! enters the cache, by a write or by a fault, and ENOSPC comes from there. `dir` holds the names, `regular` the bytes, `inode` the rest.
//!
//! The spin locks here guard memory, for a few lines at a time. What happens to names in which order is the VFS's
//! business, which locks directories; writes and truncations of one file follow each other by the file's own lock.

mod dir;
mod inode;
mod regular;
mod xattr;

use crate::alloc_util::try_arc;
use crate::inode::{FileSystem, FsStat, Inode, NewInode, NewKind};
use crate::kstat::{Dev, Timespec};
use crate::seal::Seals;
use abi::Errno;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};
use inode::TmpInode;
use mm::filemap::{AddressSpaceOps, Iomap, IomapKind};

/// Linux's `TMPFS_MAGIC`.
const TMPFS_MAGIC: u64 = 0x0102_1994;
/// Size of a block: a kernel page, whatever a process's page is.
const BLOCK_SIZE: u64 = 4096;

/// How a tmpfs is made.
#[derive(Clone, Copy, Debug)]
pub struct TmpfsOptions {
    /// Its type, as `/proc/mounts` shows it.
    pub name: &'static str,
    /// Its own device number.
    pub dev: Dev,
    /// Permission bits of the root directory.
    pub root_mode: u32,
    /// Most kernel pages of file data.
    pub max_pages: u64,
    /// Most inodes.
    pub max_inodes: u64,
    /// What the time is.
    pub clock: fn() -> Timespec,
}

/// A mounted tmpfs.
pub struct TmpFs {
    shared: Arc<Shared>,
    root: Arc<TmpInode>,
}

/// What the inodes of one tmpfs have in common.
struct Shared {
    options: TmpfsOptions,
    account: Arc<Account>,
    inodes: AtomicU64,
    next_ino: AtomicU64,
    /// What the extended attributes of all files take.
    xattr_bytes: AtomicU64,
}

/// Counts the pages of all files: the `iomap` of files that are nowhere else than in the page cache.
struct Account {
    max_pages: u64,
    pages: AtomicU64,
}

impl TmpFs {
    /// An empty one.
    pub fn new(options: TmpfsOptions) -> Result<TmpFs, Errno> {
        let account = try_arc(Account { max_pages: options.max_pages, pages: AtomicU64::new(0) })?;
        let (inodes, next_ino) = (AtomicU64::new(0), AtomicU64::new(1));
        let shared = try_arc(Shared { options, account, inodes, next_ino, xattr_bytes: AtomicU64::new(0) })?;
        let new = NewInode { kind: NewKind::Directory, mode: options.root_mode, uid: 0, gid: 0 };
        let root = TmpInode::new(&shared, &new, None)?;
        Ok(TmpFs { shared, root })
    }

    /// A regular file without a name, as `memfd_create(2)` makes it. It goes with its last user.
    pub fn unnamed_file(&self, mode: u32, uid: u32, gid: u32, seals: Seals) -> Result<Arc<dyn Inode>, Errno> {
        let new = NewInode { kind: NewKind::Regular, mode, uid, gid };
        let inode = TmpInode::sealed(&self.shared, &new, None, seals)?;
        inode.drop_link();
        Ok(inode)
    }

    /// Pages of file data, for tests.
    pub fn pages(&self) -> u64 {
        self.shared.account.pages.load(Ordering::Relaxed)
    }
}

impl FileSystem for TmpFs {
    fn name(&self) -> &'static str {
        self.shared.options.name
    }

    fn root(&self) -> Result<Arc<dyn Inode>, Errno> {
        Ok(self.root.clone())
    }

    fn statfs(&self) -> FsStat {
        let TmpfsOptions { max_pages, max_inodes, .. } = self.shared.options;
        FsStat {
            magic: TMPFS_MAGIC,
            block_size: BLOCK_SIZE,
            blocks: max_pages,
            blocks_free: max_pages.saturating_sub(self.pages()),
            files: max_inodes,
            files_free: max_inodes.saturating_sub(self.shared.inodes.load(Ordering::Relaxed)),
        }
    }
}

impl Shared {
    fn now(&self) -> Timespec {
        (self.options.clock)()
    }
}

/// Adds to a counter unless it would become larger than `most`.
fn count_up(counter: &AtomicU64, nr: u64, most: u64) -> Result<(), Errno> {
    let more = |now: u64| now.checked_add(nr).filter(|sum| *sum <= most);
    match counter.try_update(Ordering::Relaxed, Ordering::Relaxed, more) {
        Ok(_) => Ok(()),
        Err(_) => Err(Errno::ENOSPC),
    }
}

impl AddressSpaceOps for Account {
    fn iomap(&self, pos: u64) -> Result<Iomap, Errno> {
        Ok(Iomap { pos, len: u64::MAX - pos, kind: IomapKind::Hole })
    }

    fn charge(&self, nr_kernel_pages: u64) -> Result<(), Errno> {
        count_up(&self.pages, nr_kernel_pages, self.max_pages)
    }

    fn uncharge(&self, nr_kernel_pages: u64) {
        self.pages.fetch_sub(nr_kernel_pages, Ordering::Relaxed);
    }
}
