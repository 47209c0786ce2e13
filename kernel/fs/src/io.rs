//! Where bytes go to and come from, and the devices that make or swallow them.

use crate::kstat::Dev;
use abi::{Errno, OpenFlags};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use bitflags::bitflags;
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

/// Memory of the kernel as the target of a read.
pub struct SliceSink<'a> {
    rest: &'a mut [u8],
}

impl<'a> SliceSink<'a> {
    /// Fills `buf`.
    pub fn new(buf: &'a mut [u8]) -> SliceSink<'a> {
        SliceSink { rest: buf }
    }
}

impl ReadSink for SliceSink<'_> {
    fn remaining(&self) -> usize {
        self.rest.len()
    }

    fn put(&mut self, bytes: &[u8]) -> usize {
        let len = bytes.len().min(self.rest.len());
        let (now, later) = core::mem::take(&mut self.rest).split_at_mut(len);
        now.copy_from_slice(&bytes[..len]);
        self.rest = later;
        len
    }
}

/// Memory of the kernel as the source of a write.
pub struct SliceSource<'a> {
    rest: &'a [u8],
}

impl<'a> SliceSource<'a> {
    /// Provides `bytes`.
    pub fn new(bytes: &'a [u8]) -> SliceSource<'a> {
        SliceSource { rest: bytes }
    }
}

impl WriteSource for SliceSource<'_> {
    fn remaining(&self) -> usize {
        self.rest.len()
    }

    fn take(&mut self, buf: &mut [u8]) -> usize {
        let len = buf.len().min(self.rest.len());
        let (now, later) = self.rest.split_at(len);
        buf[..len].copy_from_slice(now);
        self.rest = later;
        len
    }
}

/// Whether a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// It may.
    Block,
    /// It returns EAGAIN instead (`O_NONBLOCK`).
    NonBlock,
}

bitflags! {
    /// What can be done with a file without waiting: `POLLIN` and its like, the numbers of `poll(2)`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PollEvents: u16 {
        /// Reading.
        const IN = 0x1;
        /// Reading what is urgent.
        const PRI = 0x2;
        /// Writing.
        const OUT = 0x4;
        /// Something is wrong; for a pipe: no reader is left.
        const ERR = 0x8;
        /// The other side is gone.
        const HUP = 0x10;
        /// There is no such descriptor.
        const NVAL = 0x20;
        /// Reading, by another name.
        const RDNORM = 0x40;
        /// Writing, by another name.
        const WRNORM = 0x100;
    }
}

impl PollEvents {
    /// What a file says that never lets anybody wait.
    pub const ALWAYS: PollEvents =
        PollEvents::IN.union(PollEvents::OUT).union(PollEvents::RDNORM).union(PollEvents::WRNORM);
}

/// Where to wait until a file's [`PollEvents`] change: keys of [`sleep::Park`](crate::sleep::Park).
#[derive(Default)]
pub struct PollKeys {
    keys: [Option<usize>; 2],
}

impl PollKeys {
    /// One more key; a file has two at most, one for each direction.
    pub fn add(&mut self, key: usize) {
        if let Some(free) = self.keys.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(key);
        }
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.keys.iter().filter_map(|key| *key)
    }
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
    /// A program opens it; an error refuses that.
    fn open(&self, _flags: OpenFlags) -> Result<(), Errno> {
        Ok(())
    }

    /// Delivers bytes; returns how many, 0 at the end of input. May sleep.
    fn read(&self, sink: &mut dyn ReadSink, wait: Wait) -> Result<usize, Errno>;

    /// Takes bytes; returns how many. May sleep.
    fn write(&self, source: &mut dyn WriteSource, wait: Wait) -> Result<usize, Errno>;

    /// `ioctl(2)`. `arg` is whatever the program passed, often an address in its memory.
    fn ioctl(&self, _cmd: u32, _arg: u64) -> Result<u64, Errno> {
        Err(Errno::ENOTTY)
    }

    /// What can be done without waiting, and where to wait for more.
    fn poll(&self, _keys: &mut PollKeys) -> PollEvents {
        PollEvents::ALWAYS
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
