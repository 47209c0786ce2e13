//! Makes ELF files by hand, right ones and wrong ones.
#![allow(dead_code, reason = "each test file uses a part of it")]

use binfmt::{Aslr, Entropy, LayoutRequest, MmapLayout, Search};

pub const ET_EXEC: u16 = 2;
pub const ET_DYN: u16 = 3;
pub const PT_LOAD: u32 = 1;
pub const PT_INTERP: u32 = 3;
pub const PT_GNU_STACK: u32 = 0x6474_e551;
pub const R: u32 = 4;
pub const W: u32 = 2;
pub const X: u32 = 1;

pub const PAGE_SIZES: [u64; 3] = [4096, 16384, 65536];

/// An address space as Granule gives it to a process of this page size.
pub fn va_bits(page_size: u64) -> u32 {
    match page_size {
        4096 => 48,
        16384 => 47,
        _ => 42,
    }
}

pub fn request(page_size: u64) -> LayoutRequest {
    LayoutRequest {
        page_size,
        va_bits: va_bits(page_size),
        rlimit_stack: 8 << 20,
        mmap_min_addr: 65536,
        search: Search::TopDown,
        aslr: Aslr::Off,
    }
}

pub fn layout(page_size: u64) -> MmapLayout {
    MmapLayout::pick(&request(page_size))
}

pub fn random_layout(page_size: u64, word: u64) -> MmapLayout {
    let entropy = Entropy {
        stack: word,
        stack_offset: word.rotate_left(13),
        mmap: word.rotate_left(26),
        image: word.rotate_left(39),
        brk: word.rotate_left(52),
    };
    MmapLayout::pick(&LayoutRequest { aslr: Aslr::On(entropy), ..request(page_size) })
}

#[derive(Clone, Copy, Debug)]
pub struct Phdr {
    pub p_type: u32,
    pub flags: u32,
    pub offset: u64,
    pub vaddr: u64,
    pub filesz: u64,
    pub memsz: u64,
    pub align: u64,
}

pub fn load(flags: u32, offset: u64, vaddr: u64, filesz: u64, memsz: u64) -> Phdr {
    Phdr { p_type: PT_LOAD, flags, offset, vaddr, filesz, memsz, align: 0x10000 }
}

#[derive(Clone, Debug)]
pub struct Elf {
    pub e_type: u16,
    pub machine: u16,
    pub entry: u64,
    pub phoff: u64,
    pub phentsize: u16,
    pub phnum: Option<u16>,
    pub phdrs: Vec<Phdr>,
    /// Bytes put somewhere in the file.
    pub contents: Vec<(usize, Vec<u8>)>,
}

impl Elf {
    pub fn new(e_type: u16, phdrs: &[Phdr]) -> Elf {
        let entry = phdrs.first().map_or(0, |phdr| phdr.vaddr);
        Elf {
            e_type,
            machine: 183,
            entry,
            phoff: 64,
            phentsize: 56,
            phnum: None,
            phdrs: phdrs.to_vec(),
            contents: Vec::new(),
        }
    }

    pub fn with_interpreter(mut self, path: &[u8]) -> Elf {
        let offset = 0x800;
        self.contents.push((offset, path.to_vec()));
        let len = path.len() as u64;
        self.phdrs.push(Phdr { p_type: PT_INTERP, ..load(R, offset as u64, offset as u64, len, len) });
        self
    }

    pub fn with_stack(mut self, flags: u32) -> Elf {
        self.phdrs.push(Phdr { p_type: PT_GNU_STACK, ..load(flags, 0, 0, 0, 0) });
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
        out.resize(16, 0);
        out.extend(self.e_type.to_le_bytes());
        out.extend(self.machine.to_le_bytes());
        out.extend(1u32.to_le_bytes());
        out.extend(self.entry.to_le_bytes());
        out.extend(self.phoff.to_le_bytes());
        out.extend(0u64.to_le_bytes());
        out.extend(0u32.to_le_bytes());
        let phnum = self.phnum.unwrap_or(self.phdrs.len() as u16);
        for half in [64, self.phentsize, phnum, 0, 0, 0] {
            out.extend(half.to_le_bytes());
        }
        if let Ok(phoff) = usize::try_from(self.phoff).map(|phoff| phoff.min(1 << 20)) {
            out.resize(out.len().max(phoff), 0);
        }
        for phdr in &self.phdrs {
            out.extend(phdr.p_type.to_le_bytes());
            out.extend(phdr.flags.to_le_bytes());
            for word in [phdr.offset, phdr.vaddr, 0, phdr.filesz, phdr.memsz, phdr.align] {
                out.extend(word.to_le_bytes());
            }
        }
        for (offset, contents) in &self.contents {
            out.resize(out.len().max(offset + contents.len()), 0);
            out[*offset..offset + contents.len()].copy_from_slice(contents);
        }
        out
    }
}

/// A static PIE as lld makes it: read-only, text, relro and data with bss.
pub fn static_pie() -> Elf {
    let mut elf = Elf::new(
        ET_DYN,
        &[
            load(R, 0, 0, 0x4a8, 0x4a8),
            load(R | X, 0x4a8, 0x104a8, 0x2b00, 0x2b00),
            load(R | W, 0x2fa8, 0x22fa8, 0x58, 0x58),
            load(R | W, 0x3000, 0x33000, 0x123, 0x2468),
        ],
    )
    .with_stack(R | W);
    elf.entry = 0x104a8;
    elf
}
