//! In whose name a task acts: users, groups, capabilities. Mirrors `kernel/cred.c` and `security/commoncap.c`.
//!
//! A [`Cred`] never changes: whoever changes identity makes a new one and puts it in the old one's place, so that a child
//! shares its parent's until one of them does. The rules of the single calls are in `syscall/cred`.

use abi::{CapSet, Errno, Personality};
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use fs::kstat::Kstat;
use fs::perm;
use spin::Once;

use super::user::{self, User};
use super::{Current, Task};

/// Secure bits, `uapi/linux/securebits.h`: what the number 0 does not bring, and their locks beside them.
pub mod secure {
    /// User 0 is nobody special at exec.
    pub const NOROOT: u32 = 1 << 0;
    /// Changing users leaves the capabilities alone.
    pub const NO_SETUID_FIXUP: u32 = 1 << 2;
    /// The permitted set survives when the last user id 0 goes, until the next exec.
    pub const KEEP_CAPS: u32 = 1 << 4;
    /// Nothing is added to the ambient set.
    pub const NO_CAP_AMBIENT_RAISE: u32 = 1 << 6;
    /// All that can be set, without the locks.
    pub const ALL_BITS: u32 = 0x155;
    /// Their locks.
    pub const ALL_LOCKS: u32 = ALL_BITS << 1;
}

const S_ISUID: u32 = 0o4000;
const S_ISGID: u32 = 0o2000;
const S_IXGRP: u32 = 0o0010;

/// The identity of a task, Linux's `struct cred`.
#[derive(Clone)]
pub struct Cred {
    /// Real user: who pays, and who may signal.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Saved user, to which the effective one may return.
    pub suid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective group.
    pub egid: u32,
    /// Saved group.
    pub sgid: u32,
    /// What the file system looks at: its user and group, the further groups, and the effective capabilities.
    pub file: perm::Cred,
    /// Capabilities that may become effective.
    pub permitted: CapSet,
    /// What may survive an exec, together with the file's.
    pub inheritable: CapSet,
    /// What an exec can give at most.
    pub bounding: CapSet,
    /// What survives the exec of an ordinary file.
    pub ambient: CapSet,
    /// [`secure`].
    pub securebits: u32,
    /// exec gives no privileges (`PR_SET_NO_NEW_PRIVS`).
    pub no_new_privs: bool,
    /// The account of the real user.
    pub user: Arc<User>,
}

/// What user 0 is stripped of, or gets, when the ids change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixup {
    /// Real, effective or saved ids have changed.
    Ids,
    /// The file system id has.
    FileSystem,
}

static ROOT: Once<Arc<Cred>> = Once::new();

/// The identity of the kernel's threads and of init.
pub fn root() -> Arc<Cred> {
    let first = || {
        Arc::new(Cred {
            uid: 0,
            euid: 0,
            suid: 0,
            gid: 0,
            egid: 0,
            sgid: 0,
            file: perm::Cred::ROOT,
            permitted: CapSet::all(),
            inheritable: CapSet::empty(),
            bounding: CapSet::all(),
            ambient: CapSet::empty(),
            securebits: 0,
            no_new_privs: false,
            user: user::root(),
        })
    };
    ROOT.call_once(first).clone()
}

impl Cred {
    /// Whether these capabilities are effective.
    pub fn has(&self, caps: CapSet) -> bool {
        self.file.has(caps)
    }

    /// EPERM unless these capabilities are effective.
    pub fn require(&self, caps: CapSet) -> Result<(), Errno> {
        if self.has(caps) { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// Whether all of it is the same as what this was copied from.
    fn is_same(&self, old: &Cred) -> bool {
        let ids = |cred: &Cred| [cred.uid, cred.euid, cred.suid, cred.gid, cred.egid, cred.sgid];
        let file = |cred: &Cred| (cred.file.uid, cred.file.gid, cred.file.caps);
        let caps = |cred: &Cred| (cred.permitted, cred.ambient, cred.securebits);
        ids(self) == ids(old) && file(self) == file(old) && caps(self) == caps(old)
    }

    /// The effective capabilities.
    pub fn effective(&self) -> CapSet {
        self.file.caps
    }

    /// Takes or gives capabilities after the user ids have become other ones than those of `old` (Linux's
    /// `cap_task_fix_setuid`).
    pub fn fix_capabilities(&mut self, old: &Cred, fixup: Fixup) {
        if self.securebits & secure::NO_SETUID_FIXUP != 0 {
            return;
        }
        match fixup {
            Fixup::Ids => {
                let was_root = [old.uid, old.euid, old.suid].contains(&0);
                if was_root && ![self.uid, self.euid, self.suid].contains(&0) {
                    if self.securebits & secure::KEEP_CAPS == 0 {
                        self.permitted = CapSet::empty();
                        self.file.caps = CapSet::empty();
                    }
                    self.ambient = CapSet::empty();
                }
                match (old.euid, self.euid) {
                    (0, 1..) => self.file.caps = CapSet::empty(),
                    (1.., 0) => self.file.caps = self.permitted,
                    _ => {}
                }
            }
            Fixup::FileSystem => match (old.file.uid, self.file.uid) {
                (0, 1..) => self.file.caps -= CapSet::FILES,
                (1.., 0) => self.file.caps |= CapSet::FILES & self.permitted,
                _ => {}
            },
        }
    }

    /// The identity that `access(2)` asks about: the real ids, with what they would bring.
    pub fn real_for_files(&self) -> perm::Cred {
        let caps = match self.uid {
            _ if self.securebits & secure::NO_SETUID_FIXUP != 0 => self.file.caps,
            0 => self.permitted,
            _ => CapSet::empty(),
        };
        perm::Cred { uid: self.uid, gid: self.gid, groups: self.file.groups.clone(), caps }
    }
}

/// What `execve` makes of an identity.
pub struct ExecCred {
    /// The new one.
    pub cred: Arc<Cred>,
    /// AT_SECURE: the program was given what its caller has not.
    pub secure: bool,
    /// What the program does not inherit of its personality.
    pub clear: Personality,
}

/// The identity in which the program with these attributes runs, started by `old`; `nosuid` is the mount's (Linux's
/// `bprm_fill_uid` and `cap_bprm_creds_from_file`).
pub fn at_exec(old: &Arc<Cred>, program: &Kstat, nosuid: bool) -> ExecCred {
    let mut new = Cred::clone(old);
    let mut clear = Personality::empty();
    if !nosuid && !old.no_new_privs {
        if program.mode & S_ISUID != 0 {
            new.euid = program.uid;
            clear = Personality::CLEAR_ON_SETID;
        }
        if program.mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP {
            new.egid = program.gid;
            clear = Personality::CLEAR_ON_SETID;
        }
    }
    let rooted = old.securebits & secure::NOROOT == 0;
    new.permitted = CapSet::empty();
    if rooted && (new.euid == 0 || new.uid == 0) {
        new.permitted = old.bounding | old.inheritable;
    }
    let effective = rooted && new.euid == 0;
    let set_id = new.euid != old.euid || !(new.egid == old.file.gid || old.file.in_group(new.egid));
    new.suid = new.euid;
    new.sgid = new.egid;
    new.file.uid = new.euid;
    new.file.gid = new.egid;
    if set_id {
        new.ambient = CapSet::empty();
    }
    new.permitted |= new.ambient;
    new.file.caps = if effective { new.permitted } else { new.ambient };
    new.securebits &= !secure::KEEP_CAPS;
    let gained = new.uid != 0 && (effective || !new.ambient.contains(new.permitted));
    let secure = set_id || new.euid != old.uid || new.egid != old.gid || gained;
    ExecCred { cred: if new.is_same(old) { old.clone() } else { Arc::new(new) }, secure, clear }
}

impl Task {
    /// The task's identity.
    pub fn cred(&self) -> Arc<Cred> {
        self.cred.lock().clone()
    }

    /// Whether these capabilities are effective.
    pub fn has_capability(&self, caps: CapSet) -> bool {
        self.cred.lock().has(caps)
    }
}

impl Current {
    /// EPERM unless the caller has these capabilities.
    pub fn require(&self, caps: CapSet) -> Result<(), Errno> {
        self.cred.lock().require(caps)
    }

    /// Replaces the identity of the running task (Linux's `commit_creds`).
    pub fn commit_cred(&self, new: Cred) {
        self.install_cred(Arc::new(new));
    }

    pub(super) fn install_cred(&self, new: Arc<Cred>) {
        let old = core::mem::replace(&mut *self.cred.lock(), new.clone());
        if !Arc::ptr_eq(&old.user, &new.user) {
            // Linux looks before it counts the caller.
            let late = !new.user.is_root() && self.is_over_process_limit(&new);
            new.user.charge();
            old.user.uncharge();
            self.attributes.too_many_tasks.store(late, Ordering::Relaxed);
        }
        let other = old.euid != new.euid
            || old.egid != new.egid
            || old.file.uid != new.file.uid
            || old.file.gid != new.file.gid
            || !old.permitted.contains(new.permitted);
        if other {
            self.lose_trust();
        }
    }
}
