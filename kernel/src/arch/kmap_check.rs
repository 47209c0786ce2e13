//! Looks at the live kernel tables from outside: a walk over every leaf, and the hardware's own opinion of an
//! address (AT instructions). For the self-test at boot; reads only.

use super::kmap::{LiveTable, level_size};
use boot::desc;
use boot::early_map::ENTRIES;
use core::arch::asm;

/// A leaf entry of the kernel's tables.
#[derive(Debug, Clone, Copy)]
pub struct Leaf {
    /// First virtual address.
    pub va: u64,
    /// First physical address.
    pub pa: u64,
    /// Bytes.
    pub size: u64,
    entry: u64,
}

impl Leaf {
    /// EL1 may write.
    pub fn writable(&self) -> bool {
        self.entry & desc::READ_ONLY == 0
    }

    /// EL1 may fetch instructions.
    pub fn executable(&self) -> bool {
        self.entry & desc::PXN == 0
    }

    /// EL0 may do anything with it.
    pub fn user(&self) -> bool {
        self.entry & desc::USER != 0 || self.entry & desc::UXN == 0
    }

    /// Device memory.
    pub fn device(&self) -> bool {
        self.entry >> 2 & 7 == desc::ATTR_DEVICE_NGNRE
    }
}

/// Calls `f` with every leaf of TTBR1's tree.
pub fn for_each_leaf(f: &mut dyn FnMut(Leaf)) {
    walk(LiveTable::root(), 0, 0xffff_0000_0000_0000, f);
}

fn walk(table: LiveTable, level: u32, base: u64, f: &mut dyn FnMut(Leaf)) {
    for index in 0..ENTRIES {
        let entry = table.get(index);
        let va = base + index as u64 * level_size(level);
        if entry & desc::VALID == 0 {
            continue;
        }
        if level < 3 && desc::is_table(entry) {
            walk(LiveTable::next(entry), level + 1, va, f);
        } else {
            f(Leaf { va, pa: entry & desc::ADDRESS, size: level_size(level), entry });
        }
    }
}

/// An access for [`allows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// A read by EL1.
    Read,
    /// A write by EL1.
    Write,
    /// A read by EL0.
    UserRead,
}

/// Whether the hardware translates `va` for this access, without making it.
pub fn allows(va: u64, probe: Probe) -> bool {
    let par: u64;
    // SAFETY: address translation instructions only write PAR_EL1, which nobody else uses: interrupts are masked
    // around them by the caller of the self-test.
    unsafe {
        match probe {
            Probe::Read => asm!("at s1e1r, {0}", in(reg) va, options(nostack)),
            Probe::Write => asm!("at s1e1w, {0}", in(reg) va, options(nostack)),
            Probe::UserRead => asm!("at s1e0r, {0}", in(reg) va, options(nostack)),
        }
        asm!("isb", "mrs {0}, par_el1", out(reg) par, options(nostack));
    }
    par & 1 == 0
}
