//! Descriptor bits of the kernel's own tables: stage 1 at EL1, 4K granule ("VMSAv8-64 translation table
//! format descriptors" in the Arm manual). Only kernel mappings: user entries belong to `mm`.

/// The entry is present.
pub const VALID: u64 = 1;
/// At levels 0 to 2 a pointer to the next table, at level 3 a page.
pub const TABLE: u64 = 1 << 1;
/// EL1 may only read.
pub const READ_ONLY: u64 = 1 << 7;
/// EL0 may access; never set in the kernel's tables.
pub const USER: u64 = 1 << 6;
/// Inner shareable.
pub const INNER_SHAREABLE: u64 = 3 << 8;
/// The access flag.
pub const ACCESSED: u64 = 1 << 10;
/// EL1 may not fetch instructions.
pub const PXN: u64 = 1 << 53;
/// EL0 may not fetch instructions.
pub const UXN: u64 = 1 << 54;
/// The output address of a descriptor, and of a table pointer.
pub const ADDRESS: u64 = 0x0000_ffff_ffff_f000;

/// MAIR index of normal, write-back memory; the numbers are Linux's.
pub const ATTR_NORMAL: u64 = 0;
/// MAIR index of normal, non-cacheable memory.
pub const ATTR_NORMAL_NC: u64 = 2;
/// MAIR index of Device-nGnRE memory.
pub const ATTR_DEVICE_NGNRE: u64 = 4;
/// MAIR_EL1 for these indices (index 3 is Device-nGnRnE, all zero).
pub const MAIR: u64 = 0xff | (0x44 << 16) | (0x04 << 32);

const NORMAL: u64 = VALID | ACCESSED | INNER_SHAREABLE | (ATTR_NORMAL << 2) | UXN;

/// Kernel text.
pub const TEXT: u64 = NORMAL | READ_ONLY;
/// Constants.
pub const RODATA: u64 = NORMAL | READ_ONLY | PXN;
/// Data, stacks, the linear map.
pub const DATA: u64 = NORMAL | PXN;
/// Device registers.
pub const DEVICE: u64 = VALID | ACCESSED | (ATTR_DEVICE_NGNRE << 2) | UXN | PXN;

/// Whether a table pointer, given an entry of level 0 to 2.
pub const fn is_table(entry: u64) -> bool {
    entry & (VALID | TABLE) == VALID | TABLE
}
