//! What others may know of a task: the accessors that `/proc` uses.

use super::user_mm::UserMm;
use super::{RunState, Task};
use crate::file::{Files, FsInfo};
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

impl Task {
    /// The memory, `None` for a thread of the kernel and for a zombie.
    pub fn memory(&self) -> Option<Arc<UserMm>> {
        self.mm.lock().clone()
    }

    /// Whether `mm` is its memory.
    pub fn uses_memory(&self, mm: &Arc<UserMm>) -> bool {
        self.mm.lock().as_ref().is_some_and(|own| Arc::ptr_eq(own, mm))
    }

    /// The table of open files.
    pub fn open_files(&self) -> Option<Arc<Files>> {
        self.files.lock().clone()
    }

    /// Root and working directory.
    pub fn location(&self) -> Option<Arc<FsInfo>> {
        self.fs.lock().clone()
    }

    /// Most bytes that it has had in memory at a time. May sleep.
    pub fn max_rss_now(&self) -> u64 {
        let now = self.memory().map_or(0, |mm| mm.usage().peak_rss);
        now.max(self.max_rss.load(Ordering::Relaxed))
    }

    /// What it is doing, as the letter that `ps` shows.
    pub fn state_letter(&self) -> u8 {
        match self.state() {
            RunState::Running => b'R',
            RunState::Blocked => b'S',
            RunState::Stopped => b'T',
            RunState::Zombie => b'Z',
        }
    }

    /// When it was made, in nanoseconds since boot.
    pub fn start_time(&self) -> u64 {
        self.start_time
    }

    /// How it ended, once it is a zombie: `wait4`'s status word.
    pub fn exit_status(&self) -> u32 {
        self.exit_status.load(Ordering::Relaxed)
    }

    /// How often it gave up the CPU, and how often that was taken from it.
    pub fn switches(&self) -> (u64, u64) {
        let [voluntary, involuntary] = &self.switches;
        (voluntary.load(Ordering::Relaxed), involuntary.load(Ordering::Relaxed))
    }

    /// The task, which runs, is about to lose the CPU.
    pub(super) fn count_switch(&self) {
        let [voluntary, involuntary] = &self.switches;
        let counter = if self.state() == RunState::Running { involuntary } else { voluntary };
        // Only the task itself counts.
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}
