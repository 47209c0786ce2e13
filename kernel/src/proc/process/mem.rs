//! `/proc/PID/mem`: the memory of a process, at its addresses. Mirrors `mem_rw` of Linux's `fs/proc/base.c`.
//!
//! Who opens it has the address space of that moment, and does not keep it alive.

use super::Process;
use crate::task::user_mm::UserMm;
use abi::Errno;
use alloc::sync::{Arc, Weak};
use fs::io::{ReadSink, WriteSource};
use fs::pseudo::SpecialFile;

/// Bytes that travel at a time.
const PIECE: usize = 1024;

struct Memory(Weak<UserMm>);

/// Opens it: EACCES without the right to look into the process.
pub fn open(process: &Process) -> Result<Arc<dyn SpecialFile>, Errno> {
    let mm = process.open()?.memory();
    Ok(Arc::new(Memory(mm.map_or(Weak::new(), |mm| Arc::downgrade(&mm)))))
}

impl SpecialFile for Memory {
    /// EIO where nothing is mapped; 0 bytes once the address space is gone.
    fn read(&self, pos: u64, sink: &mut dyn ReadSink) -> Result<usize, Errno> {
        let Some(mm) = self.0.upgrade() else { return Ok(0) };
        let mut piece = [0; PIECE];
        let mut done = 0;
        while sink.remaining() > 0 {
            let wanted = PIECE.min(sink.remaining());
            let Some(at) = pos.checked_add(done as u64) else { break };
            let got = mm.read_remote(at, &mut piece[..wanted]);
            let stored = sink.put(&piece[..got]);
            done += stored;
            if stored < got {
                return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
            }
            if got < wanted {
                return if done == 0 { Err(Errno::EIO) } else { Ok(done) };
            }
        }
        Ok(done)
    }

    /// As if the process itself wrote: EIO where it could not.
    fn write(&self, pos: u64, source: &mut dyn WriteSource) -> Result<usize, Errno> {
        let Some(mm) = self.0.upgrade() else { return Ok(0) };
        let mut piece = [0; PIECE];
        let mut done = 0;
        while source.remaining() > 0 {
            let wanted = PIECE.min(source.remaining());
            let taken = source.take(&mut piece[..wanted]);
            let Some(at) = pos.checked_add(done as u64) else { break };
            let written = mm.write_remote(at, &piece[..taken]);
            done += written;
            if written < taken {
                return if done == 0 { Err(Errno::EIO) } else { Ok(done) };
            }
            if taken < wanted {
                return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
            }
        }
        Ok(done)
    }
}
