//! The kernel heap: `linked_list_allocator` over the heap window, which grows by mapping frames. Small objects go
//! through lists by size in front of it ([`slab`]). Safe to use with interrupts masked; growing takes frames, so it happens outside the heap's own lock.
//!
//! A second, small heap serves the frame allocator's own lists (see [`crate::frames`]): while a CPU is inside a
//! frame operation its allocations come from there, and nothing there ever grows at that moment.
#![allow(unsafe_code)] // A global allocator is unsafe by its trait, and hands memory to the heap crate.

mod slab;

use crate::arch::cpu;
use crate::arch::kmap::{self, Protection};
use crate::frames;
use crate::sync::IrqMutex;
use abi::Errno;
use boot::layout::{self, PAGE_SIZE};
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use linked_list_allocator::Heap;
use mm::memblock::Memblock;
use slab::{Class, Slabs};

/// The heap starts with this much and grows by at least as much.
const GROWTH: u64 = 2 << 20;
/// [`reserve`] keeps at least this much free.
const RESERVE: usize = 256 << 10;
/// An allocation up to this size may use the frames that programs cannot have.
const SMALL: usize = 32 << 10;
/// The frame heap starts with this much.
const FRAME_HEAP_START: u64 = 64 << 10;
/// It is topped up below this: far more than the nodes that one operation on 19 orders can need.
const FRAME_HEAP_LOW: usize = 24 << 10;
/// Each window ends here at the latest.
const WINDOW: u64 = 1 << 40;

#[global_allocator]
static ALLOCATOR: KernelHeap = KernelHeap {
    slabs: IrqMutex::new(Slabs::new()),
    main: IrqMutex::new(Heap::empty()),
    frame: IrqMutex::new(Heap::empty()),
    main_top: IrqMutex::new(layout::HEAP),
};

/// The CPU that is inside a frame operation, plus one.
static FRAME_HEAP_USER: AtomicU64 = AtomicU64::new(0);

struct KernelHeap {
    slabs: IrqMutex<Slabs>,
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

/// Grows the heap if little is left. Called where no lock is held, by each system call that makes something last;
/// what follows can then allocate small objects anywhere. ENOMEM when the heap cannot grow: what is left is for
/// those who are on their way already.
pub fn reserve() -> Result<(), Errno> {
    if ALLOCATOR.main.lock().free() >= RESERVE || ALLOCATOR.grow(RESERVE) {
        Ok(())
    } else {
        Err(Errno::ENOMEM)
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
    /// Eight pages, or one when there is nothing larger.
    const ORDERS: [u32; 2] = [3, 0];

    if ALLOCATOR.frame.lock().free() >= FRAME_HEAP_LOW || BUSY.swap(true, Ordering::Acquire) {
        return;
    }
    let found = ORDERS.into_iter().find_map(|order| Some((frames::alloc_from_reserve(order)?, order)));
    if let Some((pa, order)) = found {
        let size = PAGE_SIZE << order;
        let at = TOP.load(Ordering::Relaxed);
        if at + size <= layout::FRAME_HEAP + WINDOW && kmap::map(at, pa, size, Protection::ReadWrite).is_ok()
        {
            // SAFETY: the bytes behind the heap's end have just been mapped and belong to nobody.
            unsafe { ALLOCATOR.frame.lock().extend(size as usize) };
            TOP.store(at + size, Ordering::Relaxed);
        } else {
            frames::free(pa, order);
        }
    }
    BUSY.store(false, Ordering::Release);
}

impl KernelHeap {
    /// Maps more memory behind the heap, at least `size` bytes, in the largest pieces that are free. False when
    /// there is none.
    ///
    /// Small objects may use the reserved frames. A large one is refused at once when it cannot be had: the heap does
    /// not shrink, so frames that it takes in vain would be lost.
    fn grow(&self, size: usize) -> bool {
        let small = size <= SMALL;
        if !small && frames::free_count() < frames::reserved() + size as u64 / PAGE_SIZE {
            return false;
        }
        let mut top = self.main_top.lock();
        let end = *top + (size as u64 + PAGE_SIZE).next_multiple_of(PAGE_SIZE);
        if end > layout::HEAP + WINDOW {
            return false;
        }
        while *top < end {
            // 2M while the address is aligned, else pages in natural sizes up to the next 2M.
            let largest = ((*top / PAGE_SIZE).trailing_zeros()).min(9);
            let block = (0..=largest).rev().find_map(|o| Some((frames::alloc(o)?, o)));
            let reserved = || small.then(|| frames::alloc_from_reserve(0)).flatten();
            let Some((pa, order)) = block.or_else(|| Some((reserved()?, 0))) else {
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

    /// Fills a class that has run out, and takes an object from it.
    #[cold]
    fn alloc_chunk(&self, class: Class) -> *mut u8 {
        let Some(chunk) = NonNull::new(self.alloc_main(class.chunk())) else {
            return ptr::null_mut();
        };
        let mut slabs = self.slabs.lock();
        // SAFETY: the chunk has just been allocated by the class's layout and is never given back.
        unsafe { slabs.fill(class, chunk) };
        slabs.pop(class).map_or(ptr::null_mut(), NonNull::as_ptr)
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

/// Whether this CPU is inside a frame operation.
#[inline]
fn in_frame_operation() -> bool {
    let user = FRAME_HEAP_USER.load(Ordering::Relaxed);
    user != 0 && user == cpu::id() + 1
}

// SAFETY: the heaps hand out disjoint memory that fits the layout, under their locks.
unsafe impl GlobalAlloc for KernelHeap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if in_frame_operation() {
            return self.frame.lock().allocate_first_fit(layout).map_or(ptr::null_mut(), NonNull::as_ptr);
        }
        let Some(class) = Class::of(&layout) else {
            return self.alloc_main(layout);
        };
        let object = self.slabs.lock().pop(class);
        object.map_or_else(|| self.alloc_chunk(class), NonNull::as_ptr)
    }

    #[inline]
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let Some(at) = NonNull::new(at) else { return };
        // SAFETY: the caller gives back what `alloc` gave for this layout; the window tells the frame heap from the
        // main one, and the layout tells which of the main ones has the same class as at the allocation.
        unsafe {
            if at.as_ptr() as u64 >= layout::FRAME_HEAP {
                self.frame.lock().deallocate(at, layout);
            } else if let Some(class) = Class::of(&layout) {
                self.slabs.lock().push(class, at);
            } else {
                self.main.lock().deallocate(at, layout);
            }
        }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the new size is valid for the alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let class = Class::of(&layout);
        if class.is_some() && class == Class::of(&new_layout) && (at as u64) < layout::FRAME_HEAP {
            return at;
        }
        // SAFETY: both layouts are valid; the copy covers the smaller of the two.
        unsafe {
            let new = self.alloc(new_layout);
            if !new.is_null() {
                ptr::copy_nonoverlapping(at, new, layout.size().min(new_size));
                self.dealloc(at, layout);
            }
            new
        }
    }
}
