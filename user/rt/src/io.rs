//! Formatted output to a file descriptor.
//!
//! A line goes out in as few `write` calls as fit its buffer, so that the lines of several processes
//! don't mix.

use crate::sys::Errno;
use core::fmt::{self, Write};
use rustix::fd::BorrowedFd;

/// Standard output.
pub const STDOUT: i32 = 1;
/// Standard error.
pub const STDERR: i32 = 2;

/// A descriptor number as rustix wants it.
pub fn fd(number: i32) -> BorrowedFd<'static> {
    // SAFETY: these programs never close a descriptor that they lend out; a bad number is an error
    // of the call, not of memory.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Writes all of `bytes`; errors end it silently, as there is nowhere to report them.
pub fn write_all(descriptor: i32, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match rustix::io::write(fd(descriptor), bytes) {
            Ok(0) | Err(_) => return,
            Ok(n) => bytes = &bytes[n..],
        }
    }
}

/// Collects formatted text and writes it out at the end and when full.
pub struct Output {
    descriptor: i32,
    len: usize,
    buffer: [u8; 256],
}

impl Output {
    /// Output to `descriptor`.
    pub fn new(descriptor: i32) -> Output {
        Output { descriptor, len: 0, buffer: [0; 256] }
    }

    fn flush(&mut self) {
        write_all(self.descriptor, &self.buffer[..self.len]);
        self.len = 0;
    }
}

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.len == self.buffer.len() {
                self.flush();
            }
            self.buffer[self.len] = byte;
            self.len += 1;
        }
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.flush();
    }
}

/// What the print macros call.
pub fn print(descriptor: i32, text: fmt::Arguments<'_>) {
    let _ = Output::new(descriptor).write_fmt(text);
}

/// Bytes that should be text, printed with `?` for what isn't.
pub struct Text<'a>(pub &'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_char('?')?;
            }
        }
        Ok(())
    }
}

/// An error in the words in which people know it.
pub struct Reason(pub Errno);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.0 {
            Errno::EPERM => "Operation not permitted",
            Errno::ENOENT => "No such file or directory",
            Errno::ESRCH => "No such process",
            Errno::EIO => "Input/output error",
            Errno::E2BIG => "Argument list too long",
            Errno::ENOEXEC => "Exec format error",
            Errno::EBADF => "Bad file descriptor",
            Errno::ECHILD => "No child processes",
            Errno::EAGAIN => "Resource temporarily unavailable",
            Errno::ENOMEM => "Cannot allocate memory",
            Errno::EACCES => "Permission denied",
            Errno::EBUSY => "Device or resource busy",
            Errno::EEXIST => "File exists",
            Errno::ENODEV => "No such device",
            Errno::ENOTDIR => "Not a directory",
            Errno::EISDIR => "Is a directory",
            Errno::EINVAL => "Invalid argument",
            Errno::EMFILE => "Too many open files",
            Errno::ENOSPC => "No space left on device",
            Errno::ESPIPE => "Illegal seek",
            Errno::EROFS => "Read-only file system",
            Errno::EPIPE => "Broken pipe",
            Errno::ENAMETOOLONG => "File name too long",
            Errno::ENOSYS => "Function not implemented",
            Errno::ENOTEMPTY => "Directory not empty",
            Errno::ELOOP => "Too many levels of symbolic links",
            other => return write!(f, "{other}"),
        };
        f.write_str(words)
    }
}

/// Prints to standard output.
#[macro_export]
macro_rules! print {
    ($($arg:tt)*) => { $crate::io::print($crate::io::STDOUT, ::core::format_args!($($arg)*)) };
}

/// Prints a line to standard output.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($format:literal $($arg:tt)*) => { $crate::print!("{}\n", ::core::format_args!($format $($arg)*)) };
}

/// Prints a line to standard error.
#[macro_export]
macro_rules! eprintln {
    ($format:literal $($arg:tt)*) => {
        $crate::io::print($crate::io::STDERR, ::core::format_args!("{}\n", ::core::format_args!($format $($arg)*)))
    };
}
