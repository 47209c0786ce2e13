//! Where the bytes of an executable come from: the kernel implements [`ReadAt`] over its page cache.

use abi::Errno;

/// How much of a file is looked at to find its format, Linux's `BINPRM_BUF_SIZE`. It limits the first
/// line of a script.
pub const BINPRM_BUF_SIZE: usize = 256;

/// A file that can be read at any offset.
pub trait ReadAt {
    /// Reads into `buf` from `offset` on and returns how many bytes there were: fewer than asked only
    /// where the file ends, 0 beyond its end. May block on I/O; errors are the device's (EIO).
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno>;
}

impl ReadAt for [u8] {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.get(start..)).unwrap_or(&[]);
        let len = rest.len().min(buf.len());
        buf[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }
}

/// The first bytes of `file`, padded with zeros: what the formats are recognised by.
pub fn read_prefix<F: ReadAt + ?Sized>(file: &F) -> Result<[u8; BINPRM_BUF_SIZE], Errno> {
    let mut prefix = [0; BINPRM_BUF_SIZE];
    file.read_at(0, &mut prefix)?;
    Ok(prefix)
}

/// Fills `buf`, or says `at_end` if the file ends before.
pub(crate) fn read_exact<F: ReadAt + ?Sized>(
    file: &F,
    offset: u64,
    buf: &mut [u8],
    at_end: Errno,
) -> Result<(), Errno> {
    if file.read_at(offset, buf)? == buf.len() { Ok(()) } else { Err(at_end) }
}
