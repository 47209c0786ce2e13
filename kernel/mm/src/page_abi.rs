//! The ABI adapter: the one place that knows both the process page and user arguments. A system call passes its
//! arguments through here first; what comes out is aligned, does not overflow, and speaks kernel pages. Nothing below
//! checks alignment again.
//!
//! The rules are Linux's for a kernel whose page is the process page. Calls on a range differ in the ways that [`RangeRule`]
//! spells out; the table of them follows it.

use crate::types::{PAGE_SHIFT, PageSize};
use abi::{Errno, MapFlags};
use core::ops::Range;

use Empty::Nothing;
use Unaligned::{Refused, RoundedDown};

/// What a call makes of an address within a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unaligned {
    /// EINVAL.
    Refused,
    /// It means the page; the length counts from the address as given.
    RoundedDown,
}

/// What a call makes of a length of 0, or of one that becomes 0 when it is rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// This error.
    Refused(Errno),
    /// Success, nothing done.
    Nothing,
}

/// How one call treats its address and length.
#[derive(Clone, Copy, Debug)]
pub struct RangeRule {
    /// The call's name, for the log.
    pub call: &'static str,
    /// An address within a page.
    pub unaligned: Unaligned,
    /// A length of 0.
    pub zero: Empty,
    /// A length within a page of 2^64.
    pub rounds_to_zero: Empty,
    /// Error for a range that wraps around the end of the address space.
    pub wraps: Errno,
    /// Error for a range beyond the end of the user address space, if the call checks that by itself (munmap); the
    /// others find nothing mapped there.
    pub beyond: Option<Errno>,
}

const fn rule(
    call: &'static str,
    unaligned: Unaligned,
    zero: Empty,
    rounds_to_zero: Empty,
    wraps: Errno,
) -> RangeRule {
    RangeRule { call, unaligned, zero, rounds_to_zero, wraps, beyond: None }
}

const EINVAL: Empty = Empty::Refused(Errno::EINVAL);
const ENOMEM: Empty = Empty::Refused(Errno::ENOMEM);

/// `munmap(2)`.
pub const MUNMAP: RangeRule =
    RangeRule { beyond: Some(Errno::EINVAL), ..rule("munmap", Refused, EINVAL, EINVAL, Errno::EINVAL) };
/// `mprotect(2)`, `pkey_mprotect(2)`.
pub const MPROTECT: RangeRule = rule("mprotect", Refused, Nothing, ENOMEM, Errno::ENOMEM);
/// `madvise(2)`.
pub const MADVISE: RangeRule = rule("madvise", Refused, Nothing, EINVAL, Errno::EINVAL);
/// `mseal(2)`.
pub const MSEAL: RangeRule = rule("mseal", Refused, Nothing, EINVAL, Errno::EINVAL);
/// `msync(2)`.
pub const MSYNC: RangeRule = rule("msync", Refused, Nothing, Nothing, Errno::ENOMEM);
/// `mbind(2)`.
pub const MBIND: RangeRule = rule("mbind", Refused, Nothing, Nothing, Errno::EINVAL);
/// `mlock(2)`, `mlock2(2)`.
pub const MLOCK: RangeRule = rule("mlock", RoundedDown, Nothing, Nothing, Errno::EINVAL);
/// `munlock(2)`.
pub const MUNLOCK: RangeRule = rule("munlock", RoundedDown, Nothing, Nothing, Errno::EINVAL);

/// The range of a call, on page boundaries. An empty one means: succeed and do nothing.
pub fn range(
    page: PageSize,
    task_size: u64,
    rule: RangeRule,
    addr: u64,
    len: u64,
) -> Result<Range<u64>, Errno> {
    let start = page.align_down(addr);
    if start != addr && rule.unaligned == Refused {
        return Err(Errno::EINVAL);
    }
    if let Some(error) = rule.beyond
        && (addr > task_size || len > task_size - addr)
    {
        return Err(error);
    }
    // As Linux adds them: a sum beyond 2^64 is a short length.
    let len = len.wrapping_add(addr - start);
    let empty = if len == 0 { rule.zero } else { rule.rounds_to_zero };
    match (page.align_up(len).filter(|len| *len != 0), empty) {
        (Some(len), _) => start.checked_add(len).map(|end| start..end).ok_or(rule.wraps),
        (None, Empty::Refused(error)) => Err(error),
        (None, Nothing) => Ok(start..start),
    }
}

/// Address and number of pages of `mincore(2)`: EINVAL for an unaligned address, ENOMEM for what is no user address.
pub fn mincore(page: PageSize, task_size: u64, addr: u64, len: u64) -> Result<(u64, u64), Errno> {
    if !page.is_aligned(addr) {
        return Err(Errno::EINVAL);
    }
    if len > task_size || addr > task_size - len {
        return Err(Errno::ENOMEM);
    }
    Ok((addr, len.div_ceil(page.bytes())))
}

/// Arguments of `remap_file_pages(2)`: the range, rounded down at both ends, and the place in the file in kernel pages.
/// EINVAL for what is empty or wraps.
pub fn remap_file_pages(page: PageSize, addr: u64, len: u64, pgoff: u64) -> Result<(Range<u64>, u64), Errno> {
    let (start, len) = (page.align_down(addr), page.align_down(len));
    let end = start.checked_add(len).filter(|end| *end > start).ok_or(Errno::EINVAL)?;
    // The program counts in its own pages.
    let nr = page.nr_kernel_pages();
    let first = pgoff.checked_mul(nr).ok_or(Errno::EINVAL)?;
    first.checked_add(len >> PAGE_SHIFT).filter(|end| *end <= 1 << (64 - PAGE_SHIFT)).ok_or(Errno::EINVAL)?;
    Ok((start..end, first))
}

/// The place and size of a new mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MmapArgs {
    /// Exact for MAP_FIXED, else a hint rounded to the process page; 0 is no hint.
    pub addr: u64,
    /// Bytes, a multiple of the process page, not 0.
    pub len: u64,
    /// Position in the file in kernel pages, a multiple of the process page.
    pub pgoff: u64,
}

/// Arguments of `mmap(2)`: EINVAL for an unaligned offset or fixed address and for length 0, ENOMEM for a length that
/// does not fit, EOVERFLOW for an end of file position that doesn't.
pub fn mmap(
    page: PageSize,
    task_size: u64,
    addr: u64,
    len: u64,
    flags: MapFlags,
    offset: u64,
) -> Result<MmapArgs, Errno> {
    if !page.is_aligned(offset) || len == 0 {
        return Err(Errno::EINVAL);
    }
    let len = page.align_up(len).filter(|len| *len != 0).ok_or(Errno::ENOMEM)?;
    // Linux adds page numbers here, which wrap at 2^64 pages only; an offset in bytes that wraps is as mad.
    offset.checked_add(len).ok_or(Errno::EOVERFLOW)?;
    if len > task_size {
        return Err(Errno::ENOMEM);
    }
    let fixed = flags.intersects(MapFlags::FIXED | MapFlags::FIXED_NOREPLACE);
    if fixed {
        if addr > task_size - len {
            return Err(Errno::ENOMEM);
        }
        if !page.is_aligned(addr) {
            return Err(Errno::EINVAL);
        }
    }
    // A hint that isn't aligned is rounded down, as Linux's `round_hint_to_min` does.
    let addr = if fixed { addr } else { page.align_down(addr) };
    Ok(MmapArgs { addr, len, pgoff: offset >> PAGE_SHIFT })
}

/// Sizes of `mremap(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MremapArgs {
    /// Bytes that the old mapping loses, a multiple of the process page; 0 duplicates a shared mapping.
    pub old_len: u64,
    /// Bytes that the new one gets, a multiple of the process page, not 0.
    pub new_len: u64,
}

/// Arguments of `mremap(2)`: EINVAL for an unaligned address, for a new length of 0, and for sizes that no address
/// space holds.
pub fn mremap(
    page: PageSize,
    task_size: u64,
    addr: u64,
    old_len: u64,
    new_len: u64,
) -> Result<MremapArgs, Errno> {
    if !page.is_aligned(addr) {
        return Err(Errno::EINVAL);
    }
    let old_len = page.align_up(old_len).ok_or(Errno::EINVAL)?;
    let new_len = page.align_up(new_len).filter(|len| *len != 0).ok_or(Errno::EINVAL)?;
    addr.checked_add(old_len).ok_or(Errno::EINVAL)?;
    if new_len > task_size {
        return Err(Errno::EINVAL);
    }
    Ok(MremapArgs { old_len, new_len })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: u64 = 1 << 47;

    #[test]
    fn ranges_at_every_size() {
        for page in PageSize::ALL {
            let p = page.bytes();
            assert_eq!(range(page, TOP, MUNMAP, p, 1), Ok(p..2 * p));
            assert_eq!(range(page, TOP, MUNMAP, p + p / 2, 1), Err(Errno::EINVAL));
            assert_eq!(range(page, TOP, MUNMAP, p, 0), Err(Errno::EINVAL));
            assert_eq!(range(page, TOP, MUNMAP, TOP, 1), Err(Errno::EINVAL));
            assert_eq!(range(page, TOP, MUNMAP, p, u64::MAX), Err(Errno::EINVAL));
            assert_eq!(range(page, TOP, MPROTECT, p, 0), Ok(p..p));
            assert_eq!(range(page, TOP, MPROTECT, p, u64::MAX - p), Err(Errno::ENOMEM));
            assert_eq!(range(page, TOP, MADVISE, p, u64::MAX), Err(Errno::EINVAL));
            assert_eq!(range(page, TOP, MSYNC, p, u64::MAX), Ok(p..p));
            assert_eq!(range(page, TOP, MSYNC, p, u64::MAX - p), Err(Errno::ENOMEM));
            assert_eq!(range(page, TOP, MLOCK, 2 * p - 1, 2), Ok(p..3 * p));
            assert_eq!(range(page, TOP, MLOCK, p + 1, 0), Ok(p..2 * p));
            assert_eq!(range(page, TOP, MLOCK, p, 0), Ok(p..p));
            assert_eq!(range(page, TOP, MUNLOCK, p, u64::MAX), Ok(p..p));
            assert_eq!(range(page, TOP, MLOCK, p, u64::MAX - p), Err(Errno::EINVAL));
            assert_eq!(mincore(page, TOP, p, 2 * p + 1), Ok((p, 3)));
            assert_eq!(mincore(page, TOP, p, 0), Ok((p, 0)));
            assert_eq!(mincore(page, TOP, 1, p), Err(Errno::EINVAL));
            assert_eq!(mincore(page, TOP, TOP, 1), Err(Errno::ENOMEM));
            assert_eq!(mincore(page, TOP, 0, u64::MAX), Err(Errno::ENOMEM));
            let nr = page.nr_kernel_pages();
            assert_eq!(remap_file_pages(page, p + 1, 2 * p + 1, 3), Ok((p..3 * p, 3 * nr)));
            assert_eq!(remap_file_pages(page, p, p - 1, 0), Err(Errno::EINVAL));
            assert_eq!(remap_file_pages(page, p, p, u64::MAX), Err(Errno::EINVAL));
        }
    }

    #[test]
    fn new_mappings() {
        let page = PageSize::Size64K;
        let none = MapFlags::empty();
        let fixed = MapFlags::FIXED;
        assert_eq!(mmap(page, TOP, 65537, 1, none, 0).map(|args| (args.addr, args.len)), Ok((65536, 65536)));
        assert_eq!(mmap(page, TOP, 4096, 1, fixed, 0), Err(Errno::EINVAL));
        assert_eq!(mmap(page, TOP, 0, 1, none, 4096), Err(Errno::EINVAL));
        assert_eq!(mmap(page, TOP, 0, 0, none, 0), Err(Errno::EINVAL));
        assert_eq!(mmap(page, TOP, 0, u64::MAX, none, 0), Err(Errno::ENOMEM));
        assert_eq!(mmap(page, TOP, TOP, 1, fixed, 0), Err(Errno::ENOMEM));
        assert_eq!(mmap(page, TOP, 0, 65536, none, u64::MAX - 65535), Err(Errno::EOVERFLOW));
        assert_eq!(mremap(page, TOP, 65536, 1, 0), Err(Errno::EINVAL));
        assert_eq!(mremap(page, TOP, 65536, u64::MAX, 1), Err(Errno::EINVAL));
    }
}
