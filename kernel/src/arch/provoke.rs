//! Mistakes made on purpose, so that tests see what the kernel says of them. Each ends the kernel.

use core::hint::black_box;

/// Reads where nothing is mapped.
pub fn wild_read() -> u64 {
    let nowhere = (boot::layout::LINEAR + boot::layout::LINEAR_SIZE - 8) as *const u64;
    // SAFETY: not safe at all; the fault is the point, and the kernel does not survive it.
    unsafe { nowhere.read_volatile() }
}

/// Writes to the kernel's own text.
pub fn write_to_text() {
    let text = boot::layout::IMAGE as *mut u64;
    // SAFETY: not safe at all; the fault is the point, and the kernel does not survive it.
    unsafe { text.write_volatile(0) };
}

/// Calls itself until the stack's guard page stops it.
#[allow(unconditional_recursion)] // The point.
#[inline(never)]
pub fn overflow_stack(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    overflow_stack(depth + 1) + frame[(depth % 64) as usize]
}
