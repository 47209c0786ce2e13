//! Advisory locks on files: `flock(2)`, and byte ranges by `fcntl(2)` of a process (POSIX) or of an open file (OFD).
//! Mirrors Linux's `fs/locks.c`.
//!
//! The locks of a file are in one table by its inode's address, which stays as long as somebody has the file open and so as
//! long as it can have locks. Whoever waits does so at that address, and looks again when a lock there has gone.

use super::file::{File, FileKind};
use crate::io::Wait;
use crate::sleep::park;
use abi::Errno;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};
use spin::Mutex;

/// What a lock allows others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockType {
    /// The same lock (`LOCK_SH`, `F_RDLCK`).
    Shared,
    /// None (`LOCK_EX`, `F_WRLCK`).
    Exclusive,
}

/// Whose lock it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockOwner {
    /// The processes with this table of descriptors, by its address.
    Process(usize),
    /// An open file, by its address.
    OpenFile(usize),
}

/// A lock on a range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeLock {
    /// Whose.
    pub owner: LockOwner,
    /// Process that took it, for `F_GETLK`.
    pub pid: u32,
    /// What it allows.
    pub kind: LockType,
    /// First byte.
    pub start: u64,
    /// Last byte; `i64::MAX` for all that follow.
    pub end: u64,
}

impl RangeLock {
    fn overlaps(&self, other: &RangeLock) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    fn conflicts(&self, other: &RangeLock) -> bool {
        let exclusive = self.kind == LockType::Exclusive || other.kind == LockType::Exclusive;
        self.owner != other.owner && exclusive && self.overlaps(other)
    }

    /// Whether the two are one lock if they are of one kind.
    fn touches(&self, other: &RangeLock) -> bool {
        self.overlaps(other)
            || self.end.checked_add(1) == Some(other.start)
            || other.end.checked_add(1) == Some(self.start)
    }
}

/// The locks of one file.
#[derive(Default)]
struct FileLocks {
    /// Whole files: open file and kind.
    whole: Vec<(usize, LockType)>,
    ranges: Vec<RangeLock>,
}

/// All locks, and who waits for whom.
struct Table {
    files: BTreeMap<usize, FileLocks>,
    /// Processes that wait for a range, and who has it: to find rings of them.
    waiting: Vec<(LockOwner, LockOwner)>,
}

static TABLE: Mutex<Table> = Mutex::new(Table { files: BTreeMap::new(), waiting: Vec::new() });
/// Ranges that processes hold: closing a descriptor looks at nothing else when there are none.
static NR_PROCESS_RANGES: AtomicUsize = AtomicUsize::new(0);

/// Longest chain of waiting processes that is searched for a ring, as in Linux.
const MAX_DEADLOCK_ITERATIONS: usize = 10;

fn key(file: &File) -> usize {
    Arc::as_ptr(file.path().dentry.inode()).addr()
}

fn address(file: &File) -> usize {
    core::ptr::from_ref(file).addr()
}

impl LockOwner {
    /// The open file `file`.
    pub fn open_file(file: &File) -> LockOwner {
        LockOwner::OpenFile(address(file))
    }
}

impl File {
    /// `flock(2)`: takes a lock on the whole file, in place of the one that this open file has; `None` drops that. EAGAIN if
    /// it would have to wait and may not.
    pub fn flock(&self, kind: Option<LockType>, wait: Wait) -> Result<(), Errno> {
        if matches!(self.kind(), FileKind::Path) {
            return Err(Errno::EBADF);
        }
        let (key, me) = (key(self), address(self));
        let try_lock = || {
            let mut table = TABLE.lock();
            let locks = table.files.entry(key).or_default();
            if kind.is_some_and(|kind| locks.whole.contains(&(me, kind))) {
                return Some(Ok(()));
            }
            // Changing the kind lets go of the lock first, as Linux does.
            locks.whole.retain(|(owner, _)| *owner != me);
            let Some(kind) = kind else { return Some(Ok(())) };
            let exclusive = kind == LockType::Exclusive;
            let taken = locks.whole.iter().any(|(_, other)| exclusive || *other == LockType::Exclusive);
            if taken {
                return None;
            }
            let room = locks.whole.try_reserve(1).map_err(|_| Errno::ENOLCK);
            Some(room.map(|()| locks.whole.push((me, kind))))
        };
        self.note_locks();
        let result = wait_for(key, wait, try_lock);
        park().wake(key);
        tidy(key);
        result
    }

    /// `fcntl(F_SETLK)` and its like: locks a range, or with `None` as its kind unlocks it. EAGAIN if it would have to wait
    /// and may not; EDEADLK if it would wait for itself.
    pub fn lock_range(&self, lock: RangeLock, kind: Option<LockType>, wait: Wait) -> Result<(), Errno> {
        let key = key(self);
        if matches!(lock.owner, LockOwner::OpenFile(_)) {
            self.note_locks();
        }
        let try_lock = || {
            let mut table = TABLE.lock();
            table.waiting.retain(|(waiter, _)| *waiter != lock.owner);
            let locks = table.files.entry(key).or_default();
            let holder = locks.ranges.iter().find(|held| kind.is_some() && held.conflicts(&lock));
            match holder.map(|held| held.owner) {
                None => Some(set_range(&mut locks.ranges, lock, kind)),
                Some(_) if wait == Wait::NonBlock => Some(Err(Errno::EAGAIN)),
                Some(holder) => table.wait_for(lock.owner, holder).err().map(Err),
            }
        };
        let result = wait_for(key, wait, try_lock);
        TABLE.lock().waiting.retain(|(waiter, _)| *waiter != lock.owner);
        park().wake(key);
        tidy(key);
        result
    }

    /// `fcntl(F_GETLK)`: the first lock that stands in the way of `lock`.
    pub fn conflicting_range(&self, lock: &RangeLock) -> Option<RangeLock> {
        let table = TABLE.lock();
        let ranges = &table.files.get(&key(self))?.ranges;
        ranges.iter().filter(|held| held.conflicts(lock)).min_by_key(|held| held.start).copied()
    }

    /// A descriptor of this file is closed in the table of `process`, so its locks on the file go (`locks_remove_posix`).
    pub fn release_ranges(&self, process: usize) {
        if NR_PROCESS_RANGES.load(Ordering::Relaxed) != 0 {
            release(key(self), LockOwner::Process(process));
        }
    }

    /// The last descriptor is gone, and with it the locks of the open file (`locks_remove_file`).
    pub(super) fn release_locks(&self) {
        let (key, me) = (key(self), address(self));
        if let Some(locks) = TABLE.lock().files.get_mut(&key) {
            locks.whole.retain(|(owner, _)| *owner != me);
        }
        release(key, LockOwner::OpenFile(me));
    }
}

/// Repeats `attempt` until it has a result.
fn wait_for(
    key: usize,
    wait: Wait,
    mut attempt: impl FnMut() -> Option<Result<(), Errno>>,
) -> Result<(), Errno> {
    match attempt() {
        Some(result) => result,
        None if wait == Wait::NonBlock => Err(Errno::EAGAIN),
        None => {
            let mut result = None;
            park().wait_interruptible(key, &mut || {
                result = attempt();
                result.is_some()
            })?;
            result.unwrap_or(Ok(()))
        }
    }
}

fn release(key: usize, owner: LockOwner) {
    let mut gone = 0;
    if let Some(locks) = TABLE.lock().files.get_mut(&key) {
        let before = locks.ranges.len();
        locks.ranges.retain(|lock| lock.owner != owner);
        gone = before - locks.ranges.len();
    }
    if matches!(owner, LockOwner::Process(_)) {
        NR_PROCESS_RANGES.fetch_sub(gone, Ordering::Relaxed);
    }
    park().wake(key);
    tidy(key);
}

/// Drops the entry of a file without locks.
fn tidy(key: usize) {
    let mut table = TABLE.lock();
    let empty = |locks: &FileLocks| locks.whole.is_empty() && locks.ranges.is_empty();
    let gone = if table.files.get(&key).is_some_and(empty) { table.files.remove(&key) } else { None };
    drop(table);
    drop(gone);
}

impl Table {
    /// Notes that `waiter` waits for `holder`. EDEADLK if that one waits for it, directly or not.
    fn wait_for(&mut self, waiter: LockOwner, holder: LockOwner) -> Result<(), Errno> {
        // Only processes can be told to be in a ring.
        if matches!(waiter, LockOwner::OpenFile(_)) {
            return Ok(());
        }
        let mut next = holder;
        for _ in 0..MAX_DEADLOCK_ITERATIONS {
            match self.waiting.iter().find(|(waiter, _)| *waiter == next) {
                Some((_, holder)) if *holder == waiter => return Err(Errno::EDEADLK),
                Some((_, holder)) => next = *holder,
                None => break,
            }
        }
        self.waiting.try_reserve(1).map_err(|_| Errno::ENOLCK)?;
        self.waiting.push((waiter, holder));
        Ok(())
    }
}

/// Makes the range of `lock` be of `kind` for its owner, whatever it was; neighbours of one kind become one lock.
fn set_range(ranges: &mut Vec<RangeLock>, lock: RangeLock, kind: Option<LockType>) -> Result<(), Errno> {
    // One lock may be cut into two, and the new one comes.
    ranges.try_reserve(2).map_err(|_| Errno::ENOLCK)?;
    let before = ranges.len();
    let mut new = lock;
    let mut index = 0;
    while index < ranges.len() {
        let old = ranges[index];
        if old.owner != lock.owner {
            index += 1;
        } else if kind == Some(old.kind) && old.touches(&new) {
            new.start = new.start.min(old.start);
            new.end = new.end.max(old.end);
            ranges.swap_remove(index);
        } else if old.overlaps(&lock) {
            ranges.swap_remove(index);
            // What is left on either side does not meet the range again, so the loop ends.
            if old.start < lock.start {
                ranges.push(RangeLock { end: lock.start - 1, ..old });
            }
            if old.end > lock.end {
                ranges.push(RangeLock { start: lock.end + 1, ..old });
            }
        } else {
            index += 1;
        }
    }
    if let Some(kind) = kind {
        ranges.push(RangeLock { kind, ..new });
    }
    if matches!(lock.owner, LockOwner::Process(_)) {
        NR_PROCESS_RANGES.fetch_add(ranges.len().wrapping_sub(before), Ordering::Relaxed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OWNER: LockOwner = LockOwner::OpenFile(1);

    fn lock(start: u64, end: u64) -> RangeLock {
        RangeLock { owner: OWNER, pid: 1, kind: LockType::Shared, start, end }
    }

    proptest! {
        #[test]
        fn ranges_agree_with_a_map_of_bytes(ops in proptest::collection::vec((0u64..40, 0u64..40, 0u8..3), 1..60)) {
            let mut ranges = Vec::new();
            let mut bytes = [None; 80];
            for (start, len, kind) in ops {
                let kind = [None, Some(LockType::Shared), Some(LockType::Exclusive)][usize::from(kind)];
                set_range(&mut ranges, RangeLock { kind: kind.unwrap_or(LockType::Shared), ..lock(start, start + len) }, kind).unwrap();
                bytes[start as usize..=(start + len) as usize].fill(kind);
                for (at, expected) in bytes.iter().enumerate() {
                    let held: Vec<_> = ranges.iter().filter(|held| held.overlaps(&lock(at as u64, at as u64))).collect();
                    prop_assert!(held.len() <= 1);
                    prop_assert_eq!(held.first().map(|held| held.kind), *expected);
                }
                for (i, a) in ranges.iter().enumerate() {
                    for b in &ranges[i + 1..] {
                        prop_assert!(a.kind != b.kind || !a.touches(b), "neighbours of one kind are one lock");
                    }
                }
            }
        }
    }

    #[test]
    fn rings_of_waiting_processes_are_found() {
        let process = LockOwner::Process;
        let mut table = Table { files: BTreeMap::new(), waiting: Vec::new() };
        table.wait_for(process(1), process(2)).unwrap();
        table.wait_for(process(2), process(3)).unwrap();
        assert_eq!(table.wait_for(process(3), process(1)), Err(Errno::EDEADLK));
        table.wait_for(process(3), process(4)).unwrap();
    }
}
