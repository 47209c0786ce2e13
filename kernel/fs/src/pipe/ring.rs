//! The bytes that are in a pipe: a ring that grows with what is in it, up to the pipe's capacity.

use crate::io::{ReadSink, WriteSource};
use abi::Errno;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// A queue of bytes.
pub struct Ring {
    /// Its length is a power of two, or 0.
    buf: Vec<u8>,
    head: usize,
    len: usize,
    capacity: usize,
    /// How the bytes came, the oldest first, while there is a packet among them; else empty.
    segments: VecDeque<Segment>,
}

/// Bytes that came together.
#[derive(Clone, Copy)]
struct Segment {
    len: usize,
    /// Whether one read takes no more than these, and drops what it has no room for (`O_DIRECT`).
    packet: bool,
}

impl Ring {
    /// Nothing, with room for `capacity` bytes, a power of two.
    pub const fn new(capacity: usize) -> Ring {
        Ring { buf: Vec::new(), head: 0, len: 0, capacity, segments: VecDeque::new() }
    }

    /// Bytes in it.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes that still fit.
    pub fn free(&self) -> usize {
        self.capacity.saturating_sub(self.len)
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
        if !self.segments.is_empty() {
            self.segments.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        }
        let done = self.store(source, self.free())?;
        match self.segments.back_mut() {
            None => {}
            Some(last) if !last.packet => last.len += done,
            Some(_) if done == 0 => {}
            Some(_) => self.segments.push_back(Segment { len: done, packet: false }),
        }
        Ok(done)
    }

    /// Takes one packet from `source`: up to PIPE_BUF bytes, for which there is room.
    pub fn fill_packet(&mut self, source: &mut dyn WriteSource) -> Result<usize, Errno> {
        self.segments.try_reserve(2).map_err(|_| Errno::ENOMEM)?;
        let before = self.len;
        let done = self.store(source, super::PIPE_BUF)?;
        if done != 0 {
            if self.segments.is_empty() && before != 0 {
                self.segments.push_back(Segment { len: before, packet: false });
            }
            self.segments.push_back(Segment { len: done, packet: true });
        }
        Ok(done)
    }

    fn store(&mut self, source: &mut dyn WriteSource, most: usize) -> Result<usize, Errno> {
        let wanted = source.remaining().min(most);
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
        if self.segments.is_empty() {
            return self.load(sink, self.len);
        }
        let mut done = 0;
        while let Some(first) = self.segments.front().copied() {
            let wanted = first.len.min(sink.remaining());
            let got = self.load(sink, wanted);
            done += got;
            if got < wanted || got < first.len && !first.packet {
                self.cut(got);
                break;
            }
            // What a reader has no room for is lost.
            self.drop_bytes(first.len - got);
            self.segments.pop_front();
            if first.packet || sink.remaining() == 0 {
                break;
            }
        }
        self.forget_segments_without_packets();
        done
    }

    /// The first segment has lost `len` bytes.
    fn cut(&mut self, len: usize) {
        if let Some(first) = self.segments.front_mut() {
            first.len -= len;
        }
    }

    fn forget_segments_without_packets(&mut self) {
        if !self.segments.iter().any(|segment| segment.packet) {
            self.segments.clear();
        }
    }

    fn drop_bytes(&mut self, len: usize) {
        self.len -= len;
        if len != 0 {
            self.head = (self.head + len) & (self.buf.len() - 1);
        }
    }

    fn load(&mut self, sink: &mut dyn ReadSink, most: usize) -> usize {
        let wanted = sink.remaining().min(most);
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

    /// Up to `len` bytes from the `skip`th on that lie in one piece.
    pub fn piece(&self, skip: usize, len: usize) -> &[u8] {
        let len = len.min(self.len - skip);
        if len == 0 {
            return &[];
        }
        let start = (self.head + skip) & (self.buf.len() - 1);
        &self.buf[start..start + len.min(self.buf.len() - start)]
    }

    /// Drops the first `len` bytes.
    pub fn forget(&mut self, len: usize) {
        let mut rest = len.min(self.len);
        self.drop_bytes(rest);
        while let Some(first) = self.segments.front_mut() {
            if first.len > rest {
                first.len -= rest;
                break;
            }
            rest -= first.len;
            self.segments.pop_front();
        }
        self.forget_segments_without_packets();
    }

    /// Puts bytes that were taken out in front of the others, even if that is more than the capacity.
    pub fn put_back(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        if self.len + bytes.len() > self.buf.len() {
            self.resize((self.len + bytes.len()).next_power_of_two())?;
        }
        for byte in bytes.iter().rev() {
            self.head = self.head.wrapping_sub(1) & (self.buf.len() - 1);
            self.buf[self.head] = *byte;
        }
        self.len += bytes.len();
        if let Some(first) = self.segments.front_mut() {
            first.len += bytes.len();
        }
        Ok(())
    }
}
