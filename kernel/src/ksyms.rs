//! The symbols that mkimage has put behind the image: the function around an address, for backtraces. The layout
//! is described in `tools/mkimage/src/symbols.rs`.

use crate::arch::phys;
use boot::layout;

const MAGIC: &[u8; 8] = b"GRNLSYM1";
const HEADER: usize = 16;
const ENTRY: usize = 8;

/// The function that contains the kernel address `va`, and the distance from its start.
pub fn lookup(va: u64) -> Option<(&'static str, u64)> {
    let table = phys::symbol_bytes();
    if table.get(..8)? != MAGIC {
        return None;
    }
    let offset = u32::try_from(va.checked_sub(layout::IMAGE)?).ok()?;
    if u64::from(offset) >= phys::text_size() {
        return None;
    }
    // The last function that does not begin behind the address.
    let (mut low, mut high) = (0, word(table, 8)? as usize);
    while low < high {
        let middle = low.midpoint(high);
        if word(table, HEADER + ENTRY * middle)? <= offset { low = middle + 1 } else { high = middle }
    }
    let entry = HEADER + ENTRY * low.checked_sub(1)?;
    let name = table.get(word(table, entry + 4)? as usize..)?;
    let end = name.iter().position(|&byte| byte == 0)?;
    Some((core::str::from_utf8(&name[..end]).ok()?, u64::from(offset - word(table, entry)?)))
}

fn word(table: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(table.get(at..at + 4)?.try_into().ok()?))
}
