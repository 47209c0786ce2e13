//! Directories whose entries come and go by themselves: open files of a process, disks.

use super::{Attributes, FIRST_ENTRY, Text, visit_dots};
use crate::alloc_util::try_arc;
use crate::inode::{DirEntry, DirVisitor, Freshness, Inode};
use crate::kstat::{FileType, Kstat};
use abi::Errno;
use alloc::sync::Arc;

/// One entry of a [`Listing`].
pub struct Listed {
    /// Its place in the order.
    pub number: u64,
    /// Inode number.
    pub ino: u64,
    /// Type.
    pub file_type: FileType,
    /// Name.
    pub name: Text,
}

/// What a directory lists.
pub trait Listing: Send + Sync + 'static {
    /// The file called `name`.
    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno>;

    /// The first entry whose number is at least `from`.
    fn next(&self, from: u64) -> Result<Option<Listed>, Errno>;

    /// Whether the directory itself is still there.
    fn freshness(&self) -> Freshness;
}

/// A directory with the entries of a listing.
pub struct ListDirectory<L> {
    attributes: Attributes,
    parent: u64,
    listing: L,
}

impl<L: Listing> ListDirectory<L> {
    /// A directory in the one with inode number `parent`.
    pub fn new(attributes: Attributes, parent: u64, listing: L) -> Result<Arc<ListDirectory<L>>, Errno> {
        try_arc(ListDirectory { attributes, parent, listing })
    }
}

impl<L: Listing> Inode for ListDirectory<L> {
    fn file_type(&self) -> FileType {
        FileType::Directory
    }

    fn stat(&self) -> Result<Kstat, Errno> {
        Ok(self.attributes.stat())
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        self.listing.lookup(name)
    }

    fn readdir(&self, pos: u64, visit: DirVisitor<'_>) -> Result<(), Errno> {
        if visit_dots(pos, (self.attributes.ino, self.parent), visit).is_break() {
            return Ok(());
        }
        let mut from = pos.saturating_sub(FIRST_ENTRY);
        while let Some(Listed { number, ino, file_type, name }) = self.listing.next(from)? {
            from = number + 1;
            let next = FIRST_ENTRY + from;
            let entry = DirEntry { ino, file_type: Some(file_type), name: name.as_bytes(), next };
            if visit(&entry).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn freshness(&self) -> Freshness {
        self.listing.freshness()
    }
}
