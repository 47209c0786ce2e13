//! Extended attributes, of files by path (following a last symlink or not) and by descriptor.

use super::super::SysResult;
use super::{open_file, place_at};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserSlice, copy_to_user, strncpy_from_user};
use crate::heap;
use crate::task::current;
use abi::{Errno, raw};
use alloc::vec::Vec;
use fs::inode::SetXattr;
use fs::vfs::Path;

/// Longest name without its NUL, `XATTR_NAME_MAX`.
const NAME_MAX: usize = 255;
/// Longest value and longest list, `XATTR_SIZE_MAX` and `XATTR_LIST_MAX`.
const SIZE_MAX: usize = 65536;

/// Which file a call is about.
#[derive(Clone, Copy)]
enum Target {
    /// What a path names.
    Path(u64),
    /// The same, without following a last symlink.
    Link(u64),
    /// An open file.
    File(u64),
}

impl Target {
    fn place(self) -> Result<Path, Errno> {
        let (path, flags) = match self {
            Target::Path(path) => (path, 0),
            Target::Link(path) => (path, raw::AT_SYMLINK_NOFOLLOW),
            Target::File(fd) => return Ok(open_file(fd)?.path().clone()),
        };
        place_at(&current().fs()?, raw::AT_FDCWD as u64, path, flags)
    }
}

fn name_from_user(name: u64) -> Result<Vec<u8>, Errno> {
    let name = strncpy_from_user(name, NAME_MAX + 1, Errno::ERANGE)?;
    if name.is_empty() { Err(Errno::ERANGE) } else { Ok(name) }
}

fn set(target: Target, name: u64, value: u64, size: u64, flags: u64) -> SysResult {
    heap::reserve()?;
    let how = SetXattr::from_bits(flags as u32).ok_or(Errno::EINVAL)?;
    let name = name_from_user(name)?;
    let size = usize::try_from(size).ok().filter(|size| *size <= SIZE_MAX).ok_or(Errno::E2BIG)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(|_| Errno::ENOMEM)?;
    bytes.resize(size, 0);
    if UserSlice::new(value, size)?.read_at(0, &mut bytes) < size {
        return Err(Errno::EFAULT);
    }
    target.place()?.set_xattr(current().fs()?.context().cred, &name, Some(&bytes), how)?;
    Ok(0)
}

/// Stores what a call found, or tells its length if there is no room at all.
fn give(found: &[u8], to: u64, size: u64) -> SysResult {
    if size != 0 {
        if (found.len() as u64) > size {
            return Err(Errno::ERANGE);
        }
        copy_to_user(to, found)?;
    }
    Ok(found.len() as u64)
}

fn get(target: Target, name: u64, to: u64, size: u64) -> SysResult {
    let name = name_from_user(name)?;
    give(&target.place()?.get_xattr(current().fs()?.context().cred, &name)?, to, size)
}

fn list(target: Target, to: u64, size: u64) -> SysResult {
    let names = target.place()?.list_xattrs(current().fs()?.context().cred)?;
    if names.len() > SIZE_MAX { Err(Errno::E2BIG) } else { give(&names, to, size) }
}

fn remove(target: Target, name: u64) -> SysResult {
    let name = name_from_user(name)?;
    target.place()?.set_xattr(current().fs()?.context().cred, &name, None, SetXattr::empty())?;
    Ok(0)
}

/// `setxattr(2)`.
pub fn setxattr(frame: &mut TrapFrame) -> SysResult {
    let [path, name, value, size, flags, _] = frame.args();
    set(Target::Path(path), name, value, size, flags)
}

/// `lsetxattr(2)`.
pub fn lsetxattr(frame: &mut TrapFrame) -> SysResult {
    let [path, name, value, size, flags, _] = frame.args();
    set(Target::Link(path), name, value, size, flags)
}

/// `fsetxattr(2)`.
pub fn fsetxattr(frame: &mut TrapFrame) -> SysResult {
    let [fd, name, value, size, flags, _] = frame.args();
    set(Target::File(fd), name, value, size, flags)
}

/// `getxattr(2)`.
pub fn getxattr(frame: &mut TrapFrame) -> SysResult {
    let [path, name, to, size, ..] = frame.args();
    get(Target::Path(path), name, to, size)
}

/// `lgetxattr(2)`.
pub fn lgetxattr(frame: &mut TrapFrame) -> SysResult {
    let [path, name, to, size, ..] = frame.args();
    get(Target::Link(path), name, to, size)
}

/// `fgetxattr(2)`.
pub fn fgetxattr(frame: &mut TrapFrame) -> SysResult {
    let [fd, name, to, size, ..] = frame.args();
    get(Target::File(fd), name, to, size)
}

/// `listxattr(2)`.
pub fn listxattr(frame: &mut TrapFrame) -> SysResult {
    let [path, to, size, ..] = frame.args();
    list(Target::Path(path), to, size)
}

/// `llistxattr(2)`.
pub fn llistxattr(frame: &mut TrapFrame) -> SysResult {
    let [path, to, size, ..] = frame.args();
    list(Target::Link(path), to, size)
}

/// `flistxattr(2)`.
pub fn flistxattr(frame: &mut TrapFrame) -> SysResult {
    let [fd, to, size, ..] = frame.args();
    list(Target::File(fd), to, size)
}

/// `removexattr(2)`.
pub fn removexattr(frame: &mut TrapFrame) -> SysResult {
    let [path, name, ..] = frame.args();
    remove(Target::Path(path), name)
}

/// `lremovexattr(2)`.
pub fn lremovexattr(frame: &mut TrapFrame) -> SysResult {
    let [path, name, ..] = frame.args();
    remove(Target::Link(path), name)
}

/// `fremovexattr(2)`.
pub fn fremovexattr(frame: &mut TrapFrame) -> SysResult {
    let [fd, name, ..] = frame.args();
    remove(Target::File(fd), name)
}
