//! virtio devices behind the memory-mapped transport, legacy (version 1) and modern (version 2).
//!
//! [`probe`] runs once while the kernel starts and hands each block device to [`blk`]. Transport and
//! virtqueue come from the `virtio-drivers` crate; [`hal`] gives it memory.
#![allow(unsafe_code)]

mod blk;
mod chain;
mod control;
mod hal;
mod pool;

use crate::arch::mmio;
use crate::block;
use crate::platform::Device;
use virtio_drivers::transport::mmio::{MmioError, MmioTransport};
use virtio_drivers::transport::{DeviceType, DeviceTypeError, Transport};

/// Looks into every slot, given by ascending address, and starts the disks.
///
/// They are visited from the highest address down, because that is the order in which QEMU fills
/// them: the first `-device virtio-blk-device` of the command line is vda. (Linux visits them upwards,
/// so there the last one is.)
pub fn probe(slots: &[Device]) {
    for slot in slots.iter().rev() {
        if let Some(transport) = open(slot) {
            match blk::start(transport, slot.irq) {
                Ok(id) => announce(id),
                Err(error) => log::error!("virtio-blk at {:#x}: {error}", slot.registers.pa),
            }
        }
    }
}

/// The transport of a slot that holds a block device.
fn open(slot: &Device) -> Option<MmioTransport<'static>> {
    let registers = mmio::ioremap(slot.registers.pa, slot.registers.size).ok()?;
    // SAFETY: a fresh mapping of the slot's registers that lasts for good; nobody else drives it.
    let transport = unsafe { MmioTransport::new(registers.cast(), slot.registers.size as usize) };
    match transport {
        Ok(transport) if transport.device_type() == DeviceType::Block => Some(transport),
        // Another kind of device, or an empty slot.
        Ok(_) | Err(MmioError::InvalidDeviceID(DeviceTypeError::InvalidDeviceType(_))) => None,
        Err(error) => {
            log::error!("virtio-mmio at {:#x}: {error}", slot.registers.pa);
            None
        }
    }
}

fn announce(id: block::DiskId) {
    let Some(disk) = block::disk(id) else { return };
    let access = if disk.is_read_only() { ", read-only" } else { "" };
    log::info!("vd{}: {} sectors of 512 bytes{access}", block::letter(id), disk.capacity());
}
