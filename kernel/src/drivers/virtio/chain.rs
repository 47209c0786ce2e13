//! The list of buffers that one request hands to the queue. The room for it is kept, so that building
//! one allocates nothing.

use crate::arch::phys;
use abi::Errno;
use alloc::vec::Vec;
use core::ptr::NonNull;
use mm::types::PhysSeg;

/// Buffers in the order of their descriptors: those that the device reads, then those that it writes.
pub struct Chain {
    to_device: Vec<NonNull<[u8]>>,
    from_device: Vec<NonNull<[u8]>>,
}

// SAFETY: the pointers are addresses in the linear map, which is the same on every CPU.
unsafe impl Send for Chain {}

impl Chain {
    /// Room for chains of up to `len` buffers.
    pub fn with_capacity(len: usize) -> Result<Self, Errno> {
        let list = || {
            let mut list = Vec::new();
            list.try_reserve_exact(len).map_err(|_| Errno::ENOMEM)?;
            Ok(list)
        };
        Ok(Self { to_device: list()?, from_device: list()? })
    }

    /// Empties the lists.
    pub fn clear(&mut self) {
        self.to_device.clear();
        self.from_device.clear();
    }

    /// Adds a buffer that the device reads.
    pub fn push_to_device(&mut self, buffer: NonNull<[u8]>) {
        self.to_device.push(buffer);
    }

    /// Adds a buffer that the device writes.
    pub fn push_from_device(&mut self, buffer: NonNull<[u8]>) {
        self.from_device.push(buffer);
    }

    /// The lists as the queue wants them.
    ///
    /// # Safety
    ///
    /// All buffers are initialised memory that nobody accesses while the slices are in use.
    pub unsafe fn lists(&mut self) -> (&[&[u8]], &mut [&mut [u8]]) {
        let (to, from) = (self.to_device.as_slice(), self.from_device.as_mut_slice());
        // SAFETY: a `NonNull<[u8]>` has the layout of a reference to a slice, and by our caller's
        // promise each one may be used as a reference for as long as the list is borrowed.
        unsafe {
            (
                core::slice::from_raw_parts(to.as_ptr().cast(), to.len()),
                core::slice::from_raw_parts_mut(from.as_mut_ptr().cast(), from.len()),
            )
        }
    }
}

/// Where a piece of physical memory is in the linear map.
pub fn memory(piece: PhysSeg) -> NonNull<[u8]> {
    let start = NonNull::new(phys::linear(piece.addr.0)).expect("the linear map is not at 0");
    NonNull::slice_from_raw_parts(start, piece.len as usize)
}
