//! Names of a directory and what is known of each: a hash table with open addressing, made for path walks. The walk
//! computes a name's hash while it looks for the next slash, so a lookup compares two words and then the bytes.

use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The hash of a name, built from words of eight bytes. No defence against those who choose names to collide: a table is
/// as long as its directory is, and who can make the names could as well make more of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct NameHash(u64);

impl NameHash {
    /// Of no bytes.
    pub(super) const EMPTY: NameHash = NameHash(0);

    /// Adds the next eight bytes, or what is left filled up with zeros.
    #[inline(always)]
    pub(super) fn add(self, word: u64) -> NameHash {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        NameHash((self.0 ^ word).wrapping_mul(ODD).rotate_left(23))
    }

    /// The hash of a whole name.
    pub(super) fn of(name: &[u8]) -> NameHash {
        let (words, rest) = name.as_chunks::<8>();
        let hash = words.iter().fold(NameHash::EMPTY, |hash, word| hash.add(u64::from_le_bytes(*word)));
        if rest.is_empty() { hash } else { hash.add(word_of(rest)) }
    }

    #[inline(always)]
    fn slot(self, mask: usize) -> usize {
        (self.0 ^ self.0 >> 32) as usize & mask
    }
}

/// Less than eight bytes, filled up with zeros.
#[inline(always)]
pub(super) fn word_of(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

struct Entry<V> {
    hash: NameHash,
    name: Arc<[u8]>,
    value: V,
}

/// The table.
pub(super) struct NameMap<V> {
    /// A power of two of slots, at most three quarters of them in use; or none.
    slots: Vec<Option<Entry<V>>>,
    len: usize,
}

impl<V> Default for NameMap<V> {
    fn default() -> Self {
        NameMap { slots: Vec::new(), len: 0 }
    }
}

impl<V> NameMap<V> {
    const SMALLEST: usize = 4;

    /// Where `name` is.
    #[inline]
    fn find(&self, hash: NameHash, name: &[u8]) -> Option<usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = hash.slot(mask);
        // A free slot ends the search, and there is one; without slots there is nothing at all.
        while let Some(entry) = self.slots.get(slot)?.as_ref() {
            if entry.hash == hash && *entry.name == *name {
                return Some(slot);
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    /// What is known of `name`.
    #[inline]
    pub(super) fn get(&self, hash: NameHash, name: &[u8]) -> Option<&V> {
        Some(&self.slots[self.find(hash, name)?].as_ref()?.value)
    }

    /// Makes room for one more name, so that the next insertion cannot fail.
    pub(super) fn reserve(&mut self) -> Result<(), Errno> {
        if (self.len + 1) * 4 <= self.slots.len() * 3 {
            return Ok(());
        }
        let larger = (self.slots.len() * 2).max(Self::SMALLEST);
        let mut slots = Vec::new();
        slots.try_reserve_exact(larger).map_err(|_| Errno::ENOMEM)?;
        slots.resize_with(larger, || None);
        for entry in core::mem::replace(&mut self.slots, slots).into_iter().flatten() {
            self.place(entry);
        }
        Ok(())
    }

    fn place(&mut self, entry: Entry<V>) {
        let mask = self.slots.len() - 1;
        let mut slot = entry.hash.slot(mask);
        while self.slots[slot].is_some() {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = Some(entry);
    }

    /// Enters `name`, in place of what was known of it. Room has been made.
    pub(super) fn insert(&mut self, name: Arc<[u8]>, value: V) {
        let hash = NameHash::of(&name);
        match self.find(hash, &name) {
            Some(slot) => self.slots[slot] = Some(Entry { hash, name, value }),
            None => {
                self.place(Entry { hash, name, value });
                self.len += 1;
            }
        }
    }

    /// Forgets `name`.
    pub(super) fn remove(&mut self, name: &[u8]) {
        if let Some(slot) = self.find(NameHash::of(name), name) {
            self.remove_at(slot);
        }
    }

    /// Empties a slot. Those behind it in its run move up, so that no search ends too early.
    fn remove_at(&mut self, mut free: usize) {
        self.slots[free] = None;
        self.len -= 1;
        let mask = self.slots.len() - 1;
        let mut slot = (free + 1) & mask;
        while let Some(entry) = &self.slots[slot] {
            let wanted = entry.hash.slot(mask);
            // It may move if the free slot is not before the one it wants, going round.
            if slot.wrapping_sub(wanted) & mask >= slot.wrapping_sub(free) & mask {
                self.slots.swap(free, slot);
                free = slot;
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Forgets those that `keep` does not want.
    pub(super) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        let mut slot = 0;
        while slot < self.slots.len() {
            let gone = self.slots[slot].as_ref().is_some_and(|entry| !keep(&entry.value));
            // What moves up into this slot is looked at next; what moves round from the beginning has been.
            if gone { self.remove_at(slot) } else { slot += 1 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::string::String;

    proptest! {
        #[test]
        fn agrees_with_a_map(ops in proptest::collection::vec(("[ab]{1,3}", 0u8..6), 1..200)) {
            let mut map = NameMap::default();
            let mut model: HashMap<String, usize> = HashMap::new();
            for (at, (name, op)) in ops.into_iter().enumerate() {
                match op {
                    0..3 => {
                        map.reserve().unwrap();
                        map.insert(Arc::from(name.as_bytes()), at);
                        model.insert(name, at);
                    }
                    3 if at % 20 == 0 => {
                        map.retain(|value| value % 3 != 0);
                        model.retain(|_, value| *value % 3 != 0);
                    }
                    _ => {
                        map.remove(name.as_bytes());
                        model.remove(&name);
                    }
                }
                prop_assert_eq!(map.len, model.len());
                for (name, value) in &model {
                    prop_assert_eq!(map.get(NameHash::of(name.as_bytes()), name.as_bytes()), Some(value));
                }
                prop_assert_eq!(map.slots.iter().flatten().count(), model.len());
            }
        }
    }
}
