//! `/proc/vmstat`: counters of memory. Names that Linux has mean what they mean there; the others are ours (`mm::stats`).
//! Numbers of pages are in the reader's page size, but for events that happen to kernel pages. Mirrors Linux's
//! `mm/vmstat.c`.

use super::System;
use crate::task::remote::page_size_of_reader;
use crate::{frames, memory};
use abi::Errno;
use core::sync::atomic::Ordering::Relaxed;
use fs::pseudo::Text;
use mm::types::PAGE_SIZE;

/// `/proc/vmstat`.
pub fn show_vmstat(_: &System, out: &mut Text) -> Result<(), Errno> {
    let page = page_size_of_reader().bytes();
    let stats = &memory::get().stats;
    let pages = |nr_kernel_pages: u64| nr_kernel_pages * PAGE_SIZE / page;
    let [used, files, tables] = [&stats.nr_used, &stats.nr_file_pages, &stats.nr_page_table_pages]
        .map(|counter| counter.load(Relaxed));
    out.print(format_args!("nr_free_pages {}\n", pages(memory::summary().free / PAGE_SIZE)))?;
    out.print(format_args!("nr_anon_pages {}\n", pages(used.saturating_sub(files + tables))))?;
    out.print(format_args!("nr_total_pages {}\n", pages(frames::total())))?;
    let mut result = Ok(());
    stats.for_each(|name, value| {
        let value = match name {
            // Linux counts these in KiB.
            "pgpgin" => value * PAGE_SIZE / 1024,
            _ if name.starts_with("nr_") => pages(value),
            _ => value,
        };
        if result.is_ok() {
            result = out.print(format_args!("{name} {value}\n"));
        }
    });
    result?;
    out.push(b"pgpgout 0\npswpin 0\npswpout 0\n")
}
