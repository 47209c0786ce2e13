//! The texts of `/proc`: what Linux writes, to the last space, because programs take it apart. Pure; the kernel gathers
//! what is to be written. Mirrors Linux's `fs/proc/array.c`, `task_mmu.c`, `meminfo.c` and their neighbours.
//!
//! Sizes come as bytes and go as each file has them: kB, or pages of the reader's page size.

mod maps;
mod meminfo;
mod mounts;
mod stat;
mod status;
mod system;

pub use maps::{MapsLine, PageKind, Record, Smaps, SmapsPage};
pub use meminfo::MemInfo;
pub use mounts::{show_mountinfo, show_mounts};
pub use stat::{Statm, TaskStat};
pub use status::{MemoryStatus, PageStatus, TaskStatus};
pub use system::{CpuTimes, DiskLine, LOAD_SHIFT, SystemStat, show_loadavg, show_seconds};

/// Clock ticks in a second, as programs see them (`USER_HZ`, `AT_CLKTCK`).
pub const USER_HZ: u64 = 100;

/// Nanoseconds in clock ticks.
pub const fn clock_ticks(ns: u64) -> u64 {
    ns / (1_000_000_000 / USER_HZ)
}
