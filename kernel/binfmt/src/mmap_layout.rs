//! The outline of a new address space: where the stack ends and where mappings begin. Mirrors
//! `arch_pick_mmap_layout` and `mmap_base` of Linux's `mm/util.c` and arm64's constants.
//!
//! Sizes that Linux writes in pages are written in bytes here and then rounded to the process page.
//! Multiplied by the page size they would grow with it, and a 64K page's 16-fold does not fit in every
//! address space.

use crate::pages::{align_down, align_up};
use core::ops::Range;

/// `RLIM_INFINITY`.
pub const RLIM_INFINITY: u64 = u64::MAX;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// At least this much lies between the mmap base and the top of the stack's area.
const MIN_GAP: u64 = 128 * MIB;

/// The stack's top and the mmap area are each moved down by less than this: arm64's `STACK_RND_MASK`,
/// and `ARCH_MMAP_RND_BITS_MIN`, which is 18, 16, 14 bits of 4K, 16K, 64K pages.
const RND_SPAN: u64 = GIB;

/// `brk` moves up by less than this, `arch_randomize_brk`.
const BRK_RND_SPAN: u64 = GIB;

/// Below the stack, in process pages, Linux's `stack_guard_gap`.
const STACK_GUARD_PAGES: u64 = 256;

/// Random numbers for one `execve`, each used once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entropy {
    /// Moves the stack's top.
    pub stack: u64,
    /// Moves the first byte of the stack's contents within a page.
    pub stack_offset: u64,
    /// Moves the mmap base, and with it static PIEs and interpreters.
    pub mmap: u64,
    /// Moves a program that has an interpreter.
    pub image: u64,
    /// Moves brk.
    pub brk: u64,
}

/// Address space layout randomisation.
#[derive(Clone, Copy, Debug)]
pub enum Aslr {
    /// `norandmaps` or ADDR_NO_RANDOMIZE.
    Off,
    /// The default.
    On(Entropy),
}

impl Aslr {
    /// A multiple of `page_size` below `span`, or 0 without randomisation.
    fn offset(&self, word: impl Fn(&Entropy) -> u64, span: u64, page_size: u64) -> u64 {
        match self {
            Aslr::Off => 0,
            Aslr::On(entropy) => align_down(word(entropy) % span, page_size),
        }
    }
}

/// The direction in which `mmap` looks for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Downwards from the mmap base, the default.
    TopDown,
    /// Upwards from it: ADDR_COMPAT_LAYOUT, or an unlimited stack.
    BottomUp,
}

/// What [`MmapLayout::pick`] is asked for.
#[derive(Clone, Copy, Debug)]
pub struct LayoutRequest {
    /// The process's page size in bytes.
    pub page_size: u64,
    /// Bits of its addresses, 36 to 52; TASK_SIZE is two to that power.
    pub va_bits: u32,
    /// Soft RLIMIT_STACK in bytes.
    pub rlimit_stack: u64,
    /// Nothing is loaded below, Linux's `vm.mmap_min_addr`.
    pub mmap_min_addr: u64,
    /// What the personality asks for; an unlimited stack means [`Search::BottomUp`] anyway.
    pub search: Search,
    /// Randomisation.
    pub aslr: Aslr,
}

/// The outline of an address space. All addresses are multiples of the process page.
#[derive(Clone, Copy, Debug)]
pub struct MmapLayout {
    /// The process's page size in bytes.
    pub page_size: u64,
    /// End of user addresses.
    pub task_size: u64,
    /// Start of user addresses.
    pub mmap_min_addr: u64,
    /// End of the stack, above its first byte: Linux's `randomize_stack_top`.
    pub stack_top: u64,
    /// `mm->mmap_base`.
    pub mmap_base: u64,
    /// Where to go from there.
    pub search: Search,
    pub(crate) aslr: Aslr,
    stack_room: u64,
}

impl MmapLayout {
    /// Lays out a new address space.
    pub fn pick(request: &LayoutRequest) -> MmapLayout {
        let page_size = request.page_size;
        debug_assert!(page_size.is_power_of_two() && (4096..=65536).contains(&page_size));
        debug_assert!((36..=52).contains(&request.va_bits));
        let task_size = 1 << request.va_bits;
        let aslr = request.aslr;
        let guard_gap = STACK_GUARD_PAGES * page_size;
        let search = match request.rlimit_stack {
            RLIM_INFINITY => Search::BottomUp,
            _ => request.search,
        };
        let rnd = aslr.offset(|entropy| entropy.mmap, RND_SPAN, page_size);
        let mmap_base = match search {
            Search::TopDown => {
                let pad = match aslr {
                    Aslr::Off => guard_gap,
                    Aslr::On(_) => guard_gap + RND_SPAN,
                };
                // At least a sixth of the address space stays, 10 GiB of the smallest: no underflow.
                let gap = request.rlimit_stack.saturating_add(pad).clamp(MIN_GAP, task_size / 6 * 5);
                align_down(task_size - gap - rnd, page_size)
            }
            Search::BottomUp => task_size / 4 + rnd,
        };
        MmapLayout {
            page_size,
            task_size,
            mmap_min_addr: align_down(request.mmap_min_addr.saturating_add(page_size - 1), page_size),
            stack_top: task_size - aslr.offset(|entropy| entropy.stack, RND_SPAN, page_size),
            mmap_base,
            search,
            aslr,
            stack_room: align_down(request.rlimit_stack.min(MIN_GAP), page_size) + guard_gap,
        }
    }

    /// Where a program with an interpreter begins and where brk of a static PIE does, arm64's
    /// `ELF_ET_DYN_BASE`: far from both the mmap area and fixed programs. Not rounded to anything.
    pub(crate) fn elf_et_dyn_base(&self) -> u64 {
        self.task_size / 3 * 2
    }

    /// The same, randomised: Linux adds `arch_mmap_rnd`.
    pub(crate) fn program_base(&self) -> u64 {
        self.elf_et_dyn_base() + self.aslr.offset(|entropy| entropy.image, RND_SPAN, self.page_size)
    }

    /// Randomises an aligned start of brk, Linux's `arch_randomize_brk`.
    pub(crate) fn randomize_brk(&self, brk: u64) -> u64 {
        brk.saturating_add(self.aslr.offset(|entropy| entropy.brk, BRK_RND_SPAN, self.page_size))
    }

    /// What the images must leave alone: room for the stack to grow to its limit (or to 128 MiB, where
    /// the limit is beyond) and its guard gap.
    pub fn stack_area(&self) -> Range<u64> {
        self.stack_top - self.stack_room..self.stack_top
    }

    /// An aligned start for `len` bytes in the mmap area, outside `occupied`; `bias(start)` is rounded
    /// down to `alignment`, where the bias is what has to be added to `vaddr` to get there.
    pub(crate) fn place(&self, vaddr: u64, len: u64, alignment: u64, occupied: &Range<u64>) -> Option<u64> {
        let align = |start: u64| align_down(start.wrapping_sub(vaddr), alignment).wrapping_add(vaddr);
        let free = |start: u64| {
            start.checked_add(len).is_some_and(|end| end <= occupied.start) || start >= occupied.end
        };
        match self.search {
            Search::TopDown => {
                let start = align(self.mmap_base.checked_sub(len)?);
                if free(start) { Some(start) } else { Some(align(occupied.start.checked_sub(len)?)) }
            }
            Search::BottomUp => {
                let up = |start: u64| Some(align(start.checked_add(alignment - 1)?));
                let start = up(self.mmap_base)?;
                if free(start) { Some(start) } else { up(align_up(occupied.end, self.page_size)?) }
            }
        }
    }
}
