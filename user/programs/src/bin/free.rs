//! `free`: how much memory there is, in KiB. From `/proc/meminfo`, or from sysinfo(2) where there is
//! none, which does not count the page cache.
#![no_std]
#![no_main]

use rt::rustix::fs::{Mode, OFlags, open};
use rt::rustix::io::read;
use rt::rustix::system::sysinfo;

rt::main!(main);

/// In KiB.
#[derive(Default)]
struct Memory {
    total: u64,
    free: u64,
    cached: u64,
    available: u64,
}

fn main(_: rt::Args) -> i32 {
    let memory = from_proc().unwrap_or_else(from_sysinfo);
    let Memory { total, free, cached, available } = memory;
    let used = total.saturating_sub(free).saturating_sub(cached);
    rt::println!("{:>16} {:>11} {:>11} {:>11} {:>11}", "total", "used", "free", "buff/cache", "available");
    rt::println!("Mem: {total:>11} {used:>11} {free:>11} {cached:>11} {available:>11}");
    0
}

fn from_proc() -> Option<Memory> {
    let file = open(c"/proc/meminfo", OFlags::RDONLY, Mode::empty()).ok()?;
    let mut text = [0; 4096];
    let len = read(&file, &mut text[..]).ok()?;
    let mut memory = Memory::default();
    for line in text[..len].split(|byte| *byte == b'\n') {
        let line = core::str::from_utf8(line).unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let (Some(name), Some(Ok(value))) = (words.next(), words.next().map(str::parse::<u64>)) else {
            continue;
        };
        match name {
            "MemTotal:" => memory.total = value,
            "MemFree:" => memory.free = value,
            "MemAvailable:" => memory.available = value,
            "Buffers:" | "Cached:" | "SReclaimable:" => memory.cached += value,
            _ => {}
        }
    }
    (memory.total > 0).then_some(memory)
}

fn from_sysinfo() -> Memory {
    let info = sysinfo();
    let kib = |units: u64| units * u64::from(info.mem_unit) / 1024;
    let free = kib(info.freeram);
    Memory { total: kib(info.totalram), free, cached: kib(info.bufferram), available: free }
}
