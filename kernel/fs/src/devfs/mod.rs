//! `/dev`: a tmpfs with device nodes. The nodes carry device numbers; what these lead to stands in the
//! [`DeviceTable`](crate::io::DeviceTable), as for a node on any file system. Mirrors Linux's `drivers/base/devtmpfs.c`.
//!
//! The kernel makes the nodes at boot; programs may add to them.

mod mem;

use crate::inode::{FileSystem, FsStat, Inode, NewInode, NewKind};
use crate::io::{CharDevice, DeviceTable};
use crate::kstat::Dev;
use crate::tmpfs::{TmpFs, TmpfsOptions};
use abi::Errno;
use alloc::sync::Arc;

/// The memory devices: name and number, as in Linux, and the driver.
pub fn memory_devices() -> [(&'static str, Dev, Arc<dyn CharDevice>); 3] {
    [
        ("null", Dev::new(1, 3), Arc::new(mem::Null)),
        ("zero", Dev::new(1, 5), Arc::new(mem::Zero)),
        ("full", Dev::new(1, 7), Arc::new(mem::Full)),
    ]
}

/// A file system for `/dev`.
pub struct DevFs {
    tmpfs: TmpFs,
}

impl DevFs {
    /// An empty one.
    pub fn new(options: TmpfsOptions) -> Result<DevFs, Errno> {
        Ok(DevFs { tmpfs: TmpFs::new(TmpfsOptions { name: "devtmpfs", root_mode: 0o755, ..options })? })
    }

    /// Adds the memory devices, and their drivers to `devices`.
    pub fn add_memory_devices(&self, devices: &DeviceTable) -> Result<(), Errno> {
        for (name, rdev, device) in memory_devices() {
            devices.register(rdev, device);
            self.add_char_device(name, rdev, 0o666)?;
        }
        Ok(())
    }

    /// Adds a node for character device `rdev` with permission bits `mode`. The name is not taken.
    pub fn add_char_device(&self, name: &str, rdev: Dev, mode: u32) -> Result<(), Errno> {
        self.add(name, NewKind::CharDevice(rdev), mode)
    }

    /// Adds a directory, to mount something on. The name is not taken.
    pub fn add_directory(&self, name: &str) -> Result<(), Errno> {
        self.add(name, NewKind::Directory, 0o755)
    }

    fn add(&self, name: &str, kind: NewKind<'_>, mode: u32) -> Result<(), Errno> {
        self.root()?.create(name.as_bytes(), &NewInode { kind, mode, uid: 0, gid: 0 })?;
        Ok(())
    }
}

impl FileSystem for DevFs {
    fn name(&self) -> &'static str {
        self.tmpfs.name()
    }

    fn root(&self) -> Result<Arc<dyn Inode>, Errno> {
        self.tmpfs.root()
    }

    fn statfs(&self) -> FsStat {
        self.tmpfs.statfs()
    }
}
