//! Physical memory through the linear map, and where the image lies.

use boot::layout;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

static IMAGE: AtomicU64 = AtomicU64::new(0);
static IMAGE_SIZE: AtomicU64 = AtomicU64::new(0);

/// Remembers where the image was loaded. The first thing that the kernel does.
pub fn init(info: &boot::BootInfo) {
    IMAGE.store(info.image, Ordering::Relaxed);
    IMAGE_SIZE.store(info.image_size, Ordering::Relaxed);
}

/// The physical range of the image, symbols included.
pub fn image_range() -> Range<u64> {
    let start = IMAGE.load(Ordering::Relaxed);
    start..start + IMAGE_SIZE.load(Ordering::Relaxed)
}

/// The physical ranges that nobody may write: text and constants, and the symbols behind the image's data.
pub fn constant_ranges() -> [Range<u64>; 2] {
    unsafe extern "C" {
        static _erodata: u8;
        static _end: u8;
    }
    let image = image_range();
    [
        image.start..physical((&raw const _erodata) as u64),
        physical((&raw const _end) as u64)..image.end & !4095,
    ]
}

/// Bytes of text at the start of the image.
pub fn text_size() -> u64 {
    unsafe extern "C" {
        static _etext: u8;
    }
    (&raw const _etext) as u64 - layout::IMAGE
}

/// The lowest address of the stack that boot has set up.
pub fn boot_stack_low() -> u64 {
    unsafe extern "C" {
        static __boot_stack_bottom: u8;
    }
    (&raw const __boot_stack_bottom) as u64
}

/// What follows the image's own data up to its full size: the symbols, if mkimage put them there.
pub fn symbol_bytes() -> &'static [u8] {
    unsafe extern "C" {
        static _end: u8;
    }
    let start = &raw const _end;
    let size = IMAGE_SIZE.load(Ordering::Relaxed).saturating_sub(start as u64 - layout::IMAGE);
    // SAFETY: boot has mapped the whole image, this part read-only, for good.
    unsafe { core::slice::from_raw_parts(start, size as usize) }
}

/// Where `pa` appears in the linear map.
#[inline]
pub const fn linear(pa: u64) -> *mut u8 {
    debug_assert!(pa < layout::LINEAR_SIZE);
    (layout::LINEAR + pa) as *mut u8
}

/// The physical address of something in the linear map or in the kernel image.
#[inline]
pub fn physical(va: u64) -> u64 {
    if va >= layout::IMAGE {
        va - layout::IMAGE + IMAGE.load(Ordering::Relaxed)
    } else {
        debug_assert!(va >= layout::LINEAR && va < layout::LINEAR + layout::LINEAR_SIZE);
        va - layout::LINEAR
    }
}

/// Zeroes `len` bytes at `pa` by whole cache blocks (DC ZVA) where the CPU allows it. The range must lie in the
/// linear map and belong to the caller.
pub fn zero(pa: u64, len: u64) {
    let start = layout::LINEAR + pa;
    let dczid: u64;
    // SAFETY: reads an identification register.
    unsafe { core::arch::asm!("mrs {0}, dczid_el0", out(reg) dczid, options(nomem, nostack)) };
    let block = 4u64 << (dczid & 15);
    if dczid & (1 << 4) != 0 || (start | len) & (block - 1) != 0 || len == 0 {
        // SAFETY: the caller owns the range, and the linear map holds it writable.
        unsafe { core::ptr::write_bytes(start as *mut u8, 0, len as usize) };
        return;
    }
    // SAFETY: as above; start and length are multiples of the block that DC ZVA zeroes.
    unsafe {
        core::arch::asm!(
            "2: dc zva, {at}",
            "add {at}, {at}, {block}",
            "cmp {at}, {end}",
            "b.lo 2b",
            at = inout(reg) start => _,
            end = in(reg) start + len,
            block = in(reg) block,
            options(nostack)
        );
    }
}
