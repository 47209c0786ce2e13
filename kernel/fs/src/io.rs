//! Where bytes go to and come from, and the devices that make or swallow them.

use crate::kstat::Dev;
use abi::Errno;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use spin::RwLock;

/// Takes the bytes that a read delivers. For a system call this is the program's memory.
pub trait ReadSink {
    /// Room left, in bytes.
    fn remaining(&self) -> usize;

    /// Stores `bytes`, at most [`remaining`](ReadSink::remaining) of them. Returns how many were stored:
    /// fewer means that the memory behind the sink cannot be written.
    fn put(&mut self, bytes: &[u8]) -> usize;

    /// Stores `len` zero bytes, under the same rules.
    fn put_zeros(&mut self, len: usize) -> usize {
        const ZEROS: [u8; 256] = [0; 256];
        let mut done = 0;
        while done < len {
            let step = ZEROS.len().min(len - done);
            let stored = self.put(&ZEROS[..step]);
            done += stored;
            if stored < step {
                break;
            }
        }
        done
    }
}

/// Provides the bytes that a write takes.
pub trait WriteSource {
    /// Bytes left.
    fn remaining(&self) -> usize;

    /// Fills `buf`, at most [`remaining`](WriteSource::remaining) bytes of it. Returns how many were
    /// filled: fewer means that the memory behind the source cannot be read.
    fn take(&mut self, buf: &mut [u8]) -> usize;
}

/// Whether a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// It may.
    Block,
    /// It returns EAGAIN instead (`O_NONBLOCK`).
    NonBlock,
}

/// What `lseek` does on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceSeek {
    /// ESPIPE, and the same for pread and pwrite: a stream.
    Stream,
    /// The position stays 0 and nobody minds: memory devices.
    Zero,
}

/// What `mmap` of a device gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceMmap {
    /// ENODEV.
    Refused,
    /// Anonymous memory: `/dev/zero`.
    Anonymous,
}

/// A character device. Memory devices are in `devfs`; the kernel provides the console.
pub trait CharDevice: Send + Sync {
    /// Delivers bytes; returns how many, 0 at the end of input. May sleep.
    fn read(&self, sink: &mut dyn ReadSink, wait: Wait) -> Result<usize, Errno>;

    /// Takes bytes; returns how many. May sleep.
    fn write(&self, source: &mut dyn WriteSource, wait: Wait) -> Result<usize, Errno>;

    /// `ioctl(2)`. `arg` is whatever the program passed, often an address in its memory.
    fn ioctl(&self, _cmd: u32, _arg: u64) -> Result<u64, Errno> {
        Err(Errno::ENOTTY)
    }

    /// What `lseek` does.
    fn seek(&self) -> DeviceSeek {
        DeviceSeek::Stream
    }

    /// What `mmap` gives.
    fn mmap(&self) -> DeviceMmap {
        DeviceMmap::Refused
    }
}

/// The drivers by device number: what opening a device node leads to, on whatever file system it lies.
#[derive(Default)]
pub struct DeviceTable {
    chars: RwLock<BTreeMap<Dev, Arc<dyn CharDevice>>>,
}

impl DeviceTable {
    /// Makes `device` what the number `dev` stands for. Called at boot, by the kernel only.
    pub fn register(&self, dev: Dev, device: Arc<dyn CharDevice>) {
        self.chars.write().insert(dev, device);
    }

    /// The device with this number.
    pub fn get(&self, dev: Dev) -> Option<Arc<dyn CharDevice>> {
        self.chars.read().get(&dev).cloned()
    }
}
