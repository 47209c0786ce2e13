//! Where a file system finds its metadata: bytes of a block device.
//!
//! The kernel implements this over the block device's own page cache, so that metadata is cached like
//! everything else. File *data* does not come this way: a file system only says where it lies
//! (`mm::filemap::AddressSpaceOps::iomap`) and the page cache reads it straight into frames.

use abi::Errno;

/// A readable block device.
pub trait BlockSource: Send + Sync {
    /// Fills `buf` from byte `offset`. Any alignment and length; the whole buffer or an error.
    ///
    /// May sleep, so callers hold no spin lock.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), Errno>;

    /// The number by which the page cache names this device in its own reads, the `dev` of
    /// `mm::hw::Hw::submit_read`.
    fn device(&self) -> u32;

    /// Size in bytes.
    fn size(&self) -> u64;
}
