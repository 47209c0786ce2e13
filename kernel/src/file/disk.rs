//! A disk as a file: its page cache, through which file systems read their metadata. Mirrors Linux's `block/bdev.c`.

use super::PageCache;
use crate::block::{self, DiskId};
use abi::Errno;
use alloc::sync::Arc;
use fs::block::BlockSource;
use mm::filemap::{AddressSpace, AddressSpaceOps, Backing, Iomap, IomapKind};

/// One disk's bytes.
pub struct Disk {
    id: DiskId,
    mapping: Arc<AddressSpace>,
}

/// Byte `pos` of the file is byte `pos` of the disk.
struct Identity {
    size: u64,
}

impl Disk {
    /// The disk numbered `id`. ENXIO if there is none.
    pub fn open(id: DiskId) -> Result<Disk, Errno> {
        let size = block::size(id).ok_or(Errno::ENXIO)?;
        let mapping = AddressSpace::with_backing(size, Arc::new(Identity { size }), Backing::Device(id))?;
        Ok(Disk { id, mapping })
    }
}

impl AddressSpaceOps for Identity {
    fn iomap(&self, pos: u64) -> Result<Iomap, Errno> {
        Ok(Iomap { pos, len: self.size - pos, kind: IomapKind::Mapped { addr: pos } })
    }
}

impl BlockSource for Disk {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), Errno> {
        let done = PageCache::read_kernel(&self.mapping, offset, buf)?;
        if done == buf.len() { Ok(()) } else { Err(Errno::EIO) }
    }

    fn device(&self) -> u32 {
        self.id
    }

    fn size(&self) -> u64 {
        self.mapping.size()
    }
}
