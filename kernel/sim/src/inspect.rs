//! A look at translation tables from outside, for properties: what a walker would find with no TLB, no
//! store buffer and no side effect. The values are those in memory now.

use crate::cpu::Tcr;
use crate::desc::{self, CONTIGUOUS, Descriptor};
use crate::granule::Granule;
use crate::machine::Machine;
use crate::tlb::Limits;
use crate::walk::{Access, El, contiguous_misuse, first_step, permits};

/// A valid leaf of a tree of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// First address that it translates.
    pub va: u64,
    /// Bytes.
    pub size: u64,
    /// Output address of the first byte.
    pub pa: u64,
    /// The descriptor.
    pub desc: u64,
    /// Where the descriptor is.
    pub source: u64,
    /// Its level.
    pub level: u8,
    /// The table's granule.
    pub granule: Granule,
    /// Restrictions from the tables above.
    pub limits: Limits,
}

impl Leaf {
    /// Would the access be allowed? The Access flag is not looked at; `tcr` says whether hardware turns
    /// clean pages dirty.
    pub fn permits(&self, access: Access, el: El, tcr: Tcr) -> bool {
        permits(self.desc, self.limits, access, el, tcr.ha && tcr.hd)
    }
}

/// A table of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableAt {
    /// Its address.
    pub pa: u64,
    /// Bytes that it uses.
    pub bytes: u64,
    /// Its level.
    pub level: u8,
    /// First address that it translates.
    pub va: u64,
}

/// A whole tree.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// All leaves by ascending address.
    pub leaves: Vec<Leaf>,
    /// All tables, the root first, each before those below it.
    pub tables: Vec<TableAt>,
    /// What is wrong with it: reserved bits, tables outside memory or in free frames, misuse of the
    /// Contiguous bit.
    pub errors: Vec<String>,
}

impl Machine {
    /// Read the whole tree below a root. `tcr` gives granule and T0SZ.
    pub fn tree(&self, root: u64, tcr: Tcr) -> Tree {
        let mut tree = Tree::default();
        let granule = tcr.tg0.expect("a granule");
        let (level, bytes) = first_step(tcr, granule);
        let root = TableAt { pa: root, bytes, level, va: 0 };
        self.descend(&mut tree, root, granule, tcr, Limits::default());
        tree
    }

    /// The leaf that translates one address, without a look at its Access flag or permissions.
    pub fn leaf_at(&self, root: u64, tcr: Tcr, va: u64) -> Option<Leaf> {
        let granule = tcr.tg0?;
        if va >> (64 - u32::from(tcr.t0sz)) != 0 {
            return None;
        }
        let (mut level, mut bytes) = first_step(tcr, granule);
        let (mut table, mut limits) = (root, Limits::default());
        loop {
            let size = granule.level_size(level);
            let source = table + va / size % (bytes / 8) * 8;
            if !self.phys.contains(source, 8) {
                return None;
            }
            let raw = self.phys.word(source);
            match desc::decode(raw, level, granule) {
                Descriptor::Invalid => return None,
                Descriptor::Table { next } => {
                    limits = limits.below(raw, tcr);
                    (table, level, bytes) = (next, level + 1, granule.size());
                }
                Descriptor::Leaf { output } => {
                    let va = va & !(size - 1);
                    return Some(Leaf { va, size, pa: output, desc: raw, source, level, granule, limits });
                }
            }
        }
    }

    fn descend(&self, tree: &mut Tree, table: TableAt, granule: Granule, tcr: Tcr, limits: Limits) {
        tree.tables.push(table);
        if !self.phys.contains(table.pa, table.bytes) {
            return tree.errors.push(format!("{table:x?} is not memory"));
        }
        if self.frames.first_free_in(table.pa, table.bytes).is_some() {
            return tree.errors.push(format!("{table:x?} is in a free frame"));
        }
        let (level, size) = (table.level, granule.level_size(table.level));
        for index in 0..table.bytes / 8 {
            let source = table.pa + index * 8;
            let va = table.va + index * size;
            let raw = self.phys.word(source);
            let wrong = desc::reserved_bits(raw, level, granule);
            if wrong != 0 {
                tree.errors.push(format!("descriptor {raw:#x} at {source:#x} has bits {wrong:#x} set"));
            }
            match desc::decode(raw, level, granule) {
                Descriptor::Invalid => {}
                Descriptor::Table { next } => {
                    let below = TableAt { pa: next, bytes: granule.size(), level: level + 1, va };
                    self.descend(tree, below, granule, tcr, limits.below(raw, tcr));
                }
                Descriptor::Leaf { output } => {
                    if raw & CONTIGUOUS != 0
                        && let Some(what) = contiguous_misuse(&self.phys, source, level, granule)
                    {
                        tree.errors.push(format!("contiguous entry for {va:#x}: {what}"));
                    }
                    let pa = output;
                    tree.leaves.push(Leaf { va, size, pa, desc: raw, source, level, granule, limits });
                }
            }
        }
    }
}
