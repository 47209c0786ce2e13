//! The one-shot timers that are armed, in order of their deadlines. No machine in here.

use abi::Errno;
use alloc::vec::Vec;

/// What a timer calls, with the value given when it was armed. Runs in interrupt context.
pub type Callback = fn(data: u64);

/// Names an armed timer. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerId {
    deadline: u64,
    sequence: u64,
}

struct Entry {
    id: TimerId,
    callback: Callback,
    data: u64,
}

/// Armed timers, the last one to fire first, so that the next one is popped off the end.
pub struct Queue {
    entries: Vec<Entry>,
    sequence: u64,
}

impl Queue {
    /// No timers.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), sequence: 0 }
    }

    /// Adds a timer. Equal deadlines fire in the order of arming.
    pub fn insert(&mut self, deadline: u64, callback: Callback, data: u64) -> Result<TimerId, Errno> {
        self.entries.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.sequence += 1;
        let id = TimerId { deadline, sequence: self.sequence };
        let at = self.position(id);
        self.entries.insert(at, Entry { id, callback, data });
        Ok(id)
    }

    /// Takes a timer out; false if it is not there.
    pub fn remove(&mut self, id: TimerId) -> bool {
        let at = self.position(id);
        let found = self.entries.get(at).is_some_and(|entry| entry.id == id);
        if found {
            self.entries.remove(at);
        }
        found
    }

    /// When the next timer fires.
    pub fn first_deadline(&self) -> Option<u64> {
        self.entries.last().map(|entry| entry.id.deadline)
    }

    /// Takes out the next timer if its time has come.
    pub fn pop_due(&mut self, now: u64) -> Option<(Callback, u64)> {
        if self.first_deadline()? > now {
            return None;
        }
        self.entries.pop().map(|entry| (entry.callback, entry.data))
    }

    /// Index of the first entry that fires at or before `id`.
    fn position(&self, id: TimerId) -> usize {
        let key = |id: TimerId| (id.deadline, id.sequence);
        self.entries.partition_point(|entry| key(entry.id) > key(id))
    }
}
