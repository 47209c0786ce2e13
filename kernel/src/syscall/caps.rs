//! Capabilities as programs see and change them: capget, capset, and what prctl does to them. Mirrors Linux's
//! `kernel/capability.c` and `cap_task_prctl`.

use abi::{CapSet, Errno};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::SysResult;
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::heap;
use crate::task::cred::{Cred, secure};
use crate::task::{current, table};

/// `struct __user_cap_header_struct`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
struct Header {
    version: u32,
    pid: i32,
}

/// `struct __user_cap_data_struct`: 32 of each.
#[repr(C)]
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const VERSION_1: u32 = 0x1998_0330;
const VERSION_2: u32 = 0x2007_1026;
const VERSION_3: u32 = 0x2008_0522;

/// How many [`Data`] the header's version has. For a version that is none, stores the one that is liked best.
fn check_version(header: UserPtr<Header>) -> Result<(Header, usize), Errno> {
    let given = header.read()?;
    match given.version {
        VERSION_1 => Ok((given, 1)),
        VERSION_2 | VERSION_3 => Ok((given, 2)),
        _ => {
            header.write(Header { version: VERSION_3, ..given })?;
            Err(Errno::EINVAL)
        }
    }
}

/// `capget(2)`.
pub fn capget(frame: &mut TrapFrame) -> SysResult {
    let [header, data, ..] = frame.args();
    let data = UserPtr::<Data>::new(data);
    let (header, count) = match check_version(UserPtr::new(header)) {
        // Without data this is a question for the version.
        Err(Errno::EINVAL) if data.is_null() => return Ok(0),
        Ok(_) if data.is_null() => return Ok(0),
        other => other?,
    };
    let cred = match u32::try_from(header.pid).map_err(|_| Errno::EINVAL)? {
        0 => current().cred(),
        pid => table::find(pid).ok_or(Errno::ESRCH)?.cred(),
    };
    let sets = [cred.effective(), cred.permitted, cred.inheritable].map(|set| set.bits());
    for index in 0..count {
        let [effective, permitted, inheritable] = sets.map(|set| (set >> (32 * index)) as u32);
        data.at(index)?.write(Data { effective, permitted, inheritable })?;
    }
    Ok(0)
}

/// `capset(2)`, of the caller's own sets.
pub fn capset(frame: &mut TrapFrame) -> SysResult {
    let [header, data, ..] = frame.args();
    let (header, count) = check_version(UserPtr::new(header))?;
    if header.pid != 0 && header.pid as u32 != current().pid() {
        return Err(Errno::EPERM);
    }
    let mut sets = [0u64; 3];
    for index in 0..count {
        let Data { effective, permitted, inheritable } = UserPtr::new(data).at(index)?.read()?;
        for (set, half) in sets.iter_mut().zip([effective, permitted, inheritable]) {
            *set |= u64::from(half) << (32 * index);
        }
    }
    let [effective, permitted, inheritable] = sets.map(CapSet::from_bits_truncate);
    heap::reserve()?;
    let old = current().cred();
    let may_inherit = old.inheritable | if old.has(CapSet::SETPCAP) { CapSet::all() } else { old.permitted };
    let allowed = may_inherit.contains(inheritable)
        && (old.inheritable | old.bounding).contains(inheritable)
        && old.permitted.contains(permitted)
        && permitted.contains(effective);
    if !allowed {
        return Err(Errno::EPERM);
    }
    let mut new = Cred::clone(&old);
    new.file.caps = effective;
    new.permitted = permitted;
    new.inheritable = inheritable;
    new.ambient &= permitted & inheritable;
    current().commit_cred(new);
    Ok(0)
}

/// The commands of `prctl(2)` about capabilities; `None` for others.
pub(super) fn prctl(option: u32, args: [u64; 4]) -> Option<SysResult> {
    const PR_GET_KEEPCAPS: u32 = 7;
    const PR_SET_KEEPCAPS: u32 = 8;
    const PR_CAPBSET_READ: u32 = 23;
    const PR_CAPBSET_DROP: u32 = 24;
    const PR_GET_SECUREBITS: u32 = 27;
    const PR_SET_SECUREBITS: u32 = 28;
    const PR_CAP_AMBIENT: u32 = 47;
    let old = current().cred();
    Some(match option {
        PR_GET_KEEPCAPS => Ok((old.securebits & secure::KEEP_CAPS != 0).into()),
        PR_SET_KEEPCAPS => keep_caps(&old, args[0]),
        PR_CAPBSET_READ => {
            CapSet::from_number(args[0]).map(|cap| old.bounding.contains(cap).into()).ok_or(Errno::EINVAL)
        }
        PR_CAPBSET_DROP => drop_from_bounding(&old, args[0]),
        PR_GET_SECUREBITS => Ok(old.securebits.into()),
        PR_SET_SECUREBITS => set_securebits(&old, args[0]),
        PR_CAP_AMBIENT => ambient(&old, args),
        _ => return None,
    })
}

/// Commits a copy of `old` that `change` has changed.
fn change(old: &Cred, change: impl FnOnce(&mut Cred)) -> SysResult {
    heap::reserve()?;
    let mut new = Cred::clone(old);
    change(&mut new);
    current().commit_cred(new);
    Ok(0)
}

fn keep_caps(old: &Cred, wanted: u64) -> SysResult {
    if wanted > 1 {
        return Err(Errno::EINVAL);
    }
    if old.securebits & secure::KEEP_CAPS << 1 != 0 {
        return Err(Errno::EPERM);
    }
    change(old, |new| match wanted {
        0 => new.securebits &= !secure::KEEP_CAPS,
        _ => new.securebits |= secure::KEEP_CAPS,
    })
}

fn drop_from_bounding(old: &Cred, number: u64) -> SysResult {
    old.require(CapSet::SETPCAP)?;
    let cap = CapSet::from_number(number).ok_or(Errno::EINVAL)?;
    change(old, |new| new.bounding -= cap)
}

fn set_securebits(old: &Cred, wanted: u64) -> SysResult {
    let known = secure::ALL_BITS | secure::ALL_LOCKS;
    let wanted = u32::try_from(wanted).map_err(|_| Errno::EPERM)?;
    // A lock stays, and so does the bit beside it.
    let locked = (old.securebits & secure::ALL_LOCKS) >> 1;
    let changes_locked = locked & (old.securebits ^ wanted) != 0;
    let unlocks = old.securebits & secure::ALL_LOCKS & !wanted != 0;
    if changes_locked || unlocks || wanted & !known != 0 || !old.has(CapSet::SETPCAP) {
        return Err(Errno::EPERM);
    }
    change(old, |new| new.securebits = wanted)
}

fn ambient(old: &Cred, [command, number, arg4, arg5]: [u64; 4]) -> SysResult {
    const IS_SET: u64 = 1;
    const RAISE: u64 = 2;
    const LOWER: u64 = 3;
    const CLEAR_ALL: u64 = 4;
    if command == CLEAR_ALL {
        if [number, arg4, arg5] != [0; 3] {
            return Err(Errno::EINVAL);
        }
        return change(old, |new| new.ambient = CapSet::empty());
    }
    let cap = CapSet::from_number(number).filter(|_| arg4 | arg5 == 0).ok_or(Errno::EINVAL)?;
    match command {
        IS_SET => Ok(old.ambient.contains(cap).into()),
        RAISE => {
            let locked = old.securebits & secure::NO_CAP_AMBIENT_RAISE != 0;
            if locked || !(old.permitted & old.inheritable).contains(cap) {
                return Err(Errno::EPERM);
            }
            change(old, |new| new.ambient |= cap)
        }
        LOWER => change(old, |new| new.ambient -= cap),
        _ => Err(Errno::EINVAL),
    }
}
