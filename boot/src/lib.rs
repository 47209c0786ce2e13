//! Everything that runs before the kernel's own address space: the image header, the way from EL2 to EL1,
//! the first page tables, the MMU. It ends in the high half with a call of `kernel_main`.
//!
//! In reading order: [`head`] (assembly: header, exception level, MMU on), [`early_map`] (fills the first
//! tables while the MMU is still off), [`desc`] (descriptor bits, shared with the kernel's own mapping code)
//! and [`layout`] (the kernel's half of the address space). Linux's counterparts are `head.S`, `map_kernel.c`
//! and `asm/memory.h`.
#![cfg_attr(not(test), no_std)]

pub mod desc;
pub mod early_map;
#[cfg(target_os = "none")]
pub mod head;
pub mod layout;

/// What the boot code tells the kernel. All addresses are physical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct BootInfo {
    /// The flattened device tree, as handed over in x0.
    pub dtb: u64,
    /// Where the image was loaded: the first byte of the header.
    pub image: u64,
    /// Bytes of memory that the image occupies, symbols behind it included.
    pub image_size: u64,
    /// The exception level that the machine started us in, 1 or 2.
    pub entry_el: u64,
}
