//! Structures that programs and the kernel exchange, as arm64 Linux lays them out.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `struct rlimit64`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct Rlimit64 {
    pub cur: u64,
    pub max: u64,
}
