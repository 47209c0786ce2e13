//! System calls by number, with arguments as they are: for what rustix rightly doesn't offer.

use core::arch::asm;

/// Linux's names and numbers for arm64.
pub use abi::raw;

pub use abi::{Errno, signal, termios};

/// A system call that fails gives its error.
pub type Result = core::result::Result<usize, Errno>;

/// Makes system call `number` with up to six arguments.
///
/// # Safety
/// The call must not touch memory that Rust relies on, other than as its arguments allow.
#[inline(always)]
pub unsafe fn syscall<const N: usize>(number: u32, args: [usize; N]) -> Result {
    const { assert!(N <= 6) };
    let arg = |i: usize| if i < N { args[i] } else { 0 };
    let ret: isize;
    // SAFETY: the caller's; the kernel keeps all registers but x0.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number as usize,
            inlateout("x0") arg(0) => ret,
            in("x1") arg(1),
            in("x2") arg(2),
            in("x3") arg(3),
            in("x4") arg(4),
            in("x5") arg(5),
            options(nostack),
        );
    }
    if (-4095..0).contains(&ret) { Err(Errno::from_raw(-ret as u16)) } else { Ok(ret as usize) }
}

/// The error that a rustix call gave, under its name.
pub fn errno(errno: rustix::io::Errno) -> Errno {
    Errno::from_raw(errno.raw_os_error() as u16)
}
