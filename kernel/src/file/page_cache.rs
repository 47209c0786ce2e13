//! Reading and writing through the page cache, for `read(2)` and `write(2)` and for the kernel itself. Mirrors Linux's
//! `filemap_read` and `generic_perform_write`.

use crate::arch::phys;
use crate::memory;
use crate::task::current;
use crate::task::oom::{self, Relief};
use crate::task::signal::send_to_current;
use abi::signal::{SigInfo, Signal, code};
use abi::{CapSet, Errno, raw};
use alloc::sync::Arc;
use fs::inode::PageIo;
use fs::io::{ReadSink, SliceSink, WriteSource};
use mm::filemap::{AddressSpace, Backing};
use mm::types::{PAGE_SHIFT, PAGE_SIZE};

/// The page cache of the machine's memory.
pub struct PageCache;

impl PageCache {
    /// Fills `buf` from byte `pos` of `mapping`; returns how many bytes there were. May sleep.
    pub fn read_kernel(mapping: &Arc<AddressSpace>, pos: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        PageCache.read(mapping, pos, &mut SliceSink::new(buf))
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
            if let Some(hole) = hole_at(mapping, at) {
                let len = wanted.min(hole) as usize;
                let stored = sink.put_zeros(len);
                done += stored;
                if stored < len {
                    return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
                }
                continue;
            }
            let entry = match memory.read_folio(mapping, at >> PAGE_SHIFT) {
                Ok(entry) => entry,
                Err(Errno::ENOMEM) if oom::out_of_memory() == Relief::Retry => continue,
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

    fn write(
        &self,
        mapping: &Arc<AddressSpace>,
        pos: u64,
        source: &mut dyn WriteSource,
    ) -> Result<usize, Errno> {
        let memory = memory::get();
        memory.zero_to(mapping, pos);
        let mut done = 0usize;
        while source.remaining() > 0 {
            let at = pos + done as u64;
            let wanted = source.remaining() as u64;
            let entry = match memory.folio_for_write(mapping, at, wanted) {
                Ok(entry) => entry,
                Err(error) if done == 0 => return Err(error),
                Err(_) => return Ok(done),
            };
            let start = entry.index << PAGE_SHIFT;
            let len = wanted.min(start + (PAGE_SIZE << entry.order) - at) as usize;
            let taken = source.take(phys::page_cache_bytes_mut(entry.folio.0.addr().0 + (at - start), len));
            mapping.grow_to(at + taken as u64);
            memory.folio_put(entry.folio);
            done += taken;
            if taken < len {
                return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
            }
        }
        Ok(done)
    }

    fn truncate(&self, mapping: &Arc<AddressSpace>, size: u64) {
        memory::get().truncate(mapping, size);
    }

    fn fill_holes(&self, mapping: &Arc<AddressSpace>, from: u64, to: u64) -> Result<(), Errno> {
        memory::get().fill_holes(mapping, from, to)
    }

    fn punch_hole(&self, mapping: &Arc<AddressSpace>, from: u64, to: u64) {
        memory::get().punch_hole(mapping, from, to);
    }

    fn file_size_limit(&self) -> u64 {
        current().rlimits.lock()[raw::RLIMIT_FSIZE as usize].cur
    }

    fn size_limit_exceeded(&self) {
        let info = SigInfo::from_process(Signal::SIGXFSZ, code::SI_USER, current().pid(), 0);
        send_to_current(info);
    }

    fn writer_keeps_set_id(&self) -> bool {
        current().has_capability(CapSet::FSETID)
    }
}

/// Bytes from `pos` to the end of the hole that it lies in, if a file that lives in memory has one there: reading it needs
/// no folios.
fn hole_at(mapping: &AddressSpace, pos: u64) -> Option<u64> {
    if mapping.backing() != Backing::Memory {
        return None;
    }
    match mapping.next_cached(pos) {
        Some(cached) if cached.start <= pos => None,
        Some(cached) => Some(cached.start - pos),
        None => Some(u64::MAX),
    }
}
