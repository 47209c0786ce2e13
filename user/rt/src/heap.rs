//! A heap for programs that need one, from brk(2). A program says
//!
//! ```text
//! #[global_allocator]
//! static HEAP: rt::heap::Heap = rt::heap::Heap::new();
//! ```
//!
//! For one thread, as these programs have.

use crate::sys::{raw, syscall};
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};
use linked_list_allocator::Heap as List;

/// The least by which it grows.
const STEP: usize = 64 << 10;

/// Memory from the program break, kept in a list of holes.
pub struct Heap(UnsafeCell<List>);

// SAFETY: programs of this runtime have one thread.
unsafe impl Sync for Heap {}

impl Heap {
    /// A heap that takes memory when it is first asked for some.
    pub const fn new() -> Heap {
        Heap(UnsafeCell::new(List::empty()))
    }
}

impl Default for Heap {
    fn default() -> Heap {
        Heap::new()
    }
}

// SAFETY: the list hands out what it owns, each byte once, aligned as asked; it owns what lies between
// the break at its start and the break now, and nobody else moves the break.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread, and nothing that is called below allocates.
        let list = unsafe { &mut *self.0.get() };
        if let Ok(block) = list.allocate_first_fit(layout) {
            return block.as_ptr();
        }
        let wanted = layout.size().saturating_add(layout.align()).saturating_add(STEP);
        if grow(list, wanted & !(STEP - 1)).is_none() {
            return ptr::null_mut();
        }
        list.allocate_first_fit(layout).map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(block) = NonNull::new(block) else { return };
        // SAFETY: as above; the block came from this list with this layout.
        unsafe { (*self.0.get()).deallocate(block, layout) };
    }
}

/// Moves the break up by `size` and gives that to the list; `None` if there is no more.
fn grow(list: &mut List, size: usize) -> Option<()> {
    if list.size() == 0 {
        let start = set_break(0).next_multiple_of(align_of::<usize>());
        if set_break(start + STEP) != start + STEP {
            return None;
        }
        // SAFETY: fresh memory of this program's own, for as long as it lives.
        unsafe { list.init(start as *mut u8, STEP) };
    }
    let end = set_break(0);
    if set_break(end.checked_add(size)?) != end + size {
        return None;
    }
    // SAFETY: the memory right after the list's end is fresh and this program's own.
    unsafe { list.extend(size) };
    Some(())
}

/// Asks for a break and returns the one that there is then.
fn set_break(address: usize) -> usize {
    // SAFETY: the break only grows, so no memory in use goes away.
    unsafe { syscall(raw::__NR_brk, [address]) }.unwrap_or(0)
}
