//! The topmost directory: the files about the machine, then a directory for each process. Mirrors Linux's
//! `fs/proc/root.c`.

use super::System;
use super::process::Process;
use super::{disks, sysctl, system, vmstat};
use crate::task::{current, table};
use abi::Errno;
use alloc::sync::Arc;
use fs::inode::{DirEntry, DirVisitor, Inode, NewInode};
use fs::kstat::{FileType, Kstat};
use fs::pseudo::{Content, Entry, Subject, TableDirectory, Text};

/// Inode number of the topmost directory (Linux: `PROC_ROOT_INO`).
const ROOT_INO: u64 = 1;
/// Cookie of the first process (Linux: `FIRST_PROCESS_ENTRY`); that of another is as much further on as its number.
const FIRST_PROCESS: u64 = 256;

static ENTRIES: [Entry<System>; 17] = [
    Entry { name: "self", mode: 0o777, content: Content::Symlink(show_self) },
    Entry { name: "thread-self", mode: 0o777, content: Content::Symlink(show_thread_self) },
    Entry { name: "mounts", mode: 0o777, content: Content::Symlink(|_, out| out.push(b"self/mounts")) },
    Entry { name: "sys", mode: 0o555, content: Content::Own(sysctl::directory) },
    Entry::text("cmdline", system::show_cmdline),
    Entry::text("cpuinfo", system::show_cpuinfo),
    Entry::text("filesystems", system::show_filesystems),
    Entry::text("loadavg", system::show_loadavg),
    Entry::text("meminfo", system::show_meminfo),
    Entry::text("stat", system::show_stat),
    Entry::text("swaps", system::show_swaps),
    Entry::text("uptime", system::show_uptime),
    Entry::text("version", system::show_version),
    Entry::text("devices", disks::show_devices),
    Entry::text("diskstats", disks::show_diskstats),
    Entry::text("partitions", disks::show_partitions),
    Entry::text("vmstat", vmstat::show_vmstat),
];

fn show_self(_: &System, out: &mut Text) -> Result<(), Errno> {
    out.print(format_args!("{}", current().pid()))
}

fn show_thread_self(_: &System, out: &mut Text) -> Result<(), Errno> {
    let pid = current().pid();
    out.print(format_args!("{pid}/task/{pid}"))
}

/// The directory.
struct Root {
    files: Arc<TableDirectory<System>>,
}

/// A fresh one, for a mount.
pub fn new() -> Result<Arc<dyn Inode>, Errno> {
    Ok(Arc::new(Root { files: TableDirectory::new(System, &ENTRIES, ROOT_INO)? }))
}

impl Inode for Root {
    fn file_type(&self) -> FileType {
        FileType::Directory
    }

    fn stat(&self) -> Result<Kstat, Errno> {
        let mut stat = self.files.stat()?;
        stat.nlink += table::count() as u32;
        Ok(stat)
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        match Process::find(name) {
            Some(process) => process.directory(),
            None => self.files.lookup(name),
        }
    }

    fn readdir(&self, pos: u64, visit: DirVisitor<'_>) -> Result<(), Errno> {
        if pos < FIRST_PROCESS {
            let mut full = false;
            self.files.readdir(pos, &mut |entry| {
                let flow = visit(entry);
                full = flow.is_break();
                flow
            })?;
            if full {
                return Ok(());
            }
        }
        let mut from = pos.saturating_sub(FIRST_PROCESS);
        while let Some(task) = u32::try_from(from).ok().and_then(table::find_from) {
            let process = Process::of(&task);
            let mut name = Text::new();
            name.print(format_args!("{}", task.pid()))?;
            from = u64::from(task.pid()) + 1;
            drop(task);
            let entry = DirEntry {
                ino: process.first_ino() + 1,
                file_type: Some(FileType::Directory),
                name: name.as_bytes(),
                next: FIRST_PROCESS + from,
            };
            if visit(&entry).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn create(&self, name: &[u8], new: &NewInode<'_>) -> Result<Arc<dyn Inode>, Errno> {
        self.files.create(name, new)
    }
}
