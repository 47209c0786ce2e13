//! The virtual file system and the file systems below it: pure, no `unsafe`, tested on the host.
//!
//! In reading order: `vfs` (path walk, open files, mounts: what system calls use) -> `inode` (what a
//! file system provides), `kstat` (what it tells about a file), `perm` (who may) -> `erofs`, `tmpfs` and `devfs`
//! (the file systems) -> `io` (devices, and where bytes go) and `block` (where metadata comes from).
//! `tty` is the line discipline of the console, `pseudo` what `/proc` and `/sys` are made of, `proc`
//! the texts of the former.
//!
//! Locks are spin locks around short sections, none held across a call that may sleep, none nested; and the sleeping
//! locks of `sleep`: position of a file, then the directories of a rename, then the bytes of a file.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod alloc_util;
pub mod block;
pub mod devfs;
pub mod erofs;
pub mod inode;
pub mod io;
pub mod kstat;
pub mod perm;
pub mod pipe;
pub mod proc;
pub mod pseudo;
pub mod seal;
pub mod sleep;
pub mod tmpfs;
pub mod tty;
pub mod vfs;
