//! The kernel's half of the address space (TTBR1, 4K granule, 48 bits). Each window starts at its own
//! level-0 entry, so that no two of them ever share a table.

/// The linear map: physical address `pa` is at `LINEAR + pa`.
pub const LINEAR: u64 = 0xffff_0000_0000_0000;
/// Physical addresses end here (48 bits would overlap the image; 47 are 128 TiB).
pub const LINEAR_SIZE: u64 = 1 << 47;
/// The kernel image is linked here, wherever it was loaded. The linker script has the same number.
pub const IMAGE: u64 = 0xffff_8000_8000_0000;
/// The image, with its symbols, may be this large: it bounds the tables that boot sets aside.
pub const IMAGE_MAX: u64 = 16 << 20;
/// The device tree is mapped read-only here, far behind the image, in two 2M blocks.
pub const DTB: u64 = IMAGE + (508 << 21);
/// A device tree is at most this large, so that it fits into two blocks however it lies.
pub const DTB_MAX: u64 = 2 << 20;
/// Kernel stacks with their guards.
pub const STACKS: u64 = 0xffff_9000_0000_0000;
/// The kernel heap, which grows upwards from here.
pub const HEAP: u64 = 0xffff_a000_0000_0000;
/// The second, small heap from which the frame allocator's own lists live.
pub const FRAME_HEAP: u64 = 0xffff_a800_0000_0000;
/// Device registers.
pub const MMIO: u64 = 0xffff_b000_0000_0000;
/// The array of frame metadata, indexed by frame number.
pub const VMEMMAP: u64 = 0xffff_c000_0000_0000;
/// Bytes in one kernel page.
pub const PAGE_SIZE: u64 = 4096;
