//! The block layer and its driver, against a disk of which every word is known.
#![allow(unsafe_code)] // Looks at memory by its physical address.

use super::{Check, expect};
use crate::arch::phys;
use crate::block::{self, Bio, BioOp, Completion, DiskId, EndIo, SECTOR_SIZE};
use crate::frames;
use abi::Errno;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use mm::types::{PAGE_SIZE, PhysAddr, PhysSeg};

pub const CHECKS: &[(&str, Check)] = &[
    ("disk: one page", one_page),
    ("disk: a list longer than a request, in scattered pages", long_list),
    ("disk: segments of one sector", small_segments),
    ("disk: more requests than fit in the queue", many_in_flight),
    ("disk: a large contiguous read", contiguous),
    ("disk: requests that cannot be carried out", refused),
    ("disk: what is written is read back", write),
];

/// Word number `n` of a pattern disk. `tools/pattern-disk` has the same formula.
fn word(n: u64) -> u64 {
    (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The first disk that begins with the pattern.
pub fn pattern_disk() -> Option<DiskId> {
    let frame = Frames::new(0).ok()?;
    (0..block::MAX_DISKS as DiskId)
        .take_while(|&id| block::disk(id).is_some())
        .find(|&id| block::read(id, 0, &[frame.seg()]).is_ok() && frame.holds_pattern_from(0))
}

/// 2^order frames that are given back at the end.
struct Frames {
    pa: u64,
    order: u32,
}

impl Frames {
    fn new(order: u32) -> Result<Self, String> {
        let pa = frames::alloc(order).ok_or("no memory")?;
        phys::zero(pa, PAGE_SIZE << order);
        Ok(Self { pa, order })
    }

    fn seg(&self) -> PhysSeg {
        PhysSeg { addr: PhysAddr(self.pa), len: (PAGE_SIZE << self.order) as u32 }
    }

    /// Whether the memory is what a pattern disk has from byte `offset` on.
    fn holds_pattern_from(&self, offset: u64) -> bool {
        holds_pattern(self.seg(), offset)
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        frames::free(self.pa, self.order);
    }
}

/// The words of memory that a test has.
fn words(seg: PhysSeg) -> &'static mut [u64] {
    // SAFETY: `seg` is part of some `Frames`, and the tests use what they get while those live and no request
    // has them.
    unsafe { core::slice::from_raw_parts_mut(phys::linear(seg.addr.0).cast(), seg.len as usize / 8) }
}

fn holds_pattern(seg: PhysSeg, offset: u64) -> bool {
    words(seg).iter().zip(offset / 8..).all(|(&found, n)| found == word(n))
}

fn disk() -> Result<DiskId, String> {
    pattern_disk().ok_or("no pattern disk".into())
}

fn read(offset: u64, segs: &[PhysSeg]) -> Result<(), String> {
    block::read(disk()?, offset, segs).map_err(|_| "read failed".into())
}

fn one_page() -> Result<(), String> {
    let frame = Frames::new(0)?;
    read(5 * SECTOR_SIZE, &[frame.seg()])?;
    expect(frame.holds_pattern_from(5 * SECTOR_SIZE), "wrong bytes")
}

fn long_list() -> Result<(), String> {
    let mut frames = (0..600).map(|_| Frames::new(0)).collect::<Result<Vec<_>, _>>()?;
    // Neighbours apart, so that nothing can be merged.
    frames.sort_by_key(|frame| (frame.pa / PAGE_SIZE % 7, frame.pa));
    let segs: Vec<PhysSeg> = frames.iter().map(Frames::seg).collect();
    read(PAGE_SIZE, &segs)?;
    let right = frames.iter().zip(1..).all(|(frame, n)| frame.holds_pattern_from(n * PAGE_SIZE));
    expect(right, "wrong bytes")
}

fn small_segments() -> Result<(), String> {
    let frame = Frames::new(2)?;
    let sector = |n: u64| PhysSeg { addr: PhysAddr(frame.pa + n * SECTOR_SIZE), len: SECTOR_SIZE as u32 };
    // Backwards and not touching: the sectors of the disk go to every other sector of the memory.
    let segs: Vec<PhysSeg> = (0..16).map(|n| sector(30 - 2 * n)).collect();
    read(9 * SECTOR_SIZE, &segs)?;
    let right = segs.iter().zip(9..).all(|(&seg, n)| holds_pattern(seg, n * SECTOR_SIZE));
    expect(right, "wrong bytes")?;
    let rest = (0..16).all(|n| words(sector(2 * n + 1)).iter().all(|&found| found == 0));
    expect(rest, "bytes between the segments were written")
}

fn many_in_flight() -> Result<(), String> {
    let disk = disk()?;
    let size = block::size(disk).ok_or("no size")?;
    let mut flights: Vec<(Frames, u64, Arc<Completion>)> = Vec::new();
    for n in 0..200 {
        let frames = Frames::new(n % 5)?;
        let offset = (word(n.into()) % (size - u64::from(frames.seg().len))) & !(SECTOR_SIZE - 1);
        let completion = Completion::new();
        let end_io = EndIo::Complete(completion.clone());
        let bio = Bio::new(BioOp::Read, offset, &[frames.seg()], end_io);
        block::submit(disk, bio.map_err(|_| "no memory")?).map_err(|_| "not started")?;
        flights.push((frames, offset, completion));
    }
    for (frames, offset, completion) in flights {
        completion.wait().map_err(|_| "read failed")?;
        expect(frames.holds_pattern_from(offset), "wrong bytes")?;
    }
    let stats = block::disk(disk).ok_or("no disk")?.stats();
    expect(stats.in_flight() == 0, "requests are still counted as in flight")
}

fn contiguous() -> Result<(), String> {
    let frames = Frames::new(9)?;
    let stats = block::disk(disk()?).ok_or("no disk")?.stats();
    let before = stats.snapshot(BioOp::Read);
    read(SECTOR_SIZE, &[frames.seg()])?;
    expect(frames.holds_pattern_from(SECTOR_SIZE), "wrong bytes")?;
    let after = stats.snapshot(BioOp::Read);
    // `read` looks for the disk first: one page more.
    expect(after.requests - before.requests == 2, "not one request")?;
    expect(after.bytes - before.bytes == (2 << 20) + PAGE_SIZE, "bytes are not counted")
}

fn refused() -> Result<(), String> {
    let disk = disk()?;
    let frame = Frames::new(0)?;
    let seg = frame.seg();
    let size = block::size(disk).ok_or("no size")?;
    let result = |offset, seg| block::read(disk, offset, &[seg]);
    expect(result(size, seg) == Err(Errno::EIO), "behind the end")?;
    expect(result(size - SECTOR_SIZE, seg) == Err(Errno::EIO), "over the end")?;
    expect(result(u64::MAX - 511, seg) == Err(Errno::EIO), "offset that overflows")?;
    expect(result(100, seg) == Err(Errno::EINVAL), "offset inside a sector")?;
    expect(result(0, PhysSeg { len: 100, ..seg }) == Err(Errno::EINVAL), "part of a sector")?;
    expect(result(0, PhysSeg { len: 0, ..seg }) == Err(Errno::EINVAL), "empty segment")?;
    expect(block::read(25, 0, &[seg]) == Err(Errno::EIO), "disk that is not there")?;
    expect(block::read(disk, 0, &[]) == Ok(()), "empty list")?;
    // And the disk still works.
    one_page()
}

fn write() -> Result<(), String> {
    let id = disk()?;
    let (from, to) = (Frames::new(4)?, Frames::new(4)?);
    let at = block::size(id).ok_or("no size")? - u64::from(from.seg().len);
    read(0, &[from.seg()])?;
    if block::disk(id).ok_or("no disk")?.is_read_only() {
        let result = block::write(id, at, &[from.seg()]);
        return expect(result == Err(Errno::EROFS), "a write to a read-only disk");
    }
    block::write(id, at, &[from.seg()]).map_err(|_| "write failed")?;
    read(at, &[to.seg()])?;
    expect(words(from.seg()) == words(to.seg()), "other bytes than were written")?;
    // Leave the disk as it was.
    for (place, n) in words(to.seg()).iter_mut().zip(at / 8..) {
        *place = word(n);
    }
    block::write(id, at, &pages(to.seg())).map_err(|_| "write failed")?;
    read(at, &[from.seg()])?;
    expect(from.holds_pattern_from(at), "the disk is not as it was")
}

/// A segment in pieces of a page.
fn pages(seg: PhysSeg) -> Vec<PhysSeg> {
    let page = |n| PhysSeg { addr: seg.addr.offset(n * PAGE_SIZE), len: PAGE_SIZE as u32 };
    (0..u64::from(seg.len) / PAGE_SIZE).map(page).collect()
}
