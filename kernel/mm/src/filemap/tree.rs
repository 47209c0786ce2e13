//! The index of a page cache: which folio holds which kernel page of the file. A radix tree of 64 slots a node
//! after Linux's XArray; a folio of a larger order fills a run of slots at the level that fits it, so that a 2M
//! folio costs 8 slots and not 512. Nodes are allocated fallibly.

use crate::folio::Folio;
use crate::types::Pfn;
use abi::Errno;
use alloc::vec::Vec;

const BITS: u32 = 6;
const SLOTS: u64 = 1 << BITS;

enum Slot {
    Empty,
    Node(Node),
    Folio(Entry),
}

/// One folio in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The folio.
    pub folio: Folio,
    /// First kernel page of the file that it holds, a multiple of its size.
    pub index: u64,
    /// log2 of its size in kernel pages.
    pub order: u8,
}

impl Entry {
    /// The kernel page after the last one.
    pub fn end(&self) -> u64 {
        self.index + (1 << self.order)
    }

    /// The frame that holds kernel page `index` of the file.
    pub fn pfn_of(&self, index: u64) -> Pfn {
        self.folio.0.offset(index - self.index)
    }
}

struct Node {
    slots: Vec<Slot>,
}

impl Node {
    fn new() -> Result<Node, Errno> {
        let mut slots = Vec::new();
        slots.try_reserve_exact(SLOTS as usize).map_err(|_| Errno::ENOMEM)?;
        slots.resize_with(SLOTS as usize, || Slot::Empty);
        Ok(Node { slots })
    }

    fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot, Slot::Empty))
    }
}

/// Kernel page of a file -> folio.
#[derive(Default)]
pub struct FolioTree {
    root: Option<Node>,
    /// Level of the root: a slot of level l covers 64^l kernel pages.
    height: u32,
    nr_kernel_pages: u64,
}

fn slot_of(index: u64, level: u32) -> usize {
    ((index >> (BITS * level)) & (SLOTS - 1)) as usize
}

impl FolioTree {
    /// Kernel pages held.
    pub fn nr_kernel_pages(&self) -> u64 {
        self.nr_kernel_pages
    }

    fn covers(&self, index: u64) -> bool {
        let bits = BITS * (self.height + 1);
        self.root.is_some() && (bits >= u64::BITS || index >> bits == 0)
    }

    /// The folio that holds kernel page `index`.
    pub fn get(&self, index: u64) -> Option<Entry> {
        if !self.covers(index) {
            return None;
        }
        let mut node = self.root.as_ref()?;
        for level in (0..=self.height).rev() {
            match &node.slots[slot_of(index, level)] {
                Slot::Empty => return None,
                Slot::Folio(entry) => return Some(*entry),
                Slot::Node(child) => node = child,
            }
        }
        None
    }

    /// The first folio that holds a kernel page at or after `index`.
    pub fn next(&self, index: u64) -> Option<Entry> {
        if !self.covers(index) {
            return None;
        }
        next_in(self.root.as_ref()?, self.height, index)
    }

    /// Adds a folio. EEXIST when one of its pages is taken (nothing is changed then), ENOMEM when a node cannot
    /// be had.
    pub fn insert(&mut self, entry: Entry) -> Result<(), Errno> {
        debug_assert_eq!(entry.index & ((1 << entry.order) - 1), 0, "folio not aligned in the file");
        if self.next(entry.index).is_some_and(|next| next.index < entry.end()) {
            return Err(Errno::EEXIST);
        }
        if self.root.is_none() {
            self.root = Some(Node::new()?);
            self.height = 0;
        }
        let leaf_level = u32::from(entry.order) / BITS;
        while !self.covers(entry.end() - 1) || self.height < leaf_level {
            self.grow()?;
        }
        let Some(mut node) = self.root.as_mut() else { return Err(Errno::ENOMEM) };
        for level in (leaf_level + 1..=self.height).rev() {
            let slot = &mut node.slots[slot_of(entry.index, level)];
            if matches!(slot, Slot::Empty) {
                *slot = Slot::Node(Node::new()?);
            }
            let Slot::Node(child) = slot else { return Err(Errno::EEXIST) };
            node = child;
        }
        let run = 1usize << (u32::from(entry.order) - leaf_level * BITS);
        let first = slot_of(entry.index, leaf_level);
        for slot in &mut node.slots[first..first + run] {
            *slot = Slot::Folio(entry);
        }
        self.nr_kernel_pages += 1 << entry.order;
        Ok(())
    }

    /// Puts a folio in the place of smaller ones that hold all its pages; `old` gets each of those. Cannot fail: their nodes
    /// are there, and no more are needed.
    pub fn replace(&mut self, entry: Entry, mut old: impl FnMut(Entry)) {
        let mut next = entry.index;
        while let Some(small) = self.get(next).filter(|_| next < entry.end()) {
            debug_assert!(small.order < entry.order);
            next = small.end();
            old(small);
        }
        debug_assert!(next >= entry.end(), "a page without a folio was replaced");
        let leaf_level = u32::from(entry.order) / BITS;
        let Some(mut node) = self.root.as_mut() else { return };
        for level in (leaf_level + 1..=self.height).rev() {
            let Slot::Node(child) = &mut node.slots[slot_of(entry.index, level)] else { return };
            node = child;
        }
        let run = 1usize << (u32::from(entry.order) - leaf_level * BITS);
        let first = slot_of(entry.index, leaf_level);
        for slot in &mut node.slots[first..first + run] {
            *slot = Slot::Folio(entry);
        }
    }

    fn grow(&mut self) -> Result<(), Errno> {
        let mut top = Node::new()?;
        if let Some(old) = self.root.take() {
            top.slots[0] = if old.is_empty() { Slot::Empty } else { Slot::Node(old) };
        }
        self.root = Some(top);
        self.height += 1;
        Ok(())
    }

    /// Takes out the folio that holds kernel page `index`.
    pub fn remove(&mut self, index: u64) -> Option<Entry> {
        let entry = self.get(index)?;
        let height = self.height;
        let root = self.root.as_mut()?;
        remove_in(root, height, &entry);
        if root.is_empty() {
            self.root = None;
            self.height = 0;
        }
        self.nr_kernel_pages -= 1 << entry.order;
        Some(entry)
    }
}

fn next_in(node: &Node, level: u32, index: u64) -> Option<Entry> {
    let first = slot_of(index, level);
    for (i, slot) in node.slots.iter().enumerate().skip(first) {
        match slot {
            Slot::Empty => {}
            Slot::Folio(entry) => return Some(*entry),
            Slot::Node(child) => {
                let from = if i == first { index } else { 0 };
                if let Some(entry) = next_in(child, level - 1, from) {
                    return Some(entry);
                }
            }
        }
    }
    None
}

fn remove_in(node: &mut Node, level: u32, entry: &Entry) {
    let leaf_level = u32::from(entry.order) / BITS;
    let first = slot_of(entry.index, level);
    if level == leaf_level {
        let run = 1usize << (u32::from(entry.order) - leaf_level * BITS);
        for slot in &mut node.slots[first..first + run] {
            *slot = Slot::Empty;
        }
        return;
    }
    if let Slot::Node(child) = &mut node.slots[first] {
        remove_in(child, level - 1, entry);
        if child.is_empty() {
            node.slots[first] = Slot::Empty;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn entry(index: u64, order: u8) -> Entry {
        Entry { folio: Folio(Pfn(index + 1000)), index, order }
    }

    proptest! {
        #[test]
        fn agrees_with_a_map_of_pages(ops in proptest::collection::vec((0u64..3, 0u64..20_000, 0u8..11), 1..200)) {
            let mut tree = FolioTree::default();
            let mut model: BTreeMap<u64, Entry> = BTreeMap::new();
            for (kind, index, order) in ops {
                let index = index >> order << order;
                let e = entry(index, order);
                match kind {
                    0 | 1 => {
                        let free = model.range(index..e.end()).next().is_none();
                        prop_assert_eq!(tree.insert(e).is_ok(), free);
                        if free {
                            for page in index..e.end() { model.insert(page, e); }
                        }
                    }
                    _ => {
                        let removed = tree.remove(index);
                        prop_assert_eq!(removed, model.get(&index).copied());
                        if let Some(r) = removed {
                            for page in r.index..r.end() { model.remove(&page); }
                        }
                    }
                }
                let mut held = 0;
                let mut at = 0;
                while let Some(next) = tree.next(at) {
                    held += next.end() - next.index;
                    at = next.end();
                }
                prop_assert_eq!((held, tree.nr_kernel_pages()), (model.len() as u64, held));
                for probe in [0, index, index + 1, index.saturating_sub(1), 5000] {
                    prop_assert_eq!(tree.get(probe), model.get(&probe).copied());
                    prop_assert_eq!(tree.next(probe), model.range(probe..).next().map(|(_, e)| *e));
                }
            }
        }
    }

    #[test]
    fn far_index() {
        let mut tree = FolioTree::default();
        tree.insert(entry(u64::MAX >> 12, 0)).unwrap();
        tree.insert(entry(0, 9)).unwrap();
        assert_eq!(tree.get(511), Some(entry(0, 9)));
        assert_eq!(tree.next(512), Some(entry(u64::MAX >> 12, 0)));
        assert_eq!(tree.insert(entry(0, 0)), Err(Errno::EEXIST));
        assert!(tree.remove(300).is_some() && tree.remove(u64::MAX >> 12).is_some());
        assert!(tree.next(0).is_none() && tree.root.is_none());
    }
}
