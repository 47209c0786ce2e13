//! Page-table geometry as data: one static description per granule. Nothing else in the kernel knows how many
//! levels, entries or contiguous entries a granule has.
//!
//! Arm Architecture Reference Manual, D8.2 "Translation process" and D8.7 "Other descriptor fields" (the
//! Contiguous bit); TCR_EL1 for the encodings of TG0 and TG1; "TLBI VAE1IS" for the range encoding of TG.

use crate::types::PageSize;

/// The last level of every table: its descriptors are pages.
pub const LAST_LEVEL: u8 = 3;

/// How a translation table of one granule is built.
#[derive(Debug)]
pub struct Geometry {
    /// The size of a leaf.
    pub page: PageSize,
    /// log2 of the leaf in bytes.
    pub page_shift: u32,
    /// log2 of the number of descriptors in a table; a table always fills one page of the granule.
    pub bits_per_level: u32,
    /// Level of the root table of a new tree.
    pub root_level: u8,
    /// Bits of the addresses that such a tree translates, and in which the kernel places mappings unless a program asks for
    /// a higher address (Linux's `DEFAULT_MAP_WINDOW`).
    pub va_bits: u32,
    /// Bits of the user address space: what a tree can grow to by further levels above its root.
    pub max_va_bits: u32,
    /// Smallest level at which a block descriptor is allowed (without TCR.DS).
    pub min_block_level: u8,
    /// Leaf descriptors that one Contiguous run joins.
    pub cont_ptes: u64,
    /// Level 2 block descriptors that one Contiguous run joins.
    pub cont_pmds: u64,
    /// Encoding in TCR_EL1.TG0.
    pub tcr_tg0: u64,
    /// Encoding in TCR_EL1.TG1, which differs from TG0's.
    pub tcr_tg1: u64,
    /// Encoding in the TG field of TLBI range operations and, shifted, in TTL hints: a third one.
    pub tlbi_tg: u64,
}

/// 4K: the Linux table of every process, and the live table of a 4K process.
pub static GRANULE_4K: Geometry = Geometry {
    page: PageSize::Size4K,
    page_shift: 12,
    bits_per_level: 9,
    root_level: 0,
    va_bits: 48,
    max_va_bits: 48,
    min_block_level: 1,
    cont_ptes: 16,
    cont_pmds: 16,
    tcr_tg0: 0b00,
    tcr_tg1: 0b10,
    tlbi_tg: 1,
};

/// 16K: three levels for 47 bits.
pub static GRANULE_16K: Geometry = Geometry {
    page: PageSize::Size16K,
    page_shift: 14,
    bits_per_level: 11,
    root_level: 1,
    va_bits: 47,
    max_va_bits: 47,
    min_block_level: 2,
    cont_ptes: 128,
    cont_pmds: 32,
    tcr_tg0: 0b10,
    tcr_tg1: 0b01,
    tlbi_tg: 2,
};

/// 64K: two levels for 42 bits, a third one for 48.
pub static GRANULE_64K: Geometry = Geometry {
    page: PageSize::Size64K,
    page_shift: 16,
    bits_per_level: 13,
    root_level: 2,
    va_bits: 42,
    max_va_bits: 48,
    min_block_level: 2,
    cont_ptes: 32,
    cont_pmds: 32,
    tcr_tg0: 0b01,
    tcr_tg1: 0b11,
    tlbi_tg: 3,
};

impl Geometry {
    /// The description of a page size.
    #[inline]
    pub fn of(page: PageSize) -> &'static Geometry {
        match page {
            PageSize::Size4K => &GRANULE_4K,
            PageSize::Size16K => &GRANULE_16K,
            PageSize::Size64K => &GRANULE_64K,
        }
    }

    /// log2 of the bytes that one descriptor of `level` maps.
    #[inline]
    pub const fn shift(&self, level: u8) -> u32 {
        self.page_shift + (LAST_LEVEL - level) as u32 * self.bits_per_level
    }

    /// The level whose descriptors map 2^`shift` bytes: the inverse of [`Geometry::shift`].
    pub const fn level_of(&self, shift: u32) -> u8 {
        LAST_LEVEL - ((shift - self.page_shift) / self.bits_per_level) as u8
    }

    /// Bytes that one descriptor of `level` maps.
    #[inline]
    pub const fn size(&self, level: u8) -> u64 {
        1u64.wrapping_shl(self.shift(level))
    }

    /// Index of the descriptor for `va` in a table of `level`.
    #[inline]
    pub const fn index(&self, va: u64, level: u8) -> u64 {
        // No descriptor maps more than 2^63 bytes, so nothing is shifted out; every walk pays for a check.
        va.wrapping_shr(self.shift(level)) & (self.entries() - 1)
    }

    /// Descriptors in a table.
    #[inline]
    pub const fn entries(&self) -> u64 {
        1 << self.bits_per_level
    }

    /// Bytes that one Contiguous run of leaf descriptors maps.
    #[inline]
    pub const fn cont_size(&self) -> u64 {
        self.cont_ptes << self.page_shift
    }

    /// log2 of a table in kernel pages: a table fills one page of its granule.
    #[inline]
    pub const fn table_order(&self) -> u8 {
        self.page.order()
    }

    /// End of the user address space in bytes.
    #[inline]
    pub const fn task_size(&self) -> u64 {
        1 << self.max_va_bits
    }

    /// End of the addresses that the kernel chooses by itself, in bytes.
    #[inline]
    pub const fn map_window(&self) -> u64 {
        1 << self.va_bits
    }

    /// Bits of the addresses that a tree with its root at `root_level` translates; TCR_EL1.T0SZ is 64 minus this.
    #[inline]
    pub const fn va_bits_of(&self, root_level: u8) -> u32 {
        let bits = self.shift(root_level) + self.bits_per_level;
        if bits < self.max_va_bits { bits } else { self.max_va_bits }
    }
}

/// The granules that a CPU offers for stage 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granules {
    /// 4K exists.
    pub g4k: bool,
    /// 16K exists.
    pub g16k: bool,
    /// 64K exists.
    pub g64k: bool,
}

impl Granules {
    /// Reads ID_AA64MMFR0_EL1. TGran4 and TGran64 say "none" with 0xf and may be 1 with LPA2; TGran16 says
    /// "none" with 0. A test for zero would miss 4K on a CPU with LPA2.
    pub const fn from_mmfr0(mmfr0: u64) -> Granules {
        Granules {
            g4k: (mmfr0 >> 28) & 0xf != 0xf,
            g16k: (mmfr0 >> 20) & 0xf != 0,
            g64k: (mmfr0 >> 24) & 0xf != 0xf,
        }
    }

    /// Whether hardware can walk a table of this granule.
    pub const fn has(self, page: PageSize) -> bool {
        match page {
            PageSize::Size4K => self.g4k,
            PageSize::Size16K => self.g16k,
            PageSize::Size64K => self.g64k,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_from_the_manual() {
        for geometry in [&GRANULE_4K, &GRANULE_16K, &GRANULE_64K] {
            for level in geometry.root_level..=LAST_LEVEL {
                assert_eq!(geometry.level_of(geometry.shift(level)), level);
            }
        }
        assert_eq!(GRANULE_4K.size(2), 2 << 20);
        assert_eq!(GRANULE_16K.size(2), 32 << 20);
        assert_eq!(GRANULE_64K.size(2), 512 << 20);
        assert_eq!(GRANULE_4K.cont_ptes * 4096, 64 << 10);
        assert_eq!(GRANULE_16K.cont_ptes * 16384, 2 << 20);
        assert_eq!(GRANULE_64K.cont_ptes * 65536, 2 << 20);
        for page in PageSize::ALL {
            let geometry = Geometry::of(page);
            assert_eq!(geometry.va_bits_of(geometry.root_level), geometry.va_bits);
            assert_eq!(geometry.entries() * 8, page.bytes(), "a table fills one page of its granule");
        }
    }

    #[test]
    fn granules_of_known_cpus() {
        let a72 = Granules::from_mmfr0(0x0000_1124);
        assert_eq!(a72, Granules { g4k: true, g16k: false, g64k: true });
        let max_with_lpa2 = Granules::from_mmfr0((1 << 28) | (2 << 20));
        assert_eq!(max_with_lpa2, Granules { g4k: true, g16k: true, g64k: true });
    }
}
