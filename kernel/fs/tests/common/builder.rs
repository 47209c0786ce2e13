//! Makes EROFS images by hand, for what `mkfs.erofs` does not make: other block sizes, holes, names and
//! layouts of all kinds, and small images to damage.
//!
//! Written from the description of the format, with its own numbers: it shares no code with the reader.

/// Where the bytes of a node are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Whole blocks.
    Plain,
    /// Whole blocks, and the rest behind the inode.
    Inline,
    /// Chunks of 2^bits blocks; those that are all zero are holes.
    Chunks { bits: u16, indexes: bool },
}

/// A file to put in.
#[derive(Clone, Debug)]
pub struct Node {
    pub mode: u16,
    pub layout: Layout,
    pub extended: bool,
    /// `i_xattr_icount`: how much room attributes take behind the inode.
    pub xattrs: u16,
    pub bytes: Vec<u8>,
}

/// An image being made: data blocks first, then the inodes, so that each is written once.
pub struct Builder {
    block_bits: u8,
    data: Vec<u8>,
    meta: Vec<u8>,
    inodes: u64,
}

const SUPER_END: usize = 1024 + 128;

impl Builder {
    pub fn new(block_bits: u8) -> Builder {
        Builder { block_bits, data: Vec::new(), meta: Vec::new(), inodes: 0 }
    }

    fn block(&self) -> usize {
        1 << self.block_bits
    }

    /// The block after the superblock, where data begins.
    fn first_block(&self) -> usize {
        SUPER_END.div_ceil(self.block())
    }

    /// Stores bytes in blocks of their own; returns their block address.
    fn store(&mut self, bytes: &[u8]) -> u32 {
        let address = self.first_block() + self.data.len() / self.block();
        self.data.extend_from_slice(bytes);
        self.data.resize(self.data.len().next_multiple_of(self.block()), 0);
        address as u32
    }

    /// Adds a file; returns its nid.
    pub fn add(&mut self, node: &Node) -> u64 {
        let block = self.block();
        let xattr_size = if node.xattrs == 0 { 0 } else { 12 + 4 * (usize::from(node.xattrs) - 1) };
        let head = if node.extended { 64 } else { 32 } + xattr_size;
        let (mut union, mut behind) = (0, Vec::new());
        let number: u16 = match node.layout {
            Layout::Plain => {
                union = self.store(&node.bytes);
                0
            }
            Layout::Inline => {
                let blocks = node.bytes.len().div_ceil(block).saturating_sub(1) * block;
                if blocks > 0 {
                    union = self.store(&node.bytes[..blocks]);
                }
                behind.extend_from_slice(&node.bytes[blocks..]);
                while (self.meta.len() + head) % block + behind.len() > block {
                    self.meta.resize(self.meta.len() + 32, 0xa5);
                }
                2
            }
            Layout::Chunks { bits, indexes } => {
                union = u32::from(bits) | if indexes { 0x20 } else { 0 };
                let unit = if indexes { 8 } else { 4 };
                let end = self.meta.len() + head;
                behind.resize(end.next_multiple_of(unit) - end, 0xa5);
                for chunk in node.bytes.chunks(block << bits) {
                    let hole = chunk.iter().all(|byte| *byte == 0);
                    let address = if hole { u32::MAX } else { self.store(chunk) };
                    if indexes {
                        behind.extend_from_slice(&[0; 4]);
                    }
                    behind.extend_from_slice(&address.to_le_bytes());
                }
                4
            }
        };
        let nid = self.meta.len() as u64 / 32;
        self.inodes += 1;
        let size = node.bytes.len() as u64;
        let mut put = |bytes: &[u8]| self.meta.extend_from_slice(bytes);
        put(&(number << 1 | u16::from(node.extended)).to_le_bytes());
        put(&node.xattrs.to_le_bytes());
        put(&node.mode.to_le_bytes());
        if node.extended {
            put(&[0; 2]);
            put(&size.to_le_bytes());
            put(&union.to_le_bytes());
            put(&(nid as u32).to_le_bytes());
            put(&70_000u32.to_le_bytes());
            put(&80_000u32.to_le_bytes());
            put(&1_700_000_000u64.to_le_bytes());
            put(&123_456_789u32.to_le_bytes());
            put(&1u32.to_le_bytes());
            put(&[0; 16]);
        } else {
            put(&1u16.to_le_bytes());
            put(&(size as u32).to_le_bytes());
            put(&[0; 4]);
            put(&union.to_le_bytes());
            put(&(nid as u32).to_le_bytes());
            put(&7u16.to_le_bytes());
            put(&8u16.to_le_bytes());
            put(&[0; 4]);
        }
        put(&vec![0xa5; xattr_size]);
        put(&behind);
        self.meta.resize(self.meta.len().next_multiple_of(32), 0xa5);
        nid
    }

    /// Adds a directory of `(name, nid, FT_*)`; returns its nid.
    pub fn add_dir(&mut self, entries: &[(Vec<u8>, u64, u8)], layout: Layout) -> u64 {
        let mut entries = entries.to_vec();
        entries.extend([(b".".to_vec(), 0, 2), (b"..".to_vec(), 0, 2)]);
        entries.sort();
        let mut bytes = Vec::new();
        let mut rest = &entries[..];
        while !rest.is_empty() {
            let fits = |count: usize| {
                rest[..count].iter().map(|(name, ..)| 12 + name.len()).sum::<usize>() <= self.block()
            };
            let count = (1..=rest.len()).take_while(|count| fits(*count)).last().expect("a name fits");
            // A block before this one is filled up: a NUL ends its last name.
            bytes.resize(bytes.len().next_multiple_of(self.block()), 0);
            let mut name_at = 12 * count;
            for (name, nid, file_type) in &rest[..count] {
                bytes.extend_from_slice(&nid.to_le_bytes());
                bytes.extend_from_slice(&(name_at as u16).to_le_bytes());
                bytes.extend_from_slice(&[*file_type, 0]);
                name_at += name.len();
            }
            for (name, ..) in &rest[..count] {
                bytes.extend_from_slice(name);
            }
            rest = &rest[count..];
        }
        self.add(&Node { mode: 0o040_755, layout, extended: false, xattrs: 0, bytes })
    }

    /// The image, with `root` as its root directory; without a checksum.
    pub fn finish(self, root: u64) -> Vec<u8> {
        let block = self.block();
        let meta_block = self.first_block() + self.data.len() / block;
        let mut image = vec![0; 1024];
        let blocks = meta_block + self.meta.len().div_ceil(block);
        let mut put = |bytes: &[u8]| image.extend_from_slice(bytes);
        put(&0xe0f5_e1e2u32.to_le_bytes());
        put(&[0; 8]);
        put(&[self.block_bits, 0]);
        put(&u16::try_from(root).expect("a root among the first inodes").to_le_bytes());
        put(&self.inodes.to_le_bytes());
        put(&1_600_000_000u64.to_le_bytes());
        put(&5u32.to_le_bytes());
        put(&(blocks as u32).to_le_bytes());
        put(&(meta_block as u32).to_le_bytes());
        put(&[0; 4 + 32]);
        put(&4u32.to_le_bytes());
        image.resize(self.first_block() * block, 0);
        image.extend(self.data);
        image.extend(self.meta);
        image.resize(blocks * block, 0);
        image
    }
}
