//! The shape of VMSAv8-64 translation tables, from the Arm Architecture Reference Manual for A-profile,
//! chapter "The AArch64 Virtual Memory System Architecture", sections "Translation granules",
//! "VMSAv8-64 translation table format descriptors" and "The Contiguous bit". 48-bit addresses,
//! TCR_ELx.DS = 0, no FEAT_LVA, no FEAT_TTST.

/// A translation granule: the size of a page, and of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Granule {
    /// 4 KiB.
    K4,
    /// 16 KiB.
    K16,
    /// 64 KiB.
    K64,
}

impl Granule {
    /// All three.
    pub const ALL: [Granule; 3] = [Granule::K4, Granule::K16, Granule::K64];

    /// log2 of the page size.
    pub const fn shift(self) -> u32 {
        match self {
            Granule::K4 => 12,
            Granule::K16 => 14,
            Granule::K64 => 16,
        }
    }

    /// Bytes in a page, and in a full table.
    pub const fn size(self) -> u64 {
        1 << self.shift()
    }

    /// Address bits that one full level resolves: a table is a page of 8-byte descriptors.
    pub const fn stride(self) -> u32 {
        self.shift() - 3
    }

    /// log2 of what one descriptor at `level` covers.
    pub const fn level_shift(self, level: u8) -> u32 {
        self.shift() + self.stride() * (3 - level as u32)
    }

    /// What one descriptor at `level` covers.
    pub const fn level_size(self, level: u8) -> u64 {
        1 << self.level_shift(level)
    }

    /// The first level of a walk for this many bits of input address.
    pub const fn start_level(self, input_bits: u32) -> u8 {
        let levels = (input_bits - self.shift()).div_ceil(self.stride());
        4 - levels as u8
    }

    /// May a descriptor at this level be a block? Elsewhere the encoding is reserved and faults.
    pub const fn has_block(self, level: u8) -> bool {
        match self {
            Granule::K4 => level == 1 || level == 2,
            Granule::K16 | Granule::K64 => level == 2,
        }
    }

    /// How many adjacent entries the Contiguous bit joins at a level that has leaves.
    pub const fn contiguous_entries(self, level: u8) -> usize {
        match (self, level) {
            (Granule::K4, _) => 16,
            (Granule::K16, 3) => 128,
            (Granule::K16, _) => 32,
            (Granule::K64, _) => 32,
        }
    }

    /// TCR_EL1.TG0, section "TCR_EL1, Translation Control Register (EL1)".
    pub const fn from_tg0(field: u64) -> Option<Granule> {
        match field {
            0b00 => Some(Granule::K4),
            0b01 => Some(Granule::K64),
            0b10 => Some(Granule::K16),
            _ => None,
        }
    }

    /// The TCR_EL1.TG0 field for this granule.
    pub const fn tg0(self) -> u64 {
        match self {
            Granule::K4 => 0b00,
            Granule::K64 => 0b01,
            Granule::K16 => 0b10,
        }
    }

    /// The TG field of range TLBIs and the upper half of TTL, which differ from TG0.
    pub const fn from_tlbi_tg(field: u64) -> Option<Granule> {
        match field {
            0b01 => Some(Granule::K4),
            0b10 => Some(Granule::K16),
            0b11 => Some(Granule::K64),
            _ => None,
        }
    }

    /// The TG field of a TLBI operand for this granule.
    pub const fn tlbi_tg(self) -> u64 {
        match self {
            Granule::K4 => 0b01,
            Granule::K16 => 0b10,
            Granule::K64 => 0b11,
        }
    }
}
