//! ELF files: the part of one that a kernel looks at, and small ones written word by word.

/// Offsets in the file header and the size of one.
const E_PHOFF: usize = 32;
const E_SHOFF: usize = 40;
const E_PHNUM: usize = 56;
const E_SHNUM: usize = 60;
const E_SHSTRNDX: usize = 62;
const EHDR_SIZE: usize = 64;
/// The same of a program header.
const P_OFFSET: usize = 8;
const P_FILESZ: usize = 32;
const PHDR_SIZE: usize = 56;

/// `PT_LOAD`, `PT_INTERP`.
pub const PT_LOAD: u32 = 1;
pub const PT_INTERP: u32 = 3;
/// `PF_*`.
pub const X: u32 = 1;
pub const W: u32 = 2;
pub const R: u32 = 4;
/// `ET_REL`, `ET_EXEC`, `ET_CORE`.
pub const ET_REL: u16 = 1;
pub const ET_EXEC: u16 = 2;
pub const ET_CORE: u16 = 4;
/// `EM_X86_64`, `EM_AARCH64`.
pub const EM_X86_64: u16 = 62;
pub const EM_AARCH64: u16 = 183;

/// The file without what only debuggers read: everything behind the last segment.
pub fn loaded_part(file: &[u8]) -> Result<Vec<u8>, &'static str> {
    const BROKEN: &str = "not a whole 64-bit ELF file";
    if !file.starts_with(b"\x7fELF\x02\x01") {
        return Err(BROKEN);
    }
    let u64_at = |at: usize| Some(u64::from_le_bytes(*file.get(at..)?.first_chunk()?));
    let u16_at = |at: usize| Some(u16::from_le_bytes(*file.get(at..)?.first_chunk()?));
    let end = || -> Option<usize> {
        let table = usize::try_from(u64_at(E_PHOFF)?).ok()?;
        let count = usize::from(u16_at(E_PHNUM)?);
        let mut end = table.checked_add(count * PHDR_SIZE)?;
        for index in 0..count {
            let header = table + index * PHDR_SIZE;
            let segment_end = u64_at(header + P_OFFSET)?.checked_add(u64_at(header + P_FILESZ)?)?;
            end = end.max(usize::try_from(segment_end).ok()?);
        }
        Some(end)
    };
    let end = end().ok_or(BROKEN)?.max(EHDR_SIZE);
    let mut kept = file.get(..end).ok_or(BROKEN)?.to_vec();
    kept[E_SHOFF..E_SHOFF + 8].fill(0);
    kept[E_SHNUM..E_SHNUM + 2].fill(0);
    kept[E_SHSTRNDX..E_SHSTRNDX + 2].fill(0);
    Ok(kept)
}

/// A segment of a hand-made file.
#[derive(Clone, Copy)]
pub struct Segment {
    pub kind: u32,
    pub flags: u32,
    pub offset: u64,
    pub vaddr: u64,
    pub filesz: u64,
    pub memsz: u64,
    pub align: u64,
}

/// A hand-made file. Its fields are written as they are, so that they can be wrong.
#[derive(Clone)]
pub struct Elf {
    pub kind: u16,
    pub machine: u16,
    pub entry: u64,
    pub phoff: u64,
    pub phentsize: u16,
    pub phnum: u16,
    pub segments: Vec<Segment>,
    /// Begins behind the program headers.
    pub body: Vec<u8>,
}

impl Elf {
    /// Where the body of a file with `segments` segments begins.
    pub const fn body_offset(segments: usize) -> u64 {
        (EHDR_SIZE + segments * PHDR_SIZE) as u64
    }

    /// A right header for these segments.
    pub fn new(entry: u64, segments: Vec<Segment>, body: Vec<u8>) -> Elf {
        Elf {
            kind: ET_EXEC,
            machine: EM_AARCH64,
            entry,
            phoff: EHDR_SIZE as u64,
            phentsize: PHDR_SIZE as u16,
            phnum: segments.len() as u16,
            segments,
            body,
        }
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend(self.kind.to_le_bytes());
        file.extend(self.machine.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        file.extend(self.entry.to_le_bytes());
        file.extend(self.phoff.to_le_bytes());
        file.extend(0u64.to_le_bytes());
        file.extend(0u32.to_le_bytes());
        file.extend((EHDR_SIZE as u16).to_le_bytes());
        file.extend(self.phentsize.to_le_bytes());
        file.extend(self.phnum.to_le_bytes());
        file.extend([0; 6]);
        for s in &self.segments {
            file.extend(s.kind.to_le_bytes());
            file.extend(s.flags.to_le_bytes());
            for word in [s.offset, s.vaddr, s.vaddr, s.filesz, s.memsz, s.align] {
                file.extend(word.to_le_bytes());
            }
        }
        file.extend(&self.body);
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_what_lies_behind_the_segments() {
        let load =
            Segment { kind: PT_LOAD, flags: R, offset: 0, vaddr: 0, filesz: 130, memsz: 130, align: 4096 };
        let mut file = Elf::new(0, vec![load], vec![7; 100]).bytes();
        file[E_SHOFF] = 99;
        let kept = loaded_part(&file).expect("whole");
        assert_eq!(kept.len(), 130);
        assert_eq!(kept[E_SHOFF], 0);
        assert_eq!(kept[129], 7);
    }

    #[test]
    fn refuses_what_is_cut_or_no_elf() {
        let load =
            Segment { kind: PT_LOAD, flags: R, offset: 0, vaddr: 0, filesz: 500, memsz: 500, align: 4096 };
        let file = Elf::new(0, vec![load], vec![7; 100]).bytes();
        for file in [&file[..], &file[..70], b"", b"#!/bin/sh", b"\x7fELF\x02\x01"] {
            assert!(loaded_part(file).is_err());
        }
    }
}
