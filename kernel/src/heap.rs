//! The kernel heap: `linked_list_allocator` over the heap window, which grows by mapping frames. Safe to use with
//! interrupts masked; growing takes frames, so it happens outside the heap's own lock.
//!
//! A second, small heap serves the frame allocator's own lists (see [`crate::frames`]): while a CPU is inside a
//! frame operation its allocations come from there, and nothing there ever grows at that moment.
#![allow(unsafe_code)] // A global allocator is unsafe by its trait, and hands memory to the heap crate.

use crate::arch::kmap::{self, Protection};
use crate::arch::{cpu, phys};
use crate::frames;
use crate::memblock::Memblock;
use crate::sync::IrqMutex;
use boot::layout::{self, PAGE_SIZE};
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use linked_list_allocator::Heap;

/// The heap starts with this much and grows by at least as much.
const GROWTH: u64 = 2 << 20;
/// [`reserve`] keeps at least this much free.
const RESERVE: usize = 256 << 10;
/// The frame heap starts with this much.
const FRAME_HEAP_START: u64 = 64 << 10;
/// It is topped up below this: far more than the nodes that one operation on 19 orders can need.
const FRAME_HEAP_LOW: usize = 24 << 10;
/// Each window ends here at the latest.
const WINDOW: u64 = 1 << 40;

#[global_allocator]
static ALLOCATOR: KernelHeap = KernelHeap {
    main: IrqMutex::new(Heap::empty()),
    frame: IrqMutex::new(Heap::empty()),
    main_top: IrqMutex::new(layout::HEAP),
};

/// The CPU that is inside a frame operation, plus one.
static FRAME_HEAP_USER: AtomicU64 = AtomicU64::new(0);

struct KernelHeap {
    main: IrqMutex<Heap>,
    frame: IrqMutex<Heap>,
    /// End of what is mapped of the main window. Held while growing.
    main_top: IrqMutex<u64>,
}

/// Sets up both heaps from early memory.
pub fn init(memblock: &mut Memblock) -> Option<()> {
    for (heap, base, size) in
        [(&ALLOCATOR.main, layout::HEAP, GROWTH), (&ALLOCATOR.frame, layout::FRAME_HEAP, FRAME_HEAP_START)]
    {
        let pa = memblock.alloc(size, size)?;
        kmap::map(base, pa, size, Protection::ReadWrite).ok()?;
        // SAFETY: freshly mapped memory that nobody else uses, for good.
        unsafe { heap.lock().init(base as *mut u8, size as usize) };
    }
    *ALLOCATOR.main_top.lock() += GROWTH;
    Some(())
}

/// Grows the heap if little is left. Called where no lock is held, as on the way into a system call; what follows
/// can then allocate small objects anywhere.
pub fn reserve() {
    if ALLOCATOR.main.lock().free() < RESERVE {
        ALLOCATOR.grow(RESERVE);
    }
}

/// Bytes used and bytes mapped of the heap.
pub fn usage() -> (usize, usize) {
    let heap = ALLOCATOR.main.lock();
    (heap.used(), heap.size())
}

/// While this lives, allocations of this CPU come from the frame heap.
#[must_use]
pub struct UseFrameHeap(());

/// Starts a frame operation; the frame lock is held, so there is one at a time.
pub fn use_frame_heap() -> UseFrameHeap {
    FRAME_HEAP_USER.store(cpu::id() + 1, Ordering::Relaxed);
    UseFrameHeap(())
}

impl Drop for UseFrameHeap {
    fn drop(&mut self) {
        FRAME_HEAP_USER.store(0, Ordering::Relaxed);
    }
}

/// Makes sure that the next frame operation finds memory for its lists.
pub fn top_up_frame_heap() {
    /// Keeps the frame operations of the top-up itself from topping up.
    static BUSY: AtomicBool = AtomicBool::new(false);
    static TOP: AtomicU64 = AtomicU64::new(layout::FRAME_HEAP + FRAME_HEAP_START);
    const ORDER: u32 = 3;

    if ALLOCATOR.frame.lock().free() >= FRAME_HEAP_LOW || BUSY.swap(true, Ordering::Acquire) {
        return;
    }
    if let Some(pa) = frames::alloc(ORDER) {
        let size = PAGE_SIZE << ORDER;
        let at = TOP.load(Ordering::Relaxed);
        if at + size <= layout::FRAME_HEAP + WINDOW && kmap::map(at, pa, size, Protection::ReadWrite).is_ok()
        {
            // SAFETY: the bytes behind the heap's end have just been mapped and belong to nobody.
            unsafe { ALLOCATOR.frame.lock().extend(size as usize) };
            TOP.store(at + size, Ordering::Relaxed);
        } else {
            frames::free(pa, ORDER);
        }
    }
    BUSY.store(false, Ordering::Release);
}

impl KernelHeap {
    /// Maps more memory behind the heap, at least `size` bytes, in the largest pieces that are free. False when
    /// there is none.
    fn grow(&self, size: usize) -> bool {
        let mut top = self.main_top.lock();
        let end = *top + (size as u64 + PAGE_SIZE).next_multiple_of(PAGE_SIZE);
        if end > layout::HEAP + WINDOW {
            return false;
        }
        while *top < end {
            // 2M while the address is aligned, else pages in natural sizes up to the next 2M.
            let largest = ((*top / PAGE_SIZE).trailing_zeros()).min(9);
            let Some((pa, order)) = (0..=largest).rev().find_map(|o| Some((frames::alloc(o)?, o))) else {
                return false;
            };
            let piece = PAGE_SIZE << order;
            if kmap::map(*top, pa, piece, Protection::ReadWrite).is_err() {
                frames::free(pa, order);
                return false;
            }
            *top += piece;
            // SAFETY: the bytes behind the heap's end have just been mapped and belong to nobody.
            unsafe { self.main.lock().extend(piece as usize) };
        }
        true
    }

    fn alloc_main(&self, layout: Layout) -> *mut u8 {
        let first_fit = |layout| self.main.lock().allocate_first_fit(layout).ok();
        let found = first_fit(layout).or_else(|| {
            let enough = self.grow(layout.size() + layout.align());
            enough.then(|| first_fit(layout)).flatten()
        });
        found.map_or(ptr::null_mut(), NonNull::as_ptr)
    }
}

// SAFETY: both heaps hand out disjoint memory that fits the layout, under their locks.
unsafe impl GlobalAlloc for KernelHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if FRAME_HEAP_USER.load(Ordering::Relaxed) == cpu::id() + 1 {
            return self.frame.lock().allocate_first_fit(layout).map_or(ptr::null_mut(), NonNull::as_ptr);
        }
        self.alloc_main(layout)
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let heap = if at as u64 >= layout::FRAME_HEAP { &self.frame } else { &self.main };
        if let Some(at) = NonNull::new(at) {
            // SAFETY: the caller gives back what `alloc` gave, and the windows tell the two heaps apart.
            unsafe { heap.lock().deallocate(at, layout) };
        }
    }
}

/// A zeroed frame.
pub fn zeroed_frame() -> Option<u64> {
    let pa = frames::alloc(0)?;
    phys::zero(pa, PAGE_SIZE);
    Some(pa)
}
