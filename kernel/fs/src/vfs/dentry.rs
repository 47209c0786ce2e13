//! Names in the tree: a light version of Linux's dentry cache (`fs/dcache.c`).
//!
//! A [`Dentry`] ties an inode to its name and its parent, which `..`, mounts and `/proc/PID/maps` need.
//! As long as anybody uses a dentry, a lookup of the same name finds the same one; so it can be a mount
//! point and the place where a path begins. A bounded list of recently used ones ([`Recent`]) keeps
//! dentries, and through them inodes and their page cache, alive between uses.
//!
//! Locks: `link`, `children` and the list are taken alone and never across a call into a file system. `names` sleeps;
//! whoever enters a child into `children` holds it, so that the cache never disagrees with the file system.

use super::name_map::{NameHash, NameMap};
use crate::alloc_util::{try_arc, try_copy};
use crate::inode::{Freshness, Inode};
use crate::kstat::FileType;
use crate::sleep::{SleepGuard, SleepMutex};
use abi::Errno;
use alloc::format;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use spin::Mutex;

/// A name in the tree.
pub struct Dentry {
    inode: Arc<dyn Inode>,
    /// The inode's type, which never changes.
    file_type: FileType,
    /// How long the name was good when it was looked up: only if it may change by itself the inode is asked again.
    freshness: Freshness,
    link: Mutex<Link>,
    children: Mutex<Children>,
    /// Held while names in this directory come, go or are looked for: Linux's `i_rwsem` of a directory.
    names: SleepMutex<()>,
    /// How many file systems are mounted here, in whatever place the file system itself is mounted.
    mounts: AtomicU32,
    /// The name is no longer in the tree.
    deleted: AtomicBool,
    /// Used since the hand of [`Recent`] last passed.
    referenced: AtomicBool,
    /// Place in [`Recent`], or `NOT_KEPT`. Changed under that list's lock.
    slot: AtomicU32,
}

/// Where a dentry hangs. A rename changes it.
#[derive(Clone)]
enum Link {
    /// The root of a file system.
    Root,
    /// In a directory.
    Child { parent: Arc<Dentry>, name: Arc<[u8]> },
    /// Nowhere: what a descriptor of a pipe or a memfd shows as its name.
    Anonymous { name: Arc<[u8]> },
}

const NOT_KEPT: u32 = u32::MAX;

impl Dentry {
    /// The root of a file system.
    pub(super) fn new_root(inode: Arc<dyn Inode>) -> Result<Arc<Dentry>, Errno> {
        try_arc(Dentry::new(inode, Link::Root))
    }

    /// A file without a place in the tree; `name` is all that its path shows.
    pub(super) fn new_anonymous(inode: Arc<dyn Inode>, name: &[u8]) -> Result<Arc<Dentry>, Errno> {
        let name = Arc::from(try_copy(name)?);
        try_arc(Dentry::new(inode, Link::Anonymous { name }))
    }

    /// A file in `directory` that has no name: its number stands for it.
    pub(super) fn new_unnamed(directory: &Arc<Dentry>, inode: Arc<dyn Inode>) -> Result<Arc<Dentry>, Errno> {
        let name = Arc::from(format!("#{}", inode.stat()?.ino).into_bytes());
        let dentry = try_arc(Dentry::new(inode, Link::Child { parent: directory.clone(), name }))?;
        dentry.mark_deleted();
        Ok(dentry)
    }

    fn new(inode: Arc<dyn Inode>, link: Link) -> Dentry {
        Dentry {
            file_type: inode.file_type(),
            freshness: inode.freshness(),
            inode,
            link: Mutex::new(link),
            children: Mutex::new(Children::default()),
            names: SleepMutex::new(()),
            mounts: AtomicU32::new(0),
            deleted: AtomicBool::new(false),
            referenced: AtomicBool::new(false),
            slot: AtomicU32::new(NOT_KEPT),
        }
    }

    /// The file.
    pub fn inode(&self) -> &Arc<dyn Inode> {
        &self.inode
    }

    /// The file's type.
    #[inline]
    pub fn file_type(&self) -> FileType {
        self.file_type
    }

    /// The directory that it lies in, and its name there; `None` for the root of a file system and for what has no place.
    pub fn parent_and_name(&self) -> Option<(Arc<Dentry>, Arc<[u8]>)> {
        match &*self.link.lock() {
            Link::Child { parent, name } => Some((parent.clone(), name.clone())),
            Link::Root | Link::Anonymous { .. } => None,
        }
    }

    /// The directory that it lies in; `None` for the root of a file system.
    pub fn parent(&self) -> Option<Arc<Dentry>> {
        match &*self.link.lock() {
            Link::Child { parent, .. } => Some(parent.clone()),
            Link::Root | Link::Anonymous { .. } => None,
        }
    }

    /// What stands for the path of a file that has no place in the tree.
    pub(super) fn anonymous_name(&self) -> Option<Arc<[u8]>> {
        match &*self.link.lock() {
            Link::Anonymous { name } => Some(name.clone()),
            Link::Root | Link::Child { .. } => None,
        }
    }

    /// Whether the name was removed while somebody held on to the file.
    pub fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// The file has no name (any more): its path shows that.
    pub(super) fn mark_deleted(&self) {
        self.deleted.store(true, Ordering::Release);
    }

    /// Keeps the names in this directory as they are, until the guard goes.
    pub(super) fn lock_names(&self) -> SleepGuard<'_, ()> {
        self.names.lock()
    }

    /// Whether `self` is `other` or a directory above it.
    pub(super) fn is_above(self: &Arc<Self>, other: &Arc<Dentry>) -> bool {
        let mut place = other.clone();
        loop {
            if Arc::ptr_eq(self, &place) {
                return true;
            }
            let Some(parent) = place.parent() else { return false };
            place = parent;
        }
    }

    /// What is known of the child called `name`.
    #[inline]
    fn cached_child(&self, name: &[u8], hash: NameHash) -> Cached {
        let child = match self.children.lock().known.get(hash, name) {
            Some(Child::Here(child)) => child.upgrade(),
            Some(Child::Missing) => return Cached::Missing,
            None => None,
        };
        let Some(child) = child else { return Cached::Unknown };
        if child.freshness != Freshness::Stable && child.inode.freshness() == Freshness::Stale {
            return Cached::Unknown;
        }
        // Written only when it changes something, to keep the line clean.
        if !child.referenced.load(Ordering::Relaxed) {
            child.referenced.store(true, Ordering::Relaxed);
        }
        Cached::Here(child)
    }

    /// Forgets the child called `name` if nobody uses it.
    fn forget_child(&self, name: &[u8]) {
        let mut children = self.children.lock();
        if matches!(children.known.get(NameHash::of(name), name), Some(Child::Here(child)) if child.strong_count() == 0)
        {
            children.known.remove(name);
        }
    }

    #[inline]
    pub(super) fn is_mountpoint(&self) -> bool {
        self.mounts.load(Ordering::Acquire) != 0
    }

    pub(super) fn add_mount(&self) {
        self.mounts.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn remove_mount(&self) {
        self.mounts.fetch_sub(1, Ordering::AcqRel);
    }

    /// The name is gone from its directory, whose names the caller has locked (Linux's `d_delete`).
    pub(super) fn unhash(&self, recent: &Mutex<Recent>) {
        self.mark_deleted();
        if let Some((parent, name)) = self.parent_and_name() {
            parent.children.lock().known.remove(&name);
        }
        let kept = recent.lock().forget(self);
        drop(kept);
    }

    /// The dentry has moved to `parent` under `name` (Linux's `d_move`). The caller has locked the names of both
    /// directories, and unhashed what was there. Room for the entry was made by [`reserve_child`](Dentry::reserve_child).
    pub(super) fn move_to(self: &Arc<Self>, parent: &Arc<Dentry>, name: Name) {
        if let Some((parent, name)) = self.parent_and_name() {
            let mut children = parent.children.lock();
            let ours =
                |child: &Child| matches!(child, Child::Here(child) if core::ptr::eq(child.as_ptr(), &**self));
            if children.known.get(NameHash::of(&name), &name).is_some_and(ours) {
                children.known.remove(&name);
            }
        }
        let link = Link::Child { parent: parent.clone(), name: name.0.clone() };
        let old = core::mem::replace(&mut *self.link.lock(), link);
        parent.children.lock().insert(name, self);
        drop(old);
    }

    /// Makes room for one more child, so that [`move_to`](Dentry::move_to) cannot fail.
    pub(super) fn reserve_child(&self) -> Result<(), Errno> {
        self.children.lock().known.reserve()
    }
}

/// A name, shared by a dentry and its directory.
pub(super) struct Name(Arc<[u8]>);

impl Name {
    pub(super) fn new(name: &[u8]) -> Result<Name, Errno> {
        Ok(Name(Arc::from(try_copy(name)?)))
    }
}

/// What is known of the names in a directory.
#[derive(Default)]
struct Children {
    known: NameMap<Child>,
    /// How many of them are known not to be there, or were.
    nr_missing: usize,
}

/// What is known of one name.
enum Child {
    /// It is in use or was lately, or has just been dropped.
    Here(Weak<Dentry>),
    /// The file system does not have it: Linux's negative dentry.
    Missing,
}

/// What the cache answers.
enum Cached {
    Here(Arc<Dentry>),
    Missing,
    Unknown,
}

impl Children {
    /// Most names of a directory that are remembered for not being there: those that a C library or a shell looks for
    /// again and again.
    const MAX_MISSING: usize = 32;

    /// Enters a name that is there. Room has been made.
    fn insert(&mut self, name: Name, child: &Arc<Dentry>) {
        self.known.insert(name.0, Child::Here(Arc::downgrade(child)));
    }

    /// Remembers that there is no such name, unless memory is short.
    fn insert_missing(&mut self, name: Name) {
        if self.nr_missing >= Self::MAX_MISSING {
            self.known.retain(|child| !matches!(child, Child::Missing));
            self.nr_missing = 0;
        }
        if self.known.reserve().is_ok() {
            self.known.insert(name.0, Child::Missing);
            self.nr_missing += 1;
        }
    }
}

impl Drop for Dentry {
    /// Lets go of the parents one after the other, not recursively: a tree may be deeper than a kernel
    /// stack.
    fn drop(&mut self) {
        let mut link = core::mem::replace(self.link.get_mut(), Link::Root);
        while let Link::Child { parent, name } = link {
            parent.forget_child(&name);
            let Some(mut parent) = Arc::into_inner(parent) else { break };
            link = core::mem::replace(parent.link.get_mut(), Link::Root);
        }
    }
}

/// The child of `parent` called `name`, whose hash that is, from the cache or from the file system. May sleep.
#[inline]
pub(super) fn lookup_child(
    parent: &Arc<Dentry>,
    name: &[u8],
    hash: NameHash,
    recent: &Mutex<Recent>,
) -> Result<Arc<Dentry>, Errno> {
    match parent.cached_child(name, hash) {
        Cached::Here(child) => return Ok(child),
        Cached::Missing => return Err(Errno::ENOENT),
        Cached::Unknown => {}
    }
    lookup_uncached(parent, name, recent)
}

fn lookup_uncached(parent: &Arc<Dentry>, name: &[u8], recent: &Mutex<Recent>) -> Result<Arc<Dentry>, Errno> {
    let _names = parent.lock_names();
    lookup_child_locked(parent, name, recent)
}

/// [`lookup_child`] for a caller who has locked the names of `parent`.
pub(super) fn lookup_child_locked(
    parent: &Arc<Dentry>,
    name: &[u8],
    recent: &Mutex<Recent>,
) -> Result<Arc<Dentry>, Errno> {
    match parent.cached_child(name, NameHash::of(name)) {
        Cached::Here(child) => return Ok(child),
        Cached::Missing => return Err(Errno::ENOENT),
        Cached::Unknown => {}
    }
    if parent.is_deleted() {
        return Err(Errno::ENOENT);
    }
    match parent.inode.lookup(name) {
        Ok(inode) => add_child(parent, name, inode, recent),
        Err(Errno::ENOENT) => {
            if parent.inode.names_are_ours()
                && let Ok(name) = Name::new(name)
            {
                parent.children.lock().insert_missing(name);
            }
            Err(Errno::ENOENT)
        }
        Err(error) => Err(error),
    }
}

/// Enters `inode` as the child of `parent` called `name`. The caller has locked the names of `parent`, and there is no
/// such child.
pub(super) fn add_child(
    parent: &Arc<Dentry>,
    name: &[u8],
    inode: Arc<dyn Inode>,
    recent: &Mutex<Recent>,
) -> Result<Arc<Dentry>, Errno> {
    let name = Name::new(name)?;
    let link = Link::Child { parent: parent.clone(), name: name.0.clone() };
    let child = try_arc(Dentry::new(inode, link))?;
    {
        let mut children = parent.children.lock();
        children.known.reserve()?;
        children.insert(name, &child);
    }
    if child.freshness == Freshness::Stable {
        let evicted = recent.lock().keep(child.clone());
        drop(evicted);
    }
    Ok(child)
}

/// Lets go of all dentries that are kept below `root`.
pub(super) fn forget_below(root: &Arc<Dentry>, recent: &Mutex<Recent>) {
    for slot in 0..Recent::CAPACITY {
        // Parents are looked at, and dentries dropped, without the lock.
        let kept = recent.lock().slots.get(slot).cloned().flatten();
        if let Some(dentry) = kept
            && root.is_above(&dentry)
        {
            let forgotten = recent.lock().forget(&dentry);
            drop(forgotten);
        }
    }
}

/// The dentries kept although nobody uses them, by the clock algorithm.
pub(super) struct Recent {
    slots: Vec<Option<Arc<Dentry>>>,
    /// Slots whose dentries were deleted.
    free: Vec<u32>,
    hand: usize,
}

impl Recent {
    /// Enough for a listing of a few thousand files to find them again; 2 to 3 MiB when full.
    const CAPACITY: usize = 4096;

    pub(super) fn new() -> Result<Recent, Errno> {
        let (mut slots, mut free) = (Vec::new(), Vec::new());
        slots.try_reserve_exact(Recent::CAPACITY).map_err(|_| Errno::ENOMEM)?;
        free.try_reserve_exact(Recent::CAPACITY).map_err(|_| Errno::ENOMEM)?;
        Ok(Recent { slots, free, hand: 0 })
    }

    /// Keeps `dentry`; returns the one that makes room for it, to be dropped outside the lock.
    fn keep(&mut self, dentry: Arc<Dentry>) -> Option<Arc<Dentry>> {
        let slot = match self.free.pop() {
            Some(slot) => slot as usize,
            None if self.slots.len() < Recent::CAPACITY => {
                self.slots.push(None);
                self.slots.len() - 1
            }
            None => self.victim(),
        };
        dentry.slot.store(slot as u32, Ordering::Relaxed);
        let evicted = self.slots[slot].replace(dentry)?;
        evicted.slot.store(NOT_KEPT, Ordering::Relaxed);
        Some(evicted)
    }

    /// A slot whose dentry was not used since the hand last passed. One round clears all marks, so this ends.
    fn victim(&mut self) -> usize {
        loop {
            let slot = self.hand;
            self.hand = (slot + 1) % Recent::CAPACITY;
            let used = |dentry: &Arc<Dentry>| dentry.referenced.swap(false, Ordering::Relaxed);
            if !self.slots[slot].as_ref().is_some_and(used) {
                return slot;
            }
        }
    }

    /// Lets go of `dentry`, if it is kept; to be dropped outside the lock.
    fn forget(&mut self, dentry: &Dentry) -> Option<Arc<Dentry>> {
        let slot = dentry.slot.swap(NOT_KEPT, Ordering::Relaxed);
        let kept = self.slots.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        Some(kept)
    }
}
