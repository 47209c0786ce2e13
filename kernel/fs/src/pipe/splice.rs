//! Bytes between pipes, and between a pipe and a file, without a program's memory. Mirrors Linux's `fs/splice.c`; pages do
//! not change hands here, their bytes are copied.

use super::ring::Ring;
use super::{Pipe, PipeEnd, WriteMode};
use crate::io::{ReadSink, SliceSink, SliceSource, Wait};
use crate::sleep::{SleepGuard, park};
use abi::Errno;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

/// What becomes of the bytes where they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// They go (`splice(2)`).
    Move,
    /// They stay (`tee(2)`).
    Copy,
}

/// Most bytes that go between a pipe and a file in one piece.
const CHUNK: usize = 64 << 10;

impl PipeEnd {
    /// Whether both are ends of one pipe.
    pub fn same_pipe(&self, other: &PipeEnd) -> bool {
        core::ptr::eq(&*self.pipe, &*other.pipe)
    }

    /// Takes up to `len` bytes from this pipe to `to`, another one; at least one, unless this one is at its end.
    pub fn transfer(&self, to: &PipeEnd, len: usize, transfer: Transfer, wait: Wait) -> Result<usize, Errno> {
        let (from, to) = (&*self.pipe, &*to.pipe);
        loop {
            if !to.has_readers() {
                return Err(Errno::EPIPE);
            }
            let at_end = !from.has_writers();
            let (mut source, mut target) = lock_both(from, to);
            let wanted = len.min(source.len()).min(target.free());
            if wanted > 0 {
                let done = copy(&mut source, &mut target, wanted, transfer)?;
                from.len.store(source.len(), Ordering::SeqCst);
                to.len.store(target.len(), Ordering::SeqCst);
                drop((source, target));
                park().wake(to.read_key());
                park().wake(from.write_key());
                return Ok(done);
            }
            let empty = source.len() == 0;
            drop((source, target));
            if empty && at_end {
                return Ok(0);
            }
            if wait == Wait::NonBlock {
                return Err(Errno::EAGAIN);
            }
            if empty {
                park()
                    .wait_interruptible(from.read_key(), &mut || !from.is_empty() || !from.has_writers())?;
            } else {
                park().wait_interruptible(to.write_key(), &mut || to.has_room(1) || !to.has_readers())?;
            }
        }
    }

    /// Waits for bytes, and hands up to `len` of them to `write`, which says how many it took; the others stay. How many it
    /// took; 0 at the end of the pipe.
    pub fn give_to(
        &self,
        len: usize,
        wait: Wait,
        write: impl FnOnce(&mut SliceSource<'_>) -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        let mut buffer = buffer(len.min(CHUNK))?;
        let got = self.pipe.read(&mut SliceSink::new(&mut buffer), wait)?;
        let result = if got == 0 { Ok(0) } else { write(&mut SliceSource::new(&buffer[..got])) };
        let taken = result.unwrap_or(0);
        if taken < got {
            let mut ring = self.pipe.ring.lock();
            ring.put_back(&buffer[taken..got])?;
            self.pipe.len.store(ring.len(), Ordering::SeqCst);
            drop(ring);
            park().wake(self.pipe.read_key());
        }
        result
    }

    /// Waits for room, and fills it with up to `len` bytes that `read` stores; how many those were.
    pub fn take_from(
        &self,
        len: usize,
        wait: Wait,
        read: impl FnOnce(&mut dyn ReadSink) -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        let pipe = &*self.pipe;
        while pipe.has_readers() && !pipe.has_room(1) {
            if wait == Wait::NonBlock {
                return Err(Errno::EAGAIN);
            }
            park().wait_interruptible(pipe.write_key(), &mut || pipe.has_room(1) || !pipe.has_readers())?;
        }
        if !pipe.has_readers() {
            return Err(Errno::EPIPE);
        }
        let room = pipe.capacity().saturating_sub(pipe.len());
        let mut buffer = buffer(len.min(CHUNK).min(room.max(1)))?;
        let got = read(&mut SliceSink::new(&mut buffer))?;
        if got == 0 {
            return Ok(0);
        }
        // Another writer may have been faster: then this one waits, as its bytes are on their way.
        pipe.write(&mut SliceSource::new(&buffer[..got]), Wait::Block, WriteMode::Stream)
    }
}

fn buffer(len: usize) -> Result<Vec<u8>, Errno> {
    crate::alloc_util::try_zeroed(len)
}

/// Both rings, locked in the order of their addresses, so that two who go opposite ways do not wait for each other.
fn lock_both<'a>(from: &'a Pipe, to: &'a Pipe) -> (SleepGuard<'a, Ring>, SleepGuard<'a, Ring>) {
    if core::ptr::from_ref(from).addr() < core::ptr::from_ref(to).addr() {
        let source = from.ring.lock();
        (source, to.ring.lock())
    } else {
        let target = to.ring.lock();
        (from.ring.lock(), target)
    }
}

fn copy(source: &mut Ring, target: &mut Ring, len: usize, transfer: Transfer) -> Result<usize, Errno> {
    let mut done = 0;
    while done < len {
        let piece = source.piece(done, len - done);
        let copied = target.fill(&mut SliceSource::new(piece))?;
        done += copied;
        if copied == 0 {
            break;
        }
    }
    if transfer == Transfer::Move {
        source.forget(done);
    }
    Ok(done)
}
