//! What a program asks of the machine as a whole.

use abi::{CapSet, Errno, raw};

use super::SysResult;
use super::layout::{Sysinfo, Utsname};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPtr, UserSlice, text_from_user};
use crate::drivers::timer::{self, NSEC_PER_SEC};
use crate::task::{current, load, table};
use crate::uts::{self, UtsName};
use crate::{random, reboot};

/// The Linux release whose ABI this is: C libraries refuse what looks too old. The version string says
/// who we are.
pub const RELEASE: &str = "7.2.0";

/// What `uname -v` says.
pub const VERSION: &str = concat!("#1 SMP Granule ", env!("CARGO_PKG_VERSION"));

/// `uname(2)`.
pub fn uname(frame: &mut TrapFrame) -> SysResult {
    let [to, ..] = frame.args();
    UserPtr::new(to).write(Utsname {
        sysname: field("Linux"),
        nodename: uts::NODENAME.get(),
        release: field(RELEASE),
        version: field(VERSION),
        machine: field("aarch64"),
        domainname: uts::DOMAINNAME.get(),
    })?;
    Ok(0)
}

fn field(text: &str) -> [u8; 65] {
    let mut field = [0; 65];
    field[..text.len()].copy_from_slice(text.as_bytes());
    field
}

/// `sethostname(2)`.
pub fn sethostname(frame: &mut TrapFrame) -> SysResult {
    set_name(frame, &uts::NODENAME)
}

/// `setdomainname(2)`.
pub fn setdomainname(frame: &mut TrapFrame) -> SysResult {
    set_name(frame, &uts::DOMAINNAME)
}

fn set_name(frame: &TrapFrame, name: &UtsName) -> SysResult {
    let [from, len, ..] = frame.args();
    current().require(CapSet::SYS_ADMIN)?;
    let len = usize::try_from(len as i32).ok().filter(|len| *len <= uts::NAME_MAX).ok_or(Errno::EINVAL)?;
    let mut text = [0; uts::NAME_MAX];
    if UserSlice::new(from, len)?.read_at(0, &mut text[..len]) < len {
        return Err(Errno::EFAULT);
    }
    name.set(&text[..len]);
    Ok(0)
}

/// `sysinfo(2)`.
pub fn sysinfo(frame: &mut TrapFrame) -> SysResult {
    let [to, ..] = frame.args();
    /// Load averages have 16 bits behind the point for programs.
    const LOAD_SHIFT: u32 = 16 - fs::proc::LOAD_SHIFT;
    let memory = crate::memory::summary();
    UserPtr::new(to).write(Sysinfo {
        uptime: (timer::now() / NSEC_PER_SEC) as i64,
        loads: load::averages().map(|average| average << LOAD_SHIFT),
        totalram: memory.total,
        freeram: memory.free,
        procs: u16::try_from(table::count()).unwrap_or(u16::MAX),
        mem_unit: 1,
        ..Sysinfo::default()
    })?;
    Ok(0)
}

/// `getrandom(2)`. The generator is seeded before the first program runs, so no flag makes a difference.
pub fn getrandom(frame: &mut TrapFrame) -> SysResult {
    let [to, len, flags, ..] = frame.args();
    let known = raw::GRND_NONBLOCK | raw::GRND_RANDOM | raw::GRND_INSECURE;
    let flags = flags as u32;
    let contradiction = raw::GRND_RANDOM | raw::GRND_INSECURE;
    if flags & !known != 0 || flags & contradiction == contradiction {
        return Err(Errno::EINVAL);
    }
    let len = usize::try_from(len).unwrap_or(usize::MAX).min(i32::MAX as usize);
    let to = UserSlice::new(to, len)?;
    let mut done = 0;
    while done < len {
        let mut chunk = [0; 256];
        let want = chunk.len().min(len - done);
        random::fill(&mut chunk[..want]);
        let written = to.write_at(done, &chunk[..want]);
        done += written;
        if written < want {
            break;
        }
    }
    if done == 0 && len > 0 { Err(Errno::EFAULT) } else { Ok(done as u64) }
}

/// `reboot(2)`. A restart with the argument `exit=N` ends the machine with status N, so that a test
/// runner learns how a command ended.
pub fn reboot(frame: &mut TrapFrame) -> SysResult {
    let [magic, magic2, command, argument, ..] = frame.args();
    current().require(CapSet::SYS_BOOT)?;
    let magic2_known = [
        raw::LINUX_REBOOT_MAGIC2,
        raw::LINUX_REBOOT_MAGIC2A,
        raw::LINUX_REBOOT_MAGIC2B,
        raw::LINUX_REBOOT_MAGIC2C,
    ]
    .contains(&(magic2 as u32));
    if magic as u32 != raw::LINUX_REBOOT_MAGIC1 || !magic2_known {
        return Err(Errno::EINVAL);
    }
    match command as u32 {
        raw::LINUX_REBOOT_CMD_POWER_OFF | raw::LINUX_REBOOT_CMD_HALT => reboot::power_off(0),
        raw::LINUX_REBOOT_CMD_RESTART => reboot::restart(),
        raw::LINUX_REBOOT_CMD_RESTART2 => {
            let text = text_from_user(argument, 256)?;
            match text.strip_prefix("exit=").and_then(|status| status.parse::<u8>().ok()) {
                Some(status) => reboot::power_off(status),
                None => reboot::restart(),
            }
        }
        // Ctrl-Alt-Del: there is no such key.
        raw::LINUX_REBOOT_CMD_CAD_ON | raw::LINUX_REBOOT_CMD_CAD_OFF => Ok(0),
        _ => Err(Errno::EINVAL),
    }
}
