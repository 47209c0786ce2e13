//! The content of `/tests/data/pattern` and `/tests/data/page`, byte by byte; `mkdisk` writes them.

/// The patterned file.
pub const PATH: &core::ffi::CStr = c"/tests/data/pattern";
/// Its length.
pub const LEN: usize = (3 << 20) + 1234;

/// The byte at `offset`.
pub fn byte(offset: usize) -> u8 {
    let word = (offset as u64 / 8 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word.to_le_bytes()[offset % 8]
}

/// Where `bytes`, which should be what the file has from `offset` on, differs from it.
pub fn difference(bytes: &[u8], offset: usize) -> Option<usize> {
    bytes.iter().enumerate().position(|(i, &b)| b != byte(offset + i)).map(|i| offset + i)
}
