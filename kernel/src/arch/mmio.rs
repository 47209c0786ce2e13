//! Device registers: mapped in the MMIO window as Device-nGnRE, never executable. Mappings last for good.

use super::kmap::{self, NoTable, Protection};
use arm_pl011_uart::UniqueMmioPointer;
use boot::layout::{self, PAGE_SIZE};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(layout::MMIO);

/// Maps `size` bytes of device registers at `pa` and returns their address (Linux: `ioremap`). Each call makes a
/// mapping of its own, with a page that is not mapped behind it.
pub fn ioremap(pa: u64, size: u64) -> Result<NonNull<u8>, NoTable> {
    let offset = pa % PAGE_SIZE;
    let size = (offset + size).next_multiple_of(PAGE_SIZE);
    let va = NEXT.fetch_add(size + PAGE_SIZE, Ordering::Relaxed);
    kmap::map(va, pa - offset, size, Protection::Device)?;
    NonNull::new((va + offset) as *mut u8).ok_or(NoTable)
}

/// Reads one 32-bit register of a device that nobody drives.
pub fn read_register(pa: u64) -> Result<u32, NoTable> {
    let at = ioremap(pa, size_of::<u32>() as u64)?.cast::<u32>();
    // SAFETY: a fresh mapping of device memory, aligned because the register is.
    Ok(unsafe { at.read_volatile() })
}

/// Maps the registers `T` of one device at `pa`. The caller says that no other driver uses that device.
pub fn ioremap_registers<T>(pa: u64) -> Result<UniqueMmioPointer<'static, T>, NoTable> {
    let at = ioremap(pa, size_of::<T>() as u64)?.cast::<T>();
    assert!(at.is_aligned());
    // SAFETY: a fresh mapping of device memory, aligned, of the right size, which is never taken away.
    Ok(unsafe { UniqueMmioPointer::new(at) })
}
