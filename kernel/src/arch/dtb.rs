//! The device tree's bytes, where boot has mapped them.

use boot::layout;

/// The bytes of the device tree at physical address `pa`, if there is one of a size that boot has mapped.
pub fn bytes(pa: u64) -> Option<&'static [u8]> {
    const MAGIC: u32 = 0xd00d_feed;
    if pa == 0 || !pa.is_multiple_of(8) {
        return None;
    }
    let at = (layout::DTB + (pa & ((2 << 20) - 1))) as *const u8;
    // SAFETY: boot maps the 4M from the 2M boundary below the tree; a header fits in any case.
    let header = unsafe { core::slice::from_raw_parts(at, 8) };
    let word = |i: usize| header[i..i + 4].iter().fold(0u32, |w, &b| w << 8 | u32::from(b));
    let size = word(4) as usize;
    if word(0) != MAGIC || size as u64 > layout::DTB_MAX {
        return None;
    }
    // SAFETY: as above, for the size checked here; the range is reserved and mapped read-only for good.
    Some(unsafe { core::slice::from_raw_parts(at, size) })
}
