//! Disks: `diskstats`, `partitions`, `devices`. Mirrors Linux's `block/genhd.c` and `fs/proc/devices.c`.

use super::System;
use crate::block::{self, DiskId};
use crate::file::{BLOCK_DRIVERS, CHAR_DRIVERS, disk_number};
use abi::Errno;
use fs::proc::DiskLine;
use fs::pseudo::Text;

/// What a disk has done so far.
pub fn disk_line(id: DiskId) -> DiskLine {
    let Some(disk) = block::disk(id) else { return DiskLine::default() };
    let stats = disk.stats();
    let (reads, writes) = (stats.snapshot(block::BioOp::Read), stats.snapshot(block::BioOp::Write));
    DiskLine {
        reads: reads.requests,
        read_sectors: reads.bytes / block::SECTOR_SIZE,
        writes: writes.requests,
        written_sectors: writes.bytes / block::SECTOR_SIZE,
        in_flight: stats.in_flight(),
    }
}

/// The disks that there are.
pub fn disks() -> impl Iterator<Item = DiskId> {
    (0..block::MAX_DISKS as DiskId).filter(|id| block::disk(*id).is_some())
}

/// `/proc/diskstats`.
pub fn show_diskstats(_: &System, out: &mut Text) -> Result<(), Errno> {
    disks().try_for_each(|id| {
        let dev = disk_number(id);
        out.print(format_args!("{:>4} {:>7} vd{} ", dev.major, dev.minor, block::letter(id)))?;
        disk_line(id).show(out)
    })
}

/// `/proc/partitions`: whole disks, in KiB.
pub fn show_partitions(_: &System, out: &mut Text) -> Result<(), Errno> {
    out.push(b"major minor  #blocks  name\n\n")?;
    disks().try_for_each(|id| {
        let dev = disk_number(id);
        let blocks = block::size(id).unwrap_or(0) >> 10;
        out.print(format_args!("{:>4}  {:>7} {blocks:>10} vd{}\n", dev.major, dev.minor, block::letter(id)))
    })
}

/// `/proc/devices`: drivers by number.
pub fn show_devices(_: &System, out: &mut Text) -> Result<(), Errno> {
    for (title, drivers) in [("Character devices:\n", CHAR_DRIVERS), ("\nBlock devices:\n", BLOCK_DRIVERS)] {
        out.push(title.as_bytes())?;
        for (major, name) in drivers {
            out.print(format_args!("{major:>3} {name}\n"))?;
        }
    }
    Ok(())
}
