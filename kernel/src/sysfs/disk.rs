//! `/sys/block`: a directory for each disk.

use super::{FILE_SIZE, System, origin};
use crate::block::{self, DiskId, SECTOR_SIZE};
use crate::file::disk_number;
use crate::proc::{disk_line, disks};
use abi::Errno;
use alloc::sync::Arc;
use fs::inode::{Freshness, Inode};
use fs::kstat::{Dev, FileType, Timespec};
use fs::pseudo::{Attributes, Content, Entry, ListDirectory, Listed, Listing, Subject, TableDirectory, Text};

/// A disk.
#[derive(Clone)]
struct Disk(DiskId);

impl Subject for Disk {
    fn dev(&self) -> Dev {
        origin().0
    }

    fn first_ino(&self) -> u64 {
        (u64::from(self.0) + 1) << 32
    }

    fn time(&self) -> Timespec {
        origin().1
    }

    fn file_size(&self) -> u64 {
        FILE_SIZE
    }
}

static DISK: [Entry<Disk>; 7] = [
    Entry::text("dev", show_dev),
    Entry::text("inflight", |disk, out| {
        // What is read and what is written are not told apart.
        out.print(format_args!("{:>8} {:>8}\n", disk_line(disk.0).in_flight, 0))
    }),
    Entry { name: "queue", mode: 0o755, content: Content::Directory(&QUEUE) },
    Entry::text("removable", |_, out| out.push(b"0\n")),
    Entry::text("ro", |disk, out| {
        let read_only = block::disk(disk.0).is_some_and(|disk| disk.is_read_only());
        out.print(format_args!("{}\n", u32::from(read_only)))
    }),
    Entry::text("size", |disk, out| {
        out.print(format_args!("{}\n", block::size(disk.0).unwrap_or(0) / SECTOR_SIZE))
    }),
    Entry::text("stat", |disk, out| disk_line(disk.0).show_columns(out)),
];

static QUEUE: [Entry<Disk>; 6] = [
    Entry::text("hw_sector_size", show_sector),
    Entry::text("logical_block_size", show_sector),
    Entry::text("physical_block_size", show_sector),
    Entry::text("read_ahead_kb", |_, out| {
        out.print(format_args!("{}\n", mm::filemap::READ_AHEAD_MAX / 1024))
    }),
    Entry::text("rotational", |_, out| out.push(b"1\n")),
    Entry::text("scheduler", |_, out| out.push(b"[none]\n")),
];

fn show_sector(_: &Disk, out: &mut Text) -> Result<(), Errno> {
    out.print(format_args!("{SECTOR_SIZE}\n"))
}

fn show_dev(disk: &Disk, out: &mut Text) -> Result<(), Errno> {
    let dev = disk_number(disk.0);
    out.print(format_args!("{}:{}\n", dev.major, dev.minor))
}

/// The disks, by name.
struct Disks {
    parent: u64,
}

/// `/sys/block` and `/sys/class/block`.
pub fn directory(_: &System, attributes: Attributes, parent: u64) -> Result<Arc<dyn Inode>, Errno> {
    Ok(ListDirectory::new(attributes, parent, Disks { parent: attributes.ino })?)
}

impl Listing for Disks {
    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        let [b'v', b'd', letter @ b'a'..=b'z'] = *name else { return Err(Errno::ENOENT) };
        let id = DiskId::from(letter - b'a');
        block::disk(id).ok_or(Errno::ENOENT)?;
        Ok(TableDirectory::new(Disk(id), &DISK, self.parent)?)
    }

    fn next(&self, from: u64) -> Result<Option<Listed>, Errno> {
        let Some(id) = disks().find(|id| u64::from(*id) >= from) else { return Ok(None) };
        let mut name = Text::new();
        name.print(format_args!("vd{}", block::letter(id)))?;
        let ino = Disk(id).first_ino() + 1;
        Ok(Some(Listed { number: id.into(), ino, file_type: FileType::Directory, name }))
    }

    fn freshness(&self) -> Freshness {
        Freshness::Stable
    }
}
