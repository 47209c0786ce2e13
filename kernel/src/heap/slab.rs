//! Free lists of small objects in front of the heap, one for each size class: what the kernel allocates all day
//! (VMAs, tasks, nodes) is found and given back in a few instructions, and the list of holes behind stays short.
//! Objects of a class are cut from chunks of the heap, which stay with the class (Linux: `slub`, without its pages).

use core::alloc::Layout;
use core::ptr::NonNull;

/// Objects up to this size come from a class.
const LARGEST: usize = 2048;
const SMALLEST: usize = 16;
/// Classes: a power of two and three quarters of it, up to [`LARGEST`].
const CLASSES: usize = 2 * (LARGEST.trailing_zeros() - SMALLEST.trailing_zeros() + 1) as usize;
/// A chunk holds at least this many objects, and is at least a page.
const OBJECTS: usize = 8;

/// A free object: the link is in its first bytes.
struct Free {
    next: Option<NonNull<Free>>,
}

/// The size class of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class(u8);

impl Class {
    /// The class that serves `layout`, if it is small enough.
    #[inline]
    pub fn of(layout: &Layout) -> Option<Class> {
        if layout.align() <= SMALLEST {
            return CLASS_OF.get(layout.size().div_ceil(SMALLEST)).copied();
        }
        let size = layout.size().max(layout.align());
        if size <= LARGEST { Some(Class::compute(size, Alignment::Large)) } else { None }
    }

    const fn compute(size: usize, alignment: Alignment) -> Class {
        let size = if size < SMALLEST { SMALLEST } else { size };
        let power = size.next_power_of_two();
        // Three quarters of a power from 64 on are a multiple of 16, which is enough for most alignments.
        let quarters = power >= 64 && size <= power / 4 * 3 && matches!(alignment, Alignment::Small);
        let number = 2 * (power.trailing_zeros() - SMALLEST.trailing_zeros()) + !quarters as u32;
        Class(number as u8)
    }

    fn size(self) -> usize {
        let power = SMALLEST << (self.0 / 2);
        if self.0.is_multiple_of(2) { power / 4 * 3 } else { power }
    }

    /// What to ask the heap for when the class is empty.
    pub fn chunk(self) -> Layout {
        let size = self.size();
        let align = if size.is_power_of_two() { size } else { SMALLEST };
        let bytes = (size * OBJECTS).max(4096) / size * size;
        Layout::from_size_align(bytes, align).expect("a power of two below the size")
    }
}

/// Whether an object must lie at a multiple of more than [`SMALLEST`].
#[derive(Clone, Copy)]
enum Alignment {
    Small,
    Large,
}

/// The class of each size up to [`LARGEST`], in steps of [`SMALLEST`].
static CLASS_OF: [Class; LARGEST / SMALLEST + 1] = {
    let mut classes = [Class(0); LARGEST / SMALLEST + 1];
    let mut step = 0;
    while step < classes.len() {
        classes[step] = Class::compute(step * SMALLEST, Alignment::Small);
        step += 1;
    }
    classes
};

/// The free lists.
pub struct Slabs {
    free: [Option<NonNull<Free>>; CLASSES],
}

// SAFETY: the objects on the lists belong to the lists alone.
unsafe impl Send for Slabs {}

impl Slabs {
    /// Empty lists.
    pub const fn new() -> Self {
        Self { free: [None; CLASSES] }
    }

    /// Takes an object of `class`.
    #[inline]
    pub fn pop(&mut self, class: Class) -> Option<NonNull<u8>> {
        let list = &mut self.free[usize::from(class.0)];
        let object = (*list)?;
        // SAFETY: an object on the list is free and holds its link.
        *list = unsafe { object.as_ref() }.next;
        Some(object.cast())
    }

    /// Gives an object back.
    ///
    /// # Safety
    /// `object` is memory for an object of `class`, and nobody uses it any more.
    #[inline]
    pub unsafe fn push(&mut self, class: Class, object: NonNull<u8>) {
        let list = &mut self.free[usize::from(class.0)];
        let object = object.cast::<Free>();
        // SAFETY: the memory is ours now, at least 16 bytes at a multiple of 16.
        unsafe { object.write(Free { next: *list }) };
        *list = Some(object);
    }

    /// Cuts a chunk into objects of `class`.
    ///
    /// # Safety
    /// `chunk` is memory of the layout [`Class::chunk`], given for good.
    pub unsafe fn fill(&mut self, class: Class, chunk: NonNull<u8>) {
        for offset in (0..class.chunk().size()).step_by(class.size()) {
            // SAFETY: the offset is inside the chunk, which the caller gives.
            unsafe { self.push(class, chunk.add(offset)) };
        }
    }
}
