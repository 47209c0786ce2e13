//! Structures that programs and the kernel exchange, as arm64 Linux lays them out.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `struct __kernel_timespec`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct Timespec {
    pub sec: i64,
    pub nsec: i64,
}

/// `struct timeval`.
#[repr(C)]
#[derive(Default, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct Timeval {
    pub sec: i64,
    pub usec: i64,
}

/// `struct iovec`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, Immutable)]
pub struct Iovec {
    pub base: u64,
    pub len: u64,
}

/// `struct flock` of 64 bits.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct Flock {
    pub kind: i16,
    pub whence: i16,
    pub pad: u32,
    pub start: i64,
    pub len: i64,
    pub pid: i32,
    pub pad2: u32,
}

/// What `pselect6` finds behind its last argument: a signal mask's address and size.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, Immutable)]
pub struct SigsetArgument {
    pub mask: u64,
    pub size: u64,
}

/// `struct open_how` of `openat2(2)`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, Immutable)]
pub struct RawOpenHow {
    pub flags: u64,
    pub mode: u64,
    pub resolve: u64,
}

/// `struct rusage`, without what is always zero here by name.
#[repr(C)]
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
pub struct Rusage {
    pub utime: Timeval,
    pub stime: Timeval,
    pub maxrss: i64,
    pub ixrss: [i64; 3],
    pub minflt: i64,
    pub majflt: i64,
    pub rest: [i64; 8],
}

/// `struct rlimit64`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct Rlimit64 {
    pub cur: u64,
    pub max: u64,
}

/// `struct stat` of `asm-generic/stat.h`.
#[repr(C)]
#[derive(IntoBytes, Immutable)]
pub struct Stat {
    pub dev: u64,
    pub ino: u64,
    pub mode: u32,
    pub nlink: u32,
    pub uid: u32,
    pub gid: u32,
    pub rdev: u64,
    pub pad1: u64,
    pub size: u64,
    pub blksize: u32,
    pub pad2: u32,
    pub blocks: u64,
    pub atime: Timespec,
    pub mtime: Timespec,
    pub ctime: Timespec,
    pub unused: [u32; 2],
}

/// `struct statx_timestamp`.
#[repr(C)]
#[derive(IntoBytes, Immutable)]
pub struct StatxTimestamp {
    pub sec: i64,
    pub nsec: u32,
    pub reserved: u32,
}

/// `struct statx`.
#[repr(C)]
#[derive(IntoBytes, Immutable)]
pub struct Statx {
    pub mask: u32,
    pub blksize: u32,
    pub attributes: u64,
    pub nlink: u32,
    pub uid: u32,
    pub gid: u32,
    pub mode: u16,
    pub pad1: u16,
    pub ino: u64,
    pub size: u64,
    pub blocks: u64,
    pub attributes_mask: u64,
    pub atime: StatxTimestamp,
    pub btime: StatxTimestamp,
    pub ctime: StatxTimestamp,
    pub mtime: StatxTimestamp,
    pub rdev_major: u32,
    pub rdev_minor: u32,
    pub dev_major: u32,
    pub dev_minor: u32,
    pub spare: [u64; 14],
}

/// `struct statfs` of `asm-generic/statfs.h`.
#[repr(C)]
#[derive(IntoBytes, Immutable)]
pub struct Statfs {
    pub kind: u64,
    pub bsize: u64,
    pub blocks: u64,
    pub bfree: u64,
    pub bavail: u64,
    pub files: u64,
    pub ffree: u64,
    pub fsid: [u32; 2],
    pub namelen: u64,
    pub frsize: u64,
    pub flags: u64,
    pub spare: [u64; 4],
}

/// `struct pollfd`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct Pollfd {
    pub fd: i32,
    pub events: u16,
    pub revents: u16,
}

/// `struct new_utsname`.
#[repr(C)]
#[derive(IntoBytes, Immutable)]
pub struct Utsname {
    pub sysname: [u8; 65],
    pub nodename: [u8; 65],
    pub release: [u8; 65],
    pub version: [u8; 65],
    pub machine: [u8; 65],
    pub domainname: [u8; 65],
}

/// `struct sysinfo`.
#[repr(C)]
#[derive(Default, IntoBytes, Immutable)]
pub struct Sysinfo {
    pub uptime: i64,
    pub loads: [u64; 3],
    pub totalram: u64,
    pub freeram: u64,
    pub sharedram: u64,
    pub bufferram: u64,
    pub totalswap: u64,
    pub freeswap: u64,
    pub procs: u16,
    pub pad: [u16; 3],
    pub totalhigh: u64,
    pub freehigh: u64,
    pub mem_unit: u32,
    pub pad2: u32,
}
