//! The names in one directory of a tmpfs: found by name, listed in the order in which they came.
//!
//! A cookie is given to a name for good, so that a listing that is read in pieces shows each name that stays exactly
//! once, whatever happens to others meanwhile.

use super::inode::TmpInode;
use crate::alloc_util::try_copy;
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use hashbrown::HashMap;

/// Cookie of the first name; those before it are `.` and `..`.
const FIRST_COOKIE: u64 = 2;
/// A directory is not tidied up for fewer places than this.
const SMALL: usize = 32;

/// The names of one directory.
pub struct Names {
    /// By cookie, growing. A removed name leaves its place empty for a while.
    slots: Vec<Slot>,
    cookies: HashMap<Vec<u8>, u64>,
    next_cookie: u64,
}

struct Slot {
    cookie: u64,
    entry: Option<Named>,
}

/// A name and what it stands for.
#[derive(Clone)]
pub struct Named {
    /// The name.
    pub name: Arc<[u8]>,
    /// The file.
    pub inode: Arc<TmpInode>,
}

impl Names {
    /// None.
    pub fn new() -> Names {
        Names { slots: Vec::new(), cookies: HashMap::new(), next_cookie: FIRST_COOKIE }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.cookies.len()
    }

    fn position(&self, name: &[u8]) -> Option<usize> {
        let cookie = self.cookies.get(name)?;
        self.slots.binary_search_by_key(cookie, |slot| slot.cookie).ok()
    }

    /// What `name` stands for.
    pub fn get(&self, name: &[u8]) -> Option<Arc<TmpInode>> {
        let entry = self.slots[self.position(name)?].entry.as_ref()?;
        Some(entry.inode.clone())
    }

    /// The first name whose cookie is at least `cookie`, and its own.
    pub fn next(&self, cookie: u64) -> Option<(u64, Named)> {
        let from = self.slots.partition_point(|slot| slot.cookie < cookie);
        self.slots[from..].iter().find_map(|slot| Some((slot.cookie, slot.entry.clone()?)))
    }

    /// Makes room for one more name, so that the next [`insert`](Names::insert) cannot fail.
    pub fn reserve(&mut self) -> Result<(), Errno> {
        self.slots.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.cookies.try_reserve(1).map_err(|_| Errno::ENOMEM)
    }

    /// Adds a name that is not there. Room has been made.
    pub fn insert(&mut self, name: NewName, inode: Arc<TmpInode>) {
        let cookie = self.next_cookie;
        self.next_cookie += 1;
        self.slots.push(Slot { cookie, entry: Some(Named { name: name.shared, inode }) });
        self.cookies.insert(name.key, cookie);
    }

    /// Lets a name stand for something else; returns what it stood for.
    pub fn replace(&mut self, name: &[u8], inode: Arc<TmpInode>) -> Option<Arc<TmpInode>> {
        let at = self.position(name)?;
        let entry = self.slots[at].entry.as_mut()?;
        Some(core::mem::replace(&mut entry.inode, inode))
    }

    /// Removes a name; returns what it stood for, to be dropped without the lock.
    pub fn remove(&mut self, name: &[u8]) -> Option<Arc<TmpInode>> {
        let at = self.position(name)?;
        let entry = self.slots[at].entry.take()?;
        self.cookies.remove(name);
        if self.slots.len() > SMALL && self.slots.len() > 2 * self.cookies.len() {
            self.slots.retain(|slot| slot.entry.is_some());
        }
        Some(entry.inode)
    }

    /// Takes any of the names away, for the end of the directory.
    pub fn pop(&mut self) -> Option<Arc<TmpInode>> {
        loop {
            if let Some(entry) = self.slots.pop()?.entry {
                return Some(entry.inode);
            }
        }
    }
}

/// A name, copied for both of its places.
pub struct NewName {
    key: Vec<u8>,
    shared: Arc<[u8]>,
}

impl NewName {
    /// A copy of `name`.
    pub fn new(name: &[u8]) -> Result<NewName, Errno> {
        Ok(NewName { key: try_copy(name)?, shared: Arc::from(try_copy(name)?) })
    }
}
