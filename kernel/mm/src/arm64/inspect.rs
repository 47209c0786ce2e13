//! Looking at tables as they are, for `/proc/PID/pagetables`: reads only, and knows no more than where descriptors lie.

use super::geometry::{Geometry, LAST_LEVEL};
use super::pgtable::PageTables;
use super::pte::{DESC_ADDR, DESC_TABLE};
use super::table::Table;
use crate::hw::Hw;
use crate::memory::Memory;
use crate::types::PhysAddr;
use core::ops::ControlFlow;

/// One of the tables of an address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that holds all state.
    Linux,
    /// The one in the process's granule.
    Native,
}

/// What is found in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Level of the descriptor.
    pub level: u8,
    /// First address.
    pub start: u64,
    /// Address after the last.
    pub end: u64,
    /// The descriptor, of several that follow each other the first.
    pub desc: u64,
    /// Whether it leads to a table.
    pub is_table: bool,
}

impl PageTables {
    /// Root, its level, and geometry of a table, if there is one.
    pub fn inspect_root(&self, which: Which) -> Option<(PhysAddr, u8, &'static Geometry)> {
        let table = self.table(which)?;
        Some((table.root(), table.root_level(), table.geometry()))
    }

    /// Tells what is in a table from address `from` on, tables before what is in them, until `tell` breaks. Of what begins
    /// at `from`, tables above `level` were told before. Leaf entries that differ in their address only, by their size, are
    /// one.
    pub fn inspect<H: Hw>(
        &self,
        mem: &Memory<H>,
        which: Which,
        (from, level): (u64, u8),
        tell: &mut impl FnMut(Found) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(table) = self.table(which) else { return ControlFlow::Continue(()) };
        let geometry = table.geometry();
        let mut walk = Walk { mem, geometry, from, level, run: None, tell };
        walk.table(table.root(), table.root_level(), 0)?;
        walk.end_run()
    }

    fn table(&self, which: Which) -> Option<&Table> {
        match which {
            Which::Linux => Some(self.linux_table()),
            Which::Native => self.native_table(),
        }
    }
}

struct Walk<'a, H: Hw, F> {
    mem: &'a Memory<H>,
    geometry: &'static Geometry,
    from: u64,
    level: u8,
    /// Leaf entries that have not been told.
    run: Option<Found>,
    tell: &'a mut F,
}

impl<H: Hw, F: FnMut(Found) -> ControlFlow<()>> Walk<'_, H, F> {
    fn table(&mut self, table: PhysAddr, level: u8, start: u64) -> ControlFlow<()> {
        let size = self.geometry.size(level);
        for index in 0..self.geometry.entries() {
            let start = start + index * size;
            if start >= self.geometry.task_size() {
                break;
            }
            let end = start + size;
            if end <= self.from {
                continue;
            }
            let desc = self.mem.hw.read_desc(table.offset(index * 8));
            if desc == 0 {
                continue;
            }
            let is_table = level < LAST_LEVEL && desc & DESC_TABLE == DESC_TABLE;
            let found = Found { level, start, end, desc, is_table };
            if !is_table {
                self.leaf(found)?;
                continue;
            }
            self.end_run()?;
            if start > self.from || start == self.from && level >= self.level {
                (self.tell)(found)?;
            }
            self.table(PhysAddr(desc & DESC_ADDR), level + 1, start)?;
        }
        ControlFlow::Continue(())
    }

    fn leaf(&mut self, found: Found) -> ControlFlow<()> {
        if let Some(run) = &mut self.run
            && run.end == found.start
            && run.level == found.level
            && run.desc.wrapping_add(found.start - run.start) == found.desc
        {
            run.end = found.end;
            return ControlFlow::Continue(());
        }
        self.end_run()?;
        self.run = Some(found);
        ControlFlow::Continue(())
    }

    fn end_run(&mut self) -> ControlFlow<()> {
        match self.run.take() {
            Some(run) => (self.tell)(run),
            None => ControlFlow::Continue(()),
        }
    }
}
