//! Physical frames: the buddy allocator behind the lists that `mm` keeps by order. Plain functions, callable with
//! interrupts masked and under any lock but the heap's.
//!
//! The last frames are for the kernel's heap and tables only (Linux: `min_free_kbytes`): when programs have taken all
//! the rest, a small object that a system call needs to say ENOMEM can still be had.
//!
//! The buddy crate keeps its lists on the heap. Those allocations come from a small heap of their own
//! ([`crate::heap::grow_frame_heap`]), which is topped up here before the lock is taken, so that a frame operation
//! never waits for memory that only a frame operation could give.

use crate::heap;
use crate::sync::IrqMutex;
use crate::warn_once;
use boot::layout::PAGE_SIZE;
use buddy_system_allocator::FrameAllocator;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

/// Orders of the buddy allocator: blocks of up to 2^18 frames, 1 GiB.
const ORDERS: usize = 19;

static BUDDY: IrqMutex<FrameAllocator<ORDERS>> = IrqMutex::new(FrameAllocator::new());
static TOTAL: AtomicU64 = AtomicU64::new(0);
static FREE: AtomicU64 = AtomicU64::new(0);

/// Runs `f` on the buddy allocator, with its list nodes coming from the frame heap.
fn with_buddy<R>(f: impl FnOnce(&mut FrameAllocator<ORDERS>) -> R) -> R {
    let mut buddy = BUDDY.lock();
    let _nodes = heap::use_frame_heap();
    f(&mut buddy)
}

/// Gives frames to the allocator: a range of physical addresses, whole pages.
pub fn add_range(range: Range<u64>) {
    heap::top_up_frame_heap();
    let frames = (range.start / PAGE_SIZE) as usize..(range.end / PAGE_SIZE) as usize;
    TOTAL.fetch_add(frames.len() as u64, Ordering::Relaxed);
    FREE.fetch_add(frames.len() as u64, Ordering::Relaxed);
    with_buddy(|buddy| buddy.insert(frames));
}

/// Takes 2^`order` frames, aligned to their size. Their content is undefined.
pub fn alloc(order: u32) -> Option<u64> {
    if free_count() < reserved() + (1u64.checked_shl(order)?) {
        return None;
    }
    heap::top_up_frame_heap();
    alloc_from_reserve(order)
}

/// As [`alloc`], for the kernel's heap and tables: takes the reserved frames too. It does not top up the frame heap,
/// because topping up maps memory and this is also called under the lock of the tables; what the last top-up left
/// serves many operations.
pub fn alloc_from_reserve(order: u32) -> Option<u64> {
    if order as usize >= ORDERS {
        return None;
    }
    let frame = with_buddy(|buddy| buddy.alloc(1 << order))?;
    FREE.fetch_sub(1 << order, Ordering::Relaxed);
    Some(frame as u64 * PAGE_SIZE)
}

/// Gives back what [`alloc`] gave for the same order, or a naturally aligned part of it.
pub fn free(pa: u64, order: u32) {
    if !pa.is_multiple_of(PAGE_SIZE << order) {
        warn_once!("frames at {pa:#x} of order {order} given back");
        return;
    }
    heap::top_up_frame_heap();
    with_buddy(|buddy| buddy.dealloc((pa / PAGE_SIZE) as usize, 1 << order));
    FREE.fetch_add(1 << order, Ordering::Relaxed);
}

/// Frames that only [`alloc_from_reserve`] takes.
pub fn reserved() -> u64 {
    (total() / 256).clamp(64, 1024)
}

/// Frames that were ever given to the allocator.
pub fn total() -> u64 {
    TOTAL.load(Ordering::Relaxed)
}

/// Frames that are free in the buddy allocator.
pub fn free_count() -> u64 {
    FREE.load(Ordering::Relaxed)
}
