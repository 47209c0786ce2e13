//! Units: addresses, frames, page sizes. A kernel page is always 4K; a process page is what [`PageSize`] says.

use core::fmt;

/// log2 of the kernel page in bytes.
pub const PAGE_SHIFT: u32 = 12;
/// The kernel page in bytes.
pub const PAGE_SIZE: u64 = 1 << PAGE_SHIFT;

/// A physical address in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhysAddr(pub u64);

impl PhysAddr {
    /// The frame that holds this address.
    pub const fn pfn(self) -> Pfn {
        Pfn(self.0 >> PAGE_SHIFT)
    }

    /// `bytes` further on.
    #[inline]
    pub const fn offset(self, bytes: u64) -> PhysAddr {
        PhysAddr(self.0 + bytes)
    }
}

impl fmt::Debug for PhysAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// The number of a physical frame, in kernel pages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pfn(pub u64);

impl Pfn {
    /// Physical address of the frame's first byte.
    pub const fn addr(self) -> PhysAddr {
        PhysAddr(self.0 << PAGE_SHIFT)
    }

    /// `nr_kernel_pages` further on.
    #[inline]
    pub const fn offset(self, nr_kernel_pages: u64) -> Pfn {
        Pfn(self.0 + nr_kernel_pages)
    }
}

impl fmt::Debug for Pfn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pfn {:#x}", self.0)
    }
}

/// The page size of a process: what its `AT_PAGESZ` says and its system calls are held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PageSize {
    /// 4096 bytes, the kernel's own.
    Size4K,
    /// 16384 bytes.
    Size16K,
    /// 65536 bytes.
    Size64K,
}

impl PageSize {
    /// All sizes, smallest first.
    pub const ALL: [PageSize; 3] = [PageSize::Size4K, PageSize::Size16K, PageSize::Size64K];

    /// log2 of the process page in bytes.
    pub const fn shift(self) -> u32 {
        match self {
            PageSize::Size4K => 12,
            PageSize::Size16K => 14,
            PageSize::Size64K => 16,
        }
    }

    /// The process page in bytes.
    pub const fn bytes(self) -> u64 {
        1 << self.shift()
    }

    /// The *process order*: log2 of the process page in kernel pages (0, 2 or 4).
    pub const fn order(self) -> u8 {
        (self.shift() - PAGE_SHIFT) as u8
    }

    /// Kernel pages in a process page: 1, 4 or 16.
    pub const fn nr_kernel_pages(self) -> u64 {
        1 << self.order()
    }

    /// Whether `addr` (bytes) lies on a process page boundary.
    pub const fn is_aligned(self, addr: u64) -> bool {
        addr & (self.bytes() - 1) == 0
    }

    /// `addr` rounded down to a process page boundary.
    pub const fn align_down(self, addr: u64) -> u64 {
        addr & !(self.bytes() - 1)
    }

    /// `addr` rounded up to a process page boundary, or `None` when that overflows.
    pub const fn align_up(self, addr: u64) -> Option<u64> {
        match addr.checked_add(self.bytes() - 1) {
            Some(sum) => Some(self.align_down(sum)),
            None => None,
        }
    }
}

/// What a user access wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A data read.
    Read,
    /// A data write, or an atomic that may write.
    Write,
    /// An instruction fetch.
    Exec,
}

/// A run of physical bytes: one element of a scatter-gather list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhysSeg {
    /// First byte.
    pub addr: PhysAddr,
    /// Length in bytes, never 0.
    pub len: u32,
}
