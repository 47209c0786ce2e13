//! The argument of `personality(2)`, Linux's `uapi/linux/personality.h`, with the page size bits.

use bitflags::bitflags;

bitflags! {
    /// Flags of a personality; the low byte is the execution domain (`PER_LINUX` is 0).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Personality: u32 {
        /// Processes started from here on have 16K pages. Linux leaves this bit free.
        const PAGE_SIZE_16K = 0x1000_0000;
        /// Processes started from here on have 64K pages. Linux leaves this bit free.
        const PAGE_SIZE_64K = 0x2000_0000;
        /// No address space layout randomisation.
        const ADDR_NO_RANDOMIZE = 0x0004_0000;
        /// Page zero is mapped.
        const MMAP_PAGE_ZERO = 0x0010_0000;
        /// The old layout of addresses.
        const ADDR_COMPAT_LAYOUT = 0x0020_0000;
        /// PROT_READ implies PROT_EXEC.
        const READ_IMPLIES_EXEC = 0x0040_0000;
    }
}

impl Personality {
    /// Both page sizes, which nobody can ask for.
    pub const PAGE_SIZES: Personality = Personality::PAGE_SIZE_16K.union(Personality::PAGE_SIZE_64K);

    /// What a program that gains privileges does not inherit.
    pub const CLEAR_ON_SETID: Personality = Personality::READ_IMPLIES_EXEC
        .union(Personality::ADDR_NO_RANDOMIZE)
        .union(Personality::ADDR_COMPAT_LAYOUT)
        .union(Personality::MMAP_PAGE_ZERO);
}
