//! What the test programs share.
//!
//! Each program in `src/bin` tests one behaviour of the kernel and says `ok NAME` or
//! `not ok NAME: reason`, with exit status 0 or 1; `run` runs them all. What they expect is Linux's
//! behaviour: the same files pass on an arm64 Linux kernel. Where Granule promises more than Linux, the
//! program asks [`on_granule`] first.
#![no_std]

pub mod child;
pub mod files;
pub mod ids;
mod outcome;
pub mod pattern;
pub mod raw;
pub mod signal;
pub mod text;

pub use outcome::{Failure, Outcome, Report, report};
pub use raw::call;
pub use rt;
pub use rt::sys::Errno;

use rt::sys::raw as linux;

/// Names the test's function, `fn(rt::Args) -> Outcome`, and makes a program of it.
#[macro_export]
macro_rules! program {
    ($run:ident) => {
        fn test_program(args: $crate::rt::Args) -> i32 {
            $crate::report(env!("CARGO_BIN_NAME"), $run(args))
        }
        $crate::rt::main!(test_program);
    };
}

/// Fails the test unless the condition holds; more arguments are a message.
#[macro_export]
macro_rules! check {
    ($condition:expr) => { $crate::check!($condition, "{}", stringify!($condition)) };
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::Failure::new(line!(), format_args!($($message)+)));
        }
    };
}

/// Fails the test unless both are equal.
#[macro_export]
macro_rules! equal {
    ($left:expr, $right:expr) => {{
        let (left, right) = (&$left, &$right);
        $crate::check!(left == right, "{} is {left:?}, not {right:?}", stringify!($left));
    }};
}

/// The value of a call that must not fail.
#[macro_export]
macro_rules! good {
    ($call:expr) => {
        match $call {
            Ok(value) => value,
            Err(errno) => {
                let errno = $crate::Report(errno);
                return Err($crate::Failure::new(line!(), format_args!("{}: {errno}", stringify!($call))));
            }
        }
    };
}

/// Fails the test unless the call fails with this error.
#[macro_export]
macro_rules! fails {
    ($call:expr, $errno:ident) => {
        match $call {
            Err($crate::Errno::$errno) => {}
            other => {
                let call = stringify!($call);
                let message = format_args!("{call}: {other:?}, not {}", stringify!($errno));
                return Err($crate::Failure::new(line!(), message));
            }
        }
    };
}

/// Whether this is Granule, and not a Linux kernel.
pub fn on_granule() -> bool {
    let name = rt::rustix::system::uname();
    name.version().to_bytes().windows(7).any(|word| word == b"Granule")
}

/// The size that kernel objects have which Linux counts in its pages: the room of a pipe, a block of tmpfs, the longest
/// argument. On Granule they are the same for a program of any page size.
pub fn kernel_page() -> usize {
    if on_granule() { 4096 } else { rt::page_size() }
}

/// Reads memory and nothing else.
pub const READ: usize = linux::PROT_READ as usize;
/// Reads and writes.
pub const READ_WRITE: usize = (linux::PROT_READ | linux::PROT_WRITE) as usize;
/// Reads and executes.
pub const READ_EXEC: usize = (linux::PROT_READ | linux::PROT_EXEC) as usize;
/// `MAP_PRIVATE | MAP_ANONYMOUS`.
pub const ANONYMOUS: usize = (linux::MAP_PRIVATE | linux::MAP_ANONYMOUS) as usize;
/// `MAP_PRIVATE`.
pub const PRIVATE: usize = linux::MAP_PRIVATE as usize;
/// `MAP_FIXED`.
pub const FIXED: usize = linux::MAP_FIXED as usize;

/// `mmap` with its arguments as they are.
pub fn mmap(addr: usize, len: usize, prot: usize, flags: usize, fd: usize, offset: usize) -> rt::sys::Result {
    call(linux::__NR_mmap, [addr, len, prot, flags, fd, offset])
}

/// Fresh readable and writable memory where the kernel likes.
pub fn anonymous(len: usize) -> rt::sys::Result {
    mmap(0, len, READ_WRITE, ANONYMOUS, usize::MAX, 0)
}

/// `munmap`.
pub fn munmap(addr: usize, len: usize) -> rt::sys::Result {
    call(linux::__NR_munmap, [addr, len])
}

/// `mprotect`.
pub fn mprotect(addr: usize, len: usize, prot: usize) -> rt::sys::Result {
    call(linux::__NR_mprotect, [addr, len, prot])
}

/// `openat` from the working directory.
pub fn open(path: &core::ffi::CStr, flags: u32) -> rt::sys::Result {
    let here = linux::AT_FDCWD as usize;
    call(linux::__NR_openat, [here, path.as_ptr() as usize, flags as usize, 0])
}

/// `read` into a slice.
pub fn read(fd: usize, into: &mut [u8]) -> rt::sys::Result {
    call(linux::__NR_read, [fd, into.as_mut_ptr() as usize, into.len()])
}

/// `pread64` into a slice.
pub fn pread(fd: usize, into: &mut [u8], offset: usize) -> rt::sys::Result {
    call(linux::__NR_pread64, [fd, into.as_mut_ptr() as usize, into.len(), offset])
}

/// `close`.
pub fn close(fd: usize) -> rt::sys::Result {
    call(linux::__NR_close, [fd])
}

/// Numbers that look random and are the same in each run.
pub struct Random(pub u64);

impl Random {
    /// The next one.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
