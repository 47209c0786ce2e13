//! The load plan: which bytes of which file go to which address. Mirrors the second half of Linux's
//! `load_elf_binary`, and `elf_load`, `total_mapping_size` and `maximum_alignment`.
//!
//! `execve` calls [`plan`] before the point of no return. So an image that cannot be mapped is ENOEXEC,
//! where Linux notices too late and kills the process.

use crate::elf::{Headers, Kind, Segment};
use crate::mapping::{Mapping, Source, insert};
use crate::mmap_layout::{Aslr, MmapLayout};
use crate::pages::{align_down, align_up, overlap, page_offset};
use abi::{Errno, Prot};
use alloc::vec::Vec;
use core::ops::Range;

/// One file's part of an address space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What was added to the addresses in the file, modulo 2^64: 0 for ET_EXEC.
    pub bias: u64,
    /// From the first page to the last. There may be holes.
    pub span: Range<u64>,
    /// Sorted by address, none overlapping.
    pub mappings: Vec<Mapping>,
}

/// All that `execve` has to set up besides the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecPlan {
    /// The program.
    pub program: Image,
    /// Its interpreter, elsewhere.
    pub interpreter: Option<Image>,
    /// Where execution starts: in the interpreter if there is one.
    pub entry: u64,
    /// AT_ENTRY: where the program starts.
    pub program_entry: u64,
    /// AT_PHDR.
    pub phdr: u64,
    /// AT_PHNUM.
    pub phnum: u16,
    /// AT_BASE: the interpreter's bias, or 0.
    pub base: u64,
    /// `mm->start_brk`, a multiple of the process page.
    pub start_brk: u64,
    /// `mm->start_code` to `mm->end_code`: executable segments' bytes from the file.
    pub code: Range<u64>,
    /// `mm->start_data` to `mm->end_data`, by Linux's notion: from the start of the last segment to the
    /// end of the last bytes from the file.
    pub data: Range<u64>,
}

/// Decides where everything goes in the address space that `layout` outlines.
///
/// ENOEXEC: a segment that cannot be mapped with this page size (see [`crate::fits`]), or an image that
/// is not between `mmap_min_addr` and TASK_SIZE, runs into the stack's area or into the other image.
pub fn plan(
    program: &Headers,
    interpreter: Option<&Headers>,
    layout: &MmapLayout,
) -> Result<ExecPlan, Errno> {
    let home = match interpreter {
        Some(_) => Home::ProgramArea,
        None => Home::MmapArea { occupied: 0..0 },
    };
    let program_image = place(program, home, layout)?;
    let bias = program_image.bias;
    let program_entry = user_address(program.entry.wrapping_add(bias), layout)?;

    let interpreter_image = match interpreter {
        Some(headers) => {
            let home = Home::MmapArea { occupied: program_image.span.clone() };
            let image = place(headers, home, layout)?;
            if overlap(&image.span, &program_image.span) {
                return Err(Errno::ENOEXEC);
            }
            Some(image)
        }
        None => None,
    };
    let (entry, base) = match (interpreter, &interpreter_image) {
        (Some(headers), Some(image)) => (headers.entry.wrapping_add(image.bias), image.bias),
        _ => (program_entry, 0),
    };

    let (code, data) = code_and_data(&program.segments, bias);
    Ok(ExecPlan {
        start_brk: start_brk(program, interpreter, &program_image, layout),
        program: program_image,
        interpreter: interpreter_image,
        entry: user_address(entry, layout)?,
        program_entry,
        phdr: phdr_address(program).wrapping_add(bias),
        phnum: program.phnum,
        base,
        code,
        data,
    })
}

/// Where an ET_DYN image belongs.
enum Home {
    /// A program with an interpreter: at ELF_ET_DYN_BASE, away from the mmap area.
    ProgramArea,
    /// An interpreter, or a program without one, which may be an interpreter run by hand: where `mmap`
    /// would put it, so that the program that it loads finds its own area free.
    MmapArea { occupied: Range<u64> },
}

fn place(headers: &Headers, home: Home, layout: &MmapLayout) -> Result<Image, Errno> {
    let page_size = layout.page_size;
    let extent = extent(&headers.segments, page_size)?;
    let bias = match (headers.kind, home) {
        (Kind::Exec, _) => 0,
        (Kind::Dyn, home) => {
            let alignment = maximum_alignment(&headers.segments, page_size);
            let start = match home {
                Home::ProgramArea => layout.program_base(),
                Home::MmapArea { occupied } => layout
                    .place(extent.start, extent.end - extent.start, alignment, &occupied)
                    .ok_or(Errno::ENOEXEC)?,
            };
            // Aligned is the bias, not the start: then addresses in memory and in the file agree
            // modulo the alignment also when the first segment's address is not a multiple of it.
            align_down(start.wrapping_sub(extent.start), alignment)
        }
    };
    let span = extent.start.wrapping_add(bias)..extent.end.wrapping_add(bias);
    if span.start < layout.mmap_min_addr
        || span.start >= span.end
        || span.end > layout.task_size
        || overlap(&span, &layout.stack_area())
    {
        return Err(Errno::ENOEXEC);
    }
    Ok(Image { bias, span, mappings: map_segments(&headers.segments, bias, page_size)? })
}

/// First to last page, before the base is added. Linux's `total_mapping_size`, for any order of segments.
fn extent(segments: &[Segment], page_size: u64) -> Result<Range<u64>, Errno> {
    let used = || segments.iter().filter(|segment| segment.memsz != 0);
    let start = used().map(|segment| segment.vaddr).min().ok_or(Errno::ENOEXEC)?;
    let end = used().map(Segment::mem_end).max().ok_or(Errno::ENOEXEC)?;
    Ok(align_down(start, page_size)..align_up(end, page_size).ok_or(Errno::ENOEXEC)?)
}

/// The largest valid `p_align`, at least the process page.
fn maximum_alignment(segments: &[Segment], page_size: u64) -> u64 {
    let valid = segments.iter().map(|segment| segment.align).filter(|align| align.is_power_of_two());
    valid.fold(page_size, u64::max)
}

/// Maps segment after segment, later ones over earlier ones, as Linux does.
fn map_segments(segments: &[Segment], bias: u64, page_size: u64) -> Result<Vec<Mapping>, Errno> {
    let mut mappings = Vec::new();
    for segment in segments {
        let (file, bss) = map_segment(segment, bias, page_size)?;
        for mapping in [file, bss].into_iter().flatten() {
            insert(&mut mappings, mapping)?;
        }
    }
    Ok(mappings)
}

/// Linux's `elf_load`: pages with bytes from the file, then pages of bss only. The rest of the last page
/// from the file becomes zero, unless the segment is read-only: then Linux leaves there what is in the
/// file. Pages of bss are always writable.
fn map_segment(
    segment: &Segment,
    bias: u64,
    page_size: u64,
) -> Result<(Option<Mapping>, Option<Mapping>), Errno> {
    let vaddr = segment.vaddr.wrapping_add(bias);
    // The caller has seen that the whole image, rounded to pages, is below TASK_SIZE.
    let start = align_down(vaddr, page_size);
    let file_end = vaddr + segment.filesz;
    let end = align_down(vaddr + segment.memsz + (page_size - 1), page_size);
    let has_bss = segment.memsz > segment.filesz;

    let mut bss_start = start;
    let mut file = None;
    if segment.filesz != 0 {
        if page_offset(vaddr ^ segment.offset, page_size) != 0 {
            return Err(Errno::ENOEXEC);
        }
        bss_start = align_down(file_end + (page_size - 1), page_size);
        let pad = has_bss && file_end < bss_start && segment.prot.contains(Prot::WRITE);
        file = Some(Mapping {
            start,
            end: bss_start,
            prot: segment.prot,
            source: Source::File {
                offset: align_down(segment.offset, page_size),
                zero_from: pad.then_some(file_end),
            },
        });
    }
    let bss = (has_bss && bss_start < end).then_some(Mapping {
        start: bss_start,
        end,
        prot: Prot::READ | Prot::WRITE | (segment.prot & Prot::EXEC),
        source: Source::Anonymous,
    });
    Ok((file, bss))
}

/// Where the program finds its own program headers: in the last segment that holds their beginning, or
/// at the bias, which is no use to anybody.
fn phdr_address(program: &Headers) -> u64 {
    let holds = |segment: &&Segment| {
        program.phoff.checked_sub(segment.offset).is_some_and(|distance| distance < segment.filesz)
    };
    let segment = program.segments.iter().rev().find(holds);
    segment.map_or(0, |segment| segment.vaddr + (program.phoff - segment.offset))
}

/// The heap starts after the program. A static PIE lies in the mmap area, where a heap would soon run
/// into something: its heap is where the program would be if it had an interpreter.
fn start_brk(program: &Headers, interpreter: Option<&Headers>, image: &Image, layout: &MmapLayout) -> u64 {
    let moved = program.kind == Kind::Dyn && interpreter.is_none();
    let aligned = if moved {
        align_down(layout.elf_et_dyn_base() + (layout.page_size - 1), layout.page_size)
    } else {
        image.span.end
    };
    let brk = match layout.aslr {
        Aslr::Off => aligned,
        Aslr::On(_) if moved => layout.randomize_brk(aligned),
        // Never right behind bss.
        Aslr::On(_) => layout.randomize_brk(aligned + layout.page_size),
    };
    brk.min(layout.task_size)
}

fn code_and_data(segments: &[Segment], bias: u64) -> (Range<u64>, Range<u64>) {
    let code = || segments.iter().filter(|segment| segment.prot.contains(Prot::EXEC));
    let start_code = code().map(|segment| segment.vaddr).min().unwrap_or(0);
    let end_code = code().map(Segment::file_end).max().unwrap_or(0);
    let start_data = segments.iter().map(|segment| segment.vaddr).max().unwrap_or(0);
    let end_data = segments.iter().map(Segment::file_end).max().unwrap_or(0);
    let shift = |range: Range<u64>| range.start.wrapping_add(bias)..range.end.wrapping_add(bias);
    (shift(start_code..end_code), shift(start_data..end_data))
}

fn user_address(address: u64, layout: &MmapLayout) -> Result<u64, Errno> {
    if address < layout.task_size { Ok(address) } else { Err(Errno::ENOEXEC) }
}
