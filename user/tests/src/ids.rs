//! Users, groups and capabilities, as the tests change and read them.

use crate::{call, files};
use core::ffi::CStr;
use rt::sys::raw as linux;
use rt::sys::{Errno, Result};

/// -1: leave as it is.
pub const KEEP: usize = u32::MAX as usize;

/// CAP_CHOWN.
pub const CHOWN: u32 = 0;
/// CAP_DAC_OVERRIDE.
pub const DAC_OVERRIDE: u32 = 1;
/// CAP_KILL.
pub const KILL: u32 = 5;
/// CAP_SETUID.
pub const SETUID: u32 = 7;
/// CAP_SETPCAP.
pub const SETPCAP: u32 = 8;
/// CAP_SYS_RESOURCE.
pub const SYS_RESOURCE: u32 = 24;

/// `setresuid`.
pub fn setresuid(real: usize, effective: usize, saved: usize) -> Result {
    call(linux::__NR_setresuid, [real, effective, saved])
}

/// `setresgid`.
pub fn setresgid(real: usize, effective: usize, saved: usize) -> Result {
    call(linux::__NR_setresgid, [real, effective, saved])
}

/// Real, effective and saved user id.
pub fn uids() -> [u32; 3] {
    three(linux::__NR_getresuid)
}

/// Real, effective and saved group id.
pub fn gids() -> [u32; 3] {
    three(linux::__NR_getresgid)
}

fn three(number: u32) -> [u32; 3] {
    let mut ids = [0u32; 3];
    let at = ids.as_mut_ptr() as usize;
    let _ = call(number, [at, at + 4, at + 8]);
    core::hint::black_box(ids)
}

/// Becomes an ordinary user with a group of its own and no further ones.
pub fn become_user(uid: usize, gid: usize) -> Result {
    call(linux::__NR_setgroups, [0, 0])?;
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)
}

/// `setgroups`.
pub fn setgroups(groups: &[u32]) -> Result {
    call(linux::__NR_setgroups, [groups.len(), groups.as_ptr() as usize])
}

/// Effective, permitted and inheritable capabilities of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Those that count.
    pub effective: u64,
    /// Those that may be made to count.
    pub permitted: u64,
    /// Those that may pass an exec.
    pub inheritable: u64,
}

const VERSION_3: u32 = 0x2008_0522;

/// `capget`.
pub fn capget() -> core::result::Result<Caps, Errno> {
    let header = [VERSION_3, 0];
    let mut data = [0u32; 6];
    call(linux::__NR_capget, [header.as_ptr() as usize, data.as_mut_ptr() as usize])?;
    let data = core::hint::black_box(data);
    let set = |at: usize| u64::from(data[at]) | u64::from(data[at + 3]) << 32;
    Ok(Caps { effective: set(0), permitted: set(1), inheritable: set(2) })
}

/// `capset`.
pub fn capset(caps: Caps) -> Result {
    let header = [VERSION_3, 0];
    let sets = [caps.effective, caps.permitted, caps.inheritable];
    let data: [u32; 6] = core::array::from_fn(|at| (sets[at % 3] >> (at / 3 * 32)) as u32);
    call(linux::__NR_capset, [header.as_ptr() as usize, data.as_ptr() as usize])
}

/// Gives up capability `number` of the effective set, with which it may come back.
pub fn lower(number: u32) -> Result {
    let caps = capget()?;
    capset(Caps { effective: caps.effective & !(1 << number), ..caps })
}

/// `prctl`.
pub fn prctl(option: usize, args: [usize; 4]) -> Result {
    call(linux::__NR_prctl, [option, args[0], args[1], args[2], args[3]])
}

/// Copies the file at `from` to a new one.
pub fn copy_file(from: &CStr, to: &CStr, mode: usize) -> Result {
    let _ = files::unlink(to);
    let source = crate::open(from, linux::O_RDONLY)?;
    let target = files::create(to, linux::O_CREAT | linux::O_EXCL | linux::O_WRONLY, 0o600)?;
    let mut buffer = [0u8; 4096];
    loop {
        let got = crate::read(source, &mut buffer)?;
        if got == 0 {
            break;
        }
        files::write(target, &buffer[..got])?;
    }
    call(linux::__NR_fchmod, [target, mode])?;
    crate::close(source)?;
    crate::close(target)
}

/// `fchownat`.
pub fn chown(path: &CStr, uid: usize, gid: usize) -> Result {
    call(linux::__NR_fchownat, [linux::AT_FDCWD as usize, path.as_ptr() as usize, uid, gid, 0])
}

/// `fchmodat`.
pub fn chmod(path: &CStr, mode: usize) -> Result {
    call(linux::__NR_fchmodat, [linux::AT_FDCWD as usize, path.as_ptr() as usize, mode])
}

/// `faccessat2`.
pub fn access(path: &CStr, mode: usize, flags: u32) -> Result {
    let here = linux::AT_FDCWD as usize;
    call(linux::__NR_faccessat2, [here, path.as_ptr() as usize, mode, flags as usize])
}
