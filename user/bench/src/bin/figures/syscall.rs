//! What it costs to enter the kernel and come back.

use crate::meter::Meter;
use rt::process;
use rt::sys::Errno;

const CALLS: usize = 1000;

/// getppid, the call that does nothing: mean of 1000, the loop around it included.
pub fn getppid(meter: &Meter, name: &str, _: rt::Args) -> Result<(), Errno> {
    let calls = || (0..CALLS).for_each(|_| _ = process::getppid());
    calls();
    let ((), took) = meter.count(calls);
    meter.print(name, took, CALLS);
    Ok(())
}
