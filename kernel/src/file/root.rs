//! The tree that init finds: EROFS from the disk that `root=` names, `/dev` on it, and what is kept in memory. Mirrors
//! Linux's `prepare_namespace`.

use super::console::Console;
use super::disk::Disk;
use super::random::Random;
use crate::block::DiskId;
use crate::proc::ProcFs;
use crate::sync::park::Parking;
use crate::sysfs::SysFs;
use crate::{block, cmdline, memory, wall_clock};
use abi::Errno;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use fs::devfs::DevFs;
use fs::erofs::{Erofs, MountError};
use fs::inode::FileSystem;
use fs::kstat::Dev;
use fs::perm::Cred;
use fs::tmpfs::{TmpFs, TmpfsOptions};
use fs::vfs::{EmptyPath, FsContext, LastSymlink, MountFlags, Path, Unnamed, Vfs};
use mm::types::PAGE_SIZE;
use spin::Once;

/// Linux's numbers for `/dev/console`, `/dev/ttyAMA0` and `/dev/tty`, `/dev/random` and `/dev/urandom`.
const CONSOLE: Dev = Dev::new(5, 1);
pub const SERIAL: Dev = Dev::new(204, 64);
const TTY: Dev = Dev::new(5, 0);
const RANDOM: Dev = Dev::new(1, 8);
const URANDOM: Dev = Dev::new(1, 9);
/// First of the numbers that Linux gives out dynamically, where virtio disks usually end up.
const VIRTIO_BLK_MAJOR: u32 = 254;
/// Minors of one disk, its partitions included.
const MINORS: u32 = 16;

/// Drivers of character and block devices, as `/proc/devices` lists them.
pub const CHAR_DRIVERS: &[(u32, &str)] = &[
    (RANDOM.major, "mem"),
    (TTY.major, "/dev/tty"),
    (CONSOLE.major, "/dev/console"),
    (SERIAL.major, "ttyAMA"),
];
/// The same for block devices.
pub const BLOCK_DRIVERS: &[(u32, &str)] = &[(VIRTIO_BLK_MAJOR, "virtblk")];

/// The device number of a disk.
pub fn disk_number(id: DiskId) -> Dev {
    Dev::new(VIRTIO_BLK_MAJOR, id * MINORS)
}

static VFS: Once<Vfs> = Once::new();
static UNNAMED: Once<Unnamed> = Once::new();

/// Why there is no root file system.
#[derive(Debug)]
pub enum RootError {
    /// No disk has the name that `root=` gives.
    NoDisk(&'static str),
    /// What is on the disk cannot be mounted.
    Mount(&'static str, MountError),
    /// `/dev` could not be set up.
    Dev(Errno),
    /// A file system in memory could not be set up.
    Tmpfs(&'static str, Errno),
    /// A file system that shows the kernel could not be mounted.
    Kernel(&'static str, Errno),
}

impl fmt::Display for RootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RootError::NoDisk(name) => write!(f, "no disk {name}"),
            RootError::Mount(name, error) => write!(f, "{name}: {error}"),
            RootError::Tmpfs(at, error) | RootError::Kernel(at, error) => write!(f, "{at}: {error}"),
            RootError::Dev(error) => write!(f, "/dev: {error}"),
        }
    }
}

/// The tree of files. Panics before [`mount_root`].
pub fn vfs() -> &'static Vfs {
    VFS.get().expect("the root file system is mounted")
}

/// Where pipes and memfds come from. Panics before [`mount_root`].
pub fn unnamed() -> &'static Unnamed {
    UNNAMED.get().expect("the root file system is mounted")
}

/// Mounts the root file system and `/dev`. May sleep, so a task calls it, once.
pub fn mount_root() -> Result<(), RootError> {
    fs::sleep::set_park(&Parking);
    let name = cmdline::get("root").unwrap_or("/dev/vda");
    let id = block::find(name).ok_or(RootError::NoDisk(name))?;
    let disk = Disk::open(id).map_err(|_| RootError::NoDisk(name))?;
    let dev = disk_number(id);
    let erofs = Erofs::mount(Arc::new(disk), dev).map_err(|error| RootError::Mount(name, error))?;
    let vfs = Vfs::new(Arc::new(erofs), MountFlags::READ_ONLY, String::from(name)).map_err(RootError::Dev)?;
    mount_dev(&vfs).map_err(RootError::Dev)?;
    for (at, mode) in [("/dev/shm", 0o1777), ("/tmp", 0o1777), ("/run", 0o755)] {
        mount_tmpfs(&vfs, at, mode).map_err(|error| RootError::Tmpfs(at, error))?;
    }
    let half = memory::get().nr_frames() / 2;
    let unnamed = Unnamed::new(&vfs, half, wall_clock::timespec).map_err(RootError::Dev)?;
    UNNAMED.call_once(|| unnamed);
    VFS.call_once(|| vfs);
    let kernel: [(&str, Arc<dyn FileSystem>); 2] = [("/proc", Arc::new(ProcFs)), ("/sys", Arc::new(SysFs))];
    for (at, fs) in kernel {
        mount_kernel(at, fs).map_err(|error| RootError::Kernel(at, error))?;
    }
    Ok(())
}

/// How a tmpfs is made here: at most half of the memory, and as many files as would fit.
fn tmpfs_options(vfs: &Vfs, root_mode: u32) -> TmpfsOptions {
    let half = memory::get().nr_frames() / 2;
    let dev = vfs.anonymous_dev();
    TmpfsOptions {
        name: "tmpfs",
        dev,
        root_mode,
        max_pages: half,
        max_inodes: half,
        clock: wall_clock::timespec,
    }
}

/// Types of file systems in the order of `/proc/filesystems`, and whether they need a device.
pub const FILE_SYSTEMS: [(&str, bool); 5] =
    [("sysfs", false), ("tmpfs", false), ("proc", false), ("devtmpfs", false), ("erofs", true)];

/// A file system of this type for `mount(2)`. ENODEV for what cannot be mounted, EINVAL for options that it does not know.
pub fn new_file_system(kind: &[u8], options: &[u8]) -> Result<Arc<dyn FileSystem>, Errno> {
    match kind {
        b"tmpfs" => Ok(new_tmpfs(options)?),
        b"proc" => Ok(Arc::new(ProcFs)),
        b"sysfs" => Ok(Arc::new(SysFs)),
        _ => Err(Errno::ENODEV),
    }
}

/// A tmpfs for `mount(2)` with these options: `size=` (bytes, with k, m, g, or % of the memory), `nr_blocks=`,
/// `nr_inodes=` and `mode=`. EINVAL for others.
fn new_tmpfs(options: &[u8]) -> Result<Arc<TmpFs>, Errno> {
    let mut made = tmpfs_options(vfs(), 0o1777);
    let options = core::str::from_utf8(options).map_err(|_| Errno::EINVAL)?;
    for option in options.split(',').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').ok_or(Errno::EINVAL)?;
        match name {
            "size" => made.max_pages = size_option(value)?.div_ceil(PAGE_SIZE),
            "nr_blocks" => made.max_pages = size_option(value)?,
            "nr_inodes" => made.max_inodes = size_option(value)?,
            "mode" => made.root_mode = u32::from_str_radix(value, 8).map_err(|_| Errno::EINVAL)? & 0o7777,
            _ => return Err(Errno::EINVAL),
        }
    }
    Ok(Arc::new(TmpFs::new(made)?))
}

/// A number with a unit.
fn size_option(value: &str) -> Result<u64, Errno> {
    let number = |digits: &str| digits.parse::<u64>().map_err(|_| Errno::EINVAL);
    if let Some(percent) = value.strip_suffix('%') {
        return Ok((memory::get().nr_frames() * PAGE_SIZE / 100).saturating_mul(number(percent)?));
    }
    let shift = match value.as_bytes().last() {
        Some(b'k' | b'K') => 10,
        Some(b'm' | b'M') => 20,
        Some(b'g' | b'G') => 30,
        _ => 0,
    };
    let digits = if shift == 0 { value } else { &value[..value.len() - 1] };
    number(digits)?.checked_mul(1 << shift).ok_or(Errno::EINVAL)
}

fn mount_dev(vfs: &Vfs) -> Result<(), Errno> {
    let devfs = DevFs::new(tmpfs_options(vfs, 0o755))?;
    devfs.add_memory_devices(vfs.devices())?;
    for (name, number, mode, device) in [
        ("console", CONSOLE, 0o600, Console::System),
        ("ttyAMA0", SERIAL, 0o600, Console::Serial),
        ("tty", TTY, 0o666, Console::Controlling),
    ] {
        devfs.add_char_device(name, number, mode)?;
        vfs.devices().register(number, Arc::new(device));
    }
    for (name, number) in [("random", RANDOM), ("urandom", URANDOM)] {
        devfs.add_char_device(name, number, 0o666)?;
        vfs.devices().register(number, Arc::new(Random));
    }
    devfs.add_directory("shm")?;
    let writable = MountFlags { noexec: true, ..MountFlags::NONE };
    vfs.mount(Arc::new(devfs), find(vfs, "/dev")?, writable, String::from("devtmpfs"))?;
    Ok(())
}

/// Mounts an empty tmpfs. A disk that has no such directory does without.
fn mount_tmpfs(vfs: &Vfs, at: &str, root_mode: u32) -> Result<(), Errno> {
    let place = match find(vfs, at) {
        Err(Errno::ENOENT) => return Ok(()),
        place => place?,
    };
    let tmpfs = TmpFs::new(tmpfs_options(vfs, root_mode))?;
    let flags = MountFlags { nodev: true, ..MountFlags::NONE };
    vfs.mount(Arc::new(tmpfs), place, flags, String::from("tmpfs"))?;
    Ok(())
}

/// Mounts a file system that shows the kernel. A disk that has no such directory does without.
fn mount_kernel(at: &str, fs: Arc<dyn FileSystem>) -> Result<(), Errno> {
    let place = match find(vfs(), at) {
        Err(Errno::ENOENT) => return Ok(()),
        place => place?,
    };
    let flags = MountFlags { nodev: true, noexec: true, nosuid: true, ..MountFlags::NONE };
    let source = String::from(fs.name());
    vfs().mount(fs, place, flags, source)?;
    Ok(())
}

fn find(vfs: &Vfs, path: &str) -> Result<Path, Errno> {
    let context = FsContext { root: vfs.root(), cred: &Cred::ROOT, umask: 0 };
    vfs.lookup(context, vfs.root(), path.as_bytes(), LastSymlink::Follow, EmptyPath::Refuse)
}
