//! A TLB that forgets only what it is told to. It caches leaves and, apart, pointers to tables (the walk
//! cache), each with what it was made under. Writes to memory never reach it. Arm Architecture Reference
//! Manual, sections "Translation Lookaside Buffers", "Global and process-specific translation table
//! entries" and "TLB conflict abort".

use std::fmt;

use crate::desc::{AP_READ_ONLY, DBM};
use crate::granule::Granule;
use crate::rng::Rng;
use crate::tlbi::{Target, Tlbi};

/// Restrictions from table descriptors on everything below them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// APTable\[0\]: no access from EL0.
    pub no_el0: bool,
    /// APTable\[1\]: no writes.
    pub read_only: bool,
    /// UXNTable.
    pub uxn: bool,
    /// PXNTable.
    pub pxn: bool,
}

/// One cached descriptor, or one contiguous set of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What maintenance operations match against.
    pub target: Target,
    /// The output address of the first byte, or the next table.
    pub output: u64,
    /// The descriptor it came from; its attributes and permissions.
    pub desc: u64,
    /// Where that descriptor is.
    pub source: u64,
    /// Restrictions from the tables above; for a table entry its own included.
    pub limits: Limits,
    /// Made from entries with the Contiguous bit.
    pub contiguous: bool,
    /// TCR.T0SZ of the walk.
    pub t0sz: u8,
    /// Root table of the walk.
    pub root: u64,
    /// When it was made.
    pub made: u64,
}

impl Entry {
    /// Does it translate this address for this ASID?
    pub fn translates(&self, va: u64, asid: u16) -> bool {
        self.target.asid.is_none_or(|a| a == asid)
            && va >= self.target.va
            && va - self.target.va < self.target.size
    }

    /// The output address for an address it translates.
    pub fn output_of(&self, va: u64) -> u64 {
        self.output + (va - self.target.va)
    }

    /// Writes need hardware to mark the page dirty first.
    pub fn writable_clean(&self) -> bool {
        self.desc & DBM != 0 && self.desc & AP_READ_ONLY != 0
    }

    fn overlaps(&self, other: &Entry) -> bool {
        let (a, b) = (&self.target, &other.target);
        let same_asid = a.asid.is_none() || b.asid.is_none() || a.asid == b.asid;
        same_asid && a.va < b.va + b.size && b.va < a.va + a.size
    }

    /// May both be in one TLB? Same granule, level, Contiguous bit, and the same outputs.
    fn agrees(&self, other: &Entry) -> bool {
        self.target.granule == other.target.granule
            && self.target.level == other.target.level
            && self.contiguous == other.contiguous
            && self.output.wrapping_sub(self.target.va) == other.output.wrapping_sub(other.target.va)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = &self.target;
        let kind = match (t.leaf, self.contiguous) {
            (false, _) => "table",
            (true, false) => "leaf",
            (true, true) => "contiguous leaf",
        };
        match t.asid {
            Some(asid) => write!(f, "ASID {asid}")?,
            None => write!(f, "global")?,
        }
        write!(
            f,
            " {:?} level {} {kind} {:#x}+{:#x} to {:#x}",
            t.granule, t.level, t.va, t.size, self.output
        )?;
        write!(f, " (descriptor {:#x} at {:#x}, root {:#x})", self.desc, self.source, self.root)
    }
}

/// The TLB of one CPU.
#[derive(Debug)]
pub struct Tlb {
    leaves: Vec<Entry>,
    tables: Vec<Entry>,
    capacity: usize,
}

impl Tlb {
    pub(crate) fn new(capacity: usize) -> Tlb {
        assert!(capacity > 0, "a TLB holds at least one entry");
        Tlb { leaves: Vec::with_capacity(capacity), tables: Vec::with_capacity(capacity), capacity }
    }

    pub(crate) fn len(&self) -> usize {
        self.leaves.len() + self.tables.len()
    }

    /// The leaf that translates an address.
    pub(crate) fn leaf(&self, va: u64, asid: u16) -> Option<&Entry> {
        self.leaves.iter().find(|e| e.translates(va, asid))
    }

    /// The table entry that saves most of a walk for an address.
    pub(crate) fn deepest_table(&self, va: u64, asid: u16) -> Option<&Entry> {
        self.tables.iter().filter(|e| e.translates(va, asid)).max_by_key(|e| e.target.level)
    }

    /// Cache a leaf. Returns an older entry that contradicts it: the conflict.
    pub(crate) fn insert_leaf(&mut self, entry: Entry, rng: &mut Rng) -> Option<Entry> {
        let conflict = self.leaves.iter().find(|e| e.overlaps(&entry) && !e.agrees(&entry)).copied();
        self.leaves.retain(|e| !e.overlaps(&entry));
        insert(&mut self.leaves, entry, self.capacity, rng);
        conflict
    }

    /// Cache a pointer to a table.
    pub(crate) fn insert_table(&mut self, entry: Entry, rng: &mut Rng) {
        self.tables.retain(|e| e.target != entry.target);
        insert(&mut self.tables, entry, self.capacity, rng);
    }

    /// Drop the leaves for one address and ASID, as hardware does before a dirty update.
    pub(crate) fn drop_leaf(&mut self, va: u64, asid: u16) {
        self.leaves.retain(|e| !e.translates(va, asid));
    }

    /// Carry out a TLBI on what was cached before a moment.
    pub(crate) fn invalidate(&mut self, tlbi: &Tlbi, before: u64) {
        let stays = |e: &Entry| e.made >= before || !tlbi.covers(&e.target);
        self.leaves.retain(stays);
        self.tables.retain(stays);
    }

    /// Lose one entry by chance, as any TLB may.
    pub(crate) fn evict_one(&mut self, rng: &mut Rng) {
        let list = if rng.coin() { &mut self.leaves } else { &mut self.tables };
        if !list.is_empty() {
            let victim = rng.below(list.len());
            list.swap_remove(victim);
        }
    }

    /// Everything cached.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.leaves.iter().chain(&self.tables)
    }

    /// An entry of another granule or T0SZ that would be used for this ASID.
    pub(crate) fn drop_other_shape(
        &mut self,
        va: u64,
        asid: u16,
        granule: Granule,
        t0sz: u8,
    ) -> Option<Entry> {
        let wrong = |e: &Entry| e.translates(va, asid) && (e.target.granule != granule || e.t0sz != t0sz);
        let found = self.entries().find(|e| wrong(e)).copied();
        if found.is_some() {
            self.leaves.retain(|e| !wrong(e));
            self.tables.retain(|e| !wrong(e));
        }
        found
    }
}

fn insert(list: &mut Vec<Entry>, entry: Entry, capacity: usize, rng: &mut Rng) {
    if list.len() >= capacity {
        let victim = rng.below(list.len());
        list.swap_remove(victim);
    }
    list.push(entry);
}
