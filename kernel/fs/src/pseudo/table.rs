//! Directories out of a table: each line is a name, a mode and what is behind it. The table speaks of a *subject*: the
//! process of `/proc/PID`, the disk of `/sys/block/NAME`, or nothing for what there is once. Mirrors `struct pid_entry` of
//! Linux's `fs/proc/base.c`.

use super::{Attributes, FIRST_ENTRY, Seq, SeqSource, SpecialFile, Text, visit_dots};
use crate::alloc_util::try_arc;
use crate::inode::{DirEntry, DirVisitor, Freshness, Inode, NewInode, NewKind, PageIo};
use crate::io::WriteSource;
use crate::kstat::{Dev, FileType, Kstat, Timespec};
use crate::vfs::Path;
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Longest text that a program can write to a file at once.
const STORE_MAX: usize = 4096;
/// Entries of one table, at most: inode numbers have so much room for each level.
const TABLE_MAX: u64 = 64;

/// What the files of a directory are about.
pub trait Subject: Clone + Send + Sync + 'static {
    /// Device of the file system.
    fn dev(&self) -> Dev;

    /// Added to the inode numbers of the subject's files, so that no other's are equal: a multiple of 2^32.
    fn first_ino(&self) -> u64;

    /// User and group that the files belong to.
    fn owner(&self) -> (u32, u32) {
        (0, 0)
    }

    /// The time that all files show.
    fn time(&self) -> Timespec;

    /// Size that regular files show.
    fn file_size(&self) -> u64 {
        0
    }

    /// Whether the subject is still there.
    fn freshness(&self) -> Freshness {
        Freshness::Stable
    }
}

/// One name.
pub struct Entry<S: 'static> {
    /// The name.
    pub name: &'static str,
    /// Permission bits.
    pub mode: u32,
    /// What it is.
    pub content: Content<S>,
}

/// Makes a directory of a kind of its own, from the attributes of its entry and the inode number of the one above.
pub type MakeDirectory<S> = fn(&S, Attributes, u64) -> Result<Arc<dyn Inode>, Errno>;

/// What is behind a name.
pub enum Content<S: 'static> {
    /// A text that is made at once.
    Text(fn(&S, &mut Text) -> Result<(), Errno>),
    /// A text that is made in pieces: [`SeqSource::show`].
    Pieces(fn(&S, u64, &mut Text) -> Result<Option<u64>, Errno>),
    /// A text that can be written, too. What is written comes as it is, with its newline.
    Setting(fn(&S, &mut Text) -> Result<(), Errno>, fn(&S, &[u8]) -> Result<(), Errno>),
    /// A file of another kind.
    Special(fn(&S) -> Result<Arc<dyn SpecialFile>, Errno>),
    /// A link to a text.
    Symlink(fn(&S, &mut Text) -> Result<(), Errno>),
    /// A link to a place.
    Place(fn(&S) -> Result<Path, Errno>),
    /// A directory of the same subject.
    Directory(&'static [Entry<S>]),
    /// A directory of its own kind.
    Own(MakeDirectory<S>),
}

impl<S> Entry<S> {
    /// A text that everybody may read.
    pub const fn text(name: &'static str, show: fn(&S, &mut Text) -> Result<(), Errno>) -> Entry<S> {
        Entry { name, mode: 0o444, content: Content::Text(show) }
    }

    /// A directory that everybody may read.
    pub const fn directory(name: &'static str, entries: &'static [Entry<S>]) -> Entry<S> {
        Entry { name, mode: 0o555, content: Content::Directory(entries) }
    }

    fn file_type(&self) -> FileType {
        match &self.content {
            Content::Text(_) | Content::Pieces(_) | Content::Setting(..) | Content::Special(_) => {
                FileType::Regular
            }
            Content::Symlink(_) | Content::Place(_) => FileType::Symlink,
            Content::Directory(_) | Content::Own(_) => FileType::Directory,
        }
    }
}

/// A directory with the entries of a table.
pub struct TableDirectory<S: 'static> {
    subject: S,
    entries: &'static [Entry<S>],
    mode: u32,
    /// Inode number, and that of the directory above.
    ino: u64,
    parent: u64,
}

/// A file or link of a table.
struct TableFile<S: 'static> {
    subject: S,
    entry: &'static Entry<S>,
    ino: u64,
}

impl<S: Subject> TableDirectory<S> {
    /// The topmost directory of `subject`, in the directory with inode number `parent`.
    pub fn new(
        subject: S,
        entries: &'static [Entry<S>],
        parent: u64,
    ) -> Result<Arc<TableDirectory<S>>, Errno> {
        let ino = subject.first_ino() + 1;
        try_arc(TableDirectory { subject, entries, mode: 0o555, ino, parent })
    }

    /// Cookie of the first entry behind those of the table.
    pub fn end(&self) -> u64 {
        FIRST_ENTRY + self.entries.len() as u64
    }

    fn ino_of(&self, index: usize) -> u64 {
        let base = self.subject.first_ino();
        base + (self.ino - base) * TABLE_MAX + index as u64 + 1
    }
}

impl<S: Subject> Inode for TableDirectory<S> {
    fn file_type(&self) -> FileType {
        FileType::Directory
    }

    fn stat(&self) -> Result<Kstat, Errno> {
        let below = self.entries.iter().filter(|entry| entry.file_type() == FileType::Directory).count();
        let (uid, gid) = self.subject.owner();
        Ok(Attributes {
            dev: self.subject.dev(),
            ino: self.ino,
            file_type: FileType::Directory,
            mode: self.mode,
            nlink: 2 + below as u32,
            uid,
            gid,
            size: 0,
            time: self.subject.time(),
        }
        .stat())
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        if self.freshness() == Freshness::Stale {
            return Err(Errno::ENOENT);
        }
        let index = self.entries.iter().position(|entry| entry.name.as_bytes() == name);
        let index = index.ok_or(Errno::ENOENT)?;
        let (entry, ino, subject) = (&self.entries[index], self.ino_of(index), self.subject.clone());
        match entry.content {
            Content::Directory(entries) => {
                Ok(try_arc(TableDirectory { subject, entries, mode: entry.mode, ino, parent: self.ino })?)
            }
            Content::Own(make) => {
                let (uid, gid) = subject.owner();
                let attributes = Attributes {
                    dev: subject.dev(),
                    ino,
                    file_type: FileType::Directory,
                    mode: entry.mode,
                    nlink: 2,
                    uid,
                    gid,
                    size: 0,
                    time: subject.time(),
                };
                make(&subject, attributes, self.ino)
            }
            _ => Ok(try_arc(TableFile { subject, entry, ino })?),
        }
    }

    fn readdir(&self, pos: u64, visit: DirVisitor<'_>) -> Result<(), Errno> {
        if self.freshness() == Freshness::Stale {
            return Err(Errno::ENOENT);
        }
        if visit_dots(pos, (self.ino, self.parent), visit).is_break() {
            return Ok(());
        }
        let first = usize::try_from(pos.saturating_sub(FIRST_ENTRY)).unwrap_or(usize::MAX);
        for (index, entry) in self.entries.iter().enumerate().skip(first) {
            let (ino, file_type) = (self.ino_of(index), Some(entry.file_type()));
            let next = FIRST_ENTRY + index as u64 + 1;
            if visit(&DirEntry { ino, file_type, name: entry.name.as_bytes(), next }).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Nothing can be made here: EACCES for a file, as for Linux's directories without `create`, EPERM for the rest.
    fn create(&self, _: &[u8], new: &NewInode<'_>) -> Result<Arc<dyn Inode>, Errno> {
        Err(if new.kind == NewKind::Regular { Errno::EACCES } else { Errno::EPERM })
    }

    fn freshness(&self) -> Freshness {
        self.subject.freshness()
    }
}

impl<S: Subject> Inode for TableFile<S> {
    fn file_type(&self) -> FileType {
        self.entry.file_type()
    }

    fn stat(&self) -> Result<Kstat, Errno> {
        let (uid, gid) = self.subject.owner();
        let file_type = self.entry.file_type();
        Ok(Attributes {
            dev: self.subject.dev(),
            ino: self.ino,
            file_type,
            mode: self.entry.mode,
            nlink: 1,
            uid,
            gid,
            size: if file_type == FileType::Regular { self.subject.file_size() } else { 0 },
            time: self.subject.time(),
        }
        .stat())
    }

    fn readlink(&self) -> Result<Vec<u8>, Errno> {
        match self.entry.content {
            Content::Symlink(show) => {
                let mut text = Text::new();
                show(&self.subject, &mut text)?;
                text.to_vec()
            }
            Content::Place(find) => find(&self.subject)?.to_full_text(),
            _ => Err(Errno::EINVAL),
        }
    }

    fn jump(&self) -> Result<Option<Path>, Errno> {
        match self.entry.content {
            Content::Place(find) => find(&self.subject).map(Some),
            _ => Ok(None),
        }
    }

    fn open_special(&self) -> Result<Option<Arc<dyn SpecialFile>>, Errno> {
        match self.entry.content {
            Content::Special(open) => open(&self.subject).map(Some),
            _ => Ok(Some(Seq::open(TableText { subject: self.subject.clone(), entry: self.entry })?)),
        }
    }

    /// `O_TRUNC` is what a shell's `>` says; there is nothing to cut.
    fn truncate(&self, _: &dyn PageIo, _: u64) -> Result<(), Errno> {
        Ok(())
    }

    fn freshness(&self) -> Freshness {
        self.subject.freshness()
    }
}

/// The text of a file of a table.
struct TableText<S: 'static> {
    subject: S,
    entry: &'static Entry<S>,
}

impl<S: Subject> SeqSource for TableText<S> {
    fn show(&self, from: u64, out: &mut Text) -> Result<Option<u64>, Errno> {
        match self.entry.content {
            Content::Text(show) | Content::Setting(show, _) => show(&self.subject, out).map(|()| None),
            Content::Pieces(show) => show(&self.subject, from, out),
            _ => Err(Errno::EINVAL),
        }
    }

    /// All that is written is one value. Only at the beginning, as Linux's `sysctl_writes_strict` has it: what follows a
    /// first part is taken and forgotten.
    fn store(&self, pos: u64, source: &mut dyn WriteSource) -> Result<usize, Errno> {
        let Content::Setting(_, store) = self.entry.content else { return Err(Errno::EINVAL) };
        let len = source.remaining();
        if pos > 0 || len == 0 {
            return Ok(len);
        }
        let mut bytes = crate::alloc_util::try_zeroed(len.min(STORE_MAX))?;
        if source.take(&mut bytes) < bytes.len() {
            return Err(Errno::EFAULT);
        }
        store(&self.subject, &bytes)?;
        Ok(len)
    }
}
