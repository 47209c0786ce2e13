//! `/proc/PID/pagetables`: both tables of a process as they are, for people. Ours; Linux has something like it for the
//! kernel's own (`ptdump`).
//!
//! ```text
//! Linux table, granule 4K, root 0x40a5e000
//! L0 000000000000-007fffffffff table 0x40a60000
//!       L3 aaaae0000000-aaaae0001fff 2 x 4K at 0x48123000 r-x young clean
//! ```

use super::Process;
use abi::Errno;
use arrayvec::ArrayVec;
use core::fmt;
use core::ops::ControlFlow;
use fs::pseudo::Text;
use mm::arm64::geometry::Geometry;
use mm::arm64::inspect::{Found, Which};
use mm::arm64::pte::{DESC_ADDR, Pte};

/// Lines that are looked up at a time.
const LINES: usize = 40;
/// In a position: the heading was told; it is about the native table.
const TOLD: u64 = 1 << 61;
const NATIVE: u64 = 1 << 62;
/// In a position: the address, and above it the level from which on tables are told that begin there.
const ADDRESS: u64 = (1 << 56) - 1;
const LEVEL_SHIFT: u32 = 56;
const LEVEL: u64 = 7 << LEVEL_SHIFT;

/// `/proc/PID/pagetables`. A position is the table and the address from which to go on.
pub fn show_pagetables(process: &Process, from: u64, out: &mut Text) -> Result<Option<u64>, Errno> {
    let Some(user_mm) = process.open()?.memory() else { return Ok(None) };
    let which = if from & NATIVE != 0 { Which::Native } else { Which::Linux };
    let mm = user_mm.lock();
    let mut lines = ArrayVec::<Found, LINES>::new();
    let (found, live) = {
        let tables = mm.tables();
        let found = tables.inspect_root(which);
        let from = (from & ADDRESS, ((from & LEVEL) >> LEVEL_SHIFT) as u8);
        let _ = tables.inspect(mm.mem(), which, from, &mut |line| {
            lines.push(line);
            if lines.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (found, tables.root())
    };
    let Some((root, root_level, geometry)) = found else {
        out.push(b"No native table\n")?;
        return Ok(None);
    };
    if from & TOLD == 0 {
        let name = if which == Which::Linux { "Linux" } else { "Native" };
        let hardware = if root == live { ", hardware walks it" } else { "" };
        out.print(format_args!(
            "{name} table, granule {}K, root {root:?}{hardware}\n",
            geometry.page.bytes() >> 10
        ))?;
    }
    for line in &lines {
        out.print(format_args!("{}\n", Line(line, root_level, geometry)))?;
    }
    Ok(match lines.last() {
        Some(last) if lines.is_full() => Some(from & NATIVE | TOLD | resume(last)),
        _ if which == Which::Linux => Some(NATIVE),
        _ => None,
    })
}

/// Where to go on behind a line. What follows a table may begin at the same address, on the next level.
fn resume(last: &Found) -> u64 {
    if last.is_table { last.start | u64::from(last.level + 1) << LEVEL_SHIFT } else { last.end }
}

/// A descriptor in words.
struct Line<'a>(&'a Found, u8, &'static Geometry);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line(found, root_level, geometry) = self;
        let Found { level, start, end, desc, is_table } = **found;
        let indent = usize::from(level - root_level) * 2;
        write!(f, "{:indent$}L{level} {start:012x}-{:012x} ", "", end - 1)?;
        if is_table {
            return write!(f, "table {:#x}", desc & DESC_ADDR);
        }
        let size = geometry.size(level);
        let pte = Pte(desc);
        let letter = |on, letter| if on { letter } else { '-' };
        write!(
            f,
            "{} x {}K at {:#x} {}{}{}{}",
            (end - start) / size,
            size >> 10,
            desc & DESC_ADDR & !(size - 1),
            letter(pte.valid(), 'r'),
            letter(pte.write(), 'w'),
            letter(pte.valid() && pte.user_exec(), 'x'),
            if pte.young() { " young" } else { " old" },
        )?;
        f.write_str(if pte.dirty() { " dirty" } else { " clean" })?;
        for (on, word) in [
            (pte.cont(), " contiguous"),
            (pte.special(), " special"),
            (pte.write() && pte.rdonly(), " write-faults"),
            (!pte.valid(), " invalid"),
        ] {
            if on {
                f.write_str(word)?;
            }
        }
        Ok(())
    }
}
