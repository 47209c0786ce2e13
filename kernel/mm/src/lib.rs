//! Memory management, pure: no assembly, no `unsafe`, everything that touches the machine goes through [`hw::Hw`]. The
//! modules stand in the order in which a fault meets them.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod arm64;
pub mod fault;
pub mod filemap;
pub mod folio;
pub mod hw;
pub mod memblock;
pub mod memory;
pub mod mm;
pub mod mmap;
mod native;
pub mod page_abi;
pub mod policy;
pub mod sg;
pub mod stats;
pub mod types;
pub mod vma;

pub use memory::Memory;
pub use mm::Mm;
