//! The command, as text for the shell.
//!
//! The kernel's command line knows no quotes, only words between spaces, and a program that starts a machine
//! can't put every byte there. So the text travels as one word in which every unusual byte is `%` and two
//! hexadecimal digits. Several words are joined by spaces: a command that is typed behind `--` by hand
//! works, too.

use core::ffi::CStr;

/// The longest command.
const LONGEST: usize = 64 * 1024;

/// How words are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As they are.
    None,
    /// With `%XX`.
    Percent,
}

/// A text with the zero byte that ends it.
pub struct Text {
    bytes: [u8; LONGEST + 1],
    len: usize,
}

impl Text {
    /// The words with spaces between them; `None` if they are too long.
    pub fn joined<'a>(words: impl Iterator<Item = &'a CStr>, coding: Coding) -> Option<Text> {
        let mut text = Text { bytes: [0; LONGEST + 1], len: 0 };
        for (index, word) in words.enumerate() {
            if index > 0 {
                text.push(b' ')?;
            }
            let mut rest = word.to_bytes();
            while let Some((byte, after)) = first_byte(rest, coding) {
                text.push(byte)?;
                rest = after;
            }
        }
        Some(text)
    }

    /// The text.
    pub fn get(&self) -> &CStr {
        // There is always a zero byte: the last one is never written to.
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) -> Option<()> {
        *self.bytes[..LONGEST].get_mut(self.len)? = byte;
        self.len += 1;
        Some(())
    }
}

/// The first byte that `text` stands for, and what follows. A `%` that is no code is itself.
fn first_byte(text: &[u8], coding: Coding) -> Option<(u8, &[u8])> {
    if coding == Coding::Percent
        && let [b'%', high, low, rest @ ..] = text
        && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        && (high, low) != (0, 0)
    {
        return Some((high << 4 | low, rest));
    }
    text.split_first().map(|(byte, rest)| (*byte, rest))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|value| value as u8)
}
