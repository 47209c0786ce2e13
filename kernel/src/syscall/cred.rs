//! Users and groups of the caller: who may become whom. Mirrors the set*id part of Linux's `kernel/sys.c`, and
//! `kernel/groups.c`.

use abi::{CapSet, Errno};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::SysResult;
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::heap;
use crate::task::cred::{Cred, Fixup};
use crate::task::{current, user};

/// Most further groups.
const NGROUPS_MAX: usize = 65536;

/// An id that a call was given; `None` for -1, which stands for the present one.
fn given(id: u64) -> Option<u32> {
    Some(id as u32).filter(|id| *id != u32::MAX)
}

/// EPERM unless nothing is given, or one of the `own` ids, or `privileged`.
fn may_become(wanted: Option<u32>, own: &[u32], privileged: bool) -> Result<(), Errno> {
    if privileged || wanted.is_none_or(|id| own.contains(&id)) { Ok(()) } else { Err(Errno::EPERM) }
}

/// Makes the caller what `new` says, whose user ids may differ from those of `old`.
fn change_user(old: &Cred, mut new: Cred) -> SysResult {
    if new.uid != old.uid {
        new.user = user::find(new.uid)?;
    }
    new.file.uid = new.euid;
    new.fix_capabilities(old, Fixup::Ids);
    current().commit_cred(new);
    Ok(0)
}

/// The same for groups, which bring no capabilities.
fn change_group(mut new: Cred) -> SysResult {
    new.file.gid = new.egid;
    current().commit_cred(new);
    Ok(0)
}

/// The caller's identity, and a copy to be changed.
fn prepare() -> Result<(Arc<Cred>, Cred), Errno> {
    heap::reserve()?;
    let old = current().cred();
    let new = Cred::clone(&old);
    Ok((old, new))
}

/// `getuid(2)`.
pub fn getuid(_: &mut TrapFrame) -> SysResult {
    Ok(current().cred().uid.into())
}

/// `geteuid(2)`.
pub fn geteuid(_: &mut TrapFrame) -> SysResult {
    Ok(current().cred().euid.into())
}

/// `getgid(2)`.
pub fn getgid(_: &mut TrapFrame) -> SysResult {
    Ok(current().cred().gid.into())
}

/// `getegid(2)`.
pub fn getegid(_: &mut TrapFrame) -> SysResult {
    Ok(current().cred().egid.into())
}

/// `setuid(2)`: all three ids with CAP_SETUID, else the effective one.
pub fn setuid(frame: &mut TrapFrame) -> SysResult {
    let [uid, ..] = frame.args();
    let uid = given(uid).ok_or(Errno::EINVAL)?;
    let (old, mut new) = prepare()?;
    if old.has(CapSet::SETUID) {
        (new.uid, new.suid) = (uid, uid);
    } else {
        may_become(Some(uid), &[old.uid, old.suid], false)?;
    }
    new.euid = uid;
    change_user(&old, new)
}

/// `setgid(2)`.
pub fn setgid(frame: &mut TrapFrame) -> SysResult {
    let [gid, ..] = frame.args();
    let gid = given(gid).ok_or(Errno::EINVAL)?;
    let (old, mut new) = prepare()?;
    if old.has(CapSet::SETGID) {
        (new.gid, new.sgid) = (gid, gid);
    } else {
        may_become(Some(gid), &[old.gid, old.sgid], false)?;
    }
    new.egid = gid;
    change_group(new)
}

/// `setreuid(2)`.
pub fn setreuid(frame: &mut TrapFrame) -> SysResult {
    let [real, effective, ..] = frame.args();
    let (real, effective) = (given(real), given(effective));
    let (old, mut new) = prepare()?;
    let privileged = old.has(CapSet::SETUID);
    may_become(real, &[old.uid, old.euid], privileged)?;
    may_become(effective, &[old.uid, old.euid, old.suid], privileged)?;
    new.uid = real.unwrap_or(old.uid);
    new.euid = effective.unwrap_or(old.euid);
    if real.is_some() || effective.is_some_and(|uid| uid != old.uid) {
        new.suid = new.euid;
    }
    change_user(&old, new)
}

/// `setregid(2)`.
pub fn setregid(frame: &mut TrapFrame) -> SysResult {
    let [real, effective, ..] = frame.args();
    let (real, effective) = (given(real), given(effective));
    let (old, mut new) = prepare()?;
    let privileged = old.has(CapSet::SETGID);
    may_become(real, &[old.gid, old.egid], privileged)?;
    may_become(effective, &[old.gid, old.egid, old.sgid], privileged)?;
    new.gid = real.unwrap_or(old.gid);
    new.egid = effective.unwrap_or(old.egid);
    if real.is_some() || effective.is_some_and(|gid| gid != old.gid) {
        new.sgid = new.egid;
    }
    change_group(new)
}

/// `setresuid(2)`.
pub fn setresuid(frame: &mut TrapFrame) -> SysResult {
    let [real, effective, saved, ..] = frame.args();
    let (real, effective, saved) = (given(real), given(effective), given(saved));
    let (old, mut new) = prepare()?;
    let own = [old.uid, old.euid, old.suid];
    for wanted in [real, effective, saved] {
        may_become(wanted, &own, old.has(CapSet::SETUID))?;
    }
    new.uid = real.unwrap_or(old.uid);
    new.euid = effective.unwrap_or(old.euid);
    new.suid = saved.unwrap_or(old.suid);
    change_user(&old, new)
}

/// `setresgid(2)`.
pub fn setresgid(frame: &mut TrapFrame) -> SysResult {
    let [real, effective, saved, ..] = frame.args();
    let (real, effective, saved) = (given(real), given(effective), given(saved));
    let (old, mut new) = prepare()?;
    let own = [old.gid, old.egid, old.sgid];
    for wanted in [real, effective, saved] {
        may_become(wanted, &own, old.has(CapSet::SETGID))?;
    }
    new.gid = real.unwrap_or(old.gid);
    new.egid = effective.unwrap_or(old.egid);
    new.sgid = saved.unwrap_or(old.sgid);
    change_group(new)
}

/// `getresuid(2)`.
pub fn getresuid(frame: &mut TrapFrame) -> SysResult {
    let cred = current().cred();
    store_three(frame, [cred.uid, cred.euid, cred.suid])
}

/// `getresgid(2)`.
pub fn getresgid(frame: &mut TrapFrame) -> SysResult {
    let cred = current().cred();
    store_three(frame, [cred.gid, cred.egid, cred.sgid])
}

fn store_three(frame: &TrapFrame, ids: [u32; 3]) -> SysResult {
    for (to, id) in frame.args().into_iter().zip(ids) {
        UserPtr::new(to).write(id)?;
    }
    Ok(0)
}

/// `setfsuid(2)`: the old id, whether or not it was replaced.
pub fn setfsuid(frame: &mut TrapFrame) -> SysResult {
    let [uid, ..] = frame.args();
    let (old, mut new) = prepare()?;
    let own = [old.uid, old.euid, old.suid, old.file.uid];
    if let Some(uid) = given(uid)
        && uid != old.file.uid
        && may_become(Some(uid), &own, old.has(CapSet::SETUID)).is_ok()
    {
        new.file.uid = uid;
        new.fix_capabilities(&old, Fixup::FileSystem);
        current().commit_cred(new);
    }
    Ok(old.file.uid.into())
}

/// `setfsgid(2)`: the old id, whether or not it was replaced.
pub fn setfsgid(frame: &mut TrapFrame) -> SysResult {
    let [gid, ..] = frame.args();
    let (old, mut new) = prepare()?;
    let own = [old.gid, old.egid, old.sgid, old.file.gid];
    if let Some(gid) = given(gid)
        && gid != old.file.gid
        && may_become(Some(gid), &own, old.has(CapSet::SETGID)).is_ok()
    {
        new.file.gid = gid;
        current().commit_cred(new);
    }
    Ok(old.file.gid.into())
}

/// `getgroups(2)`: how many further groups there are; stores them if asked to.
pub fn getgroups(frame: &mut TrapFrame) -> SysResult {
    let [room, to, ..] = frame.args();
    let room = usize::try_from(room as i32).map_err(|_| Errno::EINVAL)?;
    let cred = current().cred();
    let groups = cred.file.groups.as_deref().unwrap_or(&[]);
    if room != 0 {
        if groups.len() > room {
            return Err(Errno::EINVAL);
        }
        let to = UserPtr::new(to);
        for (index, gid) in groups.iter().enumerate() {
            to.at(index)?.write(*gid)?;
        }
    }
    Ok(groups.len() as u64)
}

/// `setgroups(2)`. They are kept in order, as Linux keeps them.
pub fn setgroups(frame: &mut TrapFrame) -> SysResult {
    let [count, from, ..] = frame.args();
    let (old, mut new) = prepare()?;
    old.require(CapSet::SETGID)?;
    let count =
        usize::try_from(count as i32).ok().filter(|count| *count <= NGROUPS_MAX).ok_or(Errno::EINVAL)?;
    let mut groups = Vec::new();
    groups.try_reserve_exact(count).map_err(|_| Errno::ENOMEM)?;
    let from = UserPtr::<u32>::new(from);
    for index in 0..count {
        groups.push(given(from.at(index)?.read()?.into()).ok_or(Errno::EINVAL)?);
    }
    groups.sort_unstable();
    new.file.groups = if groups.is_empty() { None } else { Some(Arc::from(groups)) };
    current().commit_cred(new);
    Ok(0)
}
