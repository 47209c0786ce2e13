//! Bringing file data into folios: choose a window, allocate folios, ask the file system where the bytes are,
//! read runs of them with as few requests as the device's layout allows, straight into the folios.

use super::iomap::{Iomap, IomapKind};
use super::mapping::{AddressSpace, Backing};
use super::readahead::{RA_ORDER, Window};
use super::tree::Entry;
use crate::folio::{Flags, Folio};
use crate::hw::Hw;
use crate::memory::Memory;
use crate::stats::Stats;
use crate::types::{PAGE_SHIFT, PAGE_SIZE, PhysAddr, PhysSeg};
use abi::Errno;
use alloc::sync::Arc;
use arrayvec::ArrayVec;
use core::sync::atomic::Ordering::{AcqRel, Relaxed};

/// Sector size of block devices in bytes.
const SECTOR: u64 = 512;
/// Segments that one call of `submit_read` carries.
const MAX_SEGS: usize = 64;

/// A run of device bytes being collected, and where they go.
struct Run {
    dev: u32,
    addr: u64,
    len: u64,
    segs: ArrayVec<PhysSeg, MAX_SEGS>,
}

impl<H: Hw> Memory<H> {
    /// The folio that holds kernel page `index`, up to date, with a reference for the caller. Reads it and what
    /// readahead adds if it isn't there. Blocks; called with no lock held. EIO when the device or the file
    /// system says so, ENOMEM when no folio can be had. `index` lies below the file's end as the mapper rounds it.
    pub fn read_folio(self: &Arc<Self>, mapping: &Arc<AddressSpace>, index: u64) -> Result<Entry, Errno> {
        loop {
            if let Some(entry) = mapping.get_folio(self, index) {
                let result = self.wait_uptodate(entry.folio);
                if let Err(error) = result {
                    self.drop_failed(mapping, entry);
                    self.folio_put(entry.folio);
                    return Err(error);
                }
                return Ok(entry);
            }
            let window = mapping.inner.lock().ra.on_miss(mapping, index);
            self.page_cache_ra(mapping, window, index)?;
        }
    }

    pub(super) fn wait_uptodate(&self, folio: Folio) -> Result<(), Errno> {
        while self.folio_test(folio, Flags::LOCKED) {
            self.hw.wait_folio(folio.0);
        }
        if self.folio_test(folio, Flags::UPTODATE) { Ok(()) } else { Err(Errno::EIO) }
    }

    /// Takes a folio that could not be read out of the cache, so that the next access tries again.
    fn drop_failed(&self, mapping: &AddressSpace, entry: Entry) {
        let mut inner = mapping.inner.lock();
        if inner.tree.get(entry.index) == Some(entry) {
            inner.tree.remove(entry.index);
            drop(inner);
            self.forget_cached(mapping, &entry);
        }
    }

    /// Allocates locked folios for the window and starts reading into them. What lies outside the folio of
    /// `wanted` is a gift: lack of memory or a folio in the way ends it silently.
    fn page_cache_ra(
        self: &Arc<Self>,
        mapping: &Arc<AddressSpace>,
        window: Window,
        wanted: u64,
    ) -> Result<(), Errno> {
        let mut added: ArrayVec<Entry, MAX_SEGS> = ArrayVec::new();
        let mut index = window.start;
        let mut result = Ok(());
        while index < window.end && !added.is_full() {
            match self.add_largest_folio(mapping, index, window.end, wanted) {
                Ok(entry) => {
                    index = entry.end();
                    added.push(entry);
                }
                Err(Errno::EEXIST) => index += 1,
                // What comes before the wanted page is a gift, too.
                Err(_) if index < wanted => index += 1,
                Err(error) => {
                    result = if index == wanted { Err(error) } else { Ok(()) };
                    break;
                }
            }
        }
        self.start_reading(mapping, &added);
        result
    }

    /// Adds a folio that begins at `index`: of the file's minimum order or what readahead likes; where memory has no such
    /// block or a smaller folio is in the way, of the next smaller one. EEXIST when the page itself is cached.
    fn add_largest_folio(
        self: &Arc<Self>,
        mapping: &Arc<AddressSpace>,
        index: u64,
        end: u64,
        wanted: u64,
    ) -> Result<Entry, Errno> {
        let mut order = self.ra_order(mapping, index, end);
        loop {
            match self.add_locked_folio(mapping, index, order, index == wanted) {
                Err(_) if order > 0 => order -= 1,
                result => return result,
            }
        }
    }

    /// Largest order that is aligned at `index`, does not pass the window, and makes no small file take a large
    /// folio; at least the file's minimum where `index` is aligned for that.
    fn ra_order(&self, mapping: &AddressSpace, index: u64, end: u64) -> u8 {
        let aligned = index.trailing_zeros().min(u32::from(RA_ORDER)) as u8;
        let fitting = (end - index).ilog2() as u8;
        aligned.min(fitting.max(mapping.min_order()))
    }

    fn add_locked_folio(
        self: &Arc<Self>,
        mapping: &Arc<AddressSpace>,
        index: u64,
        order: u8,
        needed: bool,
    ) -> Result<Entry, Errno> {
        let folio = match self.alloc_folio_opportunistic(order) {
            Some(folio) => folio,
            // Reclaim is for the page that somebody waits for; for a larger folio it would throw out what the same
            // fault has just read.
            None if needed && order == 0 => self.alloc_folio(0).ok_or(Errno::ENOMEM)?,
            None => return Err(Errno::ENOMEM),
        };
        self.folio_set(folio, Flags::LOCKED);
        let entry = Entry { folio, index, order };
        mapping.add_folio(self, entry).inspect_err(|_| self.folio_put(folio))?;
        Ok(entry)
    }

    /// Fills folios, which follow each other in the file but for gaps. Each is unlocked when its last byte is there.
    fn start_reading(&self, mapping: &AddressSpace, entries: &[Entry]) {
        let size = mapping.size();
        for entry in entries {
            let frame = self.frame(entry.folio.0);
            // The count of one is ours: completion of the first request must not unlock a folio whose second
            // request has not been made yet.
            frame.io_pending.store(1, Relaxed);
            let start = entry.index << PAGE_SHIFT;
            let bytes = (PAGE_SIZE << entry.order).min(size.saturating_sub(start));
            frame.valid_bytes.store(bytes as u32, Relaxed);
        }
        let mut run: Option<Run> = None;
        for entry in entries {
            if self.plan_folio(mapping, entry, &mut run).is_err() {
                self.folio_set(entry.folio, Flags::ERROR);
            }
        }
        self.submit(run);
        for entry in entries {
            self.end_folio_part(entry.folio);
        }
    }

    /// Fills what needs no device and adds the rest to the run, which is submitted where it breaks.
    fn plan_folio(&self, mapping: &AddressSpace, entry: &Entry, run: &mut Option<Run>) -> Result<(), Errno> {
        let start = entry.index << PAGE_SHIFT;
        let folio_end = start + (PAGE_SIZE << entry.order);
        let end = folio_end.min(mapping.size());
        let at = |pos: u64| entry.folio.0.addr().offset(pos - start);
        let mut pos = start;
        while pos < end {
            let map = mapping.ops().iomap(pos)?;
            let len = run_length(&map, pos, end)?;
            match &map.kind {
                IomapKind::Hole => self.hw.zero_bytes(at(pos), len),
                IomapKind::Inline { bytes } => {
                    let skip = (pos - map.pos) as usize;
                    let bytes = bytes.get(skip..skip + len as usize).ok_or(Errno::EUCLEAN)?;
                    self.hw.write_bytes(at(pos), bytes);
                }
                IomapKind::Mapped { addr } => {
                    let Backing::Device(dev) = mapping.backing() else { return Err(Errno::EIO) };
                    let addr = addr.checked_add(pos - map.pos).ok_or(Errno::EUCLEAN)?;
                    // Only a file's end may be no multiple of a sector; what the last sector has beyond it is
                    // zeroed when it has come.
                    let whole = len.next_multiple_of(SECTOR);
                    if !addr.is_multiple_of(SECTOR) || (whole != len && pos + len != mapping.size()) {
                        return Err(Errno::EUCLEAN);
                    }
                    self.add_to_run(run, dev, addr, at(pos), whole as u32);
                    self.frame(entry.folio.0).io_pending.fetch_add(1, Relaxed);
                }
            }
            pos += len;
        }
        // Past the end of the file (and past its last sector) the folio reads as zero.
        let read_to = end.next_multiple_of(SECTOR).max(start).min(folio_end);
        self.hw.zero_bytes(at(read_to), folio_end - read_to);
        Ok(())
    }

    fn add_to_run(&self, run: &mut Option<Run>, dev: u32, addr: u64, to: PhysAddr, len: u32) {
        if let Some(open) = run {
            let follows = open.dev == dev && open.addr + open.len == addr && !open.segs.is_full();
            if !follows {
                self.submit(run.take());
            }
        }
        let open = run.get_or_insert_with(|| Run { dev, addr, len: 0, segs: ArrayVec::new() });
        open.segs.push(PhysSeg { addr: to, len });
        open.len += u64::from(len);
    }

    fn submit(&self, run: Option<Run>) {
        let Some(run) = run else { return };
        Stats::add(&self.stats.read_requests, 1);
        Stats::add(&self.stats.pgpgin, run.len >> PAGE_SHIFT);
        if let Err(error) = self.hw.submit_read(run.dev, run.addr, &run.segs) {
            self.end_read(&run.segs, Err(error));
        }
    }

    /// Completes a read into `segs`: called by the machine once for each segment that was submitted, in whatever
    /// context, in whatever grouping. Frees nothing and allocates nothing.
    pub fn end_read(&self, segs: &[PhysSeg], result: Result<(), Errno>) {
        for seg in segs {
            let folio = self.folio_of(seg.addr.pfn());
            if result.is_err() {
                self.folio_set(folio, Flags::ERROR);
            }
            self.end_folio_part(folio);
        }
    }

    fn end_folio_part(&self, folio: Folio) {
        let frame = self.frame(folio.0);
        if frame.io_pending.fetch_sub(1, AcqRel) != 1 {
            return;
        }
        let valid = u64::from(frame.valid_bytes.load(Relaxed));
        self.hw.zero_bytes(folio.0.addr().offset(valid), valid.next_multiple_of(SECTOR) - valid);
        if !self.folio_test(folio, Flags::ERROR) {
            self.folio_set(folio, Flags::UPTODATE);
        }
        self.folio_clear(folio, Flags::LOCKED);
        self.hw.wake_folio(folio.0);
    }
}

/// Bytes of `map` from `pos` on, at most up to `end`. EUCLEAN when the file system's answer does not hold `pos`.
fn run_length(map: &Iomap, pos: u64, end: u64) -> Result<u64, Errno> {
    let map_end = map.pos.checked_add(map.len).ok_or(Errno::EUCLEAN)?;
    if map.pos > pos || map_end <= pos {
        return Err(Errno::EUCLEAN);
    }
    Ok(map_end.min(end) - pos)
}
