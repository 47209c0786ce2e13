//! `/proc/PID/pagemap`: a word for each page of the address space. Mirrors `pagemap_read` of Linux's `fs/proc/task_mmu.c`.
//!
//! Pages are those of the reader, who divides addresses by its own page size and multiplies frame numbers by it. Where one
//! of them covers several kernel pages, it is present if all of them are, and has a frame number only if they are one
//! aligned block.

use super::Process;
use crate::task::user_mm::UserMm;
use crate::task::{current, remote};
use abi::{CapSet, Errno};
use alloc::sync::{Arc, Weak};
use fs::io::ReadSink;
use fs::pseudo::SpecialFile;
use mm::types::{PAGE_SHIFT, PAGE_SIZE, PageSize, Pfn};

/// Bytes of an entry.
const WORD: u64 = 8;
/// Entries that are looked up at a time.
const ENTRIES: usize = 64;

/// Bits of an entry, `Documentation/admin-guide/mm/pagemap.rst`.
const PRESENT: u64 = 1 << 63;
const FILE: u64 = 1 << 61;
const EXCLUSIVE: u64 = 1 << 56;
const PFN: u64 = (1 << 55) - 1;

struct Pagemap(Weak<UserMm>);

/// Opens it: EACCES without the right to look into the process.
pub fn open(process: &Process) -> Result<Arc<dyn SpecialFile>, Errno> {
    let mm = process.open()?.memory();
    Ok(Arc::new(Pagemap(mm.map_or(Weak::new(), |mm| Arc::downgrade(&mm)))))
}

impl SpecialFile for Pagemap {
    /// EINVAL for what is not made of whole entries; 0 bytes behind the end of the address space.
    fn read(&self, pos: u64, sink: &mut dyn ReadSink) -> Result<usize, Errno> {
        if !pos.is_multiple_of(WORD) || !(sink.remaining() as u64).is_multiple_of(WORD) {
            return Err(Errno::EINVAL);
        }
        let Some(mm) = self.0.upgrade() else { return Ok(0) };
        let reader = remote::page_size_of_reader();
        // Frame numbers help attacks on the memory itself, so not everybody sees them.
        let shown = if current().has_capability(CapSet::SYS_ADMIN) { u64::MAX } else { !PFN };
        let end = mm.task_size() >> reader.shift();
        let mut index = pos / WORD;
        let mut done = 0;
        while sink.remaining() > 0 && index < end {
            let wanted = (sink.remaining() / WORD as usize).min(ENTRIES).min((end - index) as usize);
            let mut bytes = [0; ENTRIES * WORD as usize];
            let bytes = &mut bytes[..wanted * WORD as usize];
            look_up(&mm, reader, index, shown, bytes);
            let stored = sink.put(bytes);
            done += stored;
            index += wanted as u64;
            if stored < bytes.len() {
                return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
            }
        }
        Ok(done)
    }
}

/// Fills `bytes` with entries from `index` on.
fn look_up(user_mm: &UserMm, reader: PageSize, index: u64, shown: u64, bytes: &mut [u8]) {
    let mm = user_mm.lock();
    let memory = mm.mem();
    let tables = mm.tables();
    let (words, _) = bytes.as_chunks_mut::<{ WORD as usize }>();
    for (index, word) in (index..).zip(words) {
        let start = index << reader.shift();
        let mut entry = None;
        let mut present = 0;
        tables.for_each_pte(memory, start, start + reader.bytes(), |va, pte| {
            if !pte.present() {
                return;
            }
            present += 1;
            let mut flags = 0;
            if !pte.special() {
                let folio = memory.folio_of(pte.pfn());
                let mappers = u64::from(memory.folio_mapcount(folio)).div_ceil(memory.folio_nr_pages(folio));
                flags |= if memory.folio_test_anon(folio) { 0 } else { FILE };
                flags |= if mappers == 1 { EXCLUSIVE } else { 0 };
            }
            entry = Some(match entry {
                None => (pte.pfn(), flags, va == start),
                Some((first, common, block)) => {
                    let next = first == Pfn(pte.pfn().0.wrapping_sub((va - start) >> PAGE_SHIFT));
                    (first, common & flags | (common | flags) & FILE, block && next)
                }
            });
        });
        let Some((first, flags, block)) = entry else { continue };
        if present * PAGE_SIZE < reader.bytes() {
            continue;
        }
        let aligned = first.0.is_multiple_of(reader.nr_kernel_pages());
        let frame = if block && aligned { first.0 / reader.nr_kernel_pages() } else { 0 };
        *word = ((PRESENT | flags | frame & PFN) & shown).to_le_bytes();
    }
}
