//! The Linux table: 4K geometry, the truth about an address space. For a process that runs on it, it is what
//! hardware walks; entries then change under hardware's hands and are replaced by compare-and-swap.

use super::pte::Pte;
use super::table::Table;
use super::tlb::MmuGather;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::types::{PAGE_SIZE, PhysAddr};

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
        while va < run.end {
            let old = Pte(mem.hw.read_desc(at));
            if !old.is_none() {
                let (old, new) = replace(mem, at, va, old, f);
                if needs_flush(old, new) {
                    gather.add_range(va, va + PAGE_SIZE);
                }
                done(gather, va, old);
            }
            at = at.offset(8);
            va += PAGE_SIZE;
        }
    });
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
