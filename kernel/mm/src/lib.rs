//! Memory management, pure: no assembly, no `unsafe`, everything that touches the machine goes through
//! the `hw` seam. The modules stand in the order in which a fault meets them.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod filemap;
