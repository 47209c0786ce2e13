//! Physical memory through the linear map, and where the image lies.

use boot::layout;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use mm::folio::FrameMeta;

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
    // The same as a sum, but without a check for overflow: this is in every table walk.
    (layout::LINEAR | pa) as *mut u8
}

/// The physical address of something in the linear map or in the kernel image.
#[inline]
pub fn physical(va: u64) -> u64 {
    if va >= layout::IMAGE {
        va - layout::IMAGE + IMAGE.load(Ordering::Relaxed)
    } else {
        debug_assert!((layout::LINEAR..layout::LINEAR + layout::LINEAR_SIZE).contains(&va));
        va - layout::LINEAR
    }
}

/// Zeroes `len` bytes at `pa`, by whole cache blocks (DC ZVA) where it can. The range must lie in RAM and belong to
/// the caller.
pub fn zero(pa: u64, len: u64) {
    let start = layout::LINEAR + pa;
    let dczid: u64;
    // SAFETY: reads an identification register.
    unsafe { core::arch::asm!("mrs {0}, dczid_el0", out(reg) dczid, options(nomem, nostack)) };
    let block = 4u64 << (dczid & 15);
    let prohibited = dczid & (1 << 4) != 0;
    if prohibited || (start | len) & (8 * block - 1) != 0 || len == 0 {
        // SAFETY: the caller owns the range, and the linear map holds it writable.
        unsafe { core::ptr::write_bytes(start as *mut u8, 0, len as usize) };
        return;
    }
    // SAFETY: as above; start and length are multiples of eight blocks.
    unsafe {
        core::arch::asm!(
            "2:",
            "dc zva, {at}",
            "add {at}, {at}, {block}",
            "dc zva, {at}",
            "add {at}, {at}, {block}",
            "dc zva, {at}",
            "add {at}, {at}, {block}",
            "dc zva, {at}",
            "add {at}, {at}, {block}",
            "dc zva, {at}",
            "add {at}, {at}, {block}",
            "dc zva, {at}",
            "add {at}, {at}, {block}",
            "dc zva, {at}",
            "add {at}, {at}, {block}",
            "dc zva, {at}",
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

/// Copies `len` bytes, a multiple of 128, between frames that the caller owns.
pub fn copy(to: u64, from: u64, len: u64) {
    debug_assert!(len.is_multiple_of(128) && len > 0 && (to | from).is_multiple_of(16));
    // SAFETY: both ranges lie in RAM and belong to the caller. The kernel has no vector registers to copy with.
    unsafe {
        core::arch::asm!(
            "2:",
            "ldp {a}, {b}, [{from}]",
            "ldp {c}, {d}, [{from}, #16]",
            "ldp {e}, {f}, [{from}, #32]",
            "ldp {g}, {h}, [{from}, #48]",
            "stp {a}, {b}, [{to}]",
            "stp {c}, {d}, [{to}, #16]",
            "stp {e}, {f}, [{to}, #32]",
            "stp {g}, {h}, [{to}, #48]",
            "ldp {a}, {b}, [{from}, #64]",
            "ldp {c}, {d}, [{from}, #80]",
            "ldp {e}, {f}, [{from}, #96]",
            "ldp {g}, {h}, [{from}, #112]",
            "stp {a}, {b}, [{to}, #64]",
            "stp {c}, {d}, [{to}, #80]",
            "stp {e}, {f}, [{to}, #96]",
            "stp {g}, {h}, [{to}, #112]",
            "add {from}, {from}, #128",
            "add {to}, {to}, #128",
            "cmp {from}, {end}",
            "b.lo 2b",
            from = inout(reg) layout::LINEAR + from => _,
            to = inout(reg) layout::LINEAR + to => _,
            end = in(reg) layout::LINEAR + from + len,
            a = out(reg) _, b = out(reg) _, c = out(reg) _, d = out(reg) _,
            e = out(reg) _, f = out(reg) _, g = out(reg) _, h = out(reg) _,
            options(nostack)
        );
    }
}

/// Copies `bytes` to the physical address `pa`, in RAM that the caller owns.
pub fn write_bytes(pa: u64, bytes: &[u8]) {
    // SAFETY: the destination lies in the linear map; a reference into a frame that is someone's memory cannot be
    // held by safe code, so the ranges do not overlap.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), linear(pa), bytes.len()) };
}

/// Copies bytes out of physical memory that the caller owns.
pub fn read_bytes(pa: u64, bytes: &mut [u8]) {
    // SAFETY: as in `write_bytes`, the other way round.
    unsafe { core::ptr::copy_nonoverlapping(linear(pa), bytes.as_mut_ptr(), bytes.len()) };
}

/// The metadata of `count` frames at the start of its window, where the caller has mapped zeroed memory for good.
pub fn frame_metadata(count: usize) -> &'static [FrameMeta] {
    assert!(super::kmap::is_mapped(layout::VMEMMAP, (count * size_of::<FrameMeta>()) as u64));
    // SAFETY: mapped, as just checked, and never unmapped; zeroed memory is the state of frames that nobody owns, and
    // the fields are atomics, so shared references to it may be made any number of times.
    unsafe { core::slice::from_raw_parts(layout::VMEMMAP as *const FrameMeta, count) }
}

/// The descriptor at `pa`, for single-copy atomic access. The hardware walks and changes it at the same time.
#[inline]
pub fn descriptor(pa: u64) -> &'static AtomicU64 {
    debug_assert!(pa.is_multiple_of(8));
    // SAFETY: an aligned word of RAM in the linear map, only ever accessed as an atomic while it is in a table.
    unsafe { AtomicU64::from_ptr(linear(pa).cast()) }
}

/// Bytes of a page cache folio on which the caller holds a reference, to be written. The file's lock lets one writer at a
/// time come here.
pub fn page_cache_bytes_mut(pa: u64, len: usize) -> &'static mut [u8] {
    // SAFETY: as in `page_cache_bytes`. The writer only copies bytes in, and readers and mappers that look meanwhile see
    // old or new ones, as they do on Linux.
    unsafe { core::slice::from_raw_parts_mut(linear(pa), len) }
}

/// Bytes of a page cache folio on which the caller holds a reference.
pub fn page_cache_bytes(pa: u64, len: usize) -> &'static [u8] {
    // SAFETY: the folio is RAM in the linear map and stays while the caller's reference does, longer than the
    // callers use the slice. Programs that map the file shared may write it meanwhile: readers copy the bytes out
    // and draw no conclusions from a second look.
    unsafe { core::slice::from_raw_parts(linear(pa), len) }
}
