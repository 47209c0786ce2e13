//! The Linux arm64 ABI as the kernel and its userland see it: error numbers, flags and structures.
//!
//! Numbers come from `linux-raw-sys`, which is generated from Linux's own headers. Its constants
//! differ by architecture (`O_DIRECTORY`, the syscall numbers, `struct stat`), so what must be
//! arm64's on every host is re-exported only there, as [`raw`]; what this crate defines by itself is
//! the same on all architectures or has arm64's value.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate alloc;

mod capability;
mod errno;
mod fcntl;
mod mman;
mod personality;
pub mod signal;
pub mod termios;

pub use capability::CapSet;
pub use errno::Errno;
pub use fcntl::{OpenAccess, OpenFlags, Whence};
pub use mman::{MapFlags, Prot};
pub use personality::Personality;

/// `linux-raw-sys` for arm64: syscall numbers (`__NR_*`), structures and flags.
#[cfg(target_arch = "aarch64")]
pub use linux_raw_sys::general as raw;

/// Auxiliary vector keys (`AT_*`), the same on all architectures.
pub use linux_raw_sys::auxvec;
