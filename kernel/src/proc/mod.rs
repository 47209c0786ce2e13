//! `/proc`: what the kernel tells about processes and about itself, as text. Gathered here; the texts are written by
//! `fs::proc`, the directories by `fs::pseudo`. Mirrors Linux's `fs/proc`.
//!
//! - `root`: the topmost directory, `system`: its files. A new file is a line in its table and a function.
//! - `process`: the directories of processes, in the same way.
//! - `sysctl`: `/proc/sys`; a new setting is a line there.
//!
//! A file is made anew for each reader, with no lock held while it is copied to the program: what is looked at under a
//! lock goes into a buffer of the kernel first. So reading one's own `maps` may fault and grow the heap.

mod disks;
mod process;
mod root;
mod sysctl;
mod system;
mod vmstat;

pub use disks::{disk_line, disks};
pub use sysctl::apply_command_line;

use crate::file::vfs;
use crate::wall_clock;
use abi::Errno;
use alloc::sync::Arc;
use fs::inode::{FileSystem, FsStat, Inode};
use fs::kstat::{Dev, Timespec};
use fs::pseudo::Subject;
use spin::Once;

/// Linux's `PROC_SUPER_MAGIC`.
const PROC_MAGIC: u64 = 0x9fa0;
/// Size of a block that `statfs` tells: a kernel page.
const BLOCK_SIZE: u64 = 4096;

/// The device number of all mounts of it, and when it was made.
static ORIGIN: Once<(Dev, Timespec)> = Once::new();

fn origin() -> (Dev, Timespec) {
    *ORIGIN.call_once(|| (vfs().anonymous_dev(), wall_clock::timespec()))
}

/// The file system. All mounts show the same.
pub struct ProcFs;

impl FileSystem for ProcFs {
    fn name(&self) -> &'static str {
        "proc"
    }

    fn root(&self) -> Result<Arc<dyn Inode>, Errno> {
        root::new()
    }

    fn statfs(&self) -> FsStat {
        FsStat {
            magic: PROC_MAGIC,
            block_size: BLOCK_SIZE,
            blocks: 0,
            blocks_free: 0,
            files: 0,
            files_free: 0,
        }
    }
}

/// What there is once: the subject of the files at the top.
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
}
