//! The native table of a 16K or 64K process: what hardware walks, a cache of the Linux table. One entry stands for
//! the 4 or 16 Linux entries of a process page. Accessed and dirty state that hardware leaves here goes back to all
//! Linux entries under it before anybody looks at those.
//!
//! A last-level Linux table maps 2M, and so does one Contiguous block of native entries, with 16K and with 64K: the block is
//! the Linux table's *section* of the native table, and the Linux table remembers where it is. So an operation finds native
//! entries without a walk. A section may be missing, and any native entry may be invalid while the Linux entries are valid:
//! the next fault fills it.

use super::contpte::{self, Block};
use super::geometry::Geometry;
use super::linux_table::needs_flush;
use super::pte::{DESC_ADDR, Pte};
use super::table::{LeafRun, Table};
use super::tlb::MmuGather;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::stats::Stats;
use crate::types::{PAGE_SHIFT, PAGE_SIZE, PageSize, Pfn, PhysAddr};
use abi::Errno;
use arrayvec::ArrayVec;
use core::sync::atomic::Ordering::Relaxed;

/// When native entries are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NativeMode {
    /// Each operation on the Linux table is mirrored at once.
    #[default]
    Eager,
    /// Operations only invalidate native entries; a fault fills them, as a device with tables of its own would have it.
    Lazy,
}

/// The Linux entries under one native entry.
type Group = ArrayVec<Pte, 16>;

/// The Linux entries of a process page have no single native entry that says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Untranslatable;

impl<H: Hw> Memory<H> {
    /// Notes where the native entries for a last-level Linux table lie.
    pub(super) fn set_section(&self, table: Pfn, section: Option<PhysAddr>) {
        self.frame(table).index.store(section.map_or(0, |at| at.0), Relaxed);
    }

    /// Where the native entries for the Linux table `table` begin, if they exist.
    pub(super) fn section(&self, table: Pfn) -> Option<PhysAddr> {
        Some(PhysAddr(self.frame(table).index.load(Relaxed))).filter(|at| at.0 != 0)
    }

    /// The native descriptor for the Linux descriptor `at`.
    pub(super) fn native_slot(&self, at: PhysAddr, page: PageSize) -> Option<PhysAddr> {
        let index = at.0 % PAGE_SIZE / 8;
        Some(self.section(at.pfn())?.offset(index / page.nr_kernel_pages() * 8))
    }
}

/// Whether the Linux entries of a process page, present ones, are what one native entry could say: frames that follow
/// each other from an aligned one on, with the same rights.
pub(super) fn is_uniform(page: PageSize, group: &[Pte]) -> bool {
    let first = group[0];
    let aligned = first.pfn().0 & (page.nr_kernel_pages() - 1) == 0;
    aligned
        && group.iter().enumerate().all(|(i, pte)| {
            pte.present()
                && pte.valid() == first.valid()
                && pte.pfn() == first.pfn().offset(i as u64)
                && pte.permissions() == first.permissions()
        })
}

/// The native entry that says what a group of Linux entries says, or `None` if there is none.
fn translate(page: PageSize, group: &[Pte]) -> Option<u64> {
    if group.iter().all(|pte| !pte.valid()) {
        return Some(0);
    }
    if !is_uniform(page, group) {
        return None;
    }
    let native = group.iter().fold(group[0], |native, pte| native.merge_access(*pte));
    Some(native.to_native())
}

/// Adds a native entry's accessed and dirty state to a Linux entry under it.
pub(super) fn fold(native: u64, pte: Pte) -> Pte {
    let native = Pte(native);
    if native.valid() && pte.valid() { pte.merge_access(native) } else { pte }
}

/// A Linux entry as it is when hardware's notes in the native entry are counted.
pub(super) fn fold_from<H: Hw>(mem: &Memory<H>, page: PageSize, at: PhysAddr, pte: Pte) -> Pte {
    mem.native_slot(at, page).map_or(pte, |slot| fold(mem.hw.read_desc(slot), pte))
}

/// Both tables of an address space, and how the second follows the first.
pub(super) struct Pair<'a> {
    pub linux: &'a Table,
    pub native: &'a Table,
    pub mode: NativeMode,
}

/// The Linux entries of one process page: the first descriptor and the address.
#[derive(Clone, Copy)]
struct PageEntries {
    at: PhysAddr,
    va: u64,
}

impl PageEntries {
    fn read<H: Hw>(self, mem: &Memory<H>, page: PageSize) -> Group {
        (0..page.nr_kernel_pages()).map(|i| Pte(mem.hw.read_desc(self.at.offset(i * 8)))).collect()
    }
}

impl Pair<'_> {
    fn geometry(&self) -> &'static Geometry {
        self.native.geometry()
    }

    fn page(&self) -> PageSize {
        self.geometry().page
    }

    /// Makes sure of the native entries for the Linux table around `va`, which exists. ENOMEM without frames for a native
    /// table.
    pub fn bind<H: Hw>(&self, mem: &Memory<H>, va: u64) -> Result<(), Errno> {
        let start = va & !(self.geometry().cont_size() - 1);
        let Some(at) = self.linux.leaf(mem, start) else { return Ok(()) };
        if mem.section(at.pfn()).is_none() {
            mem.set_section(at.pfn(), Some(self.native.leaf_alloc(mem, start)?));
        }
        Ok(())
    }

    /// Makes the native entries for a folio that was just mapped from `va` on, `first` being its first Linux entry, where
    /// nothing was.
    pub fn set<H: Hw>(&self, mem: &Memory<H>, run: LeafRun, first: Pte) -> Result<(), Untranslatable> {
        let page = self.page();
        let Some(slot) = mem.native_slot(run.desc, page) else { return Ok(()) };
        let whole = page.is_aligned(run.start) && page.is_aligned(run.end);
        if !whole || first.pfn().0 & (page.nr_kernel_pages() - 1) != 0 {
            return Err(Untranslatable);
        }
        if !first.valid() {
            return Ok(());
        }
        let nr = (run.end - run.start) >> page.shift();
        Stats::add(&mem.stats.native_entries, nr);
        if nr == self.geometry().cont_ptes && Block::fits(mem, self.geometry(), run.start, first.pfn()) {
            Block::around(self.geometry(), slot, run.start).put_cont(mem, first);
            return Ok(());
        }
        let native = Pte(first.to_native());
        for i in 0..nr {
            mem.hw.write_desc(slot.offset(i * 8), native.advance(i * page.nr_kernel_pages()).0);
        }
        Ok(())
    }

    /// As `linux_table::update_live`, for an address space that runs on its native table.
    pub fn update<H: Hw>(
        &self,
        gather: &mut MmuGather<'_, H>,
        (start, end): (u64, u64),
        f: &mut impl FnMut(u64, Pte) -> Pte,
        done: &mut impl FnMut(&mut MmuGather<'_, H>, u64, Pte),
    ) -> Result<(), Untranslatable> {
        let mem = gather.mem();
        let page = self.page();
        let mut result = Ok(());
        self.linux.for_each_run(mem, page.align_down(start), end.next_multiple_of(page.bytes()), |run| {
            let block =
                mem.native_slot(run.desc, page).map(|slot| Block::around(self.geometry(), slot, run.start));
            let mut noted = None;
            let broken = block.filter(|block| block.is_cont(mem));
            match broken {
                // All of a run changes: it is taken down, and made again from what the Linux entries then say.
                Some(block) if run.start == block.va && run.end == block.end() => {
                    noted = Some(block.take(mem, |_| {}));
                }
                Some(block) => block.unfold(gather),
                None => {}
            }
            let mut va = run.start;
            while va < run.end {
                let at = run.desc.offset((va - run.start) / PAGE_SIZE * 8);
                let entries = PageEntries { at, va };
                result = result.and(match noted {
                    Some(noted) => {
                        change_linux(gather, page, entries, (start, end), noted.0, f, done);
                        Ok(())
                    }
                    None => self.update_page(gather, entries, (start, end), f, done),
                });
                va += page.bytes();
            }
            if let (Some(block), Some(_)) = (block, noted) {
                result = result.and(self.make_again(gather, run, block));
            } else if let (Some(block), NativeMode::Eager) = (block, self.mode) {
                let last = run.desc.offset(((run.end - run.start) / PAGE_SIZE - 1) * 8);
                self.fold_if_complete(gather, block, Pte(mem.hw.read_desc(last)), run.end - PAGE_SIZE);
            }
        });
        result
    }

    fn fold_if_complete<H: Hw>(&self, gather: &mut MmuGather<'_, H>, block: Block, last: Pte, va: u64) {
        let congruent =
            (va >> PAGE_SHIFT ^ last.pfn().0) & (self.geometry().cont_size() / PAGE_SIZE - 1) == 0;
        if congruent
            && last.valid()
            && !last.special()
            && Block::fits(gather.mem(), self.geometry(), va, last.pfn())
        {
            block.try_fold(gather);
        }
    }

    /// The native entries of a run that was taken down, from the Linux entries, all of which may have changed.
    fn make_again<H: Hw>(
        &self,
        gather: &mut MmuGather<'_, H>,
        run: LeafRun,
        block: Block,
    ) -> Result<(), Untranslatable> {
        if self.mode == NativeMode::Lazy {
            gather.add_range(block.va, block.end());
            return Ok(());
        }
        let mem = gather.mem();
        let page = self.page();
        let pages = (0..self.geometry().cont_ptes).map(|i| PageEntries {
            at: run.desc.offset(i * page.nr_kernel_pages() * 8),
            va: run.start + (i << page.shift()),
        });
        let translated = |entries: PageEntries| translate(page, &entries.read(mem, page));
        let natives = pages.clone().map(|entries| Pte(translated(entries).unwrap_or(0)));
        if contpte::is_run(self.geometry(), natives.clone()) {
            let first = natives.clone().reduce(|first, pte| first.merge_access(pte)).unwrap_or_default();
            block.put_cont(mem, first);
            return Ok(());
        }
        if natives.clone().any(|pte| pte.valid()) {
            gather.add_range(block.va, block.end());
            gather.flush();
        }
        let mut result = Ok(());
        for (slot, entries) in block.slots().zip(pages) {
            let desc = translated(entries);
            mem.hw.write_desc(slot, desc.unwrap_or(0));
            result = result.and(desc.map(|_| ()).ok_or(Untranslatable));
        }
        result
    }

    /// One process page: an error when what came out has no native entry; its native entry is then invalid.
    fn update_page<H: Hw>(
        &self,
        gather: &mut MmuGather<'_, H>,
        entries: PageEntries,
        range: (u64, u64),
        f: &mut impl FnMut(u64, Pte) -> Pte,
        done: &mut impl FnMut(&mut MmuGather<'_, H>, u64, Pte),
    ) -> Result<(), Untranslatable> {
        let mem = gather.mem();
        let page = self.page();
        let slot = mem.native_slot(entries.at, page);
        let mut current = slot.map_or(0, |slot| mem.hw.read_desc(slot));
        let Some(slot) = slot.filter(|_| self.mode == NativeMode::Eager || current != 0) else {
            change_linux(gather, page, entries, range, 0, f, done);
            return Ok(());
        };
        if self.mode == NativeMode::Lazy {
            let noted = mem.hw.swap_desc(slot, 0);
            gather.add_range(entries.va, entries.va + page.bytes());
            change_linux(gather, page, entries, range, noted, f, done);
            return Ok(());
        }
        let linux = entries.read(mem, page);
        if linux.iter().all(|pte| pte.is_none()) {
            return Ok(());
        }
        // What hardware noted so far; outlives the entry when that is broken before the new one is made.
        let mut noted = current;
        let result = loop {
            let new: Group = changed(&linux, entries.va, range, noted, f).map(|(_, new)| new).collect();
            let translated = translate(page, &new);
            let desc = translated.unwrap_or(0);
            if address_changes(current, desc) {
                noted = mem.hw.swap_desc(slot, 0);
                current = 0;
                gather.add_range(entries.va, entries.va + page.bytes());
                gather.flush();
                continue;
            }
            match mem.hw.cas_desc(slot, current, desc) {
                Ok(()) => {
                    Stats::add(&mem.stats.native_entries, u64::from(current != desc));
                    break translated.map(|_| ()).ok_or(Untranslatable);
                }
                Err(now) => (current, noted) = (now, now),
            }
        };
        change_linux(gather, page, entries, range, noted, f, done);
        result
    }

    /// Makes the native entry for the process page at `va`, whose Linux entries are valid, and those of its neighbours that
    /// lie in the same folio. Nothing was valid there, so no TLB knows anything.
    pub fn fill<H: Hw>(&self, gather: &mut MmuGather<'_, H>, va: u64) -> Result<(), Untranslatable> {
        let mem = gather.mem();
        let (page, geometry) = (self.page(), self.geometry());
        let Some(at) = self.linux.leaf(mem, va) else { return Ok(()) };
        let Some(slot) = mem.native_slot(at, page).filter(|slot| mem.hw.read_desc(*slot) == 0) else {
            return Ok(());
        };
        let first = Pte(mem.hw.read_desc(at));
        let desc = translate(page, &PageEntries { at, va }.read(mem, page)).ok_or(Untranslatable)?;
        mem.hw.write_desc(slot, desc);
        Stats::add(&mem.stats.native_entries, 1);
        if first.special() || !first.valid() {
            return Ok(());
        }
        let nr_in_folio = mem.folio_nr_pages(mem.folio_of(first.pfn())) >> page.order();
        let block = Block::around(geometry, slot, va);
        let folio_mask = (nr_in_folio.max(1) << page.shift()) - 1;
        for (i, slot) in block.slots().enumerate() {
            let other = block.va + ((i as u64) << page.shift());
            let same_folio = (va & !folio_mask) == (other & !folio_mask);
            if !same_folio || mem.hw.read_desc(slot) != 0 {
                continue;
            }
            let distance = (other >> PAGE_SHIFT).wrapping_sub(va >> PAGE_SHIFT);
            let entries =
                PageEntries { at: PhysAddr(at.0.wrapping_add(distance.wrapping_mul(8))), va: other };
            let group = entries.read(mem, page);
            let follows = group[0].pfn().0 == first.pfn().0.wrapping_add(distance);
            if let Some(desc) = translate(page, &group).filter(|desc| *desc != 0 && follows) {
                mem.hw.write_desc(slot, desc);
                Stats::add(&mem.stats.native_entries, 1);
            }
        }
        self.fold_if_complete(gather, block, first, va);
        Ok(())
    }

    /// Adds what hardware noted in native entries to the Linux entries, and forgets where those lie: before the native
    /// table goes, and after every walker has left it.
    pub fn unbind<H: Hw>(&self, mem: &Memory<H>) {
        let page = self.page();
        self.linux.for_each_run(mem, 0, self.geometry().task_size(), |run| {
            if mem.section(run.desc.pfn()).is_none() {
                return;
            }
            for i in 0..(run.end - run.start) / PAGE_SIZE {
                let at = run.desc.offset(i * 8);
                let pte = Pte(mem.hw.read_desc(at));
                let folded = fold_from(mem, page, at, pte);
                if folded != pte {
                    mem.hw.write_desc(at, folded.0);
                }
            }
            mem.set_section(run.desc.pfn(), None);
        });
    }
}

/// What `f` makes of the Linux entries of a process page, beside what they are when hardware's notes are counted.
fn changed<'a>(
    linux: &'a Group,
    va: u64,
    (start, end): (u64, u64),
    noted: u64,
    f: &'a mut impl FnMut(u64, Pte) -> Pte,
) -> impl Iterator<Item = (Pte, Pte)> + 'a {
    linux.iter().enumerate().map(move |(i, pte)| {
        let at = va + i as u64 * PAGE_SIZE;
        let old = fold(noted, *pte);
        (old, if at < start || at >= end || old.is_none() { old } else { f(at, old) })
    })
}

/// Applies `f` to the Linux entries of a process page, which nobody walks, with hardware's notes counted in.
fn change_linux<H: Hw>(
    gather: &mut MmuGather<'_, H>,
    page: PageSize,
    entries: PageEntries,
    range: (u64, u64),
    noted: u64,
    f: &mut impl FnMut(u64, Pte) -> Pte,
    done: &mut impl FnMut(&mut MmuGather<'_, H>, u64, Pte),
) {
    let mem = gather.mem();
    let linux = entries.read(mem, page);
    let mut stale = false;
    let results: ArrayVec<(Pte, Pte), 16> = changed(&linux, entries.va, range, noted, f).collect();
    for (i, (before, (old, new))) in linux.iter().zip(&results).enumerate() {
        stale |= needs_flush(*old, *new);
        if before != new {
            mem.hw.write_desc(entries.at.offset(i as u64 * 8), new.0);
        }
    }
    if stale {
        gather.add_range(entries.va, entries.va + page.bytes());
    }
    for (i, (old, _)) in results.iter().enumerate() {
        let at = entries.va + i as u64 * PAGE_SIZE;
        if at >= range.0 && at < range.1 && !old.is_none() {
            done(gather, at, *old);
        }
    }
}

/// Whether both entries are valid and lead to different frames, so that the first must be broken and flushed before
/// the second is made (Arm manual, D8.16 "Break-before-make").
fn address_changes(old: u64, new: u64) -> bool {
    Pte(old).valid() && Pte(new).valid() && old & DESC_ADDR != new & DESC_ADDR
}
