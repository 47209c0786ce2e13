//! A mounted EROFS volume as raw material: the checked superblock, address arithmetic that cannot
//! overflow, reads of metadata, and the log of damage. Mirrors `erofs_read_superblock` of Linux's
//! `fs/erofs/super.c`.

use super::crc32c::crc32c;
use super::ondisk::*;
use crate::alloc_util::try_zeroed;
use crate::block::BlockSource;
use crate::kstat::{Dev, Timespec};
use abi::Errno;
use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// Why a device cannot be mounted. Its `Display` is the line that the kernel logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountError {
    /// The device could not be read.
    Io(Errno),
    /// There is something else on this device.
    BadMagic(u32),
    /// A block size that this reader does not handle.
    BlockSize(u8),
    /// The superblock's checksum is wrong.
    Checksum,
    /// Incompatible features; these bits are the ones not understood.
    Features(u32),
    /// The image is longer than the device that holds it.
    Truncated {
        /// Bytes that the superblock claims.
        claimed: u64,
        /// Bytes that there are.
        size: u64,
    },
    /// The superblock contradicts itself.
    Damaged(&'static str),
}

impl MountError {
    /// What `mount(2)` returns for it.
    pub fn errno(self) -> Errno {
        match self {
            MountError::Io(errno) => errno,
            MountError::BadMagic(_) | MountError::BlockSize(_) | MountError::Features(_) => Errno::EINVAL,
            MountError::Checksum => Errno::EBADMSG,
            MountError::Truncated { .. } | MountError::Damaged(_) => Errno::EUCLEAN,
        }
    }
}

impl fmt::Display for MountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MountError::Io(errno) => write!(f, "erofs: cannot read the superblock ({errno})"),
            MountError::BadMagic(magic) => write!(f, "erofs: not an EROFS image (magic {magic:#010x})"),
            MountError::BlockSize(bits) => write!(f, "erofs: block size 2^{bits} is not supported"),
            MountError::Checksum => write!(f, "erofs: wrong superblock checksum"),
            MountError::Features(bits) => {
                write!(f, "erofs: unsupported features {bits:#x}")?;
                if bits & !0x3f == 0 {
                    write!(f, " (compression or several devices)")?;
                }
                Ok(())
            }
            MountError::Truncated { claimed, size } => {
                write!(f, "erofs: truncated image: {claimed} bytes wanted, the device has {size}")
            }
            MountError::Damaged(what) => write!(f, "erofs: damaged superblock: {what}"),
        }
    }
}

/// How many complaints about damage one volume logs; programs may repeat what triggers them.
const MAX_COMPLAINTS: u32 = 16;

/// A volume whose superblock made sense.
pub struct Volume {
    source: Arc<dyn BlockSource>,
    dev: Dev,
    size: u64,
    block_bits: u8,
    blocks: u64,
    inodes: u64,
    meta_offset: u64,
    root_nid: u64,
    build_time: Timespec,
    complaints: AtomicU32,
}

impl Volume {
    /// Reads and checks the superblock.
    pub fn open(source: Arc<dyn BlockSource>, dev: Dev) -> Result<Volume, MountError> {
        let mut sb = SuperBlock::new_zeroed();
        let size = source.size().min(i64::MAX as u64);
        if size < SUPER_OFFSET + size_of::<SuperBlock>() as u64 {
            return Err(MountError::BadMagic(0));
        }
        source.read_at(SUPER_OFFSET, sb.as_mut_bytes()).map_err(MountError::Io)?;
        if sb.magic != SUPER_MAGIC {
            return Err(MountError::BadMagic(sb.magic.get()));
        }
        let block_bits = sb.blkszbits;
        if !(9..=16).contains(&block_bits) {
            return Err(MountError::BlockSize(block_bits));
        }
        if sb.feature_compat.get() & COMPAT_SB_CHKSUM != 0 {
            verify_checksum(&*source, &sb)?;
        }
        let unknown = sb.feature_incompat.get() & !INCOMPAT_SUPPORTED;
        if unknown != 0 {
            return Err(MountError::Features(unknown));
        }
        if sb.dirblkbits != 0 {
            return Err(MountError::Damaged("directory block size"));
        }
        // 32 bits of blocks of at most 2^16 bytes: none of these can overflow.
        let claimed = u64::from(sb.blocks.get()) << block_bits;
        if claimed > size {
            return Err(MountError::Truncated { claimed, size });
        }
        let meta_offset = u64::from(sb.meta_blkaddr.get()) << block_bits;
        if meta_offset >= size {
            return Err(MountError::Damaged("metadata begins after the end of the device"));
        }
        let nsec = sb.build_time_nsec.get();
        Ok(Volume {
            source,
            dev,
            size,
            block_bits,
            blocks: u64::from(sb.blocks.get()),
            inodes: sb.inos.get(),
            meta_offset,
            root_nid: u64::from(sb.root_nid.get()),
            build_time: timespec(sb.build_time.get(), nsec),
            complaints: AtomicU32::new(0),
        })
    }

    /// Number of the device that holds the volume.
    pub fn dev(&self) -> Dev {
        self.dev
    }

    /// What the page cache calls that device.
    pub fn device(&self) -> u32 {
        self.source.device()
    }

    /// Size of the device in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Size of a block in bytes.
    pub fn block_size(&self) -> u64 {
        1 << self.block_bits
    }

    /// Base-2 logarithm of the block size.
    pub fn block_bits(&self) -> u8 {
        self.block_bits
    }

    /// Size of the file system in blocks.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Number of inodes.
    pub fn inodes(&self) -> u64 {
        self.inodes
    }

    /// Nid of the root directory.
    pub fn root_nid(&self) -> u64 {
        self.root_nid
    }

    /// When the image was built, the time stamp of compact inodes.
    pub fn build_time(&self) -> Timespec {
        self.build_time
    }

    /// Device offset of inode `nid`, or EUCLEAN if it lies outside the device.
    pub fn inode_offset(&self, nid: u64) -> Result<u64, Errno> {
        nid.checked_mul(SLOT_SIZE)
            .and_then(|offset| offset.checked_add(self.meta_offset))
            .filter(|offset| *offset < self.size)
            .ok_or_else(|| self.damaged(nid, "inode number outside the device"))
    }

    /// Reads metadata. EUCLEAN, not EIO, if damaged metadata led beyond the end of the device.
    pub fn read(&self, nid: u64, offset: u64, buf: &mut [u8]) -> Result<(), Errno> {
        let end = offset.checked_add(buf.len() as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(self.damaged(nid, "metadata outside the device"));
        }
        self.source.read_at(offset, buf)
    }

    /// Reads one structure of metadata.
    pub fn read_struct<T: FromBytes + IntoBytes>(&self, nid: u64, offset: u64) -> Result<T, Errno> {
        let mut value = T::new_zeroed();
        self.read(nid, offset, value.as_mut_bytes())?;
        Ok(value)
    }

    /// Logs that inode `nid` is damaged; returns the error that its users get.
    pub fn damaged(&self, nid: u64, what: &str) -> Errno {
        self.complain(nid, what);
        Errno::EUCLEAN
    }

    /// Logs that inode `nid` needs something that this reader lacks; returns the error for its users.
    pub fn unsupported(&self, nid: u64, what: &str) -> Errno {
        self.complain(nid, what);
        Errno::EOPNOTSUPP
    }

    fn complain(&self, nid: u64, what: &str) {
        if self.complaints.load(Ordering::Relaxed) < MAX_COMPLAINTS {
            self.complaints.fetch_add(1, Ordering::Relaxed);
            log::warn!("erofs ({}:{}): inode {nid}: {what}", self.dev.major, self.dev.minor);
        }
    }
}

/// A time stamp from disk; nanoseconds beyond a second are dropped.
pub fn timespec(sec: u64, nsec: u32) -> Timespec {
    Timespec { sec: sec as i64, nsec: if nsec < 1_000_000_000 { nsec } else { 0 } }
}

/// The checksum covers the rest of the block that holds the superblock (a whole block if blocks are so
/// small that the superblock begins one), its own field taken as zero.
fn verify_checksum(source: &dyn BlockSource, sb: &SuperBlock) -> Result<(), MountError> {
    let block_size = 1u64 << sb.blkszbits;
    let len = if block_size > SUPER_OFFSET { block_size - SUPER_OFFSET } else { block_size };
    if SUPER_OFFSET + len > source.size() {
        return Err(MountError::Truncated { claimed: SUPER_OFFSET + len, size: source.size() });
    }
    let mut block = try_zeroed(len as usize).map_err(MountError::Io)?;
    source.read_at(SUPER_OFFSET, &mut block).map_err(MountError::Io)?;
    block[4..8].fill(0);
    if sb.checksum == crc32c(!0, &block) { Ok(()) } else { Err(MountError::Checksum) }
}
