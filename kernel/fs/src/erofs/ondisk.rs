//! EROFS structures as they lie on disk, all little-endian.
//!
//! Field names follow Linux's `fs/erofs/erofs_fs.h`. Every bit pattern is a valid value of these types;
//! what a value *means* is checked where it is used.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Byte offset of the superblock on the device; what lies before belongs to boot loaders.
pub const SUPER_OFFSET: u64 = 1024;
/// The superblock's magic number.
pub const SUPER_MAGIC: u32 = 0xe0f5_e1e2;
/// Inodes lie on multiples of this, and a nid counts them.
pub const SLOT_SIZE: u64 = 32;
/// Block address that stands for a hole in a chunk-based file.
pub const NULL_ADDR: u32 = u32::MAX;

/// `feature_compat`: the superblock's checksum field is filled in.
pub const COMPAT_SB_CHKSUM: u32 = 0x1;

/// `feature_incompat`: compressed data is padded at its front. Set by `mkfs.erofs` even when nothing is
/// compressed; compressed files themselves are refused one by one.
pub const INCOMPAT_ZERO_PADDING: u32 = 0x1;
/// `feature_incompat`: chunk-based files may occur.
pub const INCOMPAT_CHUNKED_FILE: u32 = 0x4;
/// `feature_incompat`: extended attributes may use long name prefixes. They are not read here.
pub const INCOMPAT_XATTR_PREFIXES: u32 = 0x40;
/// Incompatible features that this reader can live with.
pub const INCOMPAT_SUPPORTED: u32 = INCOMPAT_ZERO_PADDING | INCOMPAT_CHUNKED_FILE | INCOMPAT_XATTR_PREFIXES;

/// The first 128 bytes at [`SUPER_OFFSET`].
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct SuperBlock {
    /// [`SUPER_MAGIC`].
    pub magic: U32,
    /// CRC-32C of the superblock's block, this field taken as zero.
    pub checksum: U32,
    /// Features that an ignorant reader may ignore.
    pub feature_compat: U32,
    /// Base-2 logarithm of the block size.
    pub blkszbits: u8,
    /// Superblock extension, in units of 16 bytes.
    pub sb_extslots: u8,
    /// Nid of the root directory.
    pub root_nid: U16,
    /// Number of inodes.
    pub inos: U64,
    /// Modification time of all compact inodes.
    pub build_time: U64,
    /// Its nanoseconds.
    pub build_time_nsec: U32,
    /// Size of the file system in blocks.
    pub blocks: U32,
    /// Block where the inodes begin.
    pub meta_blkaddr: U32,
    /// Block where the shared extended attributes begin.
    pub xattr_blkaddr: U32,
    /// Identity of the volume.
    pub uuid: [u8; 16],
    /// Label.
    pub volume_name: [u8; 16],
    /// Features that an ignorant reader must refuse.
    pub feature_incompat: U32,
    /// Compression algorithms.
    pub available_compr_algs: U16,
    /// Number of further devices.
    pub extra_devices: U16,
    /// Where the table of devices lies.
    pub devt_slotoff: U16,
    /// Size of directory blocks relative to blocks; only zero is in use.
    pub dirblkbits: u8,
    /// Number of long extended attribute prefixes.
    pub xattr_prefix_count: u8,
    /// Where they lie.
    pub xattr_prefix_start: U32,
    /// Inode with the packed tails of compressed files.
    pub packed_nid: U64,
    /// Unused here.
    pub reserved: [u8; 24],
}

/// `i_format`: set in an extended inode, clear in a compact one.
pub const I_VERSION_EXTENDED: u16 = 1;
/// `i_format`: where the data layout begins.
pub const I_DATALAYOUT_SHIFT: u32 = 1;
/// `i_format`: the data layout, after shifting.
pub const I_DATALAYOUT_MASK: u16 = 7;
/// `i_format`: all bits with a meaning.
pub const I_ALL: u16 = 0xf;

/// Data layout: whole blocks, one run.
pub const LAYOUT_FLAT_PLAIN: u16 = 0;
/// Data layout: whole blocks in one run, and the last block behind the inode.
pub const LAYOUT_FLAT_INLINE: u16 = 2;
/// Data layout: a table of chunks behind the inode.
pub const LAYOUT_CHUNK_BASED: u16 = 4;

/// An inode of 32 bytes.
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct InodeCompact {
    /// Version and data layout.
    pub i_format: U16,
    /// Size of the inline extended attributes: 0 for none, else 12 + 4 * (n - 1) bytes.
    pub i_xattr_icount: U16,
    /// Type and permissions.
    pub i_mode: U16,
    /// Number of names.
    pub i_nlink: U16,
    /// Size in bytes.
    pub i_size: U32,
    /// Unused.
    pub i_reserved: U32,
    /// By layout and type: block address, chunk format, or device number.
    pub i_u: U32,
    /// Inode number for 32-bit programs.
    pub i_ino: U32,
    /// Owner.
    pub i_uid: U16,
    /// Group.
    pub i_gid: U16,
    /// Unused.
    pub i_reserved2: U32,
}

/// An inode of 64 bytes.
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct InodeExtended {
    /// Version and data layout.
    pub i_format: U16,
    /// As in [`InodeCompact`].
    pub i_xattr_icount: U16,
    /// Type and permissions.
    pub i_mode: U16,
    /// Unused.
    pub i_reserved: U16,
    /// Size in bytes.
    pub i_size: U64,
    /// By layout and type: block address, chunk format, or device number.
    pub i_u: U32,
    /// Inode number for 32-bit programs.
    pub i_ino: U32,
    /// Owner.
    pub i_uid: U32,
    /// Group.
    pub i_gid: U32,
    /// Modification time.
    pub i_mtime: U64,
    /// Its nanoseconds.
    pub i_mtime_nsec: U32,
    /// Number of names.
    pub i_nlink: U32,
    /// Unused.
    pub i_reserved2: [u8; 16],
}

/// Size of the fixed part of the inline extended attributes.
pub const XATTR_IBODY_HEADER_SIZE: u64 = 12;

/// Chunk format: base-2 logarithm of blocks per chunk.
pub const CHUNK_FORMAT_BLKBITS_MASK: u16 = 0x1f;
/// Chunk format: the table has 8-byte indexes, not 4-byte block addresses.
pub const CHUNK_FORMAT_INDEXES: u16 = 0x20;

/// One entry of a chunk table in its index form.
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct ChunkIndex {
    /// Unused.
    pub advise: U16,
    /// Which device; always the first here, since device tables are refused.
    pub device_id: U16,
    /// Block address of the chunk, or [`NULL_ADDR`].
    pub blkaddr: U32,
}

/// A directory entry. A directory block holds n of them, then n names.
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Dirent {
    /// The inode.
    pub nid: U64,
    /// Where the name begins in this block.
    pub nameoff: U16,
    /// `FT_*`.
    pub file_type: u8,
    /// Unused.
    pub reserved: u8,
}

const _: () = {
    assert!(size_of::<SuperBlock>() == 128);
    assert!(size_of::<InodeCompact>() == 32);
    assert!(size_of::<InodeExtended>() == 64);
    assert!(size_of::<ChunkIndex>() == 8);
    assert!(size_of::<Dirent>() == 12);
};
