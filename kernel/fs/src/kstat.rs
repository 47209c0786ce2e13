//! What an inode tells about itself: Linux's `struct kstat` and the numbers inside it. The syscall layer
//! turns it into `struct stat` or `struct statx`.

/// Type of a file, the top four bits of the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileType {
    /// `S_IFIFO`.
    Fifo,
    /// `S_IFCHR`.
    CharDevice,
    /// `S_IFDIR`.
    Directory,
    /// `S_IFBLK`.
    BlockDevice,
    /// `S_IFREG`.
    Regular,
    /// `S_IFLNK`.
    Symlink,
    /// `S_IFSOCK`.
    Socket,
}

/// `S_IFMT`: the type bits of a mode.
pub const S_IFMT: u32 = 0o170_000;

impl FileType {
    /// The type in a mode, or `None` if the type bits are none of Linux's.
    pub const fn from_mode(mode: u32) -> Option<FileType> {
        Some(match mode & S_IFMT {
            0o010_000 => FileType::Fifo,
            0o020_000 => FileType::CharDevice,
            0o040_000 => FileType::Directory,
            0o060_000 => FileType::BlockDevice,
            0o100_000 => FileType::Regular,
            0o120_000 => FileType::Symlink,
            0o140_000 => FileType::Socket,
            _ => return None,
        })
    }

    /// The type bits, `S_IFREG` and its like.
    pub const fn mode(self) -> u32 {
        (self.d_type() as u32) << 12
    }

    /// `DT_*`, as `getdents64` reports it: the mode's type bits shifted down.
    pub const fn d_type(self) -> u8 {
        match self {
            FileType::Fifo => 1,
            FileType::CharDevice => 2,
            FileType::Directory => 4,
            FileType::BlockDevice => 6,
            FileType::Regular => 8,
            FileType::Symlink => 10,
            FileType::Socket => 12,
        }
    }
}

/// A device number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dev {
    /// Which driver.
    pub major: u32,
    /// Which of its devices.
    pub minor: u32,
}

impl Dev {
    /// The device with these numbers.
    pub const fn new(major: u32, minor: u32) -> Dev {
        Dev { major, minor }
    }

    /// The form that user space sees in `st_dev` and `st_rdev` and that file systems store: Linux's
    /// `new_encode_dev`, 12 bits of major inside 20 bits of minor.
    pub const fn encode(self) -> u32 {
        (self.minor & 0xff) | ((self.major & 0xfff) << 8) | ((self.minor & 0xf_ff00) << 12)
    }

    /// The reverse of [`encode`](Dev::encode).
    pub const fn decode(raw: u32) -> Dev {
        Dev { major: (raw >> 8) & 0xfff, minor: (raw & 0xff) | ((raw >> 12) & 0xf_ff00) }
    }
}

/// A point in time, since 1970 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timespec {
    /// Seconds.
    pub sec: i64,
    /// Nanoseconds, below a thousand million.
    pub nsec: u32,
}

/// What `stat(2)` tells about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kstat {
    /// Device of the file system.
    pub dev: Dev,
    /// Inode number.
    pub ino: u64,
    /// Type and permission bits.
    pub mode: u32,
    /// Number of names.
    pub nlink: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// What a device node stands for.
    pub rdev: Dev,
    /// Size in bytes.
    pub size: u64,
    /// Preferred size of I/O.
    pub blksize: u32,
    /// Space used, in units of 512 bytes.
    pub blocks: u64,
    /// Last access.
    pub atime: Timespec,
    /// Last change of the bytes.
    pub mtime: Timespec,
    /// Last change of the inode.
    pub ctime: Timespec,
}

impl Kstat {
    /// The type bits of the mode. File systems hand out only modes whose type is valid.
    pub fn file_type(&self) -> FileType {
        FileType::from_mode(self.mode).unwrap_or(FileType::Regular)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_modes_agree() {
        for t in [
            FileType::Fifo,
            FileType::CharDevice,
            FileType::Directory,
            FileType::BlockDevice,
            FileType::Regular,
            FileType::Symlink,
            FileType::Socket,
        ] {
            assert_eq!(FileType::from_mode(t.mode() | 0o7777), Some(t));
        }
        assert_eq!(FileType::from_mode(0o644), None);
        assert_eq!(FileType::from_mode(S_IFMT), None);
    }

    #[test]
    fn device_numbers_survive_encoding() {
        assert_eq!(Dev::new(1, 3).encode(), 0x103);
        for dev in [Dev::new(0, 0), Dev::new(254, 0), Dev::new(4095, 0xf_ffff), Dev::new(8, 300)] {
            assert_eq!(Dev::decode(dev.encode()), dev);
        }
    }
}
