//! The native table of a 16K or 64K process: what hardware walks, a cache of the Linux table. One entry stands for
//! the 4 or 16 Linux entries of a process page. Accessed and dirty state that hardware leaves here goes back to all
//! Linux entries under it before anybody looks at those.

use super::linux_table::needs_flush;
use super::pte::{DESC_ADDR, Pte};
use super::table::Table;
use super::tlb::MmuGather;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::stats::Stats;
use crate::types::{PAGE_SIZE, PageSize, PhysAddr};
use arrayvec::ArrayVec;

/// The Linux entries under one native entry.
type Group = ArrayVec<Pte, 16>;

/// The Linux entries of a process page have no single native entry that says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Untranslatable {
    /// The process page.
    pub va: u64,
}

/// The native entry that says what a group of Linux entries says, or `None` if there is none.
fn translate(page: PageSize, group: &[Pte]) -> Option<u64> {
    let first = group[0];
    if group.iter().all(|pte| !pte.valid()) {
        return Some(0);
    }
    let aligned = first.pfn().0 & (page.nr_kernel_pages() - 1) == 0;
    let uniform = group.iter().enumerate().all(|(i, pte)| {
        pte.valid() && pte.pfn() == first.pfn().offset(i as u64) && pte.permissions() == first.permissions()
    });
    if !aligned || !uniform {
        return None;
    }
    let mut native = first;
    if group.iter().any(|pte| pte.dirty()) {
        native = native.mkdirty();
    }
    if group.iter().any(|pte| pte.young()) {
        native = native.mkyoung();
    }
    Some(native.to_native())
}

/// Adds a native entry's accessed and dirty state to a Linux entry under it.
pub(super) fn fold(native: u64, pte: Pte) -> Pte {
    let native = Pte(native);
    if !native.valid() || !pte.valid() {
        return pte;
    }
    let pte = if native.young() { pte.mkyoung() } else { pte };
    if native.dirty() { pte.mkdirty() } else { pte }
}

/// A Linux entry as it is when hardware's notes in the native entry are counted.
pub(super) fn fold_from<H: Hw>(native: &Table, mem: &Memory<H>, va: u64, pte: Pte) -> Pte {
    native.leaf(mem, va).map_or(pte, |at| fold(mem.hw.read_desc(at), pte))
}

/// Makes the native entries of `start..end` from Linux entries that were just set where nothing was.
pub(super) fn fill<H: Hw>(
    linux: &Table,
    native: &Table,
    gather: &mut MmuGather<'_, H>,
    (start, end): (u64, u64),
) -> Result<(), Untranslatable> {
    update(linux, native, gather, (start, end), &mut |_, pte| pte, &mut |_, _, _| {})
}

/// As `linux_table::update_live`, for an address space that runs on its native table.
pub(super) fn update<H: Hw>(
    linux: &Table,
    native: &Table,
    gather: &mut MmuGather<'_, H>,
    (start, end): (u64, u64),
    f: &mut impl FnMut(u64, Pte) -> Pte,
    done: &mut impl FnMut(&mut MmuGather<'_, H>, u64, Pte),
) -> Result<(), Untranslatable> {
    let mem = gather.mem();
    let page = native.geometry().page;
    let mut result = Ok(());
    linux.for_each_run(mem, page.align_down(start), end.next_multiple_of(page.bytes()), |run| {
        let mut va = run.start;
        while va < run.end {
            let at = run.desc.offset((va - run.start) / PAGE_SIZE * 8);
            if !update_page(native, gather, PageEntries { at, va }, (start, end), f, done) {
                result = Err(Untranslatable { va });
            }
            va += page.bytes();
        }
    });
    result
}

/// The Linux entries of one process page: the first descriptor and the address.
struct PageEntries {
    at: PhysAddr,
    va: u64,
}

/// One process page: false when what came out has no native entry; its native entry is then invalid.
fn update_page<H: Hw>(
    native: &Table,
    gather: &mut MmuGather<'_, H>,
    PageEntries { at, va }: PageEntries,
    (start, end): (u64, u64),
    f: &mut impl FnMut(u64, Pte) -> Pte,
    done: &mut impl FnMut(&mut MmuGather<'_, H>, u64, Pte),
) -> bool {
    let mem = gather.mem();
    let page = native.geometry().page;
    let linux: Group = (0..page.nr_kernel_pages()).map(|i| Pte(mem.hw.read_desc(at.offset(i * 8)))).collect();
    if linux.iter().all(|pte| pte.is_none()) {
        return true;
    }
    let slot = native.leaf(mem, va);
    let mut current = slot.map_or(0, |slot| mem.hw.read_desc(slot));
    // What hardware noted so far; outlives the entry when that is broken before the new one is made.
    let mut noted = current;
    let (old, new, translated) = loop {
        let old: Group = linux.iter().map(|pte| fold(noted, *pte)).collect();
        let new: Group = (old.iter().enumerate())
            .map(|(i, pte)| {
                let at = va + i as u64 * PAGE_SIZE;
                if at < start || at >= end || pte.is_none() { *pte } else { f(at, *pte) }
            })
            .collect();
        let translated = translate(page, &new);
        let Some(slot) = slot else { break (old, new, translated == Some(0)) };
        let desc = translated.unwrap_or(0);
        if address_changes(current, desc) {
            noted = mem.hw.swap_desc(slot, 0);
            current = 0;
            gather.add_range(va, va + page.bytes());
            gather.flush();
            continue;
        }
        match mem.hw.cas_desc(slot, current, desc) {
            Ok(()) => {
                Stats::add(&mem.stats.native_entries, u64::from(current != desc));
                break (old, new, translated.is_some());
            }
            Err(now) => (current, noted) = (now, now),
        }
    };
    let mut stale = false;
    for (i, (linux, (old, new))) in linux.iter().zip(old.iter().zip(&new)).enumerate() {
        if linux != new {
            mem.hw.write_desc(at.offset(i as u64 * 8), new.0);
        }
        stale |= needs_flush(*old, *new) || (!translated && old.valid());
    }
    if stale {
        gather.add_range(va, va + page.bytes());
    }
    for (i, old) in old.iter().enumerate() {
        let at = va + i as u64 * PAGE_SIZE;
        if at >= start && at < end && !old.is_none() {
            done(gather, at, *old);
        }
    }
    translated
}

/// Whether both entries are valid and lead to different frames, so that the first must be broken and flushed before
/// the second is made (Arm manual, D8.16 "Break-before-make").
fn address_changes(old: u64, new: u64) -> bool {
    Pte(old).valid() && Pte(new).valid() && old & DESC_ADDR != new & DESC_ADDR
}
