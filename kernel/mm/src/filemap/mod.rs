//! File memory: the page cache and its readahead.

mod iomap;

pub use iomap::{AddressSpaceOps, Iomap, IomapKind};
