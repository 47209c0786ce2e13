//! The Linux table: 4K geometry, the truth about an address space. For a process that runs on it, it is what
//! hardware walks; entries then change under hardware's hands and are replaced by compare-and-swap, and folios that fill
//! a block carry the Contiguous bit.

use super::contpte::{self, Block};
use super::geometry::GRANULE_4K;
use super::pte::Pte;
use super::table::{LeafRun, Table};
use super::tlb::MmuGather;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::types::{PAGE_SHIFT, PAGE_SIZE, PhysAddr};
use arrayvec::ArrayVec;

/// Whether a TLB may hold rights or an address from `old` that `new` does not give.
pub(super) fn needs_flush(old: Pte, new: Pte) -> bool {
    old.valid()
        && (!new.valid()
            || old.pfn() != new.pfn()
            || (old.write() && !new.write())
            || (!old.rdonly() && new.rdonly())
            || (old.user_exec() && !new.user_exec())
            || (old.young() && !new.young()))
}

/// Writes the entries of a folio where nothing is, on the live table: as runs where it fills blocks.
pub(super) fn set_live<H: Hw>(gather: &mut MmuGather<'_, H>, run: LeafRun, first: Pte) {
    let mem = gather.mem();
    let cont = GRANULE_4K.cont_ptes;
    let congruent = congruent(run.start, first);
    let (mut va, mut at) = (run.start, run.desc);
    if run.end - run.start == PAGE_SIZE {
        mem.hw.write_desc(at, first.0);
        va = run.end;
    }
    while va < run.end {
        let pte = first.advance((va - run.start) / PAGE_SIZE);
        let block = Block::around(&GRANULE_4K, at, va);
        if congruent && va == block.va && block.end() <= run.end {
            block.put_cont(mem, pte);
            (va, at) = (block.end(), at.offset(cont * 8));
        } else {
            mem.hw.write_desc(at, pte.0);
            (va, at) = (va + PAGE_SIZE, at.offset(8));
        }
    }
    // A part of a block at either end may have completed it. A single page seldom does: as Linux, only the last one of its
    // block is looked at.
    let last = (run.end - run.start) / PAGE_SIZE - 1;
    if congruent && (last > 0 || run.end.is_multiple_of(GRANULE_4K.cont_size())) {
        fold_if_complete(gather, run.desc, run.start, first);
        fold_if_complete(gather, run.desc.offset(last * 8), run.end - PAGE_SIZE, first.advance(last));
    }
}

/// Joins the block around `va` if the entry there, which was just moved to its place, completed it.
pub(super) fn fold_moved<H: Hw>(table: &Table, gather: &mut MmuGather<'_, H>, va: u64) {
    let mem = gather.mem();
    if let Some(at) = table.leaf(mem, va) {
        fold_if_complete(gather, at, va, Pte(mem.hw.read_desc(at)));
    }
}

/// Whether an entry is at the same place in its block as its frame would be: the cheap half of [`Block::fits`].
fn congruent(va: u64, pte: Pte) -> bool {
    pte.valid() && !pte.special() && (va >> PAGE_SHIFT ^ pte.pfn().0) & (GRANULE_4K.cont_ptes - 1) == 0
}

/// Joins the block around `va` if the entry there, which was just written, completed it.
fn fold_if_complete<H: Hw>(gather: &mut MmuGather<'_, H>, at: PhysAddr, va: u64, pte: Pte) {
    if congruent(va, pte) && Block::fits(gather.mem(), &GRANULE_4K, va, pte.pfn()) {
        Block::around(&GRANULE_4K, at, va).try_fold(gather);
    }
}

/// Replaces each entry of `start..end` that isn't none by what `f` makes of it, on the live table. `f` may be called
/// again for an entry that hardware changed meanwhile; `done` is called once, with what was replaced.
pub(super) fn update_live<H: Hw>(
    table: &Table,
    gather: &mut MmuGather<'_, H>,
    (start, end): (u64, u64),
    f: &mut impl FnMut(u64, Pte) -> Pte,
    done: &mut impl FnMut(&mut MmuGather<'_, H>, u64, Pte),
) {
    let mem = gather.mem();
    table.for_each_run(mem, start, end, |run| {
        let (mut at, mut va) = (run.desc, run.start);
        // Block by block: all entries of one have the Contiguous bit, or none has.
        while va < run.end {
            let block = Block::around(&GRANULE_4K, at, va);
            let part = LeafRun { desc: at, start: va, end: block.end().min(run.end) };
            let cont = Pte(mem.hw.read_desc(at)).cont();
            if cont && va == block.va && part.end == block.end() {
                update_block(gather, block, f, done);
            } else {
                if cont {
                    block.unfold(gather);
                }
                update_entries(gather, part, f, done);
            }
            at = at.offset((part.end - va) / PAGE_SIZE * 8);
            va = part.end;
        }
    });
}

/// Replaces the entries of `part`, which lie in one block that is no run.
#[inline(always)]
fn update_entries<H: Hw>(
    gather: &mut MmuGather<'_, H>,
    part: LeafRun,
    f: &mut impl FnMut(u64, Pte) -> Pte,
    done: &mut impl FnMut(&mut MmuGather<'_, H>, u64, Pte),
) {
    let mem = gather.mem();
    let (mut at, mut va) = (part.desc, part.start);
    let mut last = Pte::none();
    while va < part.end {
        let old = Pte(mem.hw.read_desc(at));
        last = old;
        if !old.is_none() {
            let (old, new) = replace(mem, at, va, old, f);
            if needs_flush(old, new) {
                gather.add_range(va, va + PAGE_SIZE);
            }
            done(gather, va, old);
            last = new;
        }
        at = at.offset(8);
        va += PAGE_SIZE;
    }
    fold_if_complete(gather, PhysAddr(at.0 - 8), va - PAGE_SIZE, last);
}

/// Replaces all entries of a run. It stays one if what `f` makes of them still agrees: then nothing but rights has changed,
/// and no break-before-make is needed (Linux's `contpte_wrprotect_ptes`). Otherwise the run is broken first.
fn update_block<H: Hw>(
    gather: &mut MmuGather<'_, H>,
    block: Block,
    f: &mut impl FnMut(u64, Pte) -> Pte,
    done: &mut impl FnMut(&mut MmuGather<'_, H>, u64, Pte),
) {
    let mem = gather.mem();
    let mut old = ArrayVec::<Pte, 16>::new();
    let merged = block.take(mem, |pte| old.push(pte));
    // What hardware noted in one entry may have happened to any page of the run.
    old.iter_mut().for_each(|pte| *pte = pte.merge_access(merged));
    let at = |i: usize| block.va + i as u64 * PAGE_SIZE;
    let new: ArrayVec<Pte, 16> = old.iter().enumerate().map(|(i, pte)| f(at(i), *pte)).collect();
    let stays = contpte::is_run(&GRANULE_4K, new.iter().copied());
    let stale = old.iter().zip(&new).any(|(old, new)| needs_flush(*old, *new));
    let splits = !stays && new.iter().any(|pte| pte.valid());
    if stale || splits {
        gather.add_range(block.va, block.end());
    }
    if splits {
        gather.flush();
    }
    for (slot, pte) in block.slots().zip(&new) {
        mem.hw.write_desc(slot, if stays { pte.mkcont() } else { *pte }.0);
    }
    for (i, pte) in old.iter().enumerate() {
        done(gather, at(i), *pte);
    }
}

fn replace<H: Hw>(
    mem: &Memory<H>,
    at: PhysAddr,
    va: u64,
    old: Pte,
    f: &mut impl FnMut(u64, Pte) -> Pte,
) -> (Pte, Pte) {
    let mut old = old;
    loop {
        let new = f(va, old);
        if new == old {
            return (old, new);
        }
        match mem.hw.cas_desc(at, old.0, new.0) {
            Ok(()) => return (old, new),
            Err(now) => old = Pte(now),
        }
    }
}

/// Takes the Contiguous bit off a table that nobody walks any more.
pub(super) fn strip_cont<H: Hw>(table: &Table, mem: &Memory<H>, end: u64) {
    table.for_each_run(mem, 0, end, |run| {
        for i in 0..(run.end - run.start) / PAGE_SIZE {
            let at = run.desc.offset(i * 8);
            let pte = Pte(mem.hw.read_desc(at));
            if pte.cont() {
                mem.hw.write_desc(at, pte.mknoncont().0);
            }
        }
    });
}
