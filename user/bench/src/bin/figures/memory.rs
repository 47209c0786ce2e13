//! What memory costs: touching it first, copying it on write, changing and dropping mappings.

use crate::meter::Meter;
use rt::map::Mapping;
use rt::process::{self, Ended};
use rt::sys::Errno;

const MIB: usize = 1 << 20;
const TOUCHED: usize = 64 * MIB;
const COPIED: usize = 16 * MIB;
/// The unit of these figures at every page size.
const STEP: usize = 4096;

/// Writes one byte in each 4K.
fn write_all(memory: &mut [u8], value: u8) {
    memory.iter_mut().step_by(STEP).for_each(|byte| *byte = value);
    core::hint::black_box(memory);
}

/// One byte written per 4K of a fresh mapping of 64 MiB; per 4K.
pub fn touch(meter: &Meter, name: &str, _: rt::Args) -> Result<(), Errno> {
    let mut memory = Mapping::anonymous(TOUCHED)?;
    let ((), took) = meter.count(|| write_all(&mut memory, 1));
    meter.print(name, took, TOUCHED / STEP);
    Ok(())
}

/// A child writes one byte per 4K of 16 MiB that its parent has written; per 4K.
pub fn copy_on_write(meter: &Meter, name: &str, _: rt::Args) -> Result<(), Errno> {
    let mut memory = Mapping::anonymous(COPIED)?;
    write_all(&mut memory, 1);
    let child = process::spawn(|| {
        let ((), took) = meter.count(|| write_all(&mut memory, 2));
        meter.print(name, took, COPIED / STEP);
        0
    })?;
    if process::wait_for(child)? == Ended::Exited(0) { Ok(()) } else { Err(Errno::EIO) }
}

/// The one call that makes 64 MiB of touched memory read-only.
pub fn mprotect(meter: &Meter, name: &str, _: rt::Args) -> Result<(), Errno> {
    let mut memory = Mapping::anonymous(TOUCHED)?;
    write_all(&mut memory, 1);
    let (frozen, took) = meter.count(|| memory.freeze());
    meter.print(name, took, 1);
    frozen.map(drop)
}

/// The one call that unmaps 64 MiB of touched memory.
pub fn munmap(meter: &Meter, name: &str, _: rt::Args) -> Result<(), Errno> {
    let mut memory = Mapping::anonymous(TOUCHED)?;
    write_all(&mut memory, 1);
    let ((), took) = meter.count(|| drop(memory));
    meter.print(name, took, 1);
    Ok(())
}
