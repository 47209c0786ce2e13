//! A kernel that does everything right, for thousands of random operations on several CPUs, address spaces
//! and granules, must get no violation and never a wrong translation; the same kernel with one mistake must
//! be caught. The machine's own false alarms and blind spots show here.

mod common;

use std::collections::{BTreeMap, HashSet};

use common::{RO, RW, order_of, t0sz_of};
use sim::desc::{AP_EL0, AP_READ_ONLY, CONTIGUOUS, DBM, TABLE_OR_PAGE, VALID};
use sim::rng::Rng;
use sim::{Access, Config, Dsb, El, Granule, Machine, Scope, Tcr, TlbiOp, ttbr};

const CPUS: usize = 3;
/// Level 2 descriptors behind the window that are blocks or tables, of memory outside the machine.
const BLOCKS: u64 = 3;
const DEVICE: u64 = 1 << 40;
/// Pages of each address space that the operations play in, and the size of a set of them.
const WINDOW: u64 = 512;

/// What the kernel does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    NoTlbi,
    WrongRangeGranule,
    WrongLevelHint,
    OtherAsid,
    LocalTlbi,
    LastLevelForTables,
    NoDsbBeforeTlbi,
    NoDsbAfterTlbi,
    NoDsbAfterMap,
    NoBarrierBeforeLink,
    FreeBeforeTlbi,
    ReplaceInPlace,
    FoldInPlace,
    UnfoldOnePage,
    FoldMixedRights,
    NoTlbiAtRollover,
    NoIsbAfterSwitch,
    SplitInPlace,
    CollapseLeavesPages,
}

#[derive(Clone, Copy)]
struct Page {
    pa: u64,
    writable: bool,
}

struct Space {
    granule: Granule,
    root: u64,
    asid: u16,
    pages: BTreeMap<u64, Page>,
    /// Sets of pages that are mapped with the Contiguous bit, by first page.
    folded: HashSet<u64>,
    /// Per level 2 block, the table that it is split into, or zero.
    blocks: BTreeMap<u64, u64>,
}

struct Book {
    m: Machine,
    rng: Rng,
    reserved: u64,
    spaces: Vec<Space>,
    running: [Option<usize>; CPUS],
    next_asid: u16,
    mistake: Option<Mistake>,
}

impl Space {
    fn tcr(&self) -> Tcr {
        Tcr { ha: true, hd: true, ..Tcr::new(self.granule, t0sz_of(self.granule)) }
    }

    fn set_len(&self) -> u64 {
        self.granule.contiguous_entries(3) as u64
    }
}

impl Book {
    fn new(seed: u64, mistake: Option<Mistake>) -> Book {
        let config = Config { nr_cpus: CPUS, seed, nr_frames: 32768, restlessness: 2, ..Config::default() };
        let mut m = Machine::new(config);
        let reserved = m.alloc(4).expect("memory");
        m.zero(reserved, 65536);
        m.reserve_root(reserved);
        m.dsb(0, Dsb::Stores);
        let mut book = Book {
            m,
            rng: Rng::new(seed),
            reserved,
            spaces: Vec::new(),
            running: [None; CPUS],
            next_asid: 1,
            mistake,
        };
        for cpu in 0..CPUS {
            book.park(cpu);
        }
        for granule in [Granule::K4, Granule::K16, Granule::K64, Granule::K4] {
            let root = book.table(granule);
            book.m.dsb(0, Dsb::Stores);
            let asid = book.next_asid;
            book.next_asid += 1;
            let pages = BTreeMap::new();
            book.spaces.push(Space {
                granule,
                root,
                asid,
                pages,
                folded: HashSet::new(),
                blocks: BTreeMap::new(),
            });
        }
        book
    }

    fn errs(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn table(&mut self, granule: Granule) -> u64 {
        let pa = self.m.alloc(order_of(granule.size())).expect("memory");
        self.m.zero(pa, granule.size());
        pa
    }

    fn park(&mut self, cpu: usize) {
        self.m.write_ttbr0(cpu, ttbr(self.reserved, 0));
        self.m.isb(cpu);
        self.running[cpu] = None;
    }

    fn run(&mut self, cpu: usize, space: usize) {
        self.park(cpu);
        let s = &self.spaces[space];
        let (tcr, root, asid) = (s.tcr(), s.root, s.asid);
        self.m.write_tcr(cpu, tcr.bits());
        self.m.isb(cpu);
        self.m.write_ttbr0(cpu, ttbr(root, asid));
        if !self.errs(Mistake::NoIsbAfterSwitch) {
            self.m.isb(cpu);
        }
        self.running[cpu] = Some(space);
    }

    /// The slot of a page, and that of the descriptor of its table.
    fn slot(&mut self, space: usize, page: u64) -> (u64, u64) {
        let (granule, mut table) = (self.spaces[space].granule, self.spaces[space].root);
        let va = page * granule.size();
        let mut parent = 0;
        let mut level = granule.start_level(64 - u32::from(t0sz_of(granule)));
        while level < 3 {
            parent = table + va / granule.level_size(level) % (granule.size() / 8) * 8;
            let raw = self.m.read_u64(parent);
            table = raw & 0x0000_ffff_ffff_f000;
            if raw & VALID == 0 {
                table = self.table(granule);
                if !self.errs(Mistake::NoBarrierBeforeLink) {
                    self.m.dmb();
                }
                self.m.write_u64(parent, table | VALID | TABLE_OR_PAGE);
                if !self.errs(Mistake::NoBarrierBeforeLink) {
                    self.m.dsb(0, Dsb::Stores);
                }
            }
            level += 1;
        }
        (table + page % (granule.size() / 8) * 8, parent)
    }

    fn flush_pages(&mut self, cpu: usize, space: usize, page: u64, count: u64, tables: bool) {
        if self.errs(Mistake::NoTlbi) {
            return self.m.dsb(cpu, Dsb::InnerShareable);
        }
        let s = &self.spaces[space];
        let asid = s.asid ^ u16::from(self.errs(Mistake::OtherAsid));
        let (g, asid) = (s.granule, u64::from(asid) << 48);
        let va = page * g.size();
        let scope = if self.errs(Mistake::LocalTlbi) { Scope::Local } else { Scope::InnerShareable };
        let tables = tables && !self.errs(Mistake::LastLevelForTables);
        let range_tg = if self.errs(Mistake::WrongRangeGranule) { g.tlbi_tg() % 3 + 1 } else { g.tlbi_tg() };
        let level = if self.errs(Mistake::WrongLevelHint) { 2 } else { 3 };
        if !self.errs(Mistake::NoDsbBeforeTlbi) {
            self.m.dsb(cpu, Dsb::Stores);
        }
        match self.rng.below(100) {
            0..25 => self.m.tlbi(cpu, TlbiOp::Aside1, scope, asid),
            25..60 => {
                // Page by page; the level hint is only for leaves.
                let hint = if tables { 0 } else { (g.tlbi_tg() << 2 | level) << 44 };
                let op = if tables { TlbiOp::Vae1 } else { TlbiOp::Vale1 };
                for i in 0..count {
                    let operand = asid | hint | (va + i * g.size()) >> 12;
                    self.m.tlbi(cpu, op, scope, operand);
                }
            }
            60 => self.m.tlbi(cpu, TlbiOp::Vmalle1, scope, 0),
            _ => {
                // Ranges come in pairs of pages.
                let op = if tables { TlbiOp::Rvae1 } else { TlbiOp::Rvale1 };
                for first in (0..count).step_by(64) {
                    let num = (count - first).min(64).div_ceil(2) - 1;
                    let operand = asid | range_tg << 46 | num << 39 | (page + first);
                    self.m.tlbi(cpu, op, scope, operand);
                }
            }
        }
        if !self.errs(Mistake::NoDsbAfterTlbi) {
            self.m.dsb(cpu, Dsb::InnerShareable);
        }
        self.m.isb(cpu);
    }

    /// Write descriptors and, but for those of a break that a flush follows, make them visible.
    fn write_pages(&mut self, cpu: usize, space: usize, first: u64, pages: &[u64]) {
        for (page, value) in (first..).zip(pages) {
            let (slot, _) = self.slot(space, page);
            self.m.write_u64(slot, *value);
        }
        let breaks = pages.iter().all(|v| *v == 0);
        if !breaks && !self.errs(Mistake::NoDsbAfterMap) {
            self.m.dsb(cpu, Dsb::Stores);
        }
    }

    fn bits(&mut self, writable: bool) -> u64 {
        match (writable, self.rng.coin()) {
            (false, _) => RO,
            (true, false) => RW,
            // Writable and clean: hardware marks it dirty.
            (true, true) => RO | DBM,
        }
    }

    fn map(&mut self, cpu: usize, space: usize, page: u64) {
        if self.spaces[space].pages.contains_key(&page) {
            return;
        }
        let size = self.spaces[space].granule.size();
        let pa = self.m.alloc(order_of(size)).expect("memory");
        self.m.zero(pa, size);
        let writable = self.rng.coin();
        let value = pa | self.bits(writable) | TABLE_OR_PAGE;
        self.write_pages(cpu, space, page, &[value]);
        self.spaces[space].pages.insert(page, Page { pa, writable });
    }

    fn unmap(&mut self, cpu: usize, space: usize, page: u64) {
        self.unfold(cpu, space, page);
        let Some(old) = self.spaces[space].pages.remove(&page) else { return };
        let order = order_of(self.spaces[space].granule.size());
        self.write_pages(cpu, space, page, &[0]);
        if self.errs(Mistake::FreeBeforeTlbi) {
            self.m.free(old.pa, order);
            return self.flush_pages(cpu, space, page, 1, false);
        }
        self.flush_pages(cpu, space, page, 1, false);
        self.m.free(old.pa, order);
    }

    /// Change rights in place.
    fn protect(&mut self, cpu: usize, space: usize, page: u64) {
        self.unfold(cpu, space, page);
        let Some(old) = self.spaces[space].pages.get(&page).copied() else { return };
        let writable = !old.writable;
        let value = old.pa | self.bits(writable) | TABLE_OR_PAGE;
        let (slot, _) = self.slot(space, page);
        self.m.write_u64(slot, value);
        self.flush_pages(cpu, space, page, 1, false);
        self.spaces[space].pages.insert(page, Page { writable, ..old });
    }

    /// Copy to another frame, as for copy-on-write.
    fn replace(&mut self, cpu: usize, space: usize, page: u64) {
        if !self.spaces[space].pages.contains_key(&page) {
            return;
        }
        if !self.errs(Mistake::ReplaceInPlace) {
            self.unmap(cpu, space, page);
            return self.map(cpu, space, page);
        }
        self.unfold(cpu, space, page);
        let old = self.spaces[space].pages.remove(&page).expect("mapped");
        self.map(cpu, space, page);
        self.flush_pages(cpu, space, page, 1, false);
        self.m.free(old.pa, order_of(self.spaces[space].granule.size()));
    }

    /// Map a whole set contiguously, on new memory.
    fn fold(&mut self, cpu: usize, space: usize, page: u64) {
        let len = self.spaces[space].set_len();
        let first = page / len * len;
        for page in first..first + len {
            self.unmap(cpu, space, page);
        }
        let size = self.spaces[space].granule.size();
        let pa = self.m.alloc(order_of(size * len)).expect("memory");
        let writable = self.rng.coin();
        let mut values = Vec::new();
        for i in 0..len {
            values.push((pa + i * size) | self.bits(writable) | TABLE_OR_PAGE | CONTIGUOUS);
            self.spaces[space].pages.insert(first + i, Page { pa: pa + i * size, writable });
        }
        if values.iter().any(|v| v & DBM != 0) {
            // DBM is uniform in a set, dirty state is not.
            values.iter_mut().for_each(|v| *v |= DBM);
        }
        if self.errs(Mistake::FoldMixedRights) {
            values[1] ^= AP_EL0;
        }
        if self.errs(Mistake::FoldInPlace) {
            let plain: Vec<u64> = values.iter().map(|v| v & !CONTIGUOUS).collect();
            self.write_pages(cpu, space, first, &plain);
            let _ = self.m.access(cpu, first * size, Access::Read, El::El0);
        }
        self.write_pages(cpu, space, first, &values);
        self.spaces[space].folded.insert(first);
    }

    fn unfold(&mut self, cpu: usize, space: usize, page: u64) {
        let len = self.spaces[space].set_len();
        let first = page / len * len;
        if !self.spaces[space].folded.remove(&first) {
            return;
        }
        if self.errs(Mistake::UnfoldOnePage) {
            return;
        }
        let slots: Vec<u64> = (first..first + len).map(|p| self.slot(space, p).0).collect();
        let old: Vec<u64> = slots.iter().map(|s| self.m.swap_u64(*s, 0)).collect();
        self.flush_pages(cpu, space, first, len, false);
        let values: Vec<u64> = old.iter().map(|v| v & !CONTIGUOUS).collect();
        self.write_pages(cpu, space, first, &values);
    }

    /// Drop all pages and the last-level table, which is freed.
    fn drop_table(&mut self, cpu: usize, space: usize) {
        let granule = self.spaces[space].granule;
        for page in 0..WINDOW {
            self.unmap(cpu, space, page);
        }
        let (slot, parent) = self.slot(space, 0);
        if granule == Granule::K4 {
            let other = self.slot(space, WINDOW - 1).1;
            assert_eq!(other, parent, "the window lies in one table");
        }
        self.m.write_u64(parent, 0);
        self.flush_pages(cpu, space, 0, 1, true);
        self.m.free(slot & !(granule.size() - 1), order_of(granule.size()));
    }

    /// The slot of a block, and its output.
    fn block_slot(&mut self, space: usize, block: u64) -> (u64, u64) {
        let granule = self.spaces[space].granule;
        let pages = granule.level_size(2) / granule.size();
        // The table is that of the window, which always exists once a page was looked up.
        let (_, window) = self.slot(space, 0);
        assert!(WINDOW <= pages);
        (window + (block + 1) * 8, DEVICE + block * granule.level_size(2))
    }

    /// Map a block; split one that is mapped; collapse or unmap one that is split.
    fn change_block(&mut self, cpu: usize, space: usize, block: u64) {
        let granule = self.spaces[space].granule;
        let asid = u64::from(self.spaces[space].asid) << 48;
        let va = (block + 1) * granule.level_size(2);
        let (slot, output) = self.block_slot(space, block);
        match self.spaces[space].blocks.get(&block).copied() {
            None => {
                self.m.write_u64(slot, output | RW);
                self.m.dsb(cpu, Dsb::Stores);
                self.spaces[space].blocks.insert(block, 0);
            }
            Some(0) => {
                let table = self.table(granule);
                for i in 0..granule.size() / 8 {
                    self.m.write_u64(table + i * 8, (output + i * granule.size()) | RW | TABLE_OR_PAGE);
                }
                if !self.errs(Mistake::SplitInPlace) {
                    self.m.write_u64(slot, 0);
                    self.m.dsb(cpu, Dsb::Stores);
                    let hint = (granule.tlbi_tg() << 2 | 2) << 44;
                    self.m.tlbi(cpu, TlbiOp::Vale1, Scope::InnerShareable, asid | hint | va >> 12);
                    self.m.dsb(cpu, Dsb::InnerShareable);
                }
                self.m.dmb();
                self.m.write_u64(slot, table | VALID | TABLE_OR_PAGE);
                self.m.dsb(cpu, Dsb::Stores);
                self.spaces[space].blocks.insert(block, table);
            }
            Some(table) => {
                self.m.write_u64(slot, 0);
                self.m.dsb(cpu, Dsb::Stores);
                if self.errs(Mistake::CollapseLeavesPages) {
                    self.m.tlbi(cpu, TlbiOp::Vae1, Scope::InnerShareable, asid | va >> 12);
                } else {
                    self.m.tlbi(cpu, TlbiOp::Aside1, Scope::InnerShareable, asid);
                }
                self.m.dsb(cpu, Dsb::InnerShareable);
                self.m.free(table, order_of(granule.size()));
                self.spaces[space].blocks.remove(&block);
                if self.rng.coin() {
                    self.change_block(cpu, space, block);
                }
            }
        }
    }

    /// Give an address space a new ASID, as a rollover does.
    fn renew_asid(&mut self, cpu: usize, space: usize) {
        for other in 0..CPUS {
            if self.running[other] == Some(space) {
                self.park(other);
            }
        }
        if self.next_asid > 12 {
            for other in 0..CPUS {
                self.park(other);
            }
            if !self.errs(Mistake::NoTlbiAtRollover) {
                self.m.dsb(cpu, Dsb::Stores);
                self.m.tlbi(cpu, TlbiOp::Vmalle1, Scope::InnerShareable, 0);
                self.m.dsb(cpu, Dsb::InnerShareable);
            }
            self.next_asid = 1;
            for s in &mut self.spaces {
                s.asid = self.next_asid;
                self.next_asid += 1;
            }
        }
        self.spaces[space].asid = self.next_asid;
        self.next_asid += 1;
    }

    fn step(&mut self) {
        let cpu = self.rng.below(CPUS);
        let space = self.rng.below(self.spaces.len());
        let page = self.rng.below(WINDOW as usize) as u64;
        match self.rng.below(200) {
            0..60 => self.map(cpu, space, page),
            60..90 => self.unmap(cpu, space, page),
            90..110 => self.protect(cpu, space, page),
            110..120 => self.replace(cpu, space, page),
            120..124 => self.fold(cpu, space, page),
            124 => self.drop_table(cpu, space),
            125..130 => self.renew_asid(cpu, space),
            130..136 => self.park(cpu),
            136..142 => self.change_block(cpu, space, page % BLOCKS),
            _ => self.run(cpu, space),
        }
    }

    /// Every CPU sees exactly what its address space maps. The result is the first difference.
    fn check(&mut self) -> Result<(), String> {
        for cpu in 0..CPUS {
            let Some(space) = self.running[cpu] else { continue };
            let block = self.rng.below(BLOCKS as usize) as u64;
            let size = self.spaces[space].granule.level_size(2);
            let offset = self.rng.next_u64() % 8 * self.spaces[space].granule.size();
            let want = self.spaces[space].blocks.get(&block).map(|_| DEVICE + block * size + offset);
            let got = self.m.access(cpu, (block + 1) * size + offset, Access::Read, El::El0).ok();
            if got != want {
                return Err(format!("block {block}: {got:x?}, not {want:x?}"));
            }
            for _ in 0..4 {
                let page = self.rng.below(WINDOW as usize) as u64;
                let s = &self.spaces[space];
                let (page_at, va) = (s.pages.get(&page).copied(), page * s.granule.size());
                for access in [Access::Read, Access::Write] {
                    let want = page_at.filter(|p| p.writable || access == Access::Read).map(|p| p.pa);
                    let got = self.m.access(cpu, va, access, El::El0).ok();
                    if got != want {
                        return Err(format!("{access:?} of {va:#x}: {got:x?}, not {want:x?}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// The tables as memory holds them say the same.
    fn check_trees(&self) {
        for s in &self.spaces {
            let tree = self.m.tree(s.root, s.tcr());
            assert_eq!(tree.errors, Vec::<String>::new());
            let pages = tree.leaves.iter().filter(|l| l.pa < DEVICE);
            let seen: Vec<(u64, u64)> = pages.clone().map(|l| (l.va / s.granule.size(), l.pa)).collect();
            let want: Vec<(u64, u64)> = s.pages.iter().map(|(page, p)| (*page, p.pa)).collect();
            assert_eq!(seen, want);
            for leaf in pages {
                let page = s.pages[&(leaf.va / s.granule.size())];
                assert!(page.writable || leaf.desc & AP_READ_ONLY != 0);
            }
        }
    }
}

fn by_the_book(seed: u64) {
    let mut book = Book::new(seed, None);
    for step in 0..2500 {
        book.step();
        let result = book.check();
        book.m.assert_clean();
        assert_eq!(result, Ok(()), "seed {seed}, step {step}");
    }
    book.check_trees();
}

#[test]
fn no_alarm_and_no_wrong_translation() {
    (0..8).for_each(by_the_book);
}

#[test]
#[ignore = "a soak: the same with many more seeds"]
fn no_alarm_for_long() {
    (8..500).for_each(by_the_book);
}

#[test]
fn every_mistake_is_caught_with_every_seed() {
    use Mistake::*;
    let mistakes = [
        NoTlbi,
        WrongRangeGranule,
        WrongLevelHint,
        OtherAsid,
        LocalTlbi,
        LastLevelForTables,
        NoDsbBeforeTlbi,
        NoDsbAfterTlbi,
        NoDsbAfterMap,
        NoBarrierBeforeLink,
        FreeBeforeTlbi,
        ReplaceInPlace,
        FoldInPlace,
        UnfoldOnePage,
        FoldMixedRights,
        NoTlbiAtRollover,
        NoIsbAfterSwitch,
        SplitInPlace,
        CollapseLeavesPages,
    ];
    for mistake in mistakes {
        for seed in 0..8 {
            let mut book = Book::new(seed, Some(mistake));
            let caught = (0..2500).find_map(|step| {
                book.step();
                let wrong = book.check().err();
                let alarm = book.m.violations().first().map(|v| v.to_string());
                alarm.or(wrong).map(|what| (step, what))
            });
            let (step, what) = caught.unwrap_or_else(|| panic!("{mistake:?} is not caught with seed {seed}"));
            println!("{mistake:?}, seed {seed}, step {step}: {what}");
        }
    }
}
