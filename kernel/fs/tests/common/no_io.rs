//! The page cache of those who touch no bytes.

use abi::Errno;
use fs::inode::PageIo;
use fs::io::{ReadSink, WriteSource};
use mm::filemap::AddressSpace;
use std::sync::Arc;

/// For opens that touch no bytes.
pub struct NoIo;

impl PageIo for NoIo {
    fn read(&self, _: &Arc<AddressSpace>, _: u64, _: &mut dyn ReadSink) -> Result<usize, Errno> {
        Err(Errno::EIO)
    }

    fn write(&self, _: &Arc<AddressSpace>, _: u64, _: &mut dyn WriteSource) -> Result<usize, Errno> {
        Err(Errno::EIO)
    }

    fn truncate(&self, _: &Arc<AddressSpace>, _: u64) {}

    fn fill_holes(&self, _: &Arc<AddressSpace>, _: u64, _: u64) -> Result<(), Errno> {
        Err(Errno::EIO)
    }

    fn punch_hole(&self, _: &Arc<AddressSpace>, _: u64, _: u64) {}
}
