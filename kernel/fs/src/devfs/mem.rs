//! The memory devices: null, zero and full. Mirrors Linux's `drivers/char/mem.c`.

use crate::io::{CharDevice, DeviceMmap, DeviceSeek, ReadSink, Wait, WriteSource};
use abi::Errno;

/// Takes everything, gives nothing.
pub struct Null;
/// Takes everything, gives zeros.
pub struct Zero;
/// Gives zeros, has no space left.
pub struct Full;

impl CharDevice for Null {
    fn read(&self, _sink: &mut dyn ReadSink, _wait: Wait) -> Result<usize, Errno> {
        Ok(0)
    }

    fn write(&self, source: &mut dyn WriteSource, _wait: Wait) -> Result<usize, Errno> {
        // The bytes are not even looked at, so that a bad address is no error, as in Linux.
        Ok(source.remaining())
    }

    fn seek(&self) -> DeviceSeek {
        DeviceSeek::Zero
    }
}

impl CharDevice for Zero {
    fn read(&self, sink: &mut dyn ReadSink, _wait: Wait) -> Result<usize, Errno> {
        let wanted = sink.remaining();
        match sink.put_zeros(wanted) {
            0 if wanted > 0 => Err(Errno::EFAULT),
            stored => Ok(stored),
        }
    }

    fn write(&self, source: &mut dyn WriteSource, _wait: Wait) -> Result<usize, Errno> {
        Ok(source.remaining())
    }

    fn seek(&self) -> DeviceSeek {
        DeviceSeek::Zero
    }

    fn mmap(&self) -> DeviceMmap {
        DeviceMmap::Anonymous
    }
}

impl CharDevice for Full {
    fn read(&self, sink: &mut dyn ReadSink, wait: Wait) -> Result<usize, Errno> {
        Zero.read(sink, wait)
    }

    fn write(&self, _source: &mut dyn WriteSource, _wait: Wait) -> Result<usize, Errno> {
        Err(Errno::ENOSPC)
    }

    fn seek(&self) -> DeviceSeek {
        DeviceSeek::Zero
    }
}
