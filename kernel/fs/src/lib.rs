//! The virtual file system and the file systems below it: pure, no `unsafe`, tested on the host.
//!
//! In reading order: `inode` (what a file system provides), `kstat` (what it tells about a file),
//! `block` (where metadata comes from), `erofs` (the root file system).
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod alloc_util;
pub mod block;
pub mod erofs;
pub mod inode;
pub mod kstat;
