//! The files about the machine and the kernel. Mirrors `meminfo.c`, `stat.c`, `uptime.c` and their neighbours of Linux's
//! `fs/proc`, and arm64's `c_show` of `cpuinfo`.

use super::System;
use crate::arch::{barrier, cpu, hwcap};
use crate::drivers::timer::{self, NSEC_PER_SEC};
use crate::task::{load, sched, table};
use crate::{file, heap, kstack, memory, platform, wall_clock};
use abi::Errno;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use fs::proc::{CpuTimes, MemInfo, SystemStat, show_seconds};
use fs::pseudo::Text;
use mm::types::PAGE_SIZE;

/// `/proc/meminfo`.
pub fn show_meminfo(_: &System, out: &mut Text) -> Result<(), Errno> {
    let memory::Summary { total, free } = memory::summary();
    let stats = &memory::get().stats;
    let bytes = |counter: &AtomicU64| counter.load(Relaxed) * PAGE_SIZE;
    let (used, cached, page_tables) =
        (bytes(&stats.nr_used), bytes(&stats.nr_file_pages), bytes(&stats.nr_page_table_pages));
    let (shmem, mapped) = (bytes(&stats.nr_shmem), bytes(&stats.nr_mapped));
    let (_, heap_size) = heap::usage();
    let info = MemInfo {
        total,
        free,
        available: free + cached.saturating_sub(shmem.max(mapped)),
        buffers: 0,
        cached,
        anon: used.saturating_sub(cached + page_tables),
        mapped,
        shmem,
        slab: heap_size as u64,
        kernel_stack: table::count() as u64 * kstack::KSTACK_SIZE as u64,
        page_tables,
        committed: committed(),
    };
    info.show(out)
}

/// What processes could still make their own: private writable memory and what lives in memory anyway.
fn committed() -> u64 {
    let mut sum = memory::get().stats.nr_shmem.load(Relaxed) * PAGE_SIZE;
    let mut next = 0;
    while let Some(task) = table::find_from(next) {
        next = task.pid() + 1;
        sum += task.memory().map_or(0, |mm| super::process::writable(&mm));
    }
    sum
}

/// `/proc/stat`.
pub fn show_stat(_: &System, out: &mut Text) -> Result<(), Errno> {
    let now = timer::now();
    let idle = sched::idle_time().min(now);
    SystemStat {
        // Time in programs and in the kernel are not told apart.
        cpu: CpuTimes { user: now - idle, system: 0, idle },
        interrupts: crate::irq::count(),
        switches: sched::switches(),
        boot_time: wall_clock::now().saturating_sub(now) / NSEC_PER_SEC,
        forks: table::nr_forks(),
        running: sched::nr_running() as u64,
        blocked: 0,
    }
    .show(out)
}

/// `/proc/uptime`.
pub fn show_uptime(_: &System, out: &mut Text) -> Result<(), Errno> {
    show_seconds(timer::now(), out)?;
    out.push(b" ")?;
    show_seconds(sched::idle_time(), out)?;
    out.push(b"\n")
}

/// `/proc/loadavg`.
pub fn show_loadavg(_: &System, out: &mut Text) -> Result<(), Errno> {
    let counts = (sched::nr_running() as u64, table::count() as u64);
    fs::proc::show_loadavg(load::averages(), counts, table::last_pid(), out)
}

/// `/proc/version`.
pub fn show_version(_: &System, out: &mut Text) -> Result<(), Errno> {
    use crate::syscall::{RELEASE, VERSION};
    out.print(format_args!("Linux version {RELEASE} (granule@granule) (rustc) {VERSION}\n"))
}

/// `/proc/cmdline`.
pub fn show_cmdline(_: &System, out: &mut Text) -> Result<(), Errno> {
    out.print(format_args!("{}\n", platform::get().cmdline))
}

/// `/proc/filesystems`.
pub fn show_filesystems(_: &System, out: &mut Text) -> Result<(), Errno> {
    file::FILE_SYSTEMS.iter().try_for_each(|(name, needs_device)| {
        let kind = if *needs_device { "" } else { "nodev" };
        out.print(format_args!("{kind}\t{name}\n"))
    })
}

/// `/proc/swaps`: there is nothing to swap to.
pub fn show_swaps(_: &System, out: &mut Text) -> Result<(), Errno> {
    out.push(b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")
}

/// `/proc/cpuinfo`.
pub fn show_cpuinfo(_: &System, out: &mut Text) -> Result<(), Errno> {
    let midr = cpu::features().midr;
    let field = |shift: u32, bits: u32| midr >> shift & ((1 << bits) - 1);
    // BogoMIPS: two counts of the counter are a loop of Linux's `udelay`.
    let frequency = barrier::counter_frequency();
    let bogomips = frequency / 5000;
    out.print(format_args!(
        "processor\t: 0\nBogoMIPS\t: {}.{:02}\nFeatures\t:",
        bogomips / 100,
        bogomips % 100
    ))?;
    hwcap::names().try_for_each(|name| out.print(format_args!(" {name}")))?;
    out.print(format_args!(
        "\nCPU implementer\t: {:#04x}\nCPU architecture: 8\nCPU variant\t: {:#x}\nCPU part\t: {:#05x}\nCPU revision\t: {}\n\n",
        field(24, 8),
        field(20, 4),
        field(4, 12),
        field(0, 4)
    ))
}
