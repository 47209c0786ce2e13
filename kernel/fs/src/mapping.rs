//! The page cache of one file, as far as this crate knows it.

use abi::Errno;
use alloc::sync::Arc;
use mm::filemap::AddressSpaceOps;

/// The page cache of one file.
pub struct AddressSpace {
    size: u64,
    ops: Arc<dyn AddressSpaceOps>,
}

impl AddressSpace {
    /// The page cache of a file of `size` bytes that lie where `ops` says.
    pub fn new(size: u64, ops: Arc<dyn AddressSpaceOps>) -> Result<Arc<AddressSpace>, Errno> {
        crate::alloc_util::try_arc(AddressSpace { size, ops })
    }

    /// Size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where its bytes are.
    pub fn ops(&self) -> &Arc<dyn AddressSpaceOps> {
        &self.ops
    }
}
