//! `/dev`: one directory of device nodes, in memory. The nodes carry device numbers; what these lead to
//! stands in the [`DeviceTable`](crate::io::DeviceTable), as for a node on any file system.
//!
//! The kernel adds nodes at boot; programs cannot, so the mount is read-only (which does not stop
//! writes *to devices*).

mod mem;

use crate::alloc_util::try_arc;
use crate::inode::{DirEntry, DirVisitor, FileSystem, FsStat, Inode};
use crate::io::{CharDevice, DeviceTable};
use crate::kstat::{Dev, FileType, Kstat, Timespec};
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use spin::RwLock;

/// Linux's `TMPFS_MAGIC`: a devtmpfs says so too.
const TMPFS_MAGIC: u64 = 0x0102_1994;
/// Inode number of the directory; the nodes follow it.
const ROOT_INO: u64 = 1;

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
    root: Arc<Directory>,
}

struct Directory {
    dev: Dev,
    time: Timespec,
    /// In the order in which they were added. Nodes are never removed, so a place in this list is a
    /// lasting directory cookie.
    nodes: RwLock<Vec<(&'static str, Arc<Node>)>>,
}

struct Node {
    stat: Kstat,
}

impl DevFs {
    /// An empty one. `dev` is its own number, `time` the time stamp of the directory.
    pub fn new(dev: Dev, time: Timespec) -> Result<DevFs, Errno> {
        let root = try_arc(Directory { dev, time, nodes: RwLock::new(Vec::new()) })?;
        Ok(DevFs { root })
    }

    /// Adds the memory devices, and their drivers to `devices`.
    pub fn add_memory_devices(&self, devices: &DeviceTable) -> Result<(), Errno> {
        for (name, rdev, device) in memory_devices() {
            devices.register(rdev, device);
            self.add_char_device(name, rdev, 0o666)?;
        }
        Ok(())
    }

    /// Adds a node for character device `rdev` with permission bits `mode`. EEXIST if the name is taken.
    pub fn add_char_device(&self, name: &'static str, rdev: Dev, mode: u32) -> Result<(), Errno> {
        let mut nodes = self.root.nodes.write();
        if nodes.iter().any(|(taken, _)| *taken == name) {
            return Err(Errno::EEXIST);
        }
        let stat = Kstat {
            dev: self.root.dev,
            ino: ROOT_INO + 1 + nodes.len() as u64,
            mode: FileType::CharDevice.mode() | mode,
            nlink: 1,
            rdev,
            size: 0,
            ..self.root.attributes(0)
        };
        nodes.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        nodes.push((name, try_arc(Node { stat })?));
        Ok(())
    }
}

impl FileSystem for DevFs {
    fn name(&self) -> &'static str {
        "devtmpfs"
    }

    fn root(&self) -> Result<Arc<dyn Inode>, Errno> {
        Ok(self.root.clone())
    }

    fn statfs(&self) -> FsStat {
        FsStat { magic: TMPFS_MAGIC, block_size: 4096, blocks: 0, blocks_free: 0, files: 0, files_free: 0 }
    }
}

impl Directory {
    fn attributes(&self, nr_nodes: u64) -> Kstat {
        Kstat {
            dev: self.dev,
            ino: ROOT_INO,
            mode: FileType::Directory.mode() | 0o755,
            nlink: 2,
            uid: 0,
            gid: 0,
            rdev: Dev::default(),
            // A tmpfs directory counts 20 bytes per name.
            size: 20 * (nr_nodes + 2),
            blksize: 4096,
            blocks: 0,
            atime: self.time,
            mtime: self.time,
            ctime: self.time,
        }
    }
}

impl Inode for Directory {
    fn file_type(&self) -> FileType {
        FileType::Directory
    }

    fn stat(&self) -> Result<Kstat, Errno> {
        let nr_nodes = self.nodes.read().len() as u64;
        Ok(self.attributes(nr_nodes))
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        let nodes = self.nodes.read();
        let (_, node) = nodes.iter().find(|(known, _)| known.as_bytes() == name).ok_or(Errno::ENOENT)?;
        Ok(node.clone())
    }

    fn readdir(&self, pos: u64, visit: DirVisitor<'_>) -> Result<(), Errno> {
        for index in pos.. {
            // The visitor may sleep (it copies to a program), so the lock is taken anew for each entry.
            let (name, ino, file_type) = match index {
                0 => (".", ROOT_INO, FileType::Directory),
                1 => ("..", ROOT_INO, FileType::Directory),
                _ => match usize::try_from(index - 2).ok().and_then(|n| self.nodes.read().get(n).cloned()) {
                    Some((name, node)) => (name, node.stat.ino, FileType::CharDevice),
                    None => break,
                },
            };
            let entry = DirEntry { ino, file_type: Some(file_type), name: name.as_bytes(), next: index + 1 };
            if visit(&entry) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

impl Inode for Node {
    fn file_type(&self) -> FileType {
        FileType::CharDevice
    }

    fn stat(&self) -> Result<Kstat, Errno> {
        Ok(self.stat.clone())
    }
}
