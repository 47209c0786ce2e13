//! Pipes, with and without a name. Mirrors Linux's `fs/pipe.c`.
//!
//! A [`Pipe`] is what all descriptors share; a [`PipeEnd`] is one open of it. Bytes go from the writer's memory to the ring
//! and on to the reader's, under a lock that may be held while a page of either comes from disk. Counts that waiters look
//! at are atomics beside the lock, changed before the wake-up.

mod ring;
mod splice;

pub use splice::Transfer;

use crate::alloc_util::try_arc;
use crate::inode::{Inode, SetAttr};
use crate::io::{PollEvents, PollKeys, ReadSink, Wait, WriteSource};
use crate::kstat::{Dev, FileType, Kstat, Timespec};
use crate::sleep::{SleepMutex, park};
use abi::{Errno, OpenAccess};
use alloc::sync::{Arc, Weak};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use ring::Ring;

/// Writes of at most this many bytes are not mixed with others: Linux's PIPE_BUF, the same at all page sizes.
pub const PIPE_BUF: usize = 4096;
/// Bytes that a new pipe holds.
pub const DEFAULT_CAPACITY: usize = 64 << 10;
/// Most that `F_SETPIPE_SZ` gives, Linux's `/proc/sys/fs/pipe-max-size`.
pub const MAX_CAPACITY: usize = 1 << 20;

/// Whether a pipe can be found by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PipeKind {
    /// Yes: an open waits for the other end.
    Named,
    /// No: whoever opens it again, through `/proc/PID/fd`, does not wait.
    Unnamed,
}

/// How a write arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// As bytes among bytes.
    Stream,
    /// As packets of up to [`PIPE_BUF`] bytes, each for one read (`O_DIRECT`).
    Packets,
}

/// What the two ends share.
pub struct Pipe {
    kind: PipeKind,
    ring: SleepMutex<Ring>,
    /// Bytes in the ring, and bytes that fit: what may be known without the lock.
    len: AtomicUsize,
    capacity: AtomicUsize,
    readers: AtomicU32,
    writers: AtomicU32,
    /// Opens so far, for those who wait for one.
    reader_opens: AtomicU32,
    writer_opens: AtomicU32,
}

/// One open of a pipe.
pub struct PipeEnd {
    pipe: Arc<Pipe>,
    access: OpenAccess,
}

impl Pipe {
    /// An empty pipe that nobody has opened.
    pub fn new(kind: PipeKind) -> Result<Arc<Pipe>, Errno> {
        try_arc(Pipe {
            kind,
            ring: SleepMutex::new(Ring::new(DEFAULT_CAPACITY)),
            len: AtomicUsize::new(0),
            capacity: AtomicUsize::new(DEFAULT_CAPACITY),
            readers: AtomicU32::new(0),
            writers: AtomicU32::new(0),
            reader_opens: AtomicU32::new(0),
            writer_opens: AtomicU32::new(0),
        })
    }

    /// Opens one end, or both, without waiting for the other.
    pub fn end(self: &Arc<Pipe>, access: OpenAccess) -> Result<Arc<PipeEnd>, Errno> {
        let end = try_arc(PipeEnd { pipe: self.clone(), access })?;
        if reads(access) {
            self.readers.fetch_add(1, Ordering::SeqCst);
            self.reader_opens.fetch_add(1, Ordering::SeqCst);
        }
        if writes(access) {
            self.writers.fetch_add(1, Ordering::SeqCst);
            self.writer_opens.fetch_add(1, Ordering::SeqCst);
        }
        self.wake_all();
        Ok(end)
    }

    /// Opens a named pipe: a reader waits for a writer, a writer for a reader, who may have gone again by then.
    pub fn open(self: &Arc<Pipe>, access: OpenAccess, wait: Wait) -> Result<Arc<PipeEnd>, Errno> {
        if self.kind == PipeKind::Unnamed && access != OpenAccess::Neither {
            return self.end(access);
        }
        let (writer_opens, reader_opens) = (&self.writer_opens, &self.reader_opens);
        let (other, other_opens) = match access {
            OpenAccess::Read => (&self.writers, writer_opens),
            OpenAccess::Write => (&self.readers, reader_opens),
            OpenAccess::ReadWrite => return self.end(access),
            OpenAccess::Neither => return Err(Errno::EINVAL),
        };
        if wait == Wait::NonBlock && access == OpenAccess::Write && other.load(Ordering::SeqCst) == 0 {
            return Err(Errno::ENXIO);
        }
        let before = other_opens.load(Ordering::SeqCst);
        let end = self.end(access)?;
        if wait == Wait::Block && other.load(Ordering::SeqCst) == 0 {
            park()
                .wait_interruptible(self.read_key(), &mut || other_opens.load(Ordering::SeqCst) != before)?;
        }
        Ok(end)
    }

    /// Bytes that can be read.
    pub fn len(&self) -> usize {
        self.len.load(Ordering::SeqCst)
    }

    /// Whether nothing can be read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `F_GETPIPE_SZ`.
    pub fn capacity(&self) -> usize {
        self.capacity.load(Ordering::SeqCst)
    }

    /// `F_SETPIPE_SZ`: at least `wanted` bytes; returns how many it became. EBUSY if more than that is in the pipe.
    pub fn set_capacity(&self, wanted: usize) -> Result<usize, Errno> {
        let capacity = wanted.max(PIPE_BUF).checked_next_power_of_two().ok_or(Errno::EINVAL)?;
        if capacity > MAX_CAPACITY {
            return Err(Errno::EPERM);
        }
        self.ring.lock().set_capacity(capacity)?;
        self.capacity.store(capacity, Ordering::SeqCst);
        park().wake(self.write_key());
        Ok(capacity)
    }

    /// Where readers wait.
    fn read_key(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Where writers wait.
    fn write_key(&self) -> usize {
        self.read_key() + 1
    }

    fn wake_all(&self) {
        park().wake(self.read_key());
        park().wake(self.write_key());
    }

    fn has_room(&self, wanted: usize) -> bool {
        self.capacity().saturating_sub(self.len()) >= wanted
    }

    fn has_readers(&self) -> bool {
        self.readers.load(Ordering::SeqCst) != 0
    }

    fn has_writers(&self) -> bool {
        self.writers.load(Ordering::SeqCst) != 0
    }

    fn read(&self, sink: &mut dyn ReadSink, wait: Wait) -> Result<usize, Errno> {
        if sink.remaining() == 0 {
            return Ok(0);
        }
        loop {
            let mut ring = self.ring.lock();
            if ring.len() != 0 {
                let done = ring.drain(sink);
                self.len.store(ring.len(), Ordering::SeqCst);
                drop(ring);
                park().wake(self.write_key());
                return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
            }
            drop(ring);
            // A writer that has gone may have written before, so the order of the questions matters.
            let at_end = !self.has_writers();
            if !self.is_empty() {
                continue;
            }
            if at_end {
                return Ok(0);
            }
            if wait == Wait::NonBlock {
                return Err(Errno::EAGAIN);
            }
            park().wait_interruptible(self.read_key(), &mut || !self.is_empty() || !self.has_writers())?;
        }
    }

    fn write(&self, source: &mut dyn WriteSource, wait: Wait, mode: WriteMode) -> Result<usize, Errno> {
        let total = source.remaining();
        if total == 0 {
            return Ok(0);
        }
        // What must go in one piece waits until it can.
        let mut done = 0;
        loop {
            let needed = match mode {
                WriteMode::Packets => PIPE_BUF.min(total - done),
                WriteMode::Stream if total <= PIPE_BUF => total,
                WriteMode::Stream => 1,
            };
            if !self.has_readers() {
                return if done == 0 { Err(Errno::EPIPE) } else { Ok(done) };
            }
            let mut ring = self.ring.lock();
            if ring.free() >= needed {
                let wanted = match mode {
                    WriteMode::Packets => needed,
                    WriteMode::Stream => ring.free().min(total - done),
                };
                let filled = match mode {
                    WriteMode::Packets => ring.fill_packet(source),
                    WriteMode::Stream => ring.fill(source),
                };
                self.len.store(ring.len(), Ordering::SeqCst);
                drop(ring);
                park().wake(self.read_key());
                match filled {
                    Ok(filled) => {
                        done += filled;
                        if done == total {
                            return Ok(done);
                        }
                        if filled < wanted {
                            return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
                        }
                    }
                    Err(error) => return if done == 0 { Err(error) } else { Ok(done) },
                }
                continue;
            }
            drop(ring);
            if wait == Wait::NonBlock {
                return if done == 0 { Err(Errno::EAGAIN) } else { Ok(done) };
            }
            let ready = &mut || self.has_room(needed) || !self.has_readers();
            if let Err(error) = park().wait_interruptible(self.write_key(), ready) {
                return if done == 0 { Err(error) } else { Ok(done) };
            }
        }
    }
}

impl PipeEnd {
    /// The pipe.
    pub fn pipe(&self) -> &Arc<Pipe> {
        &self.pipe
    }

    /// `read(2)`: at least a byte, unless all writers are gone.
    pub fn read(&self, sink: &mut dyn ReadSink, wait: Wait) -> Result<usize, Errno> {
        self.pipe.read(sink, wait)
    }

    /// `write(2)`: everything, if it may wait. EPIPE without a reader; the caller's business is SIGPIPE.
    pub fn write(&self, source: &mut dyn WriteSource, wait: Wait, mode: WriteMode) -> Result<usize, Errno> {
        self.pipe.write(source, wait, mode)
    }

    /// What can be done without waiting, and where to wait for more.
    pub fn poll(&self, keys: &mut PollKeys) -> PollEvents {
        let pipe = &self.pipe;
        let mut events = PollEvents::empty();
        if reads(self.access) {
            keys.add(pipe.read_key());
            events.set(PollEvents::IN | PollEvents::RDNORM, !pipe.is_empty());
            // A named pipe that never had a writer is not at its end.
            let had_writer = pipe.writer_opens.load(Ordering::SeqCst) != 0;
            events.set(PollEvents::HUP, had_writer && !pipe.has_writers());
        }
        if writes(self.access) {
            keys.add(pipe.write_key());
            events.set(PollEvents::OUT | PollEvents::WRNORM, pipe.has_room(PIPE_BUF));
            events.set(PollEvents::ERR, !pipe.has_readers());
        }
        events
    }
}

impl Drop for PipeEnd {
    fn drop(&mut self) {
        if reads(self.access) {
            self.pipe.readers.fetch_sub(1, Ordering::SeqCst);
        }
        if writes(self.access) {
            self.pipe.writers.fetch_sub(1, Ordering::SeqCst);
        }
        self.pipe.wake_all();
    }
}

fn reads(access: OpenAccess) -> bool {
    matches!(access, OpenAccess::Read | OpenAccess::ReadWrite)
}

fn writes(access: OpenAccess) -> bool {
    matches!(access, OpenAccess::Write | OpenAccess::ReadWrite)
}

/// The inode of a pipe without a name.
pub struct PipeInode {
    stat: Kstat,
    /// Not counted: the descriptors keep the pipe.
    pipe: Weak<Pipe>,
}

impl PipeInode {
    /// That of `pipe`: number `ino` on `dev`, made at `time` by `uid` and `gid`.
    pub fn new(pipe: &Arc<Pipe>, dev: Dev, ino: u64, time: Timespec, (uid, gid): (u32, u32)) -> PipeInode {
        let stat = Kstat {
            dev,
            ino,
            mode: FileType::Fifo.mode() | 0o600,
            nlink: 1,
            uid,
            gid,
            rdev: Dev::default(),
            size: 0,
            blksize: PIPE_BUF as u32,
            blocks: 0,
            atime: time,
            mtime: time,
            ctime: time,
        };
        PipeInode { stat, pipe: Arc::downgrade(pipe) }
    }
}

impl Inode for PipeInode {
    fn file_type(&self) -> FileType {
        FileType::Fifo
    }

    fn stat(&self) -> Result<Kstat, Errno> {
        Ok(self.stat.clone())
    }

    /// Opened once more through `/proc/PID/fd`.
    fn pipe(&self) -> Result<Arc<Pipe>, Errno> {
        self.pipe.upgrade().ok_or(Errno::ENXIO)
    }

    /// Nobody can look for it by its attributes, so they are taken and forgotten.
    fn setattr(&self, _: &SetAttr) -> Result<(), Errno> {
        Ok(())
    }
}
