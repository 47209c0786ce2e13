//! The words of a command as the kernel's command line carries them. That knows no quotes, only spaces
//! between words, so whoever starts the machine writes every unusual byte as `%` and two hexadecimal
//! digits, and the empty word as a lone `%`.

use core::ffi::CStr;
use rt::Arg;

/// The most that one command may hold.
const TEXT_MAX: usize = 16 * 1024;
/// The most words of a command.
pub const WORDS_MAX: usize = 512;

/// Decoded words, one after the other, a zero byte after each.
pub struct Words {
    text: [u8; TEXT_MAX],
    len: usize,
}

impl Words {
    /// Decodes `words`; `None` when they are too many or too long.
    pub fn decode<'a>(words: impl Iterator<Item = &'a CStr>) -> Option<Words> {
        let mut decoded = Words { text: [0; TEXT_MAX], len: 0 };
        for (count, word) in words.enumerate() {
            if count == WORDS_MAX {
                return None;
            }
            let mut rest = word.to_bytes();
            if rest == b"%" {
                rest = b"";
            }
            while let Some((byte, after)) = first_byte(rest) {
                decoded.push(byte)?;
                rest = after;
            }
            decoded.push(0)?;
        }
        Some(decoded)
    }

    /// Makes `argv` the list of the words, which ends where `argv` does not reach any more.
    pub fn list<'a>(&'a self, argv: &mut [Arg<'a>; WORDS_MAX + 1]) {
        let mut rest = &self.text[..self.len];
        for slot in argv {
            let Ok(word) = CStr::from_bytes_until_nul(rest) else { return };
            *slot = Arg::new(word);
            rest = &rest[word.to_bytes_with_nul().len()..];
        }
    }

    fn push(&mut self, byte: u8) -> Option<()> {
        *self.text.get_mut(self.len)? = byte;
        self.len += 1;
        Some(())
    }
}

/// The first byte that `text` stands for, and what follows. A `%` that is no code is itself.
fn first_byte(text: &[u8]) -> Option<(u8, &[u8])> {
    if let [b'%', high, low, rest @ ..] = text
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
