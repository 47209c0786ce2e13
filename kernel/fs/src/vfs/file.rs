//! Open files: what a descriptor refers to, and the rules of read, write and lseek. Mirrors Linux's
//! `fs/read_write.c`.

use super::mount::Path;
use crate::alloc_util::try_arc;
use crate::io::{CharDevice, DeviceSeek, ReadSink, Wait, WriteSource};
use crate::kstat::Kstat;
use abi::{Errno, OpenAccess, OpenFlags, Whence};
use alloc::sync::Arc;
use mm::filemap::{AddressSpace, IomapKind};
use spin::Mutex;

/// What stands behind an open file.
#[derive(Clone)]
pub enum FileKind {
    /// A regular file: its bytes are in the page cache, where `mmap` maps them from.
    PageCache(Arc<AddressSpace>),
    /// A character device.
    Device(Arc<dyn CharDevice>),
    /// A directory.
    Directory,
    /// Nothing: `O_PATH` names a place only.
    Path,
}

/// How the kernel reads through the page cache, which needs the machine.
pub trait PageIo {
    /// Copies bytes of `mapping` from `pos` into `sink` until the sink is full or the file ends; returns
    /// how many, which may be fewer after an error, and 0 only at the end of the file or for an empty sink.
    fn read(&self, mapping: &Arc<AddressSpace>, pos: u64, sink: &mut dyn ReadSink) -> Result<usize, Errno>;
}

/// An open file description: Linux's `struct file`. Shared by duplicated and inherited descriptors.
pub struct File {
    path: Path,
    kind: FileKind,
    /// As `fcntl(F_GETFL)` shows them.
    flags: Mutex<OpenFlags>,
    /// The file position. Held only to load or store it: a read may sleep.
    pos: Mutex<u64>,
}

impl File {
    pub(super) fn new(path: Path, kind: FileKind, flags: OpenFlags) -> Result<Arc<File>, Errno> {
        try_arc(File { path, kind, flags: Mutex::new(flags), pos: Mutex::new(0) })
    }

    /// Where it was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands behind it.
    pub fn kind(&self) -> &FileKind {
        &self.kind
    }

    /// Its flags, access mode included.
    pub fn flags(&self) -> OpenFlags {
        *self.flags.lock()
    }

    /// Whether it was opened for reading.
    pub fn is_readable(&self) -> bool {
        !self.is_path() && matches!(self.flags().access(), OpenAccess::Read | OpenAccess::ReadWrite)
    }

    /// Whether it was opened for writing.
    pub fn is_writable(&self) -> bool {
        !self.is_path() && matches!(self.flags().access(), OpenAccess::Write | OpenAccess::ReadWrite)
    }

    fn is_path(&self) -> bool {
        matches!(self.kind, FileKind::Path)
    }

    /// `fstat(2)`.
    pub fn stat(&self) -> Result<Kstat, Errno> {
        self.path.dentry.inode().stat()
    }

    /// `read(2)`: from the file position, which moves.
    pub fn read(&self, io: &dyn PageIo, sink: &mut dyn ReadSink) -> Result<usize, Errno> {
        if !self.is_readable() {
            return Err(Errno::EBADF);
        }
        match &self.kind {
            FileKind::PageCache(mapping) => {
                let pos = self.pos();
                let done = io.read(mapping, pos, sink)?;
                self.set_pos(pos + done as u64);
                Ok(done)
            }
            FileKind::Device(device) => device.read(sink, self.wait()),
            FileKind::Directory => Err(Errno::EISDIR),
            FileKind::Path => Err(Errno::EBADF),
        }
    }

    /// `pread64(2)`: from `pos`, which the caller found not negative; the file position stays.
    pub fn pread(&self, io: &dyn PageIo, pos: u64, sink: &mut dyn ReadSink) -> Result<usize, Errno> {
        self.check_positioned(self.is_readable())?;
        match &self.kind {
            FileKind::PageCache(mapping) => io.read(mapping, pos, sink),
            FileKind::Device(device) => device.read(sink, self.wait()),
            FileKind::Directory => Err(Errno::EISDIR),
            FileKind::Path => Err(Errno::EBADF),
        }
    }

    /// `write(2)`.
    pub fn write(&self, source: &mut dyn WriteSource) -> Result<usize, Errno> {
        if !self.is_writable() {
            return Err(Errno::EBADF);
        }
        match &self.kind {
            FileKind::Device(device) => device.write(source, self.wait()),
            // Regular files lie on read-only file systems, which `open` does not give for writing.
            FileKind::PageCache(_) | FileKind::Directory | FileKind::Path => Err(Errno::EBADF),
        }
    }

    /// `pwrite64(2)`.
    pub fn pwrite(&self, _pos: u64, source: &mut dyn WriteSource) -> Result<usize, Errno> {
        self.check_positioned(self.is_writable())?;
        self.write(source)
    }

    /// `ioctl(2)`.
    pub fn ioctl(&self, cmd: u32, arg: u64) -> Result<u64, Errno> {
        match &self.kind {
            FileKind::Device(device) => device.ioctl(cmd, arg),
            FileKind::Path => Err(Errno::EBADF),
            FileKind::PageCache(_) | FileKind::Directory => Err(Errno::ENOTTY),
        }
    }

    /// `lseek(2)`; returns the new position.
    pub fn lseek(&self, offset: i64, whence: Whence) -> Result<u64, Errno> {
        match &self.kind {
            FileKind::Path => return Err(Errno::EBADF),
            FileKind::Device(device) => {
                return match device.seek() {
                    DeviceSeek::Stream => Err(Errno::ESPIPE),
                    DeviceSeek::Zero => Ok(0),
                };
            }
            FileKind::PageCache(_) | FileKind::Directory => {}
        }
        let size = self.stat()?.size;
        let target = match whence {
            Whence::Set => offset,
            // A sum beyond 2^63 is negative in Linux's arithmetic, and refused below as that.
            Whence::Cur => (self.pos() as i64).wrapping_add(offset),
            Whence::End => (size as i64).wrapping_add(offset),
            Whence::Data | Whence::Hole => {
                let pos = u64::try_from(offset).ok().filter(|pos| *pos < size).ok_or(Errno::ENXIO)?;
                self.seek_extent(pos, size, whence)? as i64
            }
        };
        let target = u64::try_from(target).map_err(|_| Errno::EINVAL)?;
        self.set_pos(target);
        Ok(target)
    }

    /// The first byte from `pos` that is data (or a hole). The end of the file is a hole.
    fn seek_extent(&self, mut pos: u64, size: u64, whence: Whence) -> Result<u64, Errno> {
        let data = match &self.kind {
            FileKind::PageCache(_) => self.path.dentry.inode().data(),
            _ => None,
        };
        let Some(data) = data else {
            return Ok(if whence == Whence::Data { pos } else { size });
        };
        // A file system gives runs that are not empty, and as many as its device has room for.
        while pos < size {
            let run = data.iomap(pos)?;
            if (run.kind == IomapKind::Hole) == (whence == Whence::Hole) {
                return Ok(pos);
            }
            pos = run.pos + run.len;
        }
        if whence == Whence::Hole { Ok(size) } else { Err(Errno::ENXIO) }
    }

    /// The file position.
    pub(super) fn pos(&self) -> u64 {
        *self.pos.lock()
    }

    pub(super) fn set_pos(&self, pos: u64) {
        *self.pos.lock() = pos;
    }

    fn wait(&self) -> Wait {
        if self.flags().contains(OpenFlags::NONBLOCK) { Wait::NonBlock } else { Wait::Block }
    }

    /// What `pread64` and `pwrite64` refuse, in Linux's order: a stream before the wrong access mode.
    fn check_positioned(&self, allowed: bool) -> Result<(), Errno> {
        match &self.kind {
            FileKind::Path => Err(Errno::EBADF),
            FileKind::Device(device) if device.seek() == DeviceSeek::Stream => Err(Errno::ESPIPE),
            _ if !allowed => Err(Errno::EBADF),
            _ => Ok(()),
        }
    }
}
