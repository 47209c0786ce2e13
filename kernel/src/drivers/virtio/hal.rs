//! What the `virtio-drivers` crate needs from the kernel: memory for queues, and the physical address
//! of buffers. Everything is in the linear map, and devices see physical addresses as they are.

use crate::arch::phys;
use crate::frames;
use core::ptr::NonNull;
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

/// The kernel, as the crate sees it.
pub struct KernelHal;

// SAFETY: `dma_alloc` gives zeroed frames that nothing else owns, by their address in the linear map,
// until `dma_dealloc`; `share` gives the physical address behind that map.
unsafe impl Hal for KernelHal {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let Some(pa) = frames::alloc(pages.next_power_of_two().trailing_zeros()) else {
            // Address 0 tells the crate that there was no memory.
            return (0, NonNull::dangling());
        };
        phys::zero(pa, (pages * PAGE_SIZE) as u64);
        (pa, NonNull::new(phys::linear(pa)).unwrap_or(NonNull::dangling()))
    }

    unsafe fn dma_dealloc(pa: PhysAddr, _: NonNull<u8>, pages: usize) -> i32 {
        frames::free(pa, pages.next_power_of_two().trailing_zeros());
        0
    }

    unsafe fn mmio_phys_to_virt(_: PhysAddr, _: usize) -> NonNull<u8> {
        unreachable!("only the PCI transport asks")
    }

    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        phys::physical(buffer.as_ptr().addr() as u64)
    }

    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {
        // The device wrote to the buffer itself; caches are coherent on this platform.
    }
}
