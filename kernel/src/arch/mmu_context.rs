//! Which user address space this CPU walks: TTBR0_EL1 and the fields of TCR_EL1 that belong to it. Mirrors
//! Linux's arm64 `mmu_context.h`.

use super::{barrier, phys};
use aarch64_cpu::registers::{Readable, TCR_EL1, TTBR0_EL1, Writeable};
use core::sync::atomic::{AtomicU64, Ordering};
use mm::arm64::asid::Live;
use mm::memblock::Memblock;
use mm::types::PhysAddr;

/// TCR_EL1.TG0 and T0SZ.
const TCR_TG0_SHIFT: u64 = 14;
const TCR_TTBR0_FIELDS: u64 = 3 << TCR_TG0_SHIFT | 0x3f;
/// TTBR0_EL1.ASID.
const TTBR_ASID_SHIFT: u64 = 48;

/// A root table of the largest granule, so of any, with nothing in it.
const RESERVED_TABLE_SIZE: u64 = 64 << 10;
static RESERVED_TTBR0: AtomicU64 = AtomicU64::new(0);

/// Sets the table aside that stands for "no user address space".
pub fn init(memblock: &mut Memblock) -> Option<()> {
    let table = memblock.alloc(RESERVED_TABLE_SIZE, RESERVED_TABLE_SIZE)?;
    phys::zero(table, RESERVED_TABLE_SIZE);
    barrier::dsb_ishst();
    RESERVED_TTBR0.store(table, Ordering::Relaxed);
    deactivate();
    Some(())
}

/// Walks `live` for user addresses from here on, under `asid`. Interrupts are masked.
pub fn activate(live: Live, asid: u16) {
    let fields = live.geometry.tcr_tg0 << TCR_TG0_SHIFT | live.t0sz;
    let tcr = TCR_EL1.get();
    if tcr & TCR_TTBR0_FIELDS != fields {
        // No walk may see one space's table with the other's granule.
        deactivate();
        TCR_EL1.set(tcr & !TCR_TTBR0_FIELDS | fields);
        barrier::isb();
    }
    TTBR0_EL1.set(u64::from(asid) << TTBR_ASID_SHIFT | live.root.0);
    barrier::isb();
}

/// No user address space: every user address faults. ASID 0 is nobody's.
pub fn deactivate() {
    TTBR0_EL1.set(RESERVED_TTBR0.load(Ordering::Relaxed));
    barrier::isb();
}

/// Goes to no user address space if this CPU walks `root`.
pub fn leave(root: PhysAddr) {
    if TTBR0_EL1.get() & ((1 << TTBR_ASID_SHIFT) - 1) == root.0 {
        deactivate();
    }
}
