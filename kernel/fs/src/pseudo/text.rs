//! A buffer for text that the kernel makes: it grows, and running out of memory is an error like any other.

use crate::alloc_util::try_copy;
use abi::Errno;
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// Text in the making. `write!` fails only for want of memory.
#[derive(Debug, Default)]
pub struct Text {
    bytes: Vec<u8>,
}

impl Text {
    /// No text.
    pub const fn new() -> Text {
        Text { bytes: Vec::new() }
    }

    /// Adds bytes as they are. ENOMEM.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        self.bytes.try_reserve(bytes.len()).map_err(|_| Errno::ENOMEM)?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Adds formatted text. ENOMEM.
    pub fn print(&mut self, text: fmt::Arguments<'_>) -> Result<(), Errno> {
        self.write_fmt(text).map_err(|_| Errno::ENOMEM)
    }

    /// Adds `name` with those bytes that are in `special`, and backslashes, as `\ooo` (Linux's `seq_escape`).
    pub fn push_escaped(&mut self, name: &[u8], special: &[u8]) -> Result<(), Errno> {
        for &byte in name {
            if byte == b'\\' || special.contains(&byte) {
                self.print(format_args!("\\{byte:03o}"))?;
            } else {
                self.push(&[byte])?;
            }
        }
        Ok(())
    }

    /// Fills with spaces, until `width` bytes have come since the text was `from` long.
    pub fn pad(&mut self, from: usize, width: usize) -> Result<(), Errno> {
        const SPACES: [u8; 80] = [b' '; 80];
        let missing = (from + width).saturating_sub(self.len());
        self.push(&SPACES[..missing.min(SPACES.len())])
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A copy of the bytes.
    pub fn to_vec(&self) -> Result<Vec<u8>, Errno> {
        try_copy(&self.bytes)
    }

    /// Forgets the text, but keeps its memory for more.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_pads() {
        let mut text = Text::new();
        text.push_escaped(b"a b\\c\n", b" \n").unwrap();
        assert_eq!(text.as_bytes(), b"a\\040b\\134c\\012");
        let from = text.len();
        text.print(format_args!("{:x}", 255)).unwrap();
        text.pad(from, 5).unwrap();
        text.pad(from, 3).unwrap();
        assert_eq!(&text.as_bytes()[from..], b"ff   ");
    }
}
