//! The memory of the program as the source or the target of a read or write: one buffer or a list of them.

use crate::arch::uaccess::UserSlice;
use fs::io::{ReadSink, WriteSource};

/// Buffers of a program, filled or emptied from the first to the last.
pub struct UserBuffers<'a> {
    buffers: &'a [UserSlice],
    /// Bytes done in the first of them.
    offset: usize,
    remaining: usize,
}

impl<'a> UserBuffers<'a> {
    /// At the beginning, and for at most `limit` bytes.
    pub fn new(buffers: &'a [UserSlice], limit: usize) -> UserBuffers<'a> {
        let total = buffers.iter().fold(0usize, |sum, buffer| sum.saturating_add(buffer.len()));
        UserBuffers { buffers, offset: 0, remaining: total.min(limit) }
    }

    /// Calls `transfer(buffer, offset in the buffer, range of the caller's bytes)` for the pieces of the next
    /// `len` bytes; stops at a piece that could not be transferred whole. The bytes transferred.
    fn advance(
        &mut self,
        len: usize,
        mut transfer: impl FnMut(UserSlice, usize, core::ops::Range<usize>) -> usize,
    ) -> usize {
        let len = len.min(self.remaining);
        let mut done = 0;
        while done < len {
            let Some((&buffer, rest)) = self.buffers.split_first() else { break };
            let room = buffer.len() - self.offset;
            if room == 0 {
                self.buffers = rest;
                self.offset = 0;
                continue;
            }
            let piece = room.min(len - done);
            let moved = transfer(buffer, self.offset, done..done + piece);
            self.offset += moved;
            done += moved;
            if moved < piece {
                break;
            }
        }
        self.remaining -= done;
        done
    }
}

impl ReadSink for UserBuffers<'_> {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn put(&mut self, bytes: &[u8]) -> usize {
        self.advance(bytes.len(), |buffer, offset, range| buffer.write_at(offset, &bytes[range]))
    }

    fn put_zeros(&mut self, len: usize) -> usize {
        self.advance(len, |buffer, offset, range| buffer.clear_at(offset, range.len()))
    }
}

impl WriteSource for UserBuffers<'_> {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn take(&mut self, buf: &mut [u8]) -> usize {
        self.advance(buf.len(), |buffer, offset, range| buffer.read_at(offset, &mut buf[range]))
    }
}
