//! From file to file inside the kernel: sendfile, copy_file_range.

use super::super::SysResult;
use super::{length, open_file};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::file::PageCache;
use abi::{Errno, OpenFlags, Whence};
use alloc::sync::Arc;
use alloc::vec::Vec;
use fs::io::{SliceSink, SliceSource};
use fs::kstat::FileType;
use fs::vfs::{File, FileKind, MAX_RW_COUNT};

/// Bytes that travel at a time.
const CHUNK: usize = 32 << 10;

/// A position that a call may have been given, or else the file's own.
pub(super) enum Position {
    Own(u64),
    Given(UserPtr<u64>, u64),
}

impl Position {
    /// What `pointer` says, or the file's own position if it is NULL.
    pub(super) fn new(file: &File, pointer: u64) -> Result<Position, Errno> {
        let pointer = UserPtr::<u64>::new(pointer);
        if pointer.is_null() {
            return Ok(Position::Own(file.lseek(0, Whence::Cur)?));
        }
        Ok(Position::Given(pointer, length(pointer.read()?)? as u64))
    }

    /// Where the call begins.
    pub(super) fn start(&self) -> u64 {
        match self {
            Position::Own(pos) | Position::Given(_, pos) => *pos,
        }
    }

    /// Stores where the call has ended.
    pub(super) fn advance(self, file: &File, by: usize) -> Result<(), Errno> {
        let end = self.start() + by as u64;
        match self {
            Position::Own(_) => file.lseek(end as i64, Whence::Set).map(|_| ()),
            Position::Given(pointer, _) => pointer.write(end),
        }
    }
}

/// Copies up to `len` bytes of `from` at `pos`; `write` takes them, from an offset in the run on.
fn copy(
    from: &File,
    pos: u64,
    len: usize,
    mut write: impl FnMut(u64, &mut SliceSource<'_>) -> Result<usize, Errno>,
) -> Result<usize, Errno> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(CHUNK.min(len)).map_err(|_| Errno::ENOMEM)?;
    buffer.resize(CHUNK.min(len), 0);
    let mut done = 0;
    while done < len {
        let wanted = CHUNK.min(len - done);
        let step = from
            .pread(&PageCache, pos + done as u64, &mut SliceSink::new(&mut buffer[..wanted]))
            .and_then(|read| Ok((read, write(done as u64, &mut SliceSource::new(&buffer[..read]))?)));
        match step {
            Ok((read, written)) => {
                done += written;
                if written < read || read == 0 {
                    break;
                }
            }
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(done)
}

/// `sendfile(2)`.
pub fn sendfile(frame: &mut TrapFrame) -> SysResult {
    let [out_fd, in_fd, offset, count, ..] = frame.args();
    Ok(super::rw::broken_pipe(send(out_fd, in_fd, offset, count))? as u64)
}

fn send(out_fd: u64, in_fd: u64, offset: u64, count: u64) -> Result<usize, Errno> {
    let (from, to) = (open_file(in_fd)?, open_file(out_fd)?);
    if !from.is_readable() || !to.is_writable() {
        return Err(Errno::EBADF);
    }
    if matches!(from.kind(), FileKind::Directory | FileKind::Pipe(_)) {
        return Err(if offset != 0 { Errno::ESPIPE } else { Errno::EINVAL });
    }
    if to.flags().contains(OpenFlags::APPEND) {
        return Err(Errno::EINVAL);
    }
    let count = length(count)?.min(MAX_RW_COUNT);
    let position = Position::new(&from, offset)?;
    let done = copy(&from, position.start(), count, |_, source| to.write(&PageCache, source))?;
    position.advance(&from, done)?;
    Ok(done)
}

/// `copy_file_range(2)`.
pub fn copy_file_range(frame: &mut TrapFrame) -> SysResult {
    let [in_fd, in_pos, out_fd, out_pos, len, flags] = frame.args();
    let (from, to) = (open_file(in_fd)?, open_file(out_fd)?);
    if flags as u32 != 0 {
        return Err(Errno::EINVAL);
    }
    let in_position = Position::new(&from, in_pos).map_err(not_regular)?;
    let out_position = Position::new(&to, out_pos).map_err(not_regular)?;
    check_types(&from, &to)?;
    if !from.is_readable() || !to.is_writable() || to.flags().contains(OpenFlags::APPEND) {
        return Err(Errno::EBADF);
    }
    let len = length(len).unwrap_or(MAX_RW_COUNT).min(MAX_RW_COUNT);
    let (start, out_start) = (in_position.start(), out_position.start());
    let same = Arc::ptr_eq(from.path().dentry.inode(), to.path().dentry.inode());
    // What there is to copy ends with the file.
    let len = (len as u64).min(from.stat()?.size.saturating_sub(start)) as usize;
    if same && start < out_start + len as u64 && out_start < start + len as u64 {
        return Err(Errno::EINVAL);
    }
    let done = copy(&from, start, len, |offset, source| to.pwrite(&PageCache, out_start + offset, source))?;
    in_position.advance(&from, done)?;
    out_position.advance(&to, done)?;
    Ok(done as u64)
}

fn check_types(from: &File, to: &File) -> Result<(), Errno> {
    let types = [from.path().file_type(), to.path().file_type()];
    if types.contains(&FileType::Directory) {
        return Err(Errno::EISDIR);
    }
    if types == [FileType::Regular; 2] { Ok(()) } else { Err(Errno::EINVAL) }
}

/// What has no position is no regular file.
fn not_regular(error: Errno) -> Errno {
    if error == Errno::ESPIPE { Errno::EINVAL } else { error }
}
