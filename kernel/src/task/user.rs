//! Users as far as the kernel counts what is theirs: `RLIMIT_NPROC` bounds the processes of a real user id. Mirrors
//! `kernel/user.c`.

use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use spin::Once;

use crate::sync::IrqMutex;

/// A user that is somebody's real id.
pub struct User {
    uid: u32,
    /// Tasks, zombies included.
    tasks: AtomicU64,
}

/// All but the superuser, by number.
static USERS: IrqMutex<Vec<Arc<User>>> = IrqMutex::new(Vec::new());

static ROOT: Once<Arc<User>> = Once::new();

/// The superuser, who is always there.
pub fn root() -> Arc<User> {
    ROOT.call_once(|| Arc::new(User { uid: 0, tasks: AtomicU64::new(0) })).clone()
}

/// The user with this number. EAGAIN if there is no memory for one more.
pub fn find(uid: u32) -> Result<Arc<User>, Errno> {
    if uid == 0 {
        return Ok(root());
    }
    let mut users = USERS.lock();
    if let Ok(at) = users.binary_search_by_key(&uid, |user| user.uid) {
        return Ok(users[at].clone());
    }
    // Those whom nobody is any more make room first: the list is as long as there are users at work.
    users.retain(|user| Arc::strong_count(user) > 1);
    users.try_reserve(1).map_err(|_| Errno::EAGAIN)?;
    let at = users.partition_point(|user| user.uid < uid);
    let user = Arc::new(User { uid, tasks: AtomicU64::new(0) });
    users.insert(at, user.clone());
    Ok(user)
}

impl User {
    /// Whether this is the superuser, whom no limit on processes binds.
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// Tasks that are the user's.
    pub fn tasks(&self) -> u64 {
        self.tasks.load(Ordering::Relaxed)
    }

    /// One task more.
    pub(super) fn charge(&self) {
        self.tasks.fetch_add(1, Ordering::Relaxed);
    }

    /// One task less.
    pub(super) fn uncharge(&self) {
        self.tasks.fetch_sub(1, Ordering::Relaxed);
    }
}
