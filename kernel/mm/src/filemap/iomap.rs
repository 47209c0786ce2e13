//! How a file system tells the page cache where the bytes of a file are, after Linux's
//! `include/linux/iomap.h`. A file system says *where*; reading, caching and waiting is done here.

use abi::Errno;
use alloc::vec::Vec;

/// What lies behind one run of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IomapKind {
    /// Nothing: reads as zero.
    Hole,
    /// Bytes on the block device, from `addr`, in bytes from the start of the device.
    Mapped {
        /// Byte offset on the device. Any alignment; what is not 512-aligned is read by copying.
        addr: u64,
    },
    /// The bytes themselves, because they lie inside metadata (EROFS inline tails).
    Inline {
        /// As many bytes as the run is long.
        bytes: Vec<u8>,
    },
}

/// One run of a file: `len` bytes from `pos`, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iomap {
    /// Where the run begins, in bytes from the start of the file. At most the asked position.
    pub pos: u64,
    /// Length in bytes, at least one past the asked position.
    pub len: u64,
    /// What is there.
    pub kind: IomapKind,
}

/// What a file system provides for each file whose bytes the page cache holds.
///
/// Mirrors Linux's `struct iomap_ops` and what is left of `struct address_space_operations`.
pub trait AddressSpaceOps: Send + Sync {
    /// The run that holds byte `pos`, which is below the file's size.
    ///
    /// May block on metadata. A damaged file system gives EUCLEAN or EIO, never a panic.
    fn iomap(&self, pos: u64) -> Result<Iomap, Errno>;

    /// The page cache is about to hold `nr_kernel_pages` more. ENOSPC when the file system has no room for them:
    /// for a file that lives in memory, the page cache is its disk.
    fn charge(&self, _nr_kernel_pages: u64) -> Result<(), Errno> {
        Ok(())
    }

    /// As many pages that were charged have left the page cache. Must not sleep.
    fn uncharge(&self, _nr_kernel_pages: u64) {}
}
