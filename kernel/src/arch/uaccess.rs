//! Access to the memory of the running program. A pointer from user space is an allegation: it becomes
//! an access only here, by unprivileged loads and stores whose faults the exception table turns into
//! EFAULT. Mirrors Linux's `asm/uaccess.h`.
//!
//! A fault here may sleep (the page comes from disk) and takes the mm lock, so no caller holds that lock
//! or a spin lock.
#![allow(unsafe_code)] // Raw copies between user and kernel memory.

use core::arch::global_asm;
use core::marker::PhantomData;
use core::mem::{MaybeUninit, size_of};
use core::ops::Deref;

use super::cpu;
use abi::Errno;
use alloc::string::String;
use alloc::vec::Vec;
use zerocopy::{FromBytes, Immutable, IntoBytes};

global_asm!(include_str!("uaccess.S"));

unsafe extern "C" {
    fn raw_copy_from_user(to: *mut u8, from: u64, len: usize) -> usize;
    fn raw_copy_to_user(to: u64, from: *const u8, len: usize) -> usize;
    fn raw_clear_user(to: u64, len: usize) -> usize;
    fn raw_strncpy_from_user(to: *mut u8, from: u64, len: usize) -> isize;
    fn raw_cmpxchg_user(found: *mut u32, addr: u64, old: u32, new: u32, pan: u32) -> isize;
    static __start_extable: ExTableEntry;
    static __stop_extable: ExTableEntry;
}

/// One instruction that may fault on a user address, and where to go on. Both are relative to the field.
#[repr(C)]
struct ExTableEntry {
    insn: i32,
    fixup: i32,
}

impl ExTableEntry {
    fn insn(&self) -> u64 {
        (&raw const self.insn as u64).wrapping_add_signed(self.insn.into())
    }

    fn fixup(&self) -> u64 {
        (&raw const self.fixup as u64).wrapping_add_signed(self.fixup.into())
    }
}

/// Where to go on after an unrepairable fault of the instruction at `pc`, if it is one of ours.
pub fn search_exception_table(pc: u64) -> Option<u64> {
    // SAFETY: the linker script puts the two labels around the entries that uaccess.S emits.
    let table = unsafe {
        let start = &raw const __start_extable;
        core::slice::from_raw_parts(start, (&raw const __stop_extable).offset_from_unsigned(start))
    };
    table.iter().find(|entry| entry.insn() == pc).map(ExTableEntry::fixup)
}

/// End of the addresses that a program may name.
fn task_size() -> u64 {
    crate::task::current().task_size()
}

/// Refuses a range that is not wholly below the end of user space. Cannot overflow.
fn access_ok(addr: u64, len: usize) -> Result<(), Errno> {
    let limit = task_size();
    if len as u64 <= limit && addr <= limit - len as u64 { Ok(()) } else { Err(Errno::EFAULT) }
}

/// Copies as much as can be read; returns the number of bytes.
pub fn copy_from_user_partial(to: &mut [u8], from: u64) -> usize {
    if access_ok(from, to.len()).is_err() {
        return 0;
    }
    // SAFETY: `to` is ours for its length; the routine catches faults on the user side.
    to.len() - unsafe { raw_copy_from_user(to.as_mut_ptr(), from, to.len()) }
}

/// Copies as much as can be written; returns the number of bytes.
pub fn copy_to_user_partial(to: u64, from: &[u8]) -> usize {
    if access_ok(to, from.len()).is_err() {
        return 0;
    }
    // SAFETY: `from` is readable for its length; the routine catches faults on the user side.
    from.len() - unsafe { raw_copy_to_user(to, from.as_ptr(), from.len()) }
}

/// Writes all of `from`, or EFAULT.
pub fn copy_to_user(to: u64, from: &[u8]) -> Result<(), Errno> {
    if copy_to_user_partial(to, from) == from.len() { Ok(()) } else { Err(Errno::EFAULT) }
}

/// Zeroes `len` bytes; returns how many were done.
pub fn clear_user_partial(to: u64, len: usize) -> usize {
    if access_ok(to, len).is_err() {
        return 0;
    }
    // SAFETY: the routine writes user memory only and catches faults.
    len - unsafe { raw_clear_user(to, len) }
}

/// Replaces `old` by `new` in the word at `addr` in one step; what was found there, which is `old` if it was replaced. EFAULT if
/// it may not be written, or is not aligned.
pub fn cmpxchg_user(addr: u64, old: u32, new: u32) -> Result<u32, Errno> {
    access_ok(addr, size_of::<u32>())?;
    if !addr.is_multiple_of(size_of::<u32>() as u64) {
        return Err(Errno::EFAULT);
    }
    let mut found = 0;
    // SAFETY: the address is below the end of user space, so the kernel's own access reaches what the program has mapped
    // and with no more rights than the program; the routine catches faults.
    let result = unsafe { raw_cmpxchg_user(&raw mut found, addr, old, new, cpu::features().pan.into()) };
    if result == 0 { Ok(found) } else { Err(Errno::EFAULT) }
}

/// A string of less than `limit` bytes, without its NUL. `too_long` is the error for a longer one
/// (ENAMETOOLONG for a path, E2BIG for an argument).
pub fn strncpy_from_user(from: u64, limit: usize, too_long: Errno) -> Result<Vec<u8>, Errno> {
    const STEP: usize = 256;
    let mut bytes = Vec::new();
    while bytes.len() < limit {
        let mut chunk = [0; STEP];
        let at = from.checked_add(bytes.len() as u64).ok_or(Errno::EFAULT)?;
        let room = task_size().checked_sub(at).filter(|&room| room > 0).ok_or(Errno::EFAULT)?;
        let want = STEP.min(limit - bytes.len()).min(usize::try_from(room).unwrap_or(usize::MAX));
        // SAFETY: `chunk` has `want` bytes; the routine catches faults on the user side.
        let got = unsafe { raw_strncpy_from_user(chunk.as_mut_ptr(), at, want) };
        let got = usize::try_from(got).map_err(|_| Errno::EFAULT)?;
        bytes.try_reserve(got).map_err(|_| Errno::ENOMEM)?;
        bytes.extend_from_slice(&chunk[..got]);
        if got < want {
            return Ok(bytes);
        }
    }
    Err(too_long)
}

/// The first `limit` bytes of a string at most, without its NUL.
pub fn strncpy_from_user_cut(from: u64, limit: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    bytes.try_reserve(limit).map_err(|_| Errno::ENOMEM)?;
    for at in 0..limit {
        match UserPtr::<u8>::new(from).at(at)?.read()? {
            0 => break,
            byte => bytes.push(byte),
        }
    }
    Ok(bytes)
}

/// A path from a program. Short ones, so nearly all, need no allocation.
pub struct UserPath {
    /// The path, if its length is below this.
    short: [MaybeUninit<u8>; UserPath::SHORT],
    len: usize,
    /// The path otherwise.
    long: Vec<u8>,
}

impl UserPath {
    const SHORT: usize = 128;

    /// An empty path.
    #[inline]
    pub const fn new() -> UserPath {
        UserPath { short: [MaybeUninit::uninit(); UserPath::SHORT], len: 0, long: Vec::new() }
    }

    /// Fetches a file name argument: at most PATH_MAX bytes with its NUL.
    #[inline]
    pub fn read(&mut self, from: u64) -> Result<&[u8], Errno> {
        const PATH_MAX: usize = 4096;
        let room = task_size().checked_sub(from).filter(|&room| room > 0).ok_or(Errno::EFAULT)?;
        let want = UserPath::SHORT.min(usize::try_from(room).unwrap_or(usize::MAX));
        // SAFETY: `short` has `want` bytes; the routine catches faults on the user side.
        let got = unsafe { raw_strncpy_from_user(self.short.as_mut_ptr().cast(), from, want) };
        self.len = 0;
        let got = usize::try_from(got).map_err(|_| Errno::EFAULT)?;
        if got == want {
            self.long = strncpy_from_user(from, PATH_MAX, Errno::ENAMETOOLONG)?;
            self.len = self.long.len().max(UserPath::SHORT);
        } else {
            self.len = got;
        }
        Ok(self)
    }
}

impl Deref for UserPath {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        if self.len >= UserPath::SHORT {
            return &self.long;
        }
        // SAFETY: `read` has filled that many bytes.
        unsafe { core::slice::from_raw_parts(self.short.as_ptr().cast(), self.len) }
    }
}

/// A file name argument: at most PATH_MAX bytes with its NUL.
pub fn path_from_user(from: u64) -> Result<UserPath, Errno> {
    let mut path = UserPath::new();
    path.read(from)?;
    Ok(path)
}

/// A short string for people, at most `limit` bytes; what is not UTF-8 is replaced.
pub fn text_from_user(from: u64, limit: usize) -> Result<String, Errno> {
    strncpy_from_user(from, limit, Errno::EINVAL).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// An address at which the program says a `T` lies.
pub struct UserPtr<T> {
    addr: u64,
    kind: PhantomData<*const T>,
}

impl<T> Clone for UserPtr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for UserPtr<T> {}

impl<T> UserPtr<T> {
    /// Takes the program's word for it.
    pub const fn new(addr: u64) -> Self {
        UserPtr { addr, kind: PhantomData }
    }

    /// Whether this is NULL, which many calls take for "not given".
    pub const fn is_null(self) -> bool {
        self.addr == 0
    }

    /// The `index`th element behind the pointer, or EFAULT where no such address exists.
    pub fn at(self, index: usize) -> Result<Self, Errno> {
        let offset = index.checked_mul(size_of::<T>()).ok_or(Errno::EFAULT)?;
        self.addr.checked_add(offset as u64).map(Self::new).ok_or(Errno::EFAULT)
    }
}

impl<T: FromBytes> UserPtr<T> {
    /// Reads the value.
    pub fn read(self) -> Result<T, Errno> {
        access_ok(self.addr, size_of::<T>())?;
        let mut value = MaybeUninit::<T>::zeroed();
        // SAFETY: the buffer has the size of T; the routine catches faults on the user side.
        let left = unsafe { raw_copy_from_user(value.as_mut_ptr().cast(), self.addr, size_of::<T>()) };
        if left != 0 {
            return Err(Errno::EFAULT);
        }
        // SAFETY: all bytes are initialised, and any bytes make a T (FromBytes).
        Ok(unsafe { value.assume_init() })
    }
}

impl<T: IntoBytes + Immutable> UserPtr<T> {
    /// Writes the value.
    pub fn write(self, value: T) -> Result<(), Errno> {
        copy_to_user(self.addr, value.as_bytes())
    }
}

/// `len` bytes that the program says are its own.
#[derive(Clone, Copy)]
pub struct UserSlice {
    addr: u64,
    len: usize,
}

impl UserSlice {
    /// Takes a buffer argument; EFAULT if it cannot lie in user space at all.
    pub fn new(addr: u64, len: usize) -> Result<Self, Errno> {
        access_ok(addr, len)?;
        Ok(UserSlice { addr, len })
    }

    /// Length in bytes.
    pub const fn len(self) -> usize {
        self.len
    }

    /// Address of byte `offset`, which is at most the length.
    pub fn addr_at(self, offset: usize) -> u64 {
        debug_assert!(offset <= self.len);
        self.addr + offset as u64
    }

    /// Writes `bytes` from `offset` on; returns how many fit and could be written.
    pub fn write_at(self, offset: usize, bytes: &[u8]) -> usize {
        let room = self.len.saturating_sub(offset);
        copy_to_user_partial(self.addr_at(offset.min(self.len)), &bytes[..bytes.len().min(room)])
    }

    /// Reads into `bytes` from `offset` on; returns how many there were and could be read.
    pub fn read_at(self, offset: usize, bytes: &mut [u8]) -> usize {
        let count = bytes.len().min(self.len.saturating_sub(offset));
        copy_from_user_partial(&mut bytes[..count], self.addr_at(offset.min(self.len)))
    }

    /// Zeroes `len` bytes from `offset` on; returns how many fit and could be written.
    pub fn clear_at(self, offset: usize, len: usize) -> usize {
        let room = self.len.saturating_sub(offset);
        clear_user_partial(self.addr_at(offset.min(self.len)), len.min(room))
    }
}
