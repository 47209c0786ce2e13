//! `/sys`: devices and the kernel's knobs as small files, as many of them as tools here read: the disks and the CPUs.
//! Mirrors Linux's `block/genhd.c`, `block/blk-sysfs.c` and `drivers/base/cpu.c`; made like `/proc`.

mod disk;

use crate::file::vfs;
use crate::{platform, wall_clock};
use abi::Errno;
use alloc::sync::Arc;
use fs::inode::{FileSystem, FsStat, Inode};
use fs::kstat::{Dev, Timespec};
use fs::pseudo::{Content, Entry, Subject, TableDirectory, Text};
use spin::Once;

/// Linux's `SYSFS_MAGIC`.
const SYSFS_MAGIC: u64 = 0x6265_6572;
/// Size that all files show, and of a block: a kernel page.
const FILE_SIZE: u64 = 4096;
/// Inode number of the topmost directory.
const ROOT_INO: u64 = 1;

/// The device number of all mounts of it, and when it was made.
static ORIGIN: Once<(Dev, Timespec)> = Once::new();

fn origin() -> (Dev, Timespec) {
    *ORIGIN.call_once(|| (vfs().anonymous_dev(), wall_clock::timespec()))
}

/// The file system. All mounts show the same.
pub struct SysFs;

impl FileSystem for SysFs {
    fn name(&self) -> &'static str {
        "sysfs"
    }

    fn root(&self) -> Result<Arc<dyn Inode>, Errno> {
        Ok(TableDirectory::new(System, &ROOT, ROOT_INO)?)
    }

    fn statfs(&self) -> FsStat {
        FsStat {
            magic: SYSFS_MAGIC,
            block_size: FILE_SIZE,
            blocks: 0,
            blocks_free: 0,
            files: 0,
            files_free: 0,
        }
    }
}

/// What there is once.
#[derive(Clone)]
struct System;

impl Subject for System {
    fn dev(&self) -> Dev {
        origin().0
    }

    fn first_ino(&self) -> u64 {
        0
    }

    fn time(&self) -> Timespec {
        origin().1
    }

    fn file_size(&self) -> u64 {
        FILE_SIZE
    }
}

static ROOT: [Entry<System>; 3] = [
    Entry { name: "block", mode: 0o755, content: Content::Own(disk::directory) },
    Entry { name: "class", mode: 0o755, content: Content::Directory(&CLASS) },
    Entry { name: "devices", mode: 0o755, content: Content::Directory(&DEVICES) },
];

static CLASS: [Entry<System>; 1] =
    [Entry { name: "block", mode: 0o755, content: Content::Own(disk::directory) }];

static DEVICES: [Entry<System>; 1] =
    [Entry { name: "system", mode: 0o755, content: Content::Directory(&DEVICES_SYSTEM) }];

static DEVICES_SYSTEM: [Entry<System>; 1] =
    [Entry { name: "cpu", mode: 0o755, content: Content::Directory(&CPU) }];

static CPU: [Entry<System>; 7] = [
    Entry::text("kernel_max", |_, out| out.print(format_args!("{}\n", platform::MAX_CPUS - 1))),
    Entry::text("offline", show_offline),
    Entry::text("isolated", |_, out| out.push(b"\n")),
    Entry::text("online", |_, out| out.push(b"0\n")),
    Entry::text("possible", show_present),
    Entry::text("present", show_present),
    Entry { name: "cpu0", mode: 0o755, content: Content::Directory(&CPU0) },
];

static CPU0: [Entry<System>; 1] =
    [Entry { name: "topology", mode: 0o755, content: Content::Directory(&TOPOLOGY) }];

static TOPOLOGY: [Entry<System>; 4] = [
    Entry::text("core_id", |_, out| out.push(b"0\n")),
    Entry::text("physical_package_id", |_, out| out.push(b"0\n")),
    Entry::text("core_siblings_list", |_, out| out.push(b"0\n")),
    Entry::text("thread_siblings_list", |_, out| out.push(b"0\n")),
];

/// All CPUs of the device tree, as a range.
fn show_present(_: &System, out: &mut Text) -> Result<(), Errno> {
    match platform::get().cpus.len() {
        0 | 1 => out.push(b"0\n"),
        more => out.print(format_args!("0-{}\n", more - 1)),
    }
}

/// All but the one that is used.
fn show_offline(_: &System, out: &mut Text) -> Result<(), Errno> {
    match platform::get().cpus.len() {
        0 | 1 => out.push(b"\n"),
        2 => out.push(b"1\n"),
        more => out.print(format_args!("1-{}\n", more - 1)),
    }
}
