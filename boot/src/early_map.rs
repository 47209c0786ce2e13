//! The first page tables. Called by the head with the MMU off, on physical addresses, so this file keeps to
//! plain stores: no static with a pointer in it, nothing that the linker would have to relocate.
//!
//! TTBR1 gets the kernel image in 4K pages with its final permissions (text RX, constants R, data RW; the page
//! under the boot stack absent) and the device tree read-only. The kernel goes on with these tables. TTBR0
//! gets the one 2M block in which the switch itself runs, and is thrown away after it.

use crate::{desc, layout};

/// Entries in a table of the 4K granule.
pub const ENTRIES: usize = 512;
const BLOCK: u64 = 2 << 20;
const IMAGE_TABLES: usize = (layout::IMAGE_MAX / BLOCK) as usize;

/// One translation table.
#[derive(Clone, Copy)]
#[repr(C, align(4096))]
pub struct Table(pub [u64; ENTRIES]);

impl Table {
    /// A table without entries.
    pub const EMPTY: Table = Table([0; ENTRIES]);
}

/// All tables of the first map.
#[repr(C, align(4096))]
pub struct EarlyTables {
    /// The root of TTBR1, for good.
    pub kernel_l0: Table,
    /// Stays empty: what TTBR0 points at when there is no user address space.
    pub reserved_l0: Table,
    kernel_l1: Table,
    kernel_l2: Table,
    image_l3: [Table; IMAGE_TABLES],
    pub(crate) identity_l0: Table,
    identity_l1: Table,
    identity_l2: Table,
}

impl EarlyTables {
    /// Before boot fills them.
    pub const EMPTY: EarlyTables = EarlyTables {
        kernel_l0: Table::EMPTY,
        reserved_l0: Table::EMPTY,
        kernel_l1: Table::EMPTY,
        kernel_l2: Table::EMPTY,
        image_l3: [Table::EMPTY; IMAGE_TABLES],
        identity_l0: Table::EMPTY,
        identity_l1: Table::EMPTY,
        identity_l2: Table::EMPTY,
    };
}

/// Where the parts of the image lie, as offsets from its first byte; all multiples of 4K but `size`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct ImageParts {
    /// End of the text.
    pub text_end: u64,
    /// End of the constants.
    pub rodata_end: u64,
    /// The page below the boot stack.
    pub stack_guard: u64,
    /// End of data and bss.
    pub data_end: u64,
    /// End of everything: the symbols follow the data.
    pub size: u64,
}

/// Fills `tables`, which lie at the physical address `tables_pa` and are all zero.
pub fn fill(tables: &mut EarlyTables, tables_pa: u64, image: u64, parts: ImageParts, dtb: u64) {
    // The address of a member is its distance from the start: the caller may run at another address.
    let pa = |offset: usize| tables_pa + offset as u64;
    let next = |offset: usize| pa(offset) | desc::VALID | desc::TABLE;

    tables.kernel_l0.0[index(layout::IMAGE, 0)] = next(core::mem::offset_of!(EarlyTables, kernel_l1));
    tables.kernel_l1.0[index(layout::IMAGE, 1)] = next(core::mem::offset_of!(EarlyTables, kernel_l2));
    let image_l3 = core::mem::offset_of!(EarlyTables, image_l3);
    let mut i = 0;
    while i < IMAGE_TABLES && (i as u64) * BLOCK < parts.size {
        tables.kernel_l2.0[i] = next(image_l3 + i * size_of::<Table>());
        i += 1;
    }
    let mut offset = 0;
    while offset < parts.size && offset < layout::IMAGE_MAX {
        if let Some(bits) = permission(offset, &parts) {
            let page = (offset / layout::PAGE_SIZE) as usize;
            tables.image_l3[page / ENTRIES].0[page % ENTRIES] = (image + offset) | bits | desc::TABLE;
        }
        offset += layout::PAGE_SIZE;
    }

    let dtb_block = dtb & !(BLOCK - 1);
    let at = index(layout::DTB, 2);
    tables.kernel_l2.0[at] = dtb_block | desc::RODATA;
    tables.kernel_l2.0[at + 1] = (dtb_block + BLOCK) | desc::RODATA;

    tables.identity_l0.0[index(image, 0)] = next(core::mem::offset_of!(EarlyTables, identity_l1));
    tables.identity_l1.0[index(image, 1)] = next(core::mem::offset_of!(EarlyTables, identity_l2));
    tables.identity_l2.0[index(image, 2)] = (image & !(BLOCK - 1)) | desc::TEXT;
}

/// The bits of the page at `offset` in the image, or none for the guard.
fn permission(offset: u64, parts: &ImageParts) -> Option<u64> {
    if offset < parts.text_end {
        Some(desc::TEXT)
    } else if offset < parts.rodata_end {
        Some(desc::RODATA)
    } else if offset == parts.stack_guard {
        None
    } else if offset < parts.data_end {
        Some(desc::DATA)
    } else {
        Some(desc::RODATA)
    }
}

/// The index of `va` in its table of `level`.
pub const fn index(va: u64, level: u32) -> usize {
    (va >> (39 - 9 * level)) as usize & (ENTRIES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::boxed::Box;

    const IMAGE_PA: u64 = 0x4020_0000;
    const TABLES_PA: u64 = 0x4048_0000;
    const PARTS: ImageParts = ImageParts {
        text_end: 0x10_0000,
        rodata_end: 0x18_0000,
        stack_guard: 0x20_0000,
        data_end: 0x30_0000,
        size: 0x34_5678,
    };

    fn tables() -> Box<EarlyTables> {
        let mut tables = Box::new(EarlyTables::EMPTY);
        fill(&mut tables, TABLES_PA, IMAGE_PA, PARTS, 0x4800_0000);
        tables
    }

    /// Follows the tables by physical address, as the hardware would, to a leaf and its offset bits.
    fn walk(tables: &EarlyTables, root: &Table, va: u64) -> Option<(u64, u64)> {
        let all = core::ptr::from_ref(tables).cast::<Table>();
        let mut table = root;
        for level in 0..4 {
            let entry = table.0[index(va, level)];
            if entry & desc::VALID == 0 {
                return None;
            }
            if level == 3 || !desc::is_table(entry) {
                let mask = (1u64 << (39 - 9 * level)) - 1;
                return Some(((entry & desc::ADDRESS & !mask) | (va & mask), entry & !desc::ADDRESS));
            }
            let number = ((entry & desc::ADDRESS) - TABLES_PA) as usize / size_of::<Table>();
            assert!(number < size_of::<EarlyTables>() / size_of::<Table>());
            #[allow(unsafe_code)]
            // SAFETY: EarlyTables is a sequence of tables and the number was checked against its size.
            let next = unsafe { &*all.add(number) };
            table = next;
        }
        None
    }

    #[test]
    fn image_has_its_final_permissions() {
        let t = tables();
        let at = |offset| walk(&t, &t.kernel_l0, layout::IMAGE + offset);
        assert_eq!(at(0x1234), Some((IMAGE_PA + 0x1234, desc::TEXT | desc::TABLE)));
        assert_eq!(at(0x10_0000), Some((IMAGE_PA + 0x10_0000, desc::RODATA | desc::TABLE)));
        assert_eq!(at(0x18_0000), Some((IMAGE_PA + 0x18_0000, desc::DATA | desc::TABLE)));
        assert_eq!(at(0x20_0000), None, "the page under the boot stack");
        assert_eq!(at(0x20_1000), Some((IMAGE_PA + 0x20_1000, desc::DATA | desc::TABLE)));
        assert_eq!(at(0x34_5000), Some((IMAGE_PA + 0x34_5000, desc::RODATA | desc::TABLE)));
        assert_eq!(at(0x34_6000), None);
    }

    #[test]
    fn device_tree_is_read_only() {
        let t = tables();
        assert_eq!(walk(&t, &t.kernel_l0, layout::DTB + 0x30_0010), Some((0x4830_0010, desc::RODATA)));
    }

    #[test]
    fn identity_holds_one_block_only() {
        let t = tables();
        assert_eq!(walk(&t, &t.identity_l0, IMAGE_PA + 0x40), Some((IMAGE_PA + 0x40, desc::TEXT)));
        assert_eq!(walk(&t, &t.identity_l0, IMAGE_PA + BLOCK), None);
        assert!(t.reserved_l0.0.iter().all(|&e| e == 0));
    }
}
