//! Locks that a dying thread holds: their waiters are told by a bit in the lock's word. The list of them lies in the thread's
//! own memory, so nothing in it is believed. Mirrors `exit_robust_list` of Linux's `kernel/futex/core.c`.

use abi::Errno;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use super::futex::{self, Key, Scope};
use super::{Current, Task};
use crate::arch::uaccess::{UserPtr, cmpxchg_user};

/// Size of `struct robust_list_head`: the first entry, the offset from an entry to its lock's word, and an entry that is
/// just being taken or released.
pub const ROBUST_LIST_HEAD_SIZE: u64 = 24;

/// Entries that are looked at: a list may run in a circle.
const ROBUST_LIST_LIMIT: usize = 2048;

const FUTEX_WAITERS: u32 = 1 << 31;
const FUTEX_OWNER_DIED: u32 = 1 << 30;
const FUTEX_TID_MASK: u32 = (1 << 30) - 1;

/// An entry that is on its way into the list or out of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Listed,
    Pending,
}

impl Task {
    /// Where the list is, or 0.
    pub fn robust_list(&self) -> u64 {
        self.robust_list.load(Ordering::Relaxed)
    }

    /// Sets where the list is.
    pub fn set_robust_list(&self, head: u64) {
        self.robust_list.store(head, Ordering::Relaxed);
    }
}

impl Current {
    /// The task is about to give up its memory: whoever waits for the locks that it holds, or for its end, is told there
    /// (Linux's `mm_release`).
    pub(super) fn release_user_words(&self) {
        let head = self.robust_list.swap(0, Ordering::Relaxed);
        if head != 0 {
            // A list that makes no sense ends there, and is the program's own business.
            let _ = self.walk_robust_list(head);
        }
        let word = self.clear_child_tid.swap(0, Ordering::Relaxed);
        if word == 0 {
            return;
        }
        let shared = self.user_mm().is_ok_and(|mm| Arc::strong_count(&mm) > 2);
        if shared && UserPtr::<u32>::new(word).write(0).is_ok() {
            // So is a bad address.
            let _ = Key::new(word, Scope::Shared).map(|key| futex::wake(&key, 1, u32::MAX));
        }
    }

    fn walk_robust_list(&self, head: u64) -> Result<(), Errno> {
        // The lowest bit of a link marks a lock with priority inheritance.
        let entry = |link: u64| link & !1;
        let head_at = UserPtr::<u64>::new(head);
        let mut next = head_at.read()?;
        let offset = head_at.at(1)?.read()?;
        let pending = head_at.at(2)?.read()?;
        for _ in 0..ROBUST_LIST_LIMIT {
            if entry(next) == head {
                break;
            }
            let this = next;
            let following = UserPtr::<u64>::new(entry(this)).read();
            // The one on its way may be in the list already; it comes once.
            if entry(this) != entry(pending) {
                self.owner_died(entry(this).wrapping_add(offset), Kind::Listed)?;
            }
            next = following?;
        }
        if entry(pending) != 0 {
            self.owner_died(entry(pending).wrapping_add(offset), Kind::Pending)?;
        }
        Ok(())
    }

    /// Marks the lock whose word is at `addr`, if this task holds it.
    fn owner_died(&self, addr: u64, kind: Kind) -> Result<(), Errno> {
        if !addr.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        let mut word = UserPtr::<u32>::new(addr).read()?;
        loop {
            let owner = word & FUTEX_TID_MASK;
            // Released, but the waiters may not have been told.
            if kind == Kind::Pending && owner == 0 {
                futex::wake(&Key::new(addr, Scope::Shared)?, 1, u32::MAX);
                return Ok(());
            }
            if owner != self.pid() {
                return Ok(());
            }
            let found = cmpxchg_user(addr, word, word & FUTEX_WAITERS | FUTEX_OWNER_DIED)?;
            if found == word {
                break;
            }
            word = found;
        }
        if word & FUTEX_WAITERS != 0 {
            futex::wake(&Key::new(addr, Scope::Shared)?, 1, u32::MAX);
        }
        Ok(())
    }
}
