//! File memory: the page cache, its readahead, reads and writes through it, truncation. Mirrors Linux's `mm/filemap.c` and
//! `mm/readahead.c`. All that waits for a device waits here, with no lock held.

mod allocate;
mod convert;
mod iomap;
mod mapping;
mod read;
mod readahead;
mod rmap;
mod tree;
mod write;

pub use convert::NotConverted;
pub use iomap::{AddressSpaceOps, Iomap, IomapKind};
pub use mapping::{AddressSpace, Backing, FolioSink};
pub use readahead::READ_AHEAD_MAX;
pub use rmap::{EvenCows, SharedMm};
pub use tree::Entry;

use alloc::sync::Arc;

/// Device and inode number of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileId {
    /// The device's driver.
    pub major: u32,
    /// Which of its devices.
    pub minor: u32,
    /// Inode number.
    pub ino: u64,
}

/// A file as a VMA refers to it: its page cache, and what /proc/PID/maps says of it.
pub trait MappedFile: Send + Sync {
    /// The page cache.
    fn mapping(&self) -> &Arc<AddressSpace>;
    /// Writes the path, for /proc/PID/maps and the log.
    fn write_path(&self, out: &mut dyn core::fmt::Write) -> core::fmt::Result;
    /// Where the file is, for /proc/PID/maps.
    fn id(&self) -> FileId {
        FileId::default()
    }
}

/// The whole file is zero: the `iomap` of memory without a file system behind it.
pub struct ZeroFile;

impl AddressSpaceOps for ZeroFile {
    fn iomap(&self, pos: u64) -> Result<Iomap, abi::Errno> {
        Ok(Iomap { pos, len: u64::MAX - pos, kind: IomapKind::Hole })
    }
}
