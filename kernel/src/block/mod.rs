//! The block layer: disks by number, requests against them, and what they cost.
//!
//! The page cache submits [`Bio`]s and is called back when they end; [`read`] waits for that on
//! behalf of code that can block. A driver implements [`BlockDriver`] and registers. Mirrors
//! `block/blk-core.c` of Linux with one hardware queue and no elevator.

mod bio;
mod completion;
mod stats;

pub use bio::{Bio, BioList, BioOp, EndIo};
pub use completion::Completion;
pub use stats::DiskStats;

use abi::Errno;
use alloc::boxed::Box;
use mm::types::PhysSeg;
use spin::Once;

/// Unit of sizes and positions on a disk, whatever its own blocks are.
pub const SECTOR_SIZE: u64 = 512;

/// Disks that can be registered: vda to vdz.
pub const MAX_DISKS: usize = 26;

/// A registered disk: 0 is vda.
pub type DiskId = u32;

/// What a driver does for the block layer.
pub trait BlockDriver: Send + Sync {
    /// Size in sectors.
    fn capacity(&self) -> u64;

    /// Whether writes fail.
    fn is_read_only(&self) -> bool;

    /// Carries out a request that [`submit`] found to be within the disk, and ends it by
    /// [`Bio::end`], from interrupt context or before it returns. Never sleeps.
    fn submit(&self, bio: Box<Bio>);

    /// What was done so far.
    fn stats(&self) -> &DiskStats;
}

static DISKS: [Once<&'static dyn BlockDriver>; MAX_DISKS] = [const { Once::new() }; MAX_DISKS];

/// Adds a disk under the next free number. Called by one CPU while drivers start.
pub fn register(driver: &'static dyn BlockDriver) -> Result<DiskId, Errno> {
    let id = DISKS.iter().position(|disk| disk.get().is_none()).ok_or(Errno::ENXIO)?;
    DISKS[id].call_once(|| driver);
    Ok(id as DiskId)
}

/// The disk of this number.
pub fn disk(id: DiskId) -> Option<&'static dyn BlockDriver> {
    DISKS.get(id as usize)?.get().copied()
}

/// The letter of a disk's name: `a` for 0, of "vda".
pub fn letter(id: DiskId) -> char {
    char::from(b'a' + (id as usize % MAX_DISKS) as u8)
}

/// The disk that `root=` names: "vda" or "/dev/vda".
pub fn find(name: &str) -> Option<DiskId> {
    let name = name.strip_prefix("/dev/").unwrap_or(name);
    let mut rest = name.strip_prefix("vd")?.bytes();
    let letter = rest.next().filter(u8::is_ascii_lowercase)?;
    let id = DiskId::from(letter - b'a');
    (rest.next().is_none() && disk(id).is_some()).then_some(id)
}

/// Size of a disk in bytes.
pub fn size(id: DiskId) -> Option<u64> {
    disk(id).map(|disk| disk.capacity().saturating_mul(SECTOR_SIZE))
}

/// Starts a request. Its [`EndIo`] tells the end, perhaps before this returns; an error returned here
/// means that nothing was started, and then no end is told.
///
/// EIO: no such disk, or past its end. EINVAL: lengths or offset not in whole sectors. EROFS: a
/// write to a read-only disk.
pub fn submit(id: DiskId, bio: Box<Bio>) -> Result<(), Errno> {
    check(id, &bio)?.submit(bio);
    Ok(())
}

fn check(id: DiskId, bio: &Bio) -> Result<&'static dyn BlockDriver, Errno> {
    let disk = disk(id).ok_or(Errno::EIO)?;
    let whole_sectors = |bytes: u64| bytes.is_multiple_of(SECTOR_SIZE);
    let well_formed = |seg: &PhysSeg| seg.len != 0 && whole_sectors(u64::from(seg.len));
    if !whole_sectors(bio.offset()) || !bio.segs().iter().all(well_formed) {
        return Err(Errno::EINVAL);
    }
    let capacity = disk.capacity().saturating_mul(SECTOR_SIZE);
    let end = bio.offset().checked_add(bio.len()).ok_or(Errno::EIO)?;
    if end > capacity {
        return Err(Errno::EIO);
    }
    if bio.op() == BioOp::Write && disk.is_read_only() {
        return Err(Errno::EROFS);
    }
    Ok(disk)
}

/// Reads from byte `offset` into `segs` and waits until it is done.
pub fn read(id: DiskId, offset: u64, segs: &[PhysSeg]) -> Result<(), Errno> {
    transfer(id, BioOp::Read, offset, segs)
}

/// Writes `segs` to byte `offset` and waits until it is done.
pub fn write(id: DiskId, offset: u64, segs: &[PhysSeg]) -> Result<(), Errno> {
    transfer(id, BioOp::Write, offset, segs)
}

fn transfer(id: DiskId, op: BioOp, offset: u64, segs: &[PhysSeg]) -> Result<(), Errno> {
    let completion = Completion::new();
    submit(id, Bio::new(op, offset, segs, EndIo::Complete(completion.clone()))?)?;
    completion.wait()
}
