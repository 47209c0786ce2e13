//! The system calls that change an address space, below the ABI adapter: one file a call. Each first checks and
//! allocates, then commits.

mod brk;
mod copy;
mod fork;
mod lock;
mod madvise;
mod map;
mod mincore;
mod populate;
mod protect;
mod remap;
mod remap_file;
mod rmap;
mod seal;
mod sync;
mod unmap;

pub use lock::{LockAll, Locking, Privilege};
pub use madvise::{Advice, Removal};
pub use map::MmapRequest;
pub use populate::Populate;
pub use remap::RemapFlags;
pub use sync::SyncFlags;
