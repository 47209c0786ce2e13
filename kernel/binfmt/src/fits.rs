//! Can a program live at a page size? `execve` asks when a process is to have pages larger than 4K.
//!
//! A file's `p_align` says what its linker was prepared for, which is an upper bound and no choice. What
//! decides is whether every process page can be one page of one mapping.

use crate::elf::{Headers, Segment};
use crate::pages::{KERNEL_PAGE_SIZE, align_down, align_up, overlap, page_offset};
use core::fmt;
use core::ops::Range;

/// Why a segment cannot be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its address and its offset in the file differ modulo the page size.
    NotCongruent,
    /// It shares a page with a segment of other permissions.
    Permissions {
        /// The other one's [`Segment::index`].
        neighbour: usize,
    },
    /// It shares a page with a segment that has other bytes of the file there.
    FilePages {
        /// The other one's [`Segment::index`].
        neighbour: usize,
    },
    /// Zeros of one of the two would lie over the other.
    Bss {
        /// The other one's [`Segment::index`].
        neighbour: usize,
    },
}

/// The first obstacle found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// [`Segment::index`].
    pub segment: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {} ", self.segment)?;
        match self.reason {
            Reason::NotCongruent => f.write_str("is not aligned in the file as in memory"),
            Reason::Permissions { neighbour } => {
                write!(f, "shares a page with segment {neighbour} of other permissions")
            }
            Reason::FilePages { neighbour } => {
                write!(f, "shares a page with segment {neighbour} from elsewhere in the file")
            }
            Reason::Bss { neighbour } => write!(f, "shares a page of bss with segment {neighbour}"),
        }
    }
}

/// Whether every page of `page_size` bytes of the image can be mapped as the segments want it.
pub fn fits(headers: &Headers, page_size: u64) -> Result<(), Misfit> {
    let used = || headers.segments.iter().filter(|segment| segment.memsz != 0);
    for segment in used() {
        if segment.filesz != 0 && page_offset(segment.vaddr ^ segment.offset, page_size) != 0 {
            return Err(Misfit { segment: segment.index, reason: Reason::NotCongruent });
        }
    }
    for segment in used() {
        let earlier = used().take_while(|other| other.index < segment.index);
        for other in earlier {
            if let Some(reason) = conflict(segment, other, page_size) {
                return Err(Misfit { segment: segment.index, reason });
            }
        }
    }
    Ok(())
}

/// What a process gets that asked for a page size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fitting {
    /// The largest size up to the one asked for at which all images fit. 4K always does: there a
    /// segment overrides the one before it, as on Linux.
    pub page_size: u64,
    /// If it is not the size asked for: the image (its index in the slice) and what is wrong with it at
    /// the size asked for.
    pub misfit: Option<(usize, Misfit)>,
}

/// The page size for a process that asked for `asked` bytes (4K, 16K or 64K) and whose images, program
/// and interpreter, are `images`.
pub fn largest_fitting(images: &[&Headers], asked: u64) -> Fitting {
    let misfit_at = |page_size| {
        images.iter().enumerate().find_map(|(image, headers)| Some((image, fits(headers, page_size).err()?)))
    };
    let misfit = if asked > KERNEL_PAGE_SIZE { misfit_at(asked) } else { None };
    let mut page_size = asked;
    if misfit.is_some() {
        page_size /= 4;
        while page_size > KERNEL_PAGE_SIZE && misfit_at(page_size).is_some() {
            page_size /= 4;
        }
    }
    Fitting { page_size, misfit }
}

fn conflict(segment: &Segment, other: &Segment, page_size: u64) -> Option<Reason> {
    let neighbour = other.index;
    if !overlap(&pages(segment, page_size), &pages(other, page_size)) {
        return None;
    }
    let covers = |a: &Segment, b: &Segment| overlap(&bss(a, page_size), &pages(b, page_size));
    if segment.prot != other.prot {
        Some(Reason::Permissions { neighbour })
    } else if covers(segment, other) || covers(other, segment) {
        Some(Reason::Bss { neighbour })
    } else if segment.vaddr.wrapping_sub(segment.offset) != other.vaddr.wrapping_sub(other.offset) {
        Some(Reason::FilePages { neighbour })
    } else {
        None
    }
}

/// The pages that hold any of the segment.
fn pages(segment: &Segment, page_size: u64) -> Range<u64> {
    align_down(segment.vaddr, page_size)..page_end(segment, page_size)
}

/// From the first zero to the end of its last page.
fn bss(segment: &Segment, page_size: u64) -> Range<u64> {
    if segment.memsz == segment.filesz {
        return 0..0;
    }
    segment.file_end()..page_end(segment, page_size)
}

/// An end beyond all numbers is refused when the image is placed; here it only must not wrap.
fn page_end(segment: &Segment, page_size: u64) -> u64 {
    align_up(segment.mem_end(), page_size).unwrap_or(u64::MAX)
}
