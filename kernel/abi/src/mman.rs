//! Flags of `mmap(2)` and `mprotect(2)`, Linux's `asm-generic/mman-common.h`.

use bitflags::bitflags;

bitflags! {
    /// `PROT_*`: what a mapping allows.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Prot: u32 {
        /// Data reads.
        const READ = 0x1;
        /// Data writes (on arm64 they imply reads).
        const WRITE = 0x2;
        /// Instruction fetches.
        const EXEC = 0x4;
        /// `PROT_GROWSDOWN`: mprotect extends to the start of a stack mapping.
        const GROWSDOWN = 0x0100_0000;
        /// `PROT_GROWSUP`: not supported by any arm64 mapping.
        const GROWSUP = 0x0200_0000;
    }

    /// `MAP_*`: the kind of a mapping and where it may lie.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct MapFlags: u32 {
        /// Writes reach the object and its other mappers.
        const SHARED = 0x01;
        /// Writes stay in this process.
        const PRIVATE = 0x02;
        /// Both type bits: `MAP_SHARED_VALIDATE`, which refuses unknown flags.
        const SHARED_VALIDATE = 0x03;
        /// The address is exact; what lies there is unmapped.
        const FIXED = 0x10;
        /// No file behind it.
        const ANONYMOUS = 0x20;
        /// Grows downwards: a stack.
        const GROWSDOWN = 0x0100;
        /// Ignored, as in Linux.
        const DENYWRITE = 0x0800;
        /// Ignored, as in Linux.
        const EXECUTABLE = 0x1000;
        /// Locked in memory.
        const LOCKED = 0x2000;
        /// No commit accounting.
        const NORESERVE = 0x4000;
        /// Populate now.
        const POPULATE = 0x8000;
        /// With POPULATE: do no I/O.
        const NONBLOCK = 0x1_0000;
        /// A hint that this is a stack; no effect.
        const STACK = 0x2_0000;
        /// Huge pages; there is no pool, so ENOMEM.
        const HUGETLB = 0x4_0000;
        /// DAX only: EOPNOTSUPP elsewhere.
        const SYNC = 0x8_0000;
        /// The address is exact; EEXIST if something lies there.
        const FIXED_NOREPLACE = 0x10_0000;
    }
}
