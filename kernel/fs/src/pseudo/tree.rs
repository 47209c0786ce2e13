//! What the inodes of such a file system have in common.

use crate::inode::{DirEntry, DirVisitor};
use crate::kstat::{Dev, FileType, Kstat, Timespec};
use core::ops::ControlFlow;

/// Cookie of the first entry behind `.` and `..`.
pub const FIRST_ENTRY: u64 = 2;

/// What `stat(2)` tells about a file that has no bytes of its own.
#[derive(Clone, Copy, Debug)]
pub struct Attributes {
    /// Device of the file system.
    pub dev: Dev,
    /// Inode number.
    pub ino: u64,
    /// Type.
    pub file_type: FileType,
    /// Permission bits.
    pub mode: u32,
    /// Names; directories count those below them.
    pub nlink: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size: 0 in `/proc`, where nobody knows it beforehand.
    pub size: u64,
    /// All times.
    pub time: Timespec,
}

impl Attributes {
    /// As `stat(2)` shows them.
    pub fn stat(&self) -> Kstat {
        Kstat {
            dev: self.dev,
            ino: self.ino,
            mode: self.file_type.mode() | self.mode,
            nlink: self.nlink,
            uid: self.uid,
            gid: self.gid,
            rdev: Dev::default(),
            size: self.size,
            blksize: 1024,
            blocks: 0,
            atime: self.time,
            mtime: self.time,
            ctime: self.time,
        }
    }
}

/// Visits `.` and `..`, whose inode numbers are `own` and `parent`, as far as they are not before cookie `pos`. The entries
/// that follow have cookies from [`FIRST_ENTRY`] on. Breaks when the visitor does.
pub fn visit_dots(pos: u64, (own, parent): (u64, u64), visit: DirVisitor<'_>) -> ControlFlow<()> {
    for (cookie, ino, name) in [(0, own, &b"."[..]), (1, parent, b"..")] {
        let entry = DirEntry { ino, file_type: Some(FileType::Directory), name, next: cookie + 1 };
        if pos <= cookie {
            visit(&entry)?;
        }
    }
    ControlFlow::Continue(())
}
