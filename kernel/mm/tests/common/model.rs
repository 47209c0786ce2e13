//! The naive model: a process is a map from kernel pages to what they should hold and allow.

use super::hw::disk_byte;
use abi::{Errno, Prot};
use mm::filemap::{AddressSpace, AddressSpaceOps, Backing, Iomap, IomapKind, MappedFile, ZeroFile};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

/// A file on the simulated disk: pages in two extents with a hole between them, a size that is no multiple of anything.
pub struct DiskFile {
    pub size: u64,
    pub mapping: Arc<AddressSpace>,
    layout: Layout,
}

#[derive(Clone, Copy)]
struct Layout {
    disk: u64,
    hole: (u64, u64),
}

impl AddressSpaceOps for Layout {
    fn iomap(&self, pos: u64) -> Result<Iomap, Errno> {
        let (start, end) = self.hole;
        Ok(if pos < start {
            Iomap { pos: 0, len: start, kind: IomapKind::Mapped { addr: self.disk } }
        } else if pos < end {
            Iomap { pos: start, len: end - start, kind: IomapKind::Hole }
        } else {
            Iomap { pos: end, len: u64::MAX / 2, kind: IomapKind::Mapped { addr: self.disk + end } }
        })
    }
}

impl DiskFile {
    pub fn new(disk: u64, size: u64) -> Arc<DiskFile> {
        let layout = Layout { disk, hole: (8192, 12288) };
        let mapping = AddressSpace::new(size, Arc::new(layout)).unwrap();
        Arc::new(DiskFile { size, mapping, layout })
    }

    /// What a reader finds in the eight bytes at `pos`.
    pub fn word(&self, pos: u64) -> u64 {
        let byte = |pos: u64| match pos {
            pos if pos >= self.size => 0,
            pos if pos >= self.layout.hole.0 && pos < self.layout.hole.1 => 0,
            pos => disk_byte(self.layout.disk + pos),
        };
        u64::from_le_bytes(core::array::from_fn(|i| byte(pos + i as u64)))
    }
}

impl MappedFile for DiskFile {
    fn mapping(&self) -> &Arc<AddressSpace> {
        &self.mapping
    }

    fn write_path(&self, out: &mut dyn std::fmt::Write) -> std::fmt::Result {
        out.write_str("/file")
    }
}

/// Memory that processes share: its length in bytes, and the words that were written, by position in bytes.
#[derive(Default)]
pub struct Shared {
    pub len: u64,
    pub words: HashMap<u64, u64>,
}

/// A file that lives in memory.
pub struct MemFile {
    pub mapping: Arc<AddressSpace>,
    pub shared: Rc<RefCell<Shared>>,
}

impl MemFile {
    pub fn new(len: u64) -> MemFile {
        let mapping = AddressSpace::with_backing(len, Arc::new(ZeroFile), Backing::Memory).unwrap();
        MemFile { mapping, shared: Rc::new(RefCell::new(Shared { len, words: HashMap::new() })) }
    }

    /// The file as an area has it.
    pub fn mapped(&self) -> Arc<dyn MappedFile> {
        Arc::new(MappedMem(self.mapping.clone()))
    }
}

struct MappedMem(Arc<AddressSpace>);

impl MappedFile for MappedMem {
    fn mapping(&self) -> &Arc<AddressSpace> {
        &self.0
    }

    fn write_path(&self, out: &mut dyn std::fmt::Write) -> std::fmt::Result {
        out.write_str("/memory")
    }
}

#[derive(Clone)]
pub enum Content {
    Anon(u64),
    File { file: Arc<DiskFile>, index: u64, private: Option<u64> },
    Shared { shared: Rc<RefCell<Shared>>, index: u64 },
}

#[derive(Clone)]
pub struct Page {
    pub prot: Prot,
    /// Where in the page the tests keep a word. Not the same in all mappings, so that mixed-up frames show; moves along.
    pub offset: u64,
    pub content: Content,
}

impl Page {
    pub fn word(&self) -> u64 {
        match &self.content {
            Content::Anon(value) => *value,
            Content::File { private: Some(value), .. } => *value,
            Content::File { file, index, .. } => file.word(index * 4096 + self.offset),
            Content::Shared { shared, index } => {
                shared.borrow().words.get(&(index * 4096 + self.offset)).copied().unwrap_or(0)
            }
        }
    }

    pub fn set_word(&mut self, value: u64) {
        match &mut self.content {
            Content::Anon(word) => *word = value,
            Content::File { private, .. } => *private = Some(value),
            Content::Shared { shared, index } => {
                shared.borrow_mut().words.insert(*index * 4096 + self.offset, value);
            }
        }
    }

    /// MADV_DONTNEED.
    pub fn discard(&mut self) {
        match &mut self.content {
            Content::Anon(word) => *word = 0,
            Content::File { private, .. } => *private = None,
            Content::Shared { .. } => {}
        }
    }

    /// The page `delta` kernel pages further on in the same object, never written.
    pub fn fresh(&self, delta: u64) -> Page {
        let content = match &self.content {
            Content::Anon(_) => Content::Anon(0),
            Content::File { file, index, .. } => {
                Content::File { file: file.clone(), index: index + delta, private: None }
            }
            Content::Shared { shared, index } => {
                Content::Shared { shared: shared.clone(), index: index + delta }
            }
        };
        Page { prot: self.prot, offset: self.offset, content }
    }

    /// First kernel page of the object that a process with pages of `nr` kernel pages may not touch.
    pub fn beyond_end(&self, nr: u64) -> bool {
        match &self.content {
            Content::Anon(_) | Content::File { private: Some(_), .. } => false,
            Content::File { file, index, .. } => *index >= file.size.div_ceil(4096).next_multiple_of(nr),
            Content::Shared { shared, index } => {
                *index >= shared.borrow().len.div_ceil(4096).next_multiple_of(nr)
            }
        }
    }
}

/// Kernel page number -> page.
pub type Pages = BTreeMap<u64, Page>;
