//! `getdents64(2)`: directory entries as `struct linux_dirent64` lays them out. Mirrors Linux's
//! `fs/readdir.c`.
//!
//! A record is `d_ino` (8 bytes), `d_off` (8, the cookie behind this entry), `d_reclen` (2), `d_type`
//! (1), then the name with its NUL, filled up to a multiple of 8.

use super::NAME_MAX;
use super::file::{File, FileKind};
use crate::inode::DirEntry;
use crate::io::ReadSink;
use abi::Errno;
use core::ops::ControlFlow;

/// Bytes before the name.
const HEADER: usize = 19;
/// The longest record.
const RECORD_MAX: usize = (HEADER + NAME_MAX + 1).next_multiple_of(8);

impl File {
    /// Fills `sink` with as many entries from the file position as fit; returns their bytes, 0 at the
    /// end. EINVAL if not even one fits.
    pub fn getdents64(&self, sink: &mut dyn ReadSink) -> Result<usize, Errno> {
        match self.kind() {
            FileKind::Directory => {}
            FileKind::Path => return Err(Errno::EBADF),
            FileKind::PageCache(_) | FileKind::Special(_) | FileKind::Device(_) | FileKind::Pipe(_) => {
                return Err(Errno::ENOTDIR);
            }
        }
        if self.path().dentry.is_deleted() {
            return Err(Errno::ENOENT);
        }
        let mut pos = self.lock_pos();
        let mut written = 0;
        let mut refusal = None;
        let result = self.path().dentry.inode().readdir(*pos, &mut |entry| match put_record(entry, sink) {
            Ok(len) => {
                written += len;
                *pos = entry.next;
                ControlFlow::Continue(())
            }
            Err(errno) => {
                refusal = Some(errno);
                ControlFlow::Break(())
            }
        });
        drop(pos);
        // What was delivered counts; an error is met again by the next call.
        match (written, result, refusal) {
            (0, Err(errno), _) | (0, Ok(()), Some(errno)) => Err(errno),
            _ => Ok(written),
        }
    }
}

/// Writes one record, or nothing: EINVAL without room for it, EFAULT if the memory cannot be written, EIO
/// for a name that no file can have.
fn put_record(entry: &DirEntry<'_>, sink: &mut dyn ReadSink) -> Result<usize, Errno> {
    let name = entry.name;
    if name.is_empty() || name.len() > NAME_MAX || name.contains(&b'/') {
        return Err(Errno::EIO);
    }
    let len = (HEADER + name.len() + 1).next_multiple_of(8);
    if len > sink.remaining() {
        return Err(Errno::EINVAL);
    }
    let mut record = [0; RECORD_MAX];
    record[0..8].copy_from_slice(&entry.ino.to_le_bytes());
    record[8..16].copy_from_slice(&entry.next.to_le_bytes());
    record[16..18].copy_from_slice(&(len as u16).to_le_bytes());
    record[18] = entry.file_type.map_or(0, |file_type| file_type.d_type());
    record[HEADER..HEADER + name.len()].copy_from_slice(name);
    if sink.put(&record[..len]) == len { Ok(len) } else { Err(Errno::EFAULT) }
}
