//! `sizes`: the same work by three processes with pages of 4K, 16K and 64K, and what it cost each, as a table.
//!
//! The work: 8 MiB of memory, written page by page. Counted are the faults; the levels that hardware walks, the entries
//! made for it and what they cover; and the tables that there are afterwards, Linux's and the native ones.
#![no_std]
#![no_main]

use rt::map::Mapping;
use rt::process::{self, Ended, personality};
use rt::rustix::fs::{Mode, OFlags, open};
use rt::rustix::io::read;
use rt::{Arg, Args, println, usage};

rt::main!(main);

const KIB: usize = 1024;
const SIZE: usize = 8 * KIB * KIB;
const SELF: &core::ffi::CStr = c"/bin/sizes";
/// `PER_PAGE_SIZE_16K` and `PER_PAGE_SIZE_64K`; neither is 4K.
const SIZES: [u32; 3] = [0, 0x1000_0000, 0x2000_0000];

fn main(args: Args) -> i32 {
    if args.get(1) == Some(c"row") {
        return match Row::measure() {
            Ok(row) => row.print(),
            Err(errno) => failed(errno),
        };
    }
    println!("                       levels           kB per  kB of tables   contiguous");
    println!("pages   hardware walks walked   faults   entry  Linux  native       kB");
    for bits in SIZES {
        let row = || {
            let others = personality(u32::MAX).unwrap_or(0) & !(SIZES[1] | SIZES[2]);
            let _ = personality(others | bits);
            failed(process::execve(SELF, &[Arg::new(SELF), Arg::new(c"row"), Arg::END], args.envp()))
        };
        match process::spawn(row).and_then(process::wait_for) {
            Ok(Ended::Exited(0)) => {}
            Ok(ended) => return ended.status(),
            Err(errno) => return failed(errno),
        }
    }
    0
}

fn failed(errno: rt::sys::Errno) -> i32 {
    rt::eprintln!("sizes: {errno}");
    1
}

/// One of the two tables, from `/proc/self/pagetables`.
#[derive(Clone, Copy, Default)]
struct Table {
    granule: usize,
    /// Level of the root, and how many tables there are.
    root_level: usize,
    nr_tables: usize,
    /// kB under entries of the last level, how many of these there are, and kB under those with the Contiguous bit.
    mapped: usize,
    entries: usize,
    contiguous: usize,
    is_live: bool,
}

struct Row {
    faults: u64,
    /// Linux's and the native one.
    tables: [Table; 2],
}

impl Row {
    fn measure() -> Result<Row, rt::sys::Errno> {
        let page = rt::page_size();
        let mut memory = Mapping::anonymous(SIZE)?;
        let before = usage::faults();
        memory.iter_mut().step_by(page).for_each(|byte| *byte = 1);
        let faults = before.zip(usage::faults()).map_or(0, |(before, after)| after.0 - before.0);
        let mut row = Row { faults, tables: [Table::default(); 2] };
        let mut current = 0;
        each_line(|line| {
            if let Some(rest) = line.split_once(" table, granule ").map(|(_, rest)| rest) {
                current = usize::from(line.starts_with("Native"));
                let granule = rest.split('K').next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
                let is_live = rest.ends_with("hardware walks it");
                row.tables[current] =
                    Table { granule, is_live, root_level: usize::MAX, nr_tables: 1, ..Table::default() };
            } else {
                row.tables[current].add(line);
            }
        })?;
        Ok(row)
    }

    fn print(&self) -> i32 {
        let [linux, native] = self.tables;
        let live = if native.is_live { native } else { linux };
        let page = rt::page_size() / KIB;
        let how = if live.granule == page { "natively" } else { "emulated" };
        let kib = |table: Table| table.nr_tables * table.granule;
        println!(
            "{page:>3}K    {:>3}K, {how} {:>5} {:>9} {:>7} {:>6} {:>7} {:>8}",
            live.granule,
            4 - live.root_level.min(3),
            self.faults,
            live.mapped / live.entries.max(1),
            kib(linux),
            kib(native),
            live.contiguous
        );
        0
    }
}

impl Table {
    /// Counts a line like `  L3 START-END 2 x 4K at ADDRESS rw- young dirty contiguous`, or one of a table.
    fn add(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        let level = words.next().and_then(|word| word.strip_prefix('L')).and_then(|level| level.parse().ok());
        let (Some(level), Some(_), Some(count)) = (level, words.next(), words.next()) else { return };
        self.root_level = self.root_level.min(level);
        if count == "table" {
            self.nr_tables += 1;
            return;
        }
        let size =
            words.nth(1).and_then(|size| size.strip_suffix('K')).and_then(|size| size.parse::<usize>().ok());
        let (Ok(count), Some(size)) = (count.parse::<usize>(), size) else { return };
        self.entries += count;
        self.mapped += count * size;
        if line.ends_with(" contiguous") {
            self.contiguous += count * size;
        }
    }
}

/// Calls `f` with each line of `/proc/self/pagetables`.
fn each_line(mut f: impl FnMut(&str)) -> Result<(), rt::sys::Errno> {
    let file = open(c"/proc/self/pagetables", OFlags::RDONLY, Mode::empty()).map_err(rt::sys::errno)?;
    let (mut buffer, mut len) = ([0u8; 4096], 0);
    loop {
        let more = read(&file, &mut buffer[len..]).map_err(rt::sys::errno)?;
        if more == 0 {
            return Ok(());
        }
        len += more;
        let mut start = 0;
        while let Some(end) = buffer[start..len].iter().position(|byte| *byte == b'\n') {
            f(core::str::from_utf8(&buffer[start..start + end]).unwrap_or_default());
            start += end + 1;
        }
        buffer.copy_within(start..len, 0);
        len -= start;
    }
}
