//! Text files of the kernel, read whole and taken apart.

use crate::{Errno, close, open, read};
use core::ffi::CStr;
use core::fmt::{self, Write};
use rt::sys::raw::O_RDONLY;

/// The bytes of a file, as many as fit.
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    /// Reads the file at `path`. E2BIG if it is longer than N - 1 bytes.
    pub fn read(path: &CStr) -> Result<Text<N>, Errno> {
        Text::read_in_steps(path, N)
    }

    /// The same with reads of `step` bytes each.
    pub fn read_in_steps(path: &CStr, step: usize) -> Result<Text<N>, Errno> {
        let fd = open(path, O_RDONLY)?;
        let text = Text::read_from(fd, step);
        close(fd)?;
        text
    }

    /// What a descriptor has from its position on.
    pub fn read_from(fd: usize, step: usize) -> Result<Text<N>, Errno> {
        let mut text = Text { bytes: [0; N], len: 0 };
        loop {
            let end = (text.len + step).min(N);
            match read(fd, &mut text.bytes[text.len..end])? {
                0 if text.len == N => return Err(Errno::E2BIG),
                0 => return Ok(text),
                more => text.len += more,
            }
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The text, as far as it is UTF-8.
    pub fn str(&self) -> &str {
        core::str::from_utf8(self.bytes()).unwrap_or("not UTF-8")
    }

    /// What stands behind `name` at the start of a line, without the blanks around it.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.str().lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
    }

    /// The number that stands there.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.field(name)?.split_whitespace().next()?.parse().ok()
    }
}

/// A path that is put together.
pub struct PathText {
    bytes: [u8; 128],
    len: usize,
}

impl PathText {
    /// A path from its parts, cut where it is too long.
    pub fn new(parts: fmt::Arguments<'_>) -> PathText {
        let mut path = PathText { bytes: [0; 128], len: 0 };
        let _ = path.write_fmt(parts);
        path
    }

    /// For calls.
    pub fn c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }
}

impl Write for PathText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.len + 1 >= self.bytes.len() {
                return Err(fmt::Error);
            }
            self.bytes[self.len] = byte;
            self.len += 1;
        }
        Ok(())
    }
}

/// A number as `/proc/PID/maps` has it.
pub fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

/// One line of `/proc/PID/maps`.
pub struct Area<'a> {
    /// First address.
    pub start: usize,
    /// Address after the last.
    pub end: usize,
    /// Four letters.
    pub rights: &'a str,
    /// Position in the file.
    pub offset: u64,
    /// Path or name.
    pub name: &'a str,
}

/// Takes a line of `/proc/PID/maps` apart.
pub fn area(line: &str) -> Option<Area<'_>> {
    let mut words = line.split(' ');
    let (start, end) = words.next()?.split_once('-')?;
    let rights = words.next()?;
    let offset = hex(words.next()?)?;
    let (_device, _inode) = (words.next()?, words.next()?);
    let name = line.get(73..).unwrap_or("");
    Some(Area { start: hex(start)? as usize, end: hex(end)? as usize, rights, offset, name })
}
