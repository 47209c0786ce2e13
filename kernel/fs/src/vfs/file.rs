//! Open files: what a descriptor refers to, and the rules of read, write and lseek. Mirrors Linux's
//! `fs/read_write.c`.

use super::mount::Path;
use crate::alloc_util::try_arc;
use crate::inode::{PageIo, WriteAt};
use crate::io::{CharDevice, DeviceSeek, PollEvents, PollKeys, ReadSink, Wait, WriteSource};
use crate::kstat::Kstat;
use crate::pipe::{PipeEnd, WriteMode};
use crate::pseudo::SpecialFile;
use crate::sleep::{SleepGuard, SleepMutex};
use abi::{Errno, OpenAccess, OpenFlags, Whence};
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use mm::filemap::{AddressSpace, AddressSpaceOps, Backing, IomapKind};
use spin::Mutex;

/// What `fcntl(F_SETFL)` can change.
const SETTABLE_FLAGS: OpenFlags = OpenFlags::APPEND
    .union(OpenFlags::NONBLOCK)
    .union(OpenFlags::ASYNC)
    .union(OpenFlags::DIRECT)
    .union(OpenFlags::NOATIME);

/// What stands behind an open file.
#[derive(Clone)]
pub enum FileKind {
    /// A regular file: its bytes are in the page cache, where `mmap` maps them from.
    PageCache(Arc<AddressSpace>),
    /// A character device.
    Device(Arc<dyn CharDevice>),
    /// One end of a pipe, or both.
    Pipe(Arc<PipeEnd>),
    /// A regular file whose bytes the kernel makes: `/proc`, `/sys`.
    Special(Arc<dyn SpecialFile>),
    /// A directory.
    Directory,
    /// Nothing: `O_PATH` names a place only.
    Path,
}

/// An open file description: Linux's `struct file`. Shared by duplicated and inherited descriptors.
pub struct File {
    path: Path,
    kind: FileKind,
    /// As `fcntl(F_GETFL)` shows them.
    flags: Mutex<OpenFlags>,
    /// The file position. Held by a read or write of a file that has one, so that two never get the same bytes.
    pos: SleepMutex<u64>,
    /// It may have locks of its own.
    locked: AtomicBool,
}

impl File {
    pub(super) fn new(path: Path, kind: FileKind, flags: OpenFlags) -> Result<Arc<File>, Errno> {
        try_arc(File {
            path,
            kind,
            flags: Mutex::new(flags),
            pos: SleepMutex::new(0),
            locked: AtomicBool::new(false),
        })
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

    /// Whether it only names a place (`O_PATH`).
    pub fn is_path(&self) -> bool {
        matches!(self.kind, FileKind::Path)
    }

    /// From now on it may have locks of its own, which go with it.
    pub(super) fn note_locks(&self) {
        self.locked.store(true, Ordering::Relaxed);
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
                let mut pos = self.pos.lock();
                let done = io.read(mapping, *pos, sink)?;
                *pos += done as u64;
                drop(pos);
                self.accessed();
                Ok(done)
            }
            FileKind::Special(special) => {
                let mut pos = self.pos.lock();
                let done = special.read(*pos, sink)?;
                *pos = pos.saturating_add(done as u64);
                Ok(done)
            }
            FileKind::Device(device) => device.read(sink, self.wait()),
            FileKind::Pipe(end) => end.read(sink, self.wait()),
            FileKind::Directory => Err(Errno::EISDIR),
            FileKind::Path => Err(Errno::EBADF),
        }
    }

    /// `pread64(2)`: from `pos`, which the caller found not negative; the file position stays.
    pub fn pread(&self, io: &dyn PageIo, pos: u64, sink: &mut dyn ReadSink) -> Result<usize, Errno> {
        self.check_positioned(self.is_readable())?;
        match &self.kind {
            FileKind::PageCache(mapping) => {
                let done = io.read(mapping, pos, sink)?;
                self.accessed();
                Ok(done)
            }
            FileKind::Special(special) => special.read(pos, sink),
            FileKind::Device(device) => device.read(sink, self.wait()),
            FileKind::Pipe(_) => Err(Errno::ESPIPE),
            FileKind::Directory => Err(Errno::EISDIR),
            FileKind::Path => Err(Errno::EBADF),
        }
    }

    /// `write(2)`: to the file position, which moves, or to the end (`O_APPEND`).
    pub fn write(&self, io: &dyn PageIo, source: &mut dyn WriteSource) -> Result<usize, Errno> {
        if !self.is_writable() {
            return Err(Errno::EBADF);
        }
        match &self.kind {
            FileKind::PageCache(_) => {
                let mut pos = self.pos.lock();
                let at = self.write_at(*pos);
                self.path.drop_set_id(io)?;
                let (done, end) = self.path.dentry.inode().write(io, at, source)?;
                *pos = end;
                Ok(done)
            }
            FileKind::Special(special) => {
                let mut pos = self.pos.lock();
                let done = special.write(*pos, source)?;
                *pos = pos.saturating_add(done as u64);
                Ok(done)
            }
            FileKind::Device(device) => device.write(source, self.wait()),
            FileKind::Pipe(end) => {
                let packets = self.flags().contains(OpenFlags::DIRECT);
                let mode = if packets { WriteMode::Packets } else { WriteMode::Stream };
                end.write(source, self.wait(), mode)
            }
            FileKind::Directory | FileKind::Path => Err(Errno::EBADF),
        }
    }

    /// `pwrite64(2)`: the file position stays. With `O_APPEND` the bytes go to the end all the same, as in Linux.
    pub fn pwrite(&self, io: &dyn PageIo, pos: u64, source: &mut dyn WriteSource) -> Result<usize, Errno> {
        self.check_positioned(self.is_writable())?;
        match &self.kind {
            FileKind::PageCache(_) => {
                self.path.drop_set_id(io)?;
                Ok(self.path.dentry.inode().write(io, self.write_at(pos), source)?.0)
            }
            FileKind::Special(special) => special.write(pos, source),
            _ => self.write(io, source),
        }
    }

    fn write_at(&self, pos: u64) -> WriteAt {
        if self.flags().contains(OpenFlags::APPEND) { WriteAt::End } else { WriteAt::Pos(pos) }
    }

    fn accessed(&self) {
        if !self.flags().contains(OpenFlags::NOATIME) && !self.path.mount.flags.read_only {
            self.path.dentry.inode().accessed();
        }
    }

    /// What can be done without waiting, and where to wait for more.
    pub fn poll(&self, keys: &mut PollKeys) -> PollEvents {
        match &self.kind {
            FileKind::Device(device) => device.poll(keys),
            FileKind::Pipe(end) => end.poll(keys),
            FileKind::PageCache(_) | FileKind::Special(_) | FileKind::Directory => PollEvents::ALWAYS,
            FileKind::Path => PollEvents::NVAL,
        }
    }

    /// `fcntl(F_SETFL)`: changes those flags that can change.
    pub fn set_flags(&self, wanted: OpenFlags) {
        let mut flags = self.flags.lock();
        *flags = (*flags - SETTABLE_FLAGS) | (wanted & SETTABLE_FLAGS);
    }

    /// `ioctl(2)`.
    pub fn ioctl(&self, cmd: u32, arg: u64) -> Result<u64, Errno> {
        match &self.kind {
            FileKind::Device(device) => device.ioctl(cmd, arg),
            FileKind::Path => Err(Errno::EBADF),
            FileKind::PageCache(_) | FileKind::Special(_) | FileKind::Pipe(_) | FileKind::Directory => {
                Err(Errno::ENOTTY)
            }
        }
    }

    /// `lseek(2)`; returns the new position.
    pub fn lseek(&self, offset: i64, whence: Whence) -> Result<u64, Errno> {
        match &self.kind {
            FileKind::Path => return Err(Errno::EBADF),
            FileKind::Pipe(_) => return Err(Errno::ESPIPE),
            FileKind::Device(device) => {
                return match device.seek() {
                    DeviceSeek::Stream => Err(Errno::ESPIPE),
                    DeviceSeek::Zero => Ok(0),
                };
            }
            // It has an end, but nobody knows where (Linux's `seq_lseek`).
            FileKind::Special(_) if !matches!(whence, Whence::Set | Whence::Cur) => {
                return Err(Errno::EINVAL);
            }
            FileKind::PageCache(_) | FileKind::Special(_) | FileKind::Directory => {}
        }
        let size = self.stat()?.size;
        let mut pos = self.pos.lock();
        let target = match whence {
            Whence::Set => offset,
            // A sum beyond 2^63 is negative in Linux's arithmetic, and refused below as that.
            Whence::Cur => (*pos as i64).wrapping_add(offset),
            Whence::End => (size as i64).wrapping_add(offset),
            Whence::Data | Whence::Hole => {
                let from = u64::try_from(offset).ok().filter(|from| *from < size).ok_or(Errno::ENXIO)?;
                self.seek_extent(from, size, whence)? as i64
            }
        };
        *pos = u64::try_from(target).map_err(|_| Errno::EINVAL)?;
        Ok(*pos)
    }

    /// The first byte from `pos` that is data (or a hole). The end of the file is a hole.
    fn seek_extent(&self, pos: u64, size: u64, whence: Whence) -> Result<u64, Errno> {
        let next = match &self.kind {
            FileKind::PageCache(mapping) if mapping.backing() == Backing::Memory => {
                seek_cached(mapping, pos, size, whence)
            }
            FileKind::PageCache(mapping) => seek_runs(mapping.ops(), pos, size, whence)?,
            _ if whence == Whence::Data => Some(pos),
            _ => None,
        };
        match next {
            Some(found) => Ok(found),
            None if whence == Whence::Hole => Ok(size),
            None => Err(Errno::ENXIO),
        }
    }

    /// The file position, kept for whoever is going to move it.
    pub(super) fn lock_pos(&self) -> SleepGuard<'_, u64> {
        self.pos.lock()
    }

    fn wait(&self) -> Wait {
        if self.flags().contains(OpenFlags::NONBLOCK) { Wait::NonBlock } else { Wait::Block }
    }

    /// What `pread64` and `pwrite64` refuse, in Linux's order: a stream before the wrong access mode.
    fn check_positioned(&self, allowed: bool) -> Result<(), Errno> {
        match &self.kind {
            FileKind::Path => Err(Errno::EBADF),
            FileKind::Pipe(_) => Err(Errno::ESPIPE),
            FileKind::Device(device) if device.seek() == DeviceSeek::Stream => Err(Errno::ESPIPE),
            _ if !allowed => Err(Errno::EBADF),
            _ => Ok(()),
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if *self.locked.get_mut() {
            self.release_locks();
        }
    }
}

/// [`File::lseek`] for data or a hole in a file of which the file system tells the runs: these are not empty, and as many as
/// its device has room for.
fn seek_runs(
    ops: &dyn AddressSpaceOps,
    mut pos: u64,
    size: u64,
    whence: Whence,
) -> Result<Option<u64>, Errno> {
    while pos < size {
        let run = ops.iomap(pos)?;
        if (run.kind == IomapKind::Hole) == (whence == Whence::Hole) {
            return Ok(Some(pos));
        }
        pos = run.pos + run.len;
    }
    Ok(None)
}

/// The same in a file that lives in memory: what is cached is data.
fn seek_cached(mapping: &AddressSpace, mut pos: u64, size: u64, whence: Whence) -> Option<u64> {
    while pos < size {
        let cached = mapping.next_cached(pos);
        match (whence, cached) {
            (Whence::Data, Some(cached)) => return Some(pos.max(cached.start)).filter(|found| *found < size),
            (Whence::Hole, Some(cached)) if cached.start <= pos => pos = cached.end,
            (Whence::Hole, _) => return Some(pos),
            (_, _) => return None,
        }
    }
    None
}
