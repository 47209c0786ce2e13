//! The symbol table behind the image, for the kernel's backtraces. All numbers are little endian:
//!
//! | offset | content |
//! |---|---|
//! | 0 | the eight bytes [`MAGIC`] |
//! | 8 | u32: number of entries |
//! | 12 | u32: length of the table in bytes |
//! | 16 | entries, sorted by address: u32 offset of the function in the image, u32 offset of its name in the table |
//! | after them | names, demangled, each ended by a zero |

use elf::ElfBytes;
use elf::abi::{STT_FUNC, STT_NOTYPE};
use elf::endian::LittleEndian;
use std::collections::BTreeMap;

/// The first bytes of the table.
pub const MAGIC: &[u8; 8] = b"GRNLSYM1";
const HEADER: usize = 16;

/// The table for the functions of `elf`, whose image begins at the address `base`.
pub fn table(elf: &ElfBytes<'_, LittleEndian>, base: u64) -> Result<Vec<u8>, String> {
    let functions = functions(elf, base)?;
    let mut entries = Vec::new();
    let mut names = Vec::new();
    let names_at = HEADER + 8 * functions.len();
    for (offset, name) in &functions {
        entries.extend(offset.to_le_bytes());
        entries.extend(((names_at + names.len()) as u32).to_le_bytes());
        names.extend(name.bytes());
        names.push(0);
    }
    let mut table = MAGIC.to_vec();
    table.extend((functions.len() as u32).to_le_bytes());
    table.extend(((names_at + names.len()) as u32).to_le_bytes());
    table.extend(entries);
    table.extend(names);
    Ok(table)
}

/// Functions and assembly labels by offset; of several names at one address the first in the file is kept.
fn functions(elf: &ElfBytes<'_, LittleEndian>, base: u64) -> Result<BTreeMap<u32, String>, String> {
    let mut functions = BTreeMap::new();
    let Some((symbols, strings)) = elf.symbol_table().map_err(|e| e.to_string())? else {
        return Ok(functions);
    };
    for symbol in symbols.iter() {
        let kind = symbol.st_symtype();
        let name = strings.get(symbol.st_name as usize).unwrap_or("");
        // "$x" and "$d" only mark code and data for disassemblers.
        if symbol.is_undefined()
            || !matches!(kind, STT_FUNC | STT_NOTYPE)
            || name.is_empty()
            || name.starts_with('$')
        {
            continue;
        }
        let Some(offset) = symbol.st_value.checked_sub(base).and_then(|o| u32::try_from(o).ok()) else {
            continue;
        };
        let name = format!("{:#}", rustc_demangle::demangle(name));
        if kind == STT_FUNC {
            functions.insert(offset, name);
        } else {
            functions.entry(offset).or_insert(name);
        }
    }
    Ok(functions)
}
