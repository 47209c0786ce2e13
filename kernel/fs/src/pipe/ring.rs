//! The bytes that are in a pipe: a ring that grows with what is in it, up to the pipe's capacity.

use crate::io::{ReadSink, WriteSource};
use abi::Errno;
use alloc::vec::Vec;

/// A queue of bytes.
pub struct Ring {
    /// Its length is a power of two, or 0.
    buf: Vec<u8>,
    head: usize,
    len: usize,
    capacity: usize,
}

impl Ring {
    /// Nothing, with room for `capacity` bytes, a power of two.
    pub const fn new(capacity: usize) -> Ring {
        Ring { buf: Vec::new(), head: 0, len: 0, capacity }
    }

    /// Bytes in it.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes that still fit.
    pub fn free(&self) -> usize {
        self.capacity - self.len
    }

    /// Changes the capacity to a power of two. EBUSY if more than that is in it.
    pub fn set_capacity(&mut self, capacity: usize) -> Result<(), Errno> {
        if capacity < self.len {
            return Err(Errno::EBUSY);
        }
        if capacity < self.buf.len() {
            self.resize(capacity)?;
        }
        self.capacity = capacity;
        Ok(())
    }

    /// Moves what there is to a buffer of `size` bytes, a power of two that holds it.
    fn resize(&mut self, size: usize) -> Result<(), Errno> {
        let mut buf = Vec::new();
        buf.try_reserve_exact(size).map_err(|_| Errno::ENOMEM)?;
        let end = (self.head + self.len).min(self.buf.len());
        let wrapped = self.head + self.len - end;
        buf.extend_from_slice(&self.buf[self.head..end]);
        buf.extend_from_slice(&self.buf[..wrapped]);
        buf.resize(size, 0);
        self.buf = buf;
        self.head = 0;
        Ok(())
    }

    /// Takes bytes from `source`, as many as there is room for. Fewer than that means that the memory behind the source
    /// ended.
    pub fn fill(&mut self, source: &mut dyn WriteSource) -> Result<usize, Errno> {
        let wanted = source.remaining().min(self.free());
        if self.len + wanted > self.buf.len() {
            let size = (self.len + wanted).next_power_of_two().clamp(super::PIPE_BUF, self.capacity);
            self.resize(size)?;
        }
        let mut done = 0;
        while done < wanted {
            let start = (self.head + self.len) & (self.buf.len() - 1);
            let piece = (wanted - done).min(self.buf.len() - start);
            let taken = source.take(&mut self.buf[start..start + piece]);
            self.len += taken;
            done += taken;
            if taken < piece {
                break;
            }
        }
        Ok(done)
    }

    /// Gives bytes to `sink`, as many as it has room for. Fewer than that means that the memory behind the sink ended.
    pub fn drain(&mut self, sink: &mut dyn ReadSink) -> usize {
        let wanted = sink.remaining().min(self.len);
        let mut done = 0;
        while done < wanted {
            let piece = (wanted - done).min(self.buf.len() - self.head);
            let stored = sink.put(&self.buf[self.head..self.head + piece]);
            self.head = (self.head + stored) & (self.buf.len() - 1);
            self.len -= stored;
            done += stored;
            if stored < piece {
                break;
            }
        }
        done
    }
}
