//! Names in the tree: a light version of Linux's dentry cache (`fs/dcache.c`).
//!
//! A [`Dentry`] ties an inode to its name and its parent, which `..`, mounts and `/proc/PID/maps` need.
//! As long as anybody uses a dentry, a lookup of the same name finds the same one; so it can be a mount
//! point and the place where a path begins. A bounded list of recently used ones ([`Recent`]) keeps
//! dentries, and through them inodes and their page cache, alive between uses.
//!
//! Locks: `children` is taken alone and never across a call into a file system.

use crate::alloc_util::{try_arc, try_copy};
use crate::inode::Inode;
use abi::Errno;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use hashbrown::HashMap;
use spin::Mutex;

/// A name in the tree.
pub struct Dentry {
    inode: Arc<dyn Inode>,
    /// `None` for the root of a file system.
    link: Option<Link>,
    children: Mutex<HashMap<Vec<u8>, Weak<Dentry>>>,
    /// How many file systems are mounted here, in whatever place the file system itself is mounted.
    mounts: AtomicU32,
    /// Used since the hand of [`Recent`] last passed.
    referenced: AtomicBool,
}

struct Link {
    parent: Arc<Dentry>,
    name: Vec<u8>,
}

impl Dentry {
    /// The root of a file system.
    pub(super) fn new_root(inode: Arc<dyn Inode>) -> Result<Arc<Dentry>, Errno> {
        try_arc(Dentry::new(inode, None))
    }

    fn new(inode: Arc<dyn Inode>, link: Option<Link>) -> Dentry {
        Dentry {
            inode,
            link,
            children: Mutex::new(HashMap::new()),
            mounts: AtomicU32::new(0),
            referenced: AtomicBool::new(false),
        }
    }

    /// The file.
    pub fn inode(&self) -> &Arc<dyn Inode> {
        &self.inode
    }

    /// The directory that it lies in; `None` for the root of a file system.
    pub fn parent(&self) -> Option<&Arc<Dentry>> {
        self.link.as_ref().map(|link| &link.parent)
    }

    /// Its name there; empty for the root of a file system.
    pub fn name(&self) -> &[u8] {
        self.link.as_ref().map_or(&[], |link| &link.name)
    }

    /// The child called `name` if it is in use or was lately.
    fn cached_child(&self, name: &[u8]) -> Option<Arc<Dentry>> {
        let child = self.children.lock().get(name)?.upgrade()?;
        child.referenced.store(true, Ordering::Relaxed);
        Some(child)
    }

    /// Forgets the child called `name` if nobody uses it.
    fn forget_child(&self, name: &[u8]) {
        let mut children = self.children.lock();
        if children.get(name).is_some_and(|child| child.strong_count() == 0) {
            children.remove(name);
        }
    }

    pub(super) fn is_mountpoint(&self) -> bool {
        self.mounts.load(Ordering::Acquire) != 0
    }

    pub(super) fn add_mount(&self) {
        self.mounts.fetch_add(1, Ordering::AcqRel);
    }
}

impl Drop for Dentry {
    /// Lets go of the parents one after the other, not recursively: a tree may be deeper than a kernel
    /// stack.
    fn drop(&mut self) {
        let mut link = self.link.take();
        while let Some(Link { parent, name }) = link {
            parent.forget_child(&name);
            link = Arc::into_inner(parent).and_then(|mut parent| parent.link.take());
        }
    }
}

/// The child of `parent` called `name`, from the cache or from the file system. May sleep.
pub(super) fn lookup_child(
    parent: &Arc<Dentry>,
    name: &[u8],
    recent: &Mutex<Recent>,
) -> Result<Arc<Dentry>, Errno> {
    if let Some(child) = parent.cached_child(name) {
        return Ok(child);
    }
    let inode = parent.inode.lookup(name)?;
    let link = Link { parent: parent.clone(), name: try_copy(name)? };
    let key = try_copy(name)?;
    let child = try_arc(Dentry::new(inode, Some(link)))?;
    let winner = {
        let mut children = parent.children.lock();
        match children.get(name).and_then(Weak::upgrade) {
            Some(winner) => Some(winner),
            None => {
                children.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                children.insert(key, Arc::downgrade(&child));
                None
            }
        }
    };
    // Somebody may have been faster; then ours is dropped, here where no lock is held.
    if let Some(winner) = winner {
        return Ok(winner);
    }
    let evicted = recent.lock().keep(child.clone());
    drop(evicted);
    Ok(child)
}

/// The dentries kept although nobody uses them, by the clock algorithm.
pub(super) struct Recent {
    slots: Vec<Arc<Dentry>>,
    hand: usize,
}

impl Recent {
    /// Enough for a listing of a few thousand files to find them again; 2 to 3 MiB when full.
    const CAPACITY: usize = 4096;

    pub(super) fn new() -> Result<Recent, Errno> {
        let mut slots = Vec::new();
        slots.try_reserve_exact(Recent::CAPACITY).map_err(|_| Errno::ENOMEM)?;
        Ok(Recent { slots, hand: 0 })
    }

    /// Keeps `dentry`; returns the one that makes room for it, to be dropped outside the lock.
    fn keep(&mut self, dentry: Arc<Dentry>) -> Option<Arc<Dentry>> {
        if self.slots.len() < Recent::CAPACITY {
            self.slots.push(dentry);
            return None;
        }
        // One round clears all marks, so this ends.
        while self.slots[self.hand].referenced.swap(false, Ordering::Relaxed) {
            self.hand = (self.hand + 1) % Recent::CAPACITY;
        }
        let evicted = core::mem::replace(&mut self.slots[self.hand], dentry);
        self.hand = (self.hand + 1) % Recent::CAPACITY;
        Some(evicted)
    }
}
