//! The tree that init finds: EROFS from the disk that `root=` names, and `/dev` on it. Mirrors Linux's
//! `prepare_namespace`.

use super::console::Console;
use super::disk::Disk;
use crate::{block, cmdline, wall_clock};
use abi::Errno;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use fs::devfs::DevFs;
use fs::erofs::{Erofs, MountError};
use fs::kstat::{Dev, Timespec};
use fs::perm::Cred;
use fs::vfs::{EmptyPath, FsContext, LastSymlink, MountFlags, Vfs};
use spin::Once;

/// Linux's number for `/dev/console`.
const CONSOLE: Dev = Dev::new(5, 1);
/// First of the numbers that Linux gives out dynamically, where virtio disks usually end up.
const VIRTIO_BLK_MAJOR: u32 = 254;
/// Minors of one disk, its partitions included.
const MINORS: u32 = 16;

static VFS: Once<Vfs> = Once::new();

/// Why there is no root file system.
#[derive(Debug)]
pub enum RootError {
    /// No disk has the name that `root=` gives.
    NoDisk(&'static str),
    /// What is on the disk cannot be mounted.
    Mount(&'static str, MountError),
    /// `/dev` could not be set up.
    Dev(Errno),
}

impl fmt::Display for RootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RootError::NoDisk(name) => write!(f, "no disk {name}"),
            RootError::Mount(name, error) => write!(f, "{name}: {error}"),
            RootError::Dev(error) => write!(f, "/dev: {error}"),
        }
    }
}

/// The tree of files. Panics before [`mount_root`].
pub fn vfs() -> &'static Vfs {
    VFS.get().expect("the root file system is mounted")
}

/// Mounts the root file system and `/dev`. May sleep, so a task calls it, once.
pub fn mount_root() -> Result<(), RootError> {
    let name = cmdline::get("root").unwrap_or("/dev/vda");
    let id = block::find(name).ok_or(RootError::NoDisk(name))?;
    let disk = Disk::open(id).map_err(|_| RootError::NoDisk(name))?;
    let dev = Dev::new(VIRTIO_BLK_MAJOR, id * MINORS);
    let erofs = Erofs::mount(Arc::new(disk), dev).map_err(|error| RootError::Mount(name, error))?;
    let vfs = Vfs::new(Arc::new(erofs), MountFlags::READ_ONLY, String::from(name)).map_err(RootError::Dev)?;
    mount_dev(&vfs).map_err(RootError::Dev)?;
    VFS.call_once(|| vfs);
    Ok(())
}

fn mount_dev(vfs: &Vfs) -> Result<(), Errno> {
    let now = wall_clock::now();
    let time = Timespec { sec: (now / 1_000_000_000) as i64, nsec: (now % 1_000_000_000) as u32 };
    let devfs = DevFs::new(vfs.anonymous_dev(), time)?;
    devfs.add_memory_devices(vfs.devices())?;
    devfs.add_char_device("console", CONSOLE, 0o600)?;
    vfs.devices().register(CONSOLE, Arc::new(Console));
    let context = FsContext { root: vfs.root(), cred: &Cred::ROOT };
    let dev = vfs.lookup(context, vfs.root(), b"/dev", LastSymlink::Follow, EmptyPath::Refuse)?;
    let writable = MountFlags { read_only: false, nodev: false, noexec: true };
    vfs.mount(Arc::new(devfs), dev, writable, String::from("devtmpfs"))?;
    Ok(())
}
