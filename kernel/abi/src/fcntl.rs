//! Flags of `openat(2)` and the whence of `lseek(2)`, Linux's `asm-generic/fcntl.h` with arm64's own
//! values from `arch/arm64/include/uapi/asm/fcntl.h`.

use bitflags::bitflags;

bitflags! {
    /// `O_*`. The lowest two bits are no flags but the access mode: see [`OpenFlags::access`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct OpenFlags: u32 {
        /// Access mode: write only.
        const WRONLY = 0o1;
        /// Access mode: read and write.
        const RDWR = 0o2;
        /// Create what does not exist.
        const CREAT = 0o100;
        /// With CREAT: it must not exist.
        const EXCL = 0o200;
        /// A terminal does not become the controlling one.
        const NOCTTY = 0o400;
        /// Cut to length zero.
        const TRUNC = 0o1000;
        /// Writes go to the end.
        const APPEND = 0o2000;
        /// Calls fail rather than wait.
        const NONBLOCK = 0o4000;
        /// Writes reach the disk, metadata needed to read them back included.
        const DSYNC = 0o1_0000;
        /// Signals on I/O.
        const ASYNC = 0o2_0000;
        /// Only a directory will do.
        const DIRECTORY = 0o4_0000;
        /// The last component is not followed if it is a symlink.
        const NOFOLLOW = 0o10_0000;
        /// Past the page cache.
        const DIRECT = 0o20_0000;
        /// Offsets of 64 bits; always on.
        const LARGEFILE = 0o40_0000;
        /// Reading leaves the access time alone.
        const NOATIME = 0o100_0000;
        /// Closed by execve. A property of the descriptor, not of the open file.
        const CLOEXEC = 0o200_0000;
        /// The other half of `O_SYNC`, beside DSYNC.
        const SYNC_BIT = 0o400_0000;
        /// A place in the tree, not an open file.
        const PATH = 0o1000_0000;
        /// The other half of `O_TMPFILE`, beside DIRECTORY.
        const TMPFILE_BIT = 0o2000_0000;
    }
}

/// The access mode in [`OpenFlags`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenAccess {
    /// `O_RDONLY`.
    Read,
    /// `O_WRONLY`.
    Write,
    /// `O_RDWR`.
    ReadWrite,
    /// The fourth value, 3: permission for both is checked, and neither read nor write work; for ioctl.
    Neither,
}

impl OpenFlags {
    /// `O_ACCMODE`: the bits of the access mode.
    pub const ACCMODE: OpenFlags = OpenFlags::WRONLY.union(OpenFlags::RDWR);

    /// The access mode.
    pub const fn access(self) -> OpenAccess {
        match self.bits() & Self::ACCMODE.bits() {
            0 => OpenAccess::Read,
            1 => OpenAccess::Write,
            2 => OpenAccess::ReadWrite,
            _ => OpenAccess::Neither,
        }
    }
}

/// From where `lseek(2)` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// `SEEK_SET`: the start.
    Set,
    /// `SEEK_CUR`: the current position.
    Cur,
    /// `SEEK_END`: the end.
    End,
    /// `SEEK_DATA`: the next data from a position.
    Data,
    /// `SEEK_HOLE`: the next hole from a position.
    Hole,
}

impl Whence {
    /// The whence with this number, if there is one.
    pub const fn from_raw(raw: u32) -> Option<Whence> {
        Some(match raw {
            0 => Whence::Set,
            1 => Whence::Cur,
            2 => Whence::End,
            3 => Whence::Data,
            4 => Whence::Hole,
            _ => return None,
        })
    }
}

/// Where the target's own constants are at hand, the build compares them.
#[cfg(target_arch = "aarch64")]
const _: () = {
    use linux_raw_sys::general as raw;
    assert!(OpenFlags::CREAT.bits() == raw::O_CREAT);
    assert!(OpenFlags::EXCL.bits() == raw::O_EXCL);
    assert!(OpenFlags::NOCTTY.bits() == raw::O_NOCTTY);
    assert!(OpenFlags::TRUNC.bits() == raw::O_TRUNC);
    assert!(OpenFlags::APPEND.bits() == raw::O_APPEND);
    assert!(OpenFlags::NONBLOCK.bits() == raw::O_NONBLOCK);
    assert!(OpenFlags::DIRECTORY.bits() == raw::O_DIRECTORY);
    assert!(OpenFlags::NOFOLLOW.bits() == raw::O_NOFOLLOW);
    assert!(OpenFlags::DIRECT.bits() == raw::O_DIRECT);
    assert!(OpenFlags::LARGEFILE.bits() == raw::O_LARGEFILE);
    assert!(OpenFlags::NOATIME.bits() == raw::O_NOATIME);
    assert!(OpenFlags::CLOEXEC.bits() == raw::O_CLOEXEC);
    assert!(OpenFlags::PATH.bits() == raw::O_PATH);
    assert!(OpenFlags::TMPFILE_BIT.union(OpenFlags::DIRECTORY).bits() == raw::O_TMPFILE);
    assert!(OpenFlags::SYNC_BIT.union(OpenFlags::DSYNC).bits() == raw::O_SYNC);
};
