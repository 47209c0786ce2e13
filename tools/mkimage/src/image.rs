//! Flattens the loadable segments, bss included, into one block of bytes that can be loaded anywhere, appends the
//! symbols on a page of their own, and patches `image_size` in the header: the kernel sees by it that symbols follow.

use crate::symbols;
use elf::ElfBytes;
use elf::abi::{EM_AARCH64, PT_LOAD};
use elf::endian::LittleEndian;

const PAGE: usize = 4096;
/// More than this cannot be the kernel; boot has tables for 16M.
const LARGEST: u64 = 16 << 20;
/// Offsets in the header of Linux's boot protocol.
const HEADER_SIZE_FIELD: usize = 16;
const HEADER_MAGIC: usize = 56;

/// The raw Image for the ELF file in `file`.
pub fn build(file: &[u8]) -> Result<Vec<u8>, String> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(file).map_err(|e| e.to_string())?;
    if elf.ehdr.e_machine != EM_AARCH64 {
        return Err("not an arm64 file".into());
    }
    let (base, mut image) = flatten(&elf)?;
    if image.get(HEADER_MAGIC..HEADER_MAGIC + 4) != Some(b"ARM\x64") {
        return Err("does not begin with an arm64 Image header".into());
    }
    image.resize(image.len().next_multiple_of(PAGE), 0);
    image.extend(symbols::table(&elf, base)?);
    image.resize(image.len().next_multiple_of(PAGE), 0);
    let size = image.len() as u64;
    if size > LARGEST {
        return Err(format!("the image has {size} bytes, boot can map {LARGEST}"));
    }
    image[HEADER_SIZE_FIELD..HEADER_SIZE_FIELD + 8].copy_from_slice(&size.to_le_bytes());
    Ok(image)
}

/// The lowest address, and the bytes from there to the end of the last segment.
fn flatten(elf: &ElfBytes<'_, LittleEndian>) -> Result<(u64, Vec<u8>), String> {
    let segments = elf.segments().ok_or("no program headers")?;
    let loads = || segments.iter().filter(|s| s.p_type == PT_LOAD && s.p_memsz > 0);
    let base = loads().map(|s| s.p_vaddr).min().ok_or("nothing to load")?;
    let end = |vaddr: u64, size: u64| (vaddr - base).checked_add(size).filter(|&end| end <= LARGEST);
    let mut image = Vec::new();
    for segment in loads() {
        let end = end(segment.p_vaddr, segment.p_memsz).ok_or("a segment is too large or too far")? as usize;
        let bytes = elf.segment_data(&segment).map_err(|e| e.to_string())?;
        if bytes.len() as u64 > segment.p_memsz {
            return Err("a segment has more bytes than memory".into());
        }
        if image.len() < end {
            image.resize(end, 0);
        }
        let at = (segment.p_vaddr - base) as usize;
        image[at..at + bytes.len()].copy_from_slice(bytes);
    }
    Ok((base, image))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u64 = 0xffff_8000_8000_0000;

    /// A small ELF file: one text segment with a header, one data segment with bss, and two symbols.
    fn sample(machine: u16, magic: &[u8; 4]) -> Vec<u8> {
        let mut text = vec![0u8; 128];
        text[HEADER_MAGIC..HEADER_MAGIC + 4].copy_from_slice(magic);
        let data = [7u8; 16];
        let strings = b"\0_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE\0start\0";
        let (text_at, data_at) = (0x1000usize, 0x2000usize);
        let (str_at, sym_at, shdr_at) = (0x3000usize, 0x3100usize, 0x3200usize);

        let mut file = vec![0u8; shdr_at + 3 * 64];
        file[..16].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        let put =
            |file: &mut Vec<u8>, at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(&mut file, 16, &2u16.to_le_bytes());
        put(&mut file, 18, &machine.to_le_bytes());
        put(&mut file, 20, &1u32.to_le_bytes());
        put(&mut file, 24, &BASE.to_le_bytes());
        put(&mut file, 32, &64u64.to_le_bytes());
        put(&mut file, 40, &(shdr_at as u64).to_le_bytes());
        for (at, value) in [(52, 64u16), (54, 56), (56, 2), (58, 64), (60, 3), (62, 0)] {
            put(&mut file, at, &value.to_le_bytes());
        }
        let mut segment = |at: usize, flags: u32, offset: usize, vaddr: u64, filesz: u64, memsz: u64| {
            put(&mut file, at, &1u32.to_le_bytes());
            put(&mut file, at + 4, &flags.to_le_bytes());
            for (i, value) in [offset as u64, vaddr, vaddr, filesz, memsz, 4096].into_iter().enumerate() {
                put(&mut file, at + 8 + 8 * i, &value.to_le_bytes());
            }
        };
        segment(64, 5, text_at, BASE, 128, 128);
        segment(120, 6, data_at, BASE + 0x1000, 16, 0x1800);
        put(&mut file, text_at, &text);
        put(&mut file, data_at, &data);
        put(&mut file, str_at, strings);
        let mut symbol = |i: usize, name: u32, value: u64| {
            put(&mut file, sym_at + 24 * i, &name.to_le_bytes());
            file[sym_at + 24 * i + 4] = 2; // a local function
            put(&mut file, sym_at + 24 * i + 6, &1u16.to_le_bytes());
            put(&mut file, sym_at + 24 * i + 8, &value.to_le_bytes());
        };
        symbol(1, 1, BASE + 0x40);
        symbol(2, strings.len() as u32 - 6, BASE);
        let mut section = |i: usize, kind: u32, at: usize, size: u64, link: u32, entry: u64| {
            let base = shdr_at + 64 * i;
            put(&mut file, base + 4, &kind.to_le_bytes());
            put(&mut file, base + 24, &(at as u64).to_le_bytes());
            put(&mut file, base + 32, &size.to_le_bytes());
            put(&mut file, base + 40, &link.to_le_bytes());
            put(&mut file, base + 56, &entry.to_le_bytes());
        };
        section(1, 2, sym_at, 72, 2, 24);
        section(2, 3, str_at, strings.len() as u64, 0, 0);
        file
    }

    #[test]
    fn segments_bss_symbols_and_size() {
        let image = build(&sample(EM_AARCH64, b"ARM\x64")).unwrap();
        assert_eq!(&image[0x1000..0x1010], &[7; 16]);
        assert!(image[0x1010..0x3000].iter().all(|&b| b == 0), "bss and padding");
        assert_eq!(&image[0x3000..0x3008], symbols::MAGIC);
        let size = u64::from_le_bytes(image[16..24].try_into().unwrap());
        assert_eq!(size as usize, image.len());
        assert!(image.len().is_multiple_of(PAGE));
    }

    #[test]
    fn symbols_are_sorted_and_demangled() {
        let image = build(&sample(EM_AARCH64, b"ARM\x64")).unwrap();
        let table = &image[0x3000..];
        let word = |at: usize| u32::from_le_bytes(table[at..at + 4].try_into().unwrap());
        assert_eq!(word(8), 2, "count");
        let name = |i: usize| {
            let start = word(16 + 8 * i + 4) as usize;
            let len = table[start..].iter().position(|&b| b == 0).unwrap();
            std::str::from_utf8(&table[start..start + len]).unwrap()
        };
        assert_eq!((word(16), name(0)), (0, "start"));
        assert_eq!((word(24), name(1)), (0x40, "core::fmt::Write::write_fmt"));
    }

    #[test]
    fn refuses_what_is_not_a_kernel() {
        assert!(build(b"hello").is_err());
        assert!(build(&sample(62, b"ARM\x64")).unwrap_err().contains("arm64"));
        assert!(build(&sample(EM_AARCH64, b"nope")).unwrap_err().contains("header"));
        let whole = sample(EM_AARCH64, b"ARM\x64");
        assert!(build(&whole[..0x2008]).is_err(), "cut off in the data");
    }
}
