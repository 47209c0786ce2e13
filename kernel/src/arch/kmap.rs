//! The kernel's translation tables (TTBR1). Boot has mapped the image; here come the linear map, in the largest
//! blocks that fit, and the windows for stacks, heap and devices. Nothing is ever writable and executable at the
//! same time: only the image's text is executable, and `Protection` has no such combination.
//!
//! Linux's counterparts are `mmu.c` (`map_mem`, `alloc_init_pud`...) and the kernel side of `vmalloc.c`. Tables
//! are never freed: the windows reuse them.

use super::{barrier, phys};
use crate::sync::IrqMutex;
use boot::desc;
use boot::early_map::{ENTRIES, Table, index};
use boot::layout::{self, PAGE_SIZE};
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use mm::memblock::Memblock;

/// Tables from the image's own bss, for the time before there are frames to have.
const POOL: usize = 24;

/// What a kernel mapping allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Normal memory, read only.
    ReadOnly,
    /// Normal memory, read and write.
    ReadWrite,
    /// Device registers.
    Device,
}

impl Protection {
    const fn bits(self) -> u64 {
        match self {
            Protection::ReadOnly => desc::RODATA,
            Protection::ReadWrite => desc::DATA,
            Protection::Device => desc::DEVICE,
        }
    }
}

/// No memory for a translation table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTable;

/// Serialises changes of the tables. Taken before the lock of the frames.
static TABLES: IrqMutex<Source> = IrqMutex::new(Source { pool_used: 0 });

/// Where new tables come from.
struct Source {
    pool_used: usize,
}

#[repr(transparent)]
struct Pool(core::cell::UnsafeCell<[Table; POOL]>);

// SAFETY: entries are handed out once each, under the lock of TABLES, and reached by raw pointers only.
unsafe impl Sync for Pool {}

static POOL_TABLES: Pool = Pool(core::cell::UnsafeCell::new([Table::EMPTY; POOL]));

impl Source {
    /// The physical address of an empty table.
    fn take(&mut self) -> Result<u64, NoTable> {
        if self.pool_used < POOL {
            let va = POOL_TABLES.0.get() as u64 + (self.pool_used * size_of::<Table>()) as u64;
            self.pool_used += 1;
            return Ok(phys::physical(va));
        }
        let pa = crate::frames::alloc_from_reserve(0).ok_or(NoTable)?;
        phys::zero(pa, PAGE_SIZE);
        Ok(pa)
    }
}

/// A table that is part of the live tree.
#[derive(Clone, Copy)]
pub(super) struct LiveTable(*mut u64);

impl LiveTable {
    /// The root of TTBR1.
    pub(super) fn root() -> Self {
        let tables = boot::head::tables();
        // SAFETY: the pointer is to a static; only the address of a member is formed.
        Self(unsafe { &raw mut (*tables).kernel_l0 }.cast())
    }

    /// The table that a table descriptor points to. Tables in the image (the first ones, and the pool) are
    /// reached through the image, because they exist before the linear map; all others through the linear map.
    pub(super) fn next(entry: u64) -> Self {
        let pa = entry & desc::ADDRESS;
        let image = phys::image_range();
        if image.contains(&pa) {
            Self((layout::IMAGE + (pa - image.start)) as *mut u64)
        } else {
            Self(phys::linear(pa).cast())
        }
    }

    pub(super) fn get(self, index: usize) -> u64 {
        assert!(index < ENTRIES);
        // SAFETY: the table is live for good and the index is inside; entries are read and written as atomics.
        unsafe { AtomicU64::from_ptr(self.0.add(index)) }.load(Ordering::Relaxed)
    }

    fn set(self, index: usize, entry: u64) {
        assert!(index < ENTRIES);
        // SAFETY: as in `get`; the lock of TABLES is held, so there is one writer.
        unsafe { AtomicU64::from_ptr(self.0.add(index)) }.store(entry, Ordering::Release);
    }

    /// The table below `index`, made if there is none.
    fn next_or_new(self, index: usize, source: &mut Source) -> Result<Self, NoTable> {
        let entry = self.get(index);
        if entry & desc::VALID != 0 {
            assert!(desc::is_table(entry), "a kernel block mapping is in the way");
            return Ok(Self::next(entry));
        }
        let pa = source.take()?;
        barrier::dsb_ishst(); // the empty table before the entry that leads to it
        self.set(index, pa | desc::VALID | desc::TABLE);
        Ok(Self::next(pa))
    }
}

/// The size that an entry of `level` maps.
pub(super) const fn level_size(level: u32) -> u64 {
    1 << (39 - 9 * level)
}

/// Maps `[va, va + size)` to `pa`, with blocks where both addresses allow. The range must be unmapped.
fn map_locked(source: &mut Source, va: u64, pa: u64, size: u64, prot: Protection) -> Result<(), NoTable> {
    assert!((va | pa | size).is_multiple_of(PAGE_SIZE));
    let mut done = 0;
    while done < size {
        let (at, to, left) = (va + done, pa + done, size - done);
        let mut level = 1;
        while level < 3 && ((at | to) & (level_size(level) - 1) != 0 || left < level_size(level)) {
            level += 1;
        }
        let mut table = LiveTable::root();
        for upper in 0..level {
            table = table.next_or_new(index(at, upper), source)?;
        }
        assert!(table.get(index(at, level)) & desc::VALID == 0, "kernel address mapped twice");
        let page = if level == 3 { desc::TABLE } else { 0 };
        table.set(index(at, level), to | prot.bits() | page);
        done += level_size(level);
    }
    barrier::dsb_ishst();
    barrier::isb();
    Ok(())
}

/// Maps a range of one of the kernel's windows.
pub fn map(va: u64, pa: u64, size: u64, prot: Protection) -> Result<(), NoTable> {
    map_locked(&mut TABLES.lock(), va, pa, size, prot)
}

/// Unmaps `[va, va + size)`, which was mapped in 4K pages, and flushes the TLBs. The frames stay with the caller.
pub fn unmap_pages(va: u64, size: u64) {
    let _tables = TABLES.lock();
    for at in (va..va + size).step_by(PAGE_SIZE as usize) {
        let mut table = LiveTable::root();
        for upper in 0..3 {
            let entry = table.get(index(at, upper));
            assert!(desc::is_table(entry), "not mapped in pages");
            table = LiveTable::next(entry);
        }
        table.set(index(at, 3), 0);
    }
    barrier::dsb_ishst();
    for at in (va..va + size).step_by(PAGE_SIZE as usize) {
        let operand = (at >> 12) & 0xfff_ffff_ffff;
        // SAFETY: invalidates TLB entries of addresses that have no mapping any more.
        unsafe { core::arch::asm!("tlbi vaale1is, {0}", in(reg) operand, options(nostack)) };
    }
    barrier::dsb_ish();
    barrier::isb();
}

/// What the live tables say about `va`: the leaf entry and its level.
pub fn lookup(va: u64) -> Option<(u64, u32)> {
    let mut table = LiveTable::root();
    for level in 0..4 {
        let entry = table.get(index(va, level));
        if entry & desc::VALID == 0 {
            return None;
        }
        if level == 3 || !desc::is_table(entry) {
            return Some((entry, level));
        }
        table = LiveTable::next(entry);
    }
    None
}

/// Whether all of `[va, va + size)` is mapped.
pub fn is_mapped(va: u64, size: u64) -> bool {
    let mut at = va;
    while at < va + size {
        let Some((_, level)) = lookup(at) else { return false };
        at = (at & !(level_size(level) - 1)) + level_size(level);
    }
    true
}

/// Builds the linear map of all RAM. The alias of the image's text and constants is read-only, all else is
/// read-write; nothing is executable.
pub fn map_linear(memblock: &Memblock, constants: &[Range<u64>]) -> Result<(), NoTable> {
    for bank in memblock.memory() {
        let mut at = bank.start;
        while at < bank.end {
            // Up to the next border between writable and constant memory.
            let constant = constants.iter().find(|c| c.contains(&at));
            let border = match constant {
                Some(c) => c.end,
                None => constants.iter().map(|c| c.start).filter(|&s| s > at).min().unwrap_or(u64::MAX),
            };
            let end = border.min(bank.end);
            let prot = if constant.is_some() { Protection::ReadOnly } else { Protection::ReadWrite };
            map(layout::LINEAR + at, at, end - at, prot)?;
            at = end;
        }
    }
    Ok(())
}
