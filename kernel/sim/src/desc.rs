//! Translation table descriptors, from the Arm Architecture Reference Manual, sections "VMSAv8-64
//! translation table format descriptors", "Memory attribute fields in the VMSAv8-64 translation table
//! format descriptors" and "Hardware management of the Access flag and dirty state".

use crate::granule::Granule;

/// Bit 0: the descriptor is valid.
pub const VALID: u64 = 1 << 0;
/// Bit 1: a table (levels 0 to 2) or a page (level 3); clear is a block.
pub const TABLE_OR_PAGE: u64 = 1 << 1;
/// Bits 4:2: index into MAIR_EL1.
pub const ATTR_INDX: u64 = 0b111 << 2;
/// Bit 6, AP\[1\]: EL0 may access.
pub const AP_EL0: u64 = 1 << 6;
/// Bit 7, AP\[2\]: read-only; with DBM, writable and clean.
pub const AP_READ_ONLY: u64 = 1 << 7;
/// Bits 9:8: shareability.
pub const SH: u64 = 0b11 << 8;
/// Bit 10: the Access flag.
pub const AF: u64 = 1 << 10;
/// Bit 11: not global, the TLB entry belongs to the current ASID.
pub const NG: u64 = 1 << 11;
/// Bit 51: dirty bit modifier.
pub const DBM: u64 = 1 << 51;
/// Bit 52: one of a contiguous set of entries.
pub const CONTIGUOUS: u64 = 1 << 52;
/// Bit 53: EL1 may not execute.
pub const PXN: u64 = 1 << 53;
/// Bit 54: EL0 may not execute.
pub const UXN: u64 = 1 << 54;
/// Bit 59 of a table descriptor: PXN for everything below.
pub const PXN_TABLE: u64 = 1 << 59;
/// Bit 60 of a table descriptor: UXN for everything below.
pub const UXN_TABLE: u64 = 1 << 60;
/// Bit 61 of a table descriptor: no EL0 access below.
pub const AP_TABLE_NO_EL0: u64 = 1 << 61;
/// Bit 62 of a table descriptor: read-only below.
pub const AP_TABLE_READ_ONLY: u64 = 1 << 62;

/// Bit 5, NS: ignored in Non-secure state.
const NS: u64 = 1 << 5;
/// Bit 50, GP: guarded page.
const GP: u64 = 1 << 50;
const ADDRESS: u64 = 0x0000_ffff_ffff_f000;
/// Bits 49:48 would be address bits of 52-bit formats.
const HIGH_RES0: u64 = 0b11 << 48;

/// What a descriptor is at its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descriptor {
    /// Bit 0 is clear, or the encoding is reserved at this level.
    Invalid,
    /// Points to the next level's table.
    Table {
        /// The table's address.
        next: u64,
    },
    /// Maps a page or a block.
    Leaf {
        /// Output address of the page or block.
        output: u64,
    },
}

/// Read a descriptor as hardware does at this level of this granule.
pub fn decode(raw: u64, level: u8, granule: Granule) -> Descriptor {
    if raw & VALID == 0 {
        return Descriptor::Invalid;
    }
    match (level, raw & TABLE_OR_PAGE != 0) {
        (3, true) => Descriptor::Leaf { output: raw & ADDRESS & !(granule.size() - 1) },
        (3, false) => Descriptor::Invalid,
        (_, true) => Descriptor::Table { next: raw & ADDRESS & !(granule.size() - 1) },
        (_, false) if granule.has_block(level) => {
            Descriptor::Leaf { output: raw & ADDRESS & !(granule.level_size(level) - 1) }
        }
        (_, false) => Descriptor::Invalid,
    }
}

/// Bits of a valid descriptor that must be zero and are not: address bits below the granule or block, or
/// above 48. QEMU ignores the low ones.
pub fn reserved_bits(raw: u64, level: u8, granule: Granule) -> u64 {
    let below = |size: u64| raw & ADDRESS & (size - 1);
    match decode(raw, level, granule) {
        Descriptor::Invalid => 0,
        Descriptor::Table { .. } => below(granule.size()) | raw & HIGH_RES0,
        Descriptor::Leaf { .. } if level == 3 => below(granule.size()) | raw & HIGH_RES0,
        // Bit 16 of a block would be nT of FEAT_BBM; here it is more likely a stray address bit.
        Descriptor::Leaf { .. } => below(granule.level_size(level)) | raw & HIGH_RES0,
    }
}

/// Bits in which the entries of a contiguous set may not differ. Not the Access flag, not software bits,
/// not the output address, and not AP\[2\] where DBM makes it a dirty flag.
pub fn uniform_bits(raw: u64) -> u64 {
    let mut mask = VALID
        | TABLE_OR_PAGE
        | ATTR_INDX
        | NS
        | AP_EL0
        | AP_READ_ONLY
        | SH
        | NG
        | GP
        | DBM
        | CONTIGUOUS
        | PXN
        | UXN;
    if raw & DBM != 0 {
        mask &= !AP_READ_ONLY;
    }
    raw & mask
}

/// Why going from one valid descriptor to another needs break-before-make, if it does. Section "Using
/// break-before-make when updating translation table entries": a change of output address, of size, of
/// the Contiguous bit, of memory type or shareability, of global against not global. Permissions, the
/// Access flag, dirty state and software bits may change in place.
pub fn needs_break(old: u64, new: u64, level: u8, granule: Granule) -> Option<&'static str> {
    use Descriptor::{Invalid, Leaf, Table};
    match (decode(old, level, granule), decode(new, level, granule)) {
        (Invalid, _) | (_, Invalid) => None,
        (Table { next: a }, Table { next: b }) => (a != b).then_some("next table"),
        (Table { .. }, Leaf { .. }) | (Leaf { .. }, Table { .. }) => Some("size"),
        (Leaf { output: a }, Leaf { output: b }) => {
            let differs = |mask: u64| (old ^ new) & mask != 0;
            if a != b {
                Some("output address")
            } else if differs(CONTIGUOUS) {
                Some("Contiguous bit")
            } else if differs(ATTR_INDX | SH) {
                Some("memory attributes")
            } else if differs(NG) {
                Some("nG bit")
            } else {
                None
            }
        }
    }
}
