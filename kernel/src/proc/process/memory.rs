//! The areas of a process: `maps`, `smaps`, and their sums for the other files. Mirrors Linux's `fs/proc/task_mmu.c`.
//!
//! The mmap lock is held while a few areas are written down, never while they are copied to the reader; the next piece
//! begins at the first area above the last one, whatever has happened in between.

use super::Process;
use crate::task::remote::MemoryUsage;
use crate::task::user_mm::UserMm;
use abi::{Errno, Prot};
use core::ops::ControlFlow;
use fs::kstat::Dev;
use fs::proc::{MapsLine, MemoryStatus, PageKind, PageStatus, Record, Smaps, SmapsPage};
use fs::pseudo::Text;
use mm::arm64::fallback::Fallback;
use mm::arm64::geometry::LAST_LEVEL;
use mm::arm64::inspect::{Found, Which};
use mm::arm64::pte::Pte;
use mm::filemap::Backing;
use mm::folio::MAX_ORDER;
use mm::mm::MmLayout;
use mm::types::{PAGE_SHIFT, PAGE_SIZE};
use mm::vma::{VmFlags, Vma};

/// A piece of text ends with the area that makes it longer than this.
const PIECE: usize = 3072;

type Mm = mm::Mm<crate::arch::machine::Machine>;

/// `/proc/PID/maps`.
pub fn show_maps(process: &Process, from: u64, out: &mut Text) -> Result<Option<u64>, Errno> {
    show_areas(process, from, out, |_, _, _| Ok(()))
}

/// `/proc/PID/smaps`.
pub fn show_smaps(process: &Process, from: u64, out: &mut Text) -> Result<Option<u64>, Errno> {
    show_areas(process, from, out, |mm, vma, out| {
        smaps_of(mm, vma).show(out, Record::Area)?;
        out.push(b"THPeligible:           0\n")?;
        show_flags(vma, out)?;
        show_sizes(mm, vma, out)
    })
}

/// `/proc/PID/smaps_rollup`: all areas in one record.
pub fn show_smaps_rollup(process: &Process, out: &mut Text) -> Result<(), Errno> {
    let Some(user_mm) = process.open()?.memory() else { return Err(Errno::ESRCH) };
    let mm = user_mm.lock();
    let mut sum = Smaps::default();
    mm.vmas().iter().for_each(|vma| sum.add(&smaps_of(&mm, vma)));
    let start = mm.vmas().iter().next().map_or(0, |vma| vma.start);
    let end = mm.vmas().iter().next_back().map_or(0, |vma| vma.end);
    let (prot, file) = (Prot::empty(), (Dev::default(), 0));
    MapsLine { start, end, prot, shared: false, offset: 0, file, name: b"[rollup]" }.show(out)?;
    sum.show(out, Record::Rollup)
}

/// Writes the lines of the areas that end above `from`, each followed by what `more` writes; returns the end of the last
/// one, unless there are no more.
fn show_areas(
    process: &Process,
    from: u64,
    out: &mut Text,
    mut more: impl FnMut(&Mm, &Vma, &mut Text) -> Result<(), Errno>,
) -> Result<Option<u64>, Errno> {
    let Some(user_mm) = process.open()?.memory() else { return Ok(None) };
    let mm = user_mm.lock();
    let mut name = Text::new();
    let first = mm.vmas().iter().len() - mm.vmas().overlapping(from, u64::MAX).len();
    for vma in mm.vmas().iter().skip(first) {
        name.clear();
        show_line(&mm, vma, &mut name, out)?;
        more(&mm, vma, out)?;
        if out.len() > PIECE {
            return Ok(Some(vma.end));
        }
    }
    Ok(None)
}

fn show_line(mm: &Mm, vma: &Vma, name: &mut Text, out: &mut Text) -> Result<(), Errno> {
    let mut line = MapsLine {
        start: vma.start,
        end: vma.end,
        prot: vma.prot,
        shared: vma.is_shared(),
        offset: 0,
        file: (Dev::default(), 0),
        name: b"",
    };
    match &vma.file {
        Some(file) => {
            file.write_path(name).map_err(|_| Errno::ENOMEM)?;
            let id = file.id();
            line.offset = vma.pgoff << PAGE_SHIFT;
            line.file = (Dev::new(id.major, id.minor), id.ino);
            line.name = name.as_bytes();
        }
        None if is_heap(vma, &mm.layout) => line.name = b"[heap]",
        None if is_stack(vma, &mm.layout) => line.name = b"[stack]",
        None => {}
    }
    line.show(out)
}

/// Linux's `vma_is_initial_heap`.
fn is_heap(vma: &Vma, layout: &MmLayout) -> bool {
    vma.start < layout.brk && vma.end > layout.start_brk
}

/// Linux's `vma_is_initial_stack`.
fn is_stack(vma: &Vma, layout: &MmLayout) -> bool {
    vma.start <= layout.start_stack && vma.end >= layout.start_stack
}

/// What is in one area.
fn smaps_of(mm: &Mm, vma: &Vma) -> Smaps {
    let memory = mm.mem();
    let tables = mm.tables();
    let mut smaps = Smaps {
        size: vma.len(),
        kernel_page_size: mm.page_size().bytes(),
        mmu_page_size: tables.live().size(LAST_LEVEL),
        ..Smaps::default()
    };
    let file_kind = match &vma.file {
        Some(file) if file.mapping().backing() == Backing::Memory => PageKind::Shmem,
        _ => PageKind::File,
    };
    tables.for_each_pte(memory, vma.start, vma.end, |_, pte| {
        if !pte.present() || pte.special() {
            return;
        }
        let folio = memory.folio_of(pte.pfn());
        let anonymous = memory.folio_test_anon(folio);
        // A large folio counts its mappings as a whole: each page has the average.
        let mappers = u64::from(memory.folio_mapcount(folio)).div_ceil(memory.folio_nr_pages(folio));
        let kind = if anonymous { PageKind::Anonymous } else { file_kind };
        let dirty = pte.dirty() || memory.folio_test(folio, mm::folio::Flags::DIRTY);
        smaps.add_page(PAGE_SIZE, mappers, SmapsPage { kind, dirty, young: pte.young() });
    });
    smaps
}

/// Our own lines, behind Linux's: what hardware finds in runs and blocks of its table, and how large the folios are.
fn show_sizes(mm: &Mm, vma: &Vma, out: &mut Text) -> Result<(), Errno> {
    let memory = mm.mem();
    let mut orders = [0u64; MAX_ORDER as usize + 1];
    let (mut contiguous, mut blocks) = (0, 0);
    {
        let tables = mm.tables();
        tables.for_each_pte(memory, vma.start, vma.end, |_, pte| {
            if pte.present() && !pte.special() {
                orders[usize::from(memory.folio_order(memory.folio_of(pte.pfn())))] += PAGE_SIZE;
            }
        });
        let live = if tables.inspect_root(Which::Native).is_some() { Which::Native } else { Which::Linux };
        let _ = tables.inspect(memory, live, (vma.start, 0), &mut |found| {
            if found.start >= vma.end {
                return ControlFlow::Break(());
            }
            let bytes = found.end.min(vma.end).saturating_sub(found.start.max(vma.start));
            match found {
                Found { is_table: true, .. } => {}
                Found { level, .. } if level < LAST_LEVEL => blocks += bytes,
                Found { desc, .. } if Pte(desc).cont() => contiguous += bytes,
                Found { .. } => {}
            }
            ControlFlow::Continue(())
        });
    }
    out.print(format_args!("ContPte:        {:>8} kB\n", contiguous >> 10))?;
    out.print(format_args!("NativeBlock:    {:>8} kB\n", blocks >> 10))?;
    out.push(b"FolioOrders:   ")?;
    for (order, bytes) in orders.iter().enumerate().filter(|(_, bytes)| **bytes > 0) {
        out.print(format_args!(" {order}:{}", bytes >> 10))?;
    }
    out.push(b"\n")
}

/// `VmFlags:`, two letters each (Linux: `show_smap_vma_flags`).
fn show_flags(vma: &Vma, out: &mut Text) -> Result<(), Errno> {
    out.push(b"VmFlags: ")?;
    for (on, name) in [
        (vma.prot.contains(Prot::READ), "rd"),
        (vma.prot.contains(Prot::WRITE), "wr"),
        (vma.prot.contains(Prot::EXEC), "ex"),
        (vma.is_shared(), "sh"),
        (vma.may.contains(Prot::READ), "mr"),
        (vma.may.contains(Prot::WRITE), "mw"),
        (vma.may.contains(Prot::EXEC), "me"),
        (vma.is_shared(), "ms"),
        (vma.flags.contains(VmFlags::GROWSDOWN), "gd"),
        (vma.flags.contains(VmFlags::DONTCOPY), "dc"),
        (vma.flags.contains(VmFlags::HUGEPAGE), "hg"),
        (vma.flags.contains(VmFlags::NOHUGEPAGE), "nh"),
    ] {
        if on {
            out.print(format_args!("{name} "))?;
        }
    }
    out.push(b"\n")
}

/// Bytes of private writable memory, the stack included.
pub fn writable(mm: &UserMm) -> u64 {
    let summary = MemorySummary::of(mm);
    summary.data + summary.stack
}

/// An address space in numbers, in bytes.
pub struct MemorySummary {
    /// Mapped, in memory, and the tables for it.
    pub usage: MemoryUsage,
    /// Private writable areas but the stack.
    pub data: u64,
    /// The stack.
    pub stack: u64,
    /// Executable areas.
    pub code: u64,
    /// Where things are.
    pub layout: MmLayout,
}

impl MemorySummary {
    /// That of a process.
    pub fn of(user_mm: &UserMm) -> MemorySummary {
        let mm = user_mm.lock();
        let (mut data, mut stack, mut code) = (0, 0, 0);
        for vma in mm.vmas().iter() {
            // Linux's `is_exec_mapping`, `is_stack_mapping`, `is_data_mapping`.
            let writable = vma.prot.contains(Prot::WRITE);
            if vma.flags.contains(VmFlags::GROWSDOWN) {
                stack += vma.len();
            } else if vma.prot.contains(Prot::EXEC) && !writable {
                code += vma.len();
            } else if writable && !vma.is_shared() {
                data += vma.len();
            }
        }
        MemorySummary { usage: MemoryUsage::of(&mm), data, stack, code, layout: mm.layout }
    }

    /// As `/proc/PID/status` has it.
    pub fn status(&self, user_mm: &UserMm) -> (MemoryStatus, PageStatus) {
        let page_size = user_mm.page_size();
        let page = page_size.bytes();
        let code = &user_mm.program().code;
        let exe = (code.end.next_multiple_of(page) - code.start / page * page).min(self.code);
        let mm = user_mm.lock();
        let tables = mm.tables();
        let pages = PageStatus {
            page_size,
            live_granule: tables.live().size(LAST_LEVEL),
            fallback: tables.fallback().map(Fallback::name),
        };
        let usage = &self.usage;
        let memory = MemoryStatus {
            peak: usage.peak_vm,
            size: usage.total_vm,
            high_water: usage.peak_rss,
            rss_anon: usage.anon,
            rss_file: usage.file,
            rss_shmem: usage.shmem,
            data: self.data,
            stack: self.stack,
            exe,
            lib: self.code - exe,
            tables: usage.tables,
        };
        (memory, pages)
    }
}
