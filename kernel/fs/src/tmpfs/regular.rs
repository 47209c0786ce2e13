//! The bytes of a regular file in a tmpfs: the page cache is where they are. Mirrors the file operations of Linux's
//! `mm/shmem.c`.

use super::{Account, BLOCK_SIZE};
use crate::inode::{Fallocate, PageIo, WriteAt};
use crate::io::WriteSource;
use crate::seal::{Sealing, Seals};
use crate::sleep::SleepMutex;
use abi::Errno;
use alloc::sync::Arc;
use mm::filemap::{AddressSpace, Backing};

/// Largest file.
const MAX_SIZE: u64 = i64::MAX as u64;

/// A regular file's bytes.
pub struct Regular {
    /// Where they are.
    pub mapping: Arc<AddressSpace>,
    /// Held while bytes are written or cut off.
    writer: SleepMutex<()>,
    /// What may no longer be done.
    pub sealing: Sealing,
}

impl Regular {
    /// No bytes yet; `account` counts those that come.
    pub fn new(account: Arc<Account>, seals: Seals) -> Result<Regular, Errno> {
        let mapping = AddressSpace::with_backing(0, account, Backing::Memory)?;
        Ok(Regular { mapping, writer: SleepMutex::new(()), sealing: Sealing::new(seals) })
    }

    /// Writes what `source` has, as far as limits and seals allow; how many bytes, and the position behind them.
    pub fn write(
        &self,
        io: &dyn PageIo,
        at: WriteAt,
        source: &mut dyn WriteSource,
    ) -> Result<(usize, u64), Errno> {
        let _writer = self.writer.lock();
        let pos = match at {
            WriteAt::Pos(pos) => pos,
            WriteAt::End => self.mapping.size(),
        };
        let wanted = source.remaining() as u64;
        if wanted == 0 {
            return Ok((0, pos));
        }
        let end = pos.checked_add(wanted).filter(|end| *end <= MAX_SIZE).ok_or(Errno::EINVAL)?;
        let limit = io.file_size_limit();
        if pos >= limit {
            io.size_limit_exceeded();
            return Err(Errno::EFBIG);
        }
        let end = self.writable_end(pos, end.min(limit))?;
        let done = io.write(&self.mapping, pos, &mut Limited { source, left: (end - pos) as usize })?;
        Ok((done, pos + done as u64))
    }

    /// How far a write of `pos..end` may go. EPERM if a seal forbids all of it. A seal against growth is met by whole blocks.
    fn writable_end(&self, pos: u64, end: u64) -> Result<u64, Errno> {
        let seals = self.sealing.get();
        if seals.intersects(Seals::NO_WRITES) {
            return Err(Errno::EPERM);
        }
        let size = self.mapping.size();
        if end <= size || !seals.contains(Seals::GROW) {
            return Ok(end);
        }
        let whole = size / BLOCK_SIZE * BLOCK_SIZE;
        if whole > pos { Ok(whole) } else { Err(Errno::EPERM) }
    }

    /// Sets the size.
    pub fn truncate(&self, io: &dyn PageIo, size: u64) -> Result<(), Errno> {
        let _writer = self.writer.lock();
        check_size(io, self.mapping.size(), size)?;
        self.sealing.check_resize(self.mapping.size(), size)?;
        io.truncate(&self.mapping, size);
        Ok(())
    }

    /// `fallocate(2)` of the bytes `from..to`, which are not empty.
    pub fn fallocate(
        &self,
        io: &dyn PageIo,
        what: Fallocate,
        from: u64,
        to: u64,
        account: &Account,
    ) -> Result<(), Errno> {
        let _writer = self.writer.lock();
        let size = self.mapping.size();
        let grows = match what {
            Fallocate::PunchHole if self.sealing.get().intersects(Seals::NO_WRITES) => {
                return Err(Errno::EPERM);
            }
            Fallocate::PunchHole => {
                io.punch_hole(&self.mapping, from, to);
                return Ok(());
            }
            Fallocate::Allocate => to > size,
            Fallocate::AllocateBeyond => false,
        };
        check_size(io, size, to)?;
        self.sealing.check_resize(size, to.max(size))?;
        if to.div_ceil(BLOCK_SIZE) - from / BLOCK_SIZE > account.max_pages {
            return Err(Errno::ENOSPC);
        }
        io.fill_holes(&self.mapping, from, to)?;
        if grows {
            io.truncate(&self.mapping, to);
        }
        Ok(())
    }
}

/// Whether a file may have its size changed so (Linux's `inode_newsize_ok`).
fn check_size(io: &dyn PageIo, from: u64, to: u64) -> Result<(), Errno> {
    if to > from && to > io.file_size_limit() {
        io.size_limit_exceeded();
        return Err(Errno::EFBIG);
    }
    if to > MAX_SIZE { Err(Errno::EFBIG) } else { Ok(()) }
}

/// The first bytes of a source.
struct Limited<'a> {
    source: &'a mut dyn WriteSource,
    left: usize,
}

impl WriteSource for Limited<'_> {
    fn remaining(&self) -> usize {
        self.left.min(self.source.remaining())
    }

    fn take(&mut self, buf: &mut [u8]) -> usize {
        let len = buf.len().min(self.left);
        let taken = self.source.take(&mut buf[..len]);
        self.left -= taken;
        taken
    }
}
