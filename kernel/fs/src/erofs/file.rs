//! One EROFS inode, decoded: its attributes and where its bytes lie. Mirrors `erofs_read_inode` of
//! Linux's `fs/erofs/inode.c` and `erofs_map_blocks` of `fs/erofs/data.c`.

use super::ondisk::*;
use super::volume::{Volume, timespec};
use crate::alloc_util::try_zeroed;
use crate::kstat::{Dev, FileType, Kstat, Timespec};
use abi::Errno;
use alloc::sync::Arc;
use mm::filemap::{AddressSpaceOps, Iomap, IomapKind};
use zerocopy::{FromBytes, IntoBytes};

/// Where the bytes of a file are.
#[derive(Clone, Copy, Debug)]
enum Layout {
    /// All of them at one place on the device.
    Plain {
        /// Device offset.
        addr: u64,
    },
    /// Whole blocks at one place, the rest behind the inode.
    Inline {
        /// Device offset of the blocks.
        addr: u64,
        /// File position where the rest begins, a multiple of the block size.
        tail_pos: u64,
        /// Device offset of the rest.
        tail: u64,
    },
    /// Chunk by chunk through a table.
    Chunks {
        /// Device offset of the table.
        table: u64,
        /// Whether its entries are 8-byte indexes or 4-byte block addresses.
        entry_size: u64,
        /// Base-2 logarithm of the chunk size.
        chunk_bits: u32,
    },
    /// Device nodes, pipes and sockets have none.
    None,
}

/// A decoded inode. It never changes.
pub struct ErofsFile {
    volume: Arc<Volume>,
    nid: u64,
    file_type: FileType,
    size: u64,
    layout: Layout,
    mode: u32,
    nlink: u32,
    uid: u32,
    gid: u32,
    rdev: Dev,
    mtime: Timespec,
}

/// The fields that both sizes of inode have.
struct Raw {
    format: u16,
    xattr_icount: u16,
    mode: u32,
    nlink: u32,
    size: u64,
    union: u32,
    uid: u32,
    gid: u32,
    mtime: Timespec,
    inode_size: u64,
}

/// A chunk table is read this many bytes at a time, so that neighbouring chunks become one run.
const TABLE_WINDOW: usize = 512;

impl ErofsFile {
    /// Reads and checks inode `nid`.
    pub fn read(volume: &Arc<Volume>, nid: u64) -> Result<ErofsFile, Errno> {
        let offset = volume.inode_offset(nid)?;
        let raw = read_raw(volume, nid, offset)?;
        let damaged = |what| volume.damaged(nid, what);
        let file_type = FileType::from_mode(raw.mode).ok_or_else(|| damaged("unknown file type"))?;
        if raw.size > i64::MAX as u64 {
            return Err(damaged("negative size"));
        }
        let layout = match file_type {
            FileType::Regular | FileType::Directory | FileType::Symlink => {
                decode_layout(volume, nid, offset, &raw)?
            }
            _ => Layout::None,
        };
        let is_device = matches!(file_type, FileType::CharDevice | FileType::BlockDevice);
        Ok(ErofsFile {
            volume: volume.clone(),
            nid,
            file_type,
            size: if matches!(layout, Layout::None) { 0 } else { raw.size },
            layout,
            mode: raw.mode,
            nlink: raw.nlink,
            uid: raw.uid,
            gid: raw.gid,
            rdev: if is_device { Dev::decode(raw.union) } else { Dev::default() },
            mtime: raw.mtime,
        })
    }

    /// The volume that it lies on.
    pub fn volume(&self) -> &Arc<Volume> {
        &self.volume
    }

    /// Its number.
    pub fn nid(&self) -> u64 {
        self.nid
    }

    /// Its type.
    pub fn file_type(&self) -> FileType {
        self.file_type
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What `stat` tells about it. Linux counts whole blocks, holes included.
    pub fn stat(&self) -> Kstat {
        Kstat {
            dev: self.volume.dev(),
            ino: self.nid,
            mode: self.mode,
            nlink: self.nlink,
            uid: self.uid,
            gid: self.gid,
            rdev: self.rdev,
            size: self.size,
            blksize: self.volume.block_size() as u32,
            blocks: self.size.next_multiple_of(self.volume.block_size()) / 512,
            atime: self.mtime,
            mtime: self.mtime,
            ctime: self.mtime,
        }
    }

    /// Reads bytes of a directory or symlink through the metadata path. The range must lie in the file.
    pub fn read_data(&self, mut pos: u64, mut buf: &mut [u8]) -> Result<(), Errno> {
        while !buf.is_empty() {
            let run = self.iomap(pos)?;
            let skip = pos - run.pos;
            let len = buf.len().min(usize::try_from(run.len - skip).unwrap_or(usize::MAX));
            let (head, rest) = buf.split_at_mut(len);
            match run.kind {
                IomapKind::Hole => head.fill(0),
                IomapKind::Mapped { addr } => self.volume.read(self.nid, addr + skip, head)?,
                IomapKind::Inline { bytes } => {
                    head.copy_from_slice(&bytes[skip as usize..skip as usize + len]);
                }
            }
            pos += len as u64;
            buf = rest;
        }
        Ok(())
    }

    fn damaged(&self, what: &str) -> Errno {
        self.volume.damaged(self.nid, what)
    }

    /// A run on the device, cut where the device ends.
    fn mapped(&self, pos: u64, len: u64, addr: u64) -> Result<Iomap, Errno> {
        let room = self.volume.size().saturating_sub(addr);
        if room == 0 {
            return Err(self.damaged("data outside the device"));
        }
        Ok(Iomap { pos, len: len.min(room), kind: IomapKind::Mapped { addr } })
    }

    /// A run of one flat area that begins with the file.
    fn flat(&self, pos: u64, end: u64, addr: u64) -> Result<Iomap, Errno> {
        let addr = addr.checked_add(pos).ok_or_else(|| self.damaged("data outside the device"))?;
        self.mapped(pos, end - pos, addr)
    }

    /// The chunks from `pos` that lie side by side on the device, as far as one window of the table
    /// shows them.
    fn chunks(&self, pos: u64, table: u64, entry_size: u64, chunk_bits: u32) -> Result<Iomap, Errno> {
        let chunk_size = 1u64 << chunk_bits;
        let first = pos >> chunk_bits;
        let left = self.size.div_ceil(chunk_size) - first;
        let count = left.min(TABLE_WINDOW as u64 / entry_size) as usize;
        let mut window = [0; TABLE_WINDOW];
        let window = &mut window[..count * entry_size as usize];
        // The table lies within the device (checked when the inode was read), so this cannot overflow.
        self.volume.read(self.nid, table + first * entry_size, window)?;

        let blkaddr = |index: usize| {
            // The block address is the last word of either form.
            let end = (index + 1) * entry_size as usize;
            u32::from_le_bytes([window[end - 4], window[end - 3], window[end - 2], window[end - 1]])
        };
        let start = blkaddr(0);
        let blocks_per_chunk = chunk_size >> self.volume.block_bits();
        let follows = |index: &usize| match start {
            NULL_ADDR => blkaddr(*index) == NULL_ADDR,
            _ => {
                let expected = u64::from(start) + *index as u64 * blocks_per_chunk;
                blkaddr(*index) != NULL_ADDR && u64::from(blkaddr(*index)) == expected
            }
        };
        let run = 1 + (1..count).take_while(follows).count() as u64;
        let begin = first << chunk_bits;
        let len = (run << chunk_bits).min(self.size - begin);
        if start == NULL_ADDR {
            return Ok(Iomap { pos: begin, len, kind: IomapKind::Hole });
        }
        let found = self.mapped(begin, len, u64::from(start) << self.volume.block_bits())?;
        if found.pos + found.len <= pos {
            return Err(self.damaged("data outside the device"));
        }
        Ok(found)
    }
}

impl AddressSpaceOps for ErofsFile {
    fn iomap(&self, pos: u64) -> Result<Iomap, Errno> {
        if pos >= self.size {
            return Err(Errno::EINVAL);
        }
        match self.layout {
            Layout::Plain { addr } => self.flat(pos, self.size, addr),
            Layout::Inline { addr, tail_pos, .. } if pos < tail_pos => self.flat(pos, tail_pos, addr),
            Layout::Inline { tail_pos, tail, .. } => {
                let len = self.size - tail_pos;
                let mut bytes = try_zeroed(len as usize)?;
                self.volume.read(self.nid, tail, &mut bytes)?;
                Ok(Iomap { pos: tail_pos, len, kind: IomapKind::Inline { bytes } })
            }
            Layout::Chunks { table, entry_size, chunk_bits } => {
                self.chunks(pos, table, entry_size, chunk_bits)
            }
            Layout::None => Err(Errno::EINVAL),
        }
    }
}

fn read_raw(volume: &Volume, nid: u64, offset: u64) -> Result<Raw, Errno> {
    let compact: InodeCompact = volume.read_struct(nid, offset)?;
    let format = compact.i_format.get();
    if format & !I_ALL != 0 {
        return Err(volume.unsupported(nid, "unknown inode format"));
    }
    if format & I_VERSION_EXTENDED == 0 {
        return Ok(Raw {
            format,
            xattr_icount: compact.i_xattr_icount.get(),
            mode: u32::from(compact.i_mode.get()),
            nlink: u32::from(compact.i_nlink.get()),
            size: u64::from(compact.i_size.get()),
            union: compact.i_u.get(),
            uid: u32::from(compact.i_uid.get()),
            gid: u32::from(compact.i_gid.get()),
            mtime: volume.build_time(),
            inode_size: size_of::<InodeCompact>() as u64,
        });
    }
    let mut bytes = [0; size_of::<InodeExtended>()];
    let (head, rest) = bytes.split_at_mut(size_of::<InodeCompact>());
    head.copy_from_slice(compact.as_bytes());
    volume.read(nid, offset + head.len() as u64, rest)?;
    let inode = InodeExtended::read_from_bytes(&bytes).map_err(|_| Errno::EUCLEAN)?;
    Ok(Raw {
        format,
        xattr_icount: inode.i_xattr_icount.get(),
        mode: u32::from(inode.i_mode.get()),
        nlink: inode.i_nlink.get(),
        size: inode.i_size.get(),
        union: inode.i_u.get(),
        uid: inode.i_uid.get(),
        gid: inode.i_gid.get(),
        mtime: timespec(inode.i_mtime.get(), inode.i_mtime_nsec.get()),
        inode_size: size_of::<InodeExtended>() as u64,
    })
}

/// Finds the data of an inode at `offset` on the device. All sums of what is returned stay below 2^63.
fn decode_layout(volume: &Volume, nid: u64, offset: u64, raw: &Raw) -> Result<Layout, Errno> {
    let xattr_size = match raw.xattr_icount {
        0 => 0,
        n => XATTR_IBODY_HEADER_SIZE + 4 * (u64::from(n) - 1),
    };
    // `offset` lies on a device of at most 2^63 bytes: what is added is small.
    let behind = offset + raw.inode_size + xattr_size;
    let block_bits = u32::from(volume.block_bits());
    let block_size = volume.block_size();
    match raw.format >> I_DATALAYOUT_SHIFT & I_DATALAYOUT_MASK {
        LAYOUT_FLAT_PLAIN => Ok(Layout::Plain { addr: u64::from(raw.union) << block_bits }),
        LAYOUT_FLAT_INLINE => {
            let tail_pos = raw.size.div_ceil(block_size).saturating_sub(1) << block_bits;
            let tail_len = raw.size - tail_pos;
            if behind % block_size + tail_len > block_size {
                return Err(volume.damaged(nid, "inline data crosses a block"));
            }
            Ok(Layout::Inline { addr: u64::from(raw.union) << block_bits, tail_pos, tail: behind })
        }
        LAYOUT_CHUNK_BASED => {
            let format = raw.union as u16;
            if format & !(CHUNK_FORMAT_BLKBITS_MASK | CHUNK_FORMAT_INDEXES) != 0 {
                return Err(volume.unsupported(nid, "unknown chunk format"));
            }
            let entry_size = if format & CHUNK_FORMAT_INDEXES != 0 { 8 } else { 4 };
            let chunk_bits = block_bits + u32::from(format & CHUNK_FORMAT_BLKBITS_MASK);
            let table = behind.next_multiple_of(entry_size);
            // So no position in the table overflows, and loops over the chunks end with the device.
            let room = volume.size().saturating_sub(table) / entry_size;
            if raw.size.div_ceil(1 << chunk_bits) > room {
                return Err(volume.damaged(nid, "chunk table outside the device"));
            }
            Ok(Layout::Chunks { table, entry_size, chunk_bits })
        }
        _ => Err(volume.unsupported(nid, "compressed files are not supported")),
    }
}
