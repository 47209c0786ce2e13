//! The ABI adapter: the one place that knows both the process page and user arguments. A system call passes its
//! arguments through here first; what comes out is aligned, does not overflow, and speaks kernel pages. Nothing below
//! checks alignment again.
//!
//! The rules are Linux's for a kernel whose page is the process page. They differ by call in three ways only, which
//! [`RangeRule`] spells out.

use crate::types::{PAGE_SHIFT, PageSize};
use abi::{Errno, MapFlags};
use core::ops::Range;

/// What a call makes of a length of 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZeroLength {
    /// EINVAL.
    Refused,
    /// Success, nothing done.
    Nothing,
}

/// How one call treats its address and length.
#[derive(Clone, Copy, Debug)]
pub struct RangeRule {
    /// A length of 0.
    pub zero: ZeroLength,
    /// Error for a range that wraps around the end of the address space.
    pub wraps: Errno,
    /// Error for a range beyond the end of the user address space, if the call checks that by itself (munmap); the
    /// others find nothing mapped there.
    pub beyond: Option<Errno>,
}

/// `munmap(2)`.
pub const MUNMAP: RangeRule =
    RangeRule { zero: ZeroLength::Refused, wraps: Errno::EINVAL, beyond: Some(Errno::EINVAL) };
/// `mprotect(2)`.
pub const MPROTECT: RangeRule = RangeRule { zero: ZeroLength::Nothing, wraps: Errno::ENOMEM, beyond: None };
/// `madvise(2)`.
pub const MADVISE: RangeRule = RangeRule { zero: ZeroLength::Nothing, wraps: Errno::EINVAL, beyond: None };

/// The range of a call that insists on an aligned address. An empty range means: succeed and do nothing.
pub fn range(
    page: PageSize,
    task_size: u64,
    rule: RangeRule,
    addr: u64,
    len: u64,
) -> Result<Range<u64>, Errno> {
    if !page.is_aligned(addr) {
        return Err(Errno::EINVAL);
    }
    if let Some(error) = rule.beyond
        && (addr > task_size || len > task_size - addr)
    {
        return Err(error);
    }
    if len == 0 {
        return match rule.zero {
            ZeroLength::Refused => Err(Errno::EINVAL),
            ZeroLength::Nothing => Ok(addr..addr),
        };
    }
    let end = page.align_up(len).and_then(|len| addr.checked_add(len)).ok_or(rule.wraps)?;
    Ok(addr..end)
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
