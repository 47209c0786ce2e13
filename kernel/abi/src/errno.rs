//! Error numbers, Linux's `asm-generic/errno-base.h` and `asm-generic/errno.h`.

use core::fmt;
use linux_raw_sys::errno as raw;

/// An error that a system call reports, positive as in `errno(3)`.
///
/// The kernel returns `-errno` in x0. Only the syscall layer makes that number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(u16);

macro_rules! errnos {
    ($($name:ident)*) => {
        impl Errno {
            $(
                #[doc = concat!("`", stringify!($name), "`.")]
                pub const $name: Errno = Errno(raw::$name as u16);
            )*
            /// Linux's name of this error, or `None` for a number that this kernel never returns.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Errno::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

errnos! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT
    ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG
    ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY
    ELOOP ENODATA ETIME EOVERFLOW EBADMSG EILSEQ ENOTSOCK EOPNOTSUPP ETIMEDOUT ESTALE ECANCELED
    EOWNERDEAD ENOTRECOVERABLE EUCLEAN ELIBBAD
}

/// What a call says that a signal ended early, Linux's `linux/errno.h`. No program sees these: on the way out they become
/// EINTR, or the call is made again.
impl Errno {
    /// Again, unless a handler without SA_RESTART comes first.
    pub const ERESTARTSYS: Errno = Errno(512);
    /// Again, whatever comes first.
    pub const ERESTARTNOINTR: Errno = Errno(513);
    /// Again, unless a handler comes first.
    pub const ERESTARTNOHAND: Errno = Errno(514);
    /// As `ERESTARTNOHAND`, but by `restart_syscall(2)`, which knows how far the call was.
    pub const ERESTART_RESTARTBLOCK: Errno = Errno(516);

    /// Whether this is one of them.
    pub const fn is_restart(self) -> bool {
        matches!(self.0, 512..=516)
    }
}

impl Errno {
    /// The error with this positive number, as a program gets it back from a system call.
    pub const fn from_raw(number: u16) -> Errno {
        Errno(number)
    }

    /// The positive error number.
    pub const fn raw(self) -> u16 {
        self.0
    }

    /// The value that a failed system call leaves in x0: `-errno` as two's complement.
    pub const fn to_ret(self) -> u64 {
        (self.0 as u64).wrapping_neg()
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Errno({})", self.0),
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Errno;

    #[test]
    fn return_value_is_the_negated_number() {
        assert_eq!(Errno::EFAULT.to_ret() as i64, -14);
        assert_eq!(Errno::ENOSYS.name(), Some("ENOSYS"));
    }
}
