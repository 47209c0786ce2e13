//! Reading through the page cache, for `read(2)` and for the kernel itself. Mirrors Linux's `filemap_read`.

use crate::arch::phys;
use crate::memory;
use abi::Errno;
use alloc::sync::Arc;
use fs::io::ReadSink;
use fs::vfs::PageIo;
use mm::filemap::AddressSpace;
use mm::types::{PAGE_SHIFT, PAGE_SIZE};

/// The page cache of the machine's memory.
pub struct PageCache;

impl PageCache {
    /// Fills `buf` from byte `pos` of `mapping`; returns how many bytes there were. May sleep.
    pub fn read_kernel(mapping: &Arc<AddressSpace>, pos: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        let mut sink = KernelBuffer { rest: buf };
        PageCache.read(mapping, pos, &mut sink)
    }
}

impl PageIo for PageCache {
    fn read(&self, mapping: &Arc<AddressSpace>, pos: u64, sink: &mut dyn ReadSink) -> Result<usize, Errno> {
        let memory = memory::get();
        let mut done = 0usize;
        loop {
            let at = pos.saturating_add(done as u64);
            let in_file = mapping.size().saturating_sub(at);
            let wanted = in_file.min(sink.remaining() as u64);
            if wanted == 0 {
                return Ok(done);
            }
            let entry = match memory.read_folio(mapping, at >> PAGE_SHIFT) {
                Ok(entry) => entry,
                Err(error) if done == 0 => return Err(error),
                Err(_) => return Ok(done),
            };
            let start = entry.index << PAGE_SHIFT;
            let len = wanted.min(start + (PAGE_SIZE << entry.order) - at) as usize;
            let stored = sink.put(phys::page_cache_bytes(entry.folio.0.addr().0 + (at - start), len));
            memory.folio_put(entry.folio);
            done += stored;
            if stored < len {
                return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
            }
        }
    }
}

/// Memory of the kernel as the target of a read.
struct KernelBuffer<'a> {
    rest: &'a mut [u8],
}

impl ReadSink for KernelBuffer<'_> {
    fn remaining(&self) -> usize {
        self.rest.len()
    }

    fn put(&mut self, bytes: &[u8]) -> usize {
        let len = bytes.len().min(self.rest.len());
        let (now, later) = core::mem::take(&mut self.rest).split_at_mut(len);
        now.copy_from_slice(&bytes[..len]);
        self.rest = later;
        len
    }
}
