//! The system calls that change an address space, below the ABI adapter: one file a call. Each first checks and
//! allocates, then commits.

mod brk;
mod copy;
mod fork;
mod madvise;
mod map;
mod protect;
mod remap;
mod unmap;

pub use madvise::Advice;
pub use map::MmapRequest;
pub use remap::RemapFlags;
