//! The small buffers of block requests that are not data: the header that says what to do and the
//! status byte that says how it went ("Device Operation" of block devices, virtio specification).

use super::hal::KernelHal;
use super::pool::POOL_SIZE;
use crate::block::BioOp;
use abi::Errno;
use core::ptr::NonNull;
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE};

/// Bytes of a request's header: type, reserved, first sector.
const HEADER_SIZE: usize = 16;

/// Status of a request that went well.
const VIRTIO_BLK_S_OK: u8 = 0;

/// What the status byte holds until the device writes it. No device answers this.
const NOT_WRITTEN: u8 = 0xff;

/// One frame with a header and a status byte for each request that can be in flight.
pub struct Control {
    frame: NonNull<u8>,
}

// SAFETY: the frame belongs to this value, which is used under the device's lock.
unsafe impl Send for Control {}

impl Control {
    /// Takes a frame; it is never given back, as disks never go.
    pub fn new() -> Result<Self, Errno> {
        let (paddr, frame) = KernelHal::dma_alloc(1, BufferDirection::Both);
        if paddr == 0 { Err(Errno::ENOMEM) } else { Ok(Self { frame }) }
    }

    /// The header of request `number`, which the device reads.
    pub fn header(&self, number: usize) -> NonNull<[u8]> {
        NonNull::slice_from_raw_parts(self.at(number * HEADER_SIZE), HEADER_SIZE)
    }

    /// The status byte of request `number`, which the device writes.
    pub fn status(&self, number: usize) -> NonNull<[u8]> {
        NonNull::slice_from_raw_parts(self.at(POOL_SIZE * HEADER_SIZE + number), 1)
    }

    fn at(&self, offset: usize) -> NonNull<u8> {
        assert!(offset < PAGE_SIZE);
        // SAFETY: within the frame.
        unsafe { self.frame.byte_add(offset) }
    }

    /// Fills in the buffers of a request that is about to start.
    pub fn prepare(&mut self, number: usize, op: BioOp, sector: u64) {
        let kind: u32 = match op {
            BioOp::Read => 0,
            BioOp::Write => 1,
        };
        let mut header = [0; HEADER_SIZE];
        header[..4].copy_from_slice(&kind.to_le_bytes());
        header[8..].copy_from_slice(&sector.to_le_bytes());
        // SAFETY: in the frame, and the device does not know the buffers of a free number.
        unsafe {
            self.header(number).cast().write(header);
            self.status(number).cast().write(NOT_WRITTEN);
        }
    }

    /// Whether the device says that the request, which it has given back, went well.
    pub fn succeeded(&self, number: usize) -> bool {
        // SAFETY: in the frame; volatile, because the device wrote it behind the compiler's back.
        let status = unsafe { self.status(number).cast::<u8>().read_volatile() };
        status == VIRTIO_BLK_S_OK
    }
}
