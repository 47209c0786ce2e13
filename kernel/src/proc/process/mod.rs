//! The directory of a process. Mirrors `tgid_base_stuff` of Linux's `fs/proc/base.c`.
//!
//! `status`: numbers about the task, `memory`: its areas, `program`: what it was started with, `links`: where it is and
//! what it has open.

mod links;
mod mem;
mod memory;
mod oom;
mod pagemap;
mod program;
mod status;
mod tables;

pub use memory::writable;

use crate::file::vfs;
use crate::task::{Pid, Task, current, table};
use abi::{CapSet, Errno};
use alloc::sync::{Arc, Weak};
use core::sync::atomic::Ordering::Relaxed;
use fs::inode::{Freshness, Inode};
use fs::kstat::{Dev, Timespec};
use fs::proc::{show_mountinfo, show_mounts};
use fs::pseudo::{Content, Entry, Subject, TableDirectory, Text};
use fs::vfs::{Mount, Path};

/// A process, as long as it is one: its number may be another's later.
#[derive(Clone)]
pub struct Process {
    pid: Pid,
    task: Weak<Task>,
}

static ENTRIES: [Entry<Process>; 26] = [
    Entry { name: "task", mode: 0o555, content: Content::Own(links::threads) },
    Entry { name: "fd", mode: 0o500, content: Content::Own(links::descriptors) },
    Entry { name: "fdinfo", mode: 0o555, content: Content::Own(links::descriptor_infos) },
    Entry { name: "environ", mode: 0o400, content: Content::Pieces(program::show_environ) },
    Entry { name: "auxv", mode: 0o400, content: Content::Text(program::show_auxv) },
    Entry::text("status", status::show_status),
    Entry { name: "personality", mode: 0o400, content: Content::Text(status::show_personality) },
    Entry::text("limits", status::show_limits),
    Entry { name: "comm", mode: 0o644, content: Content::Setting(program::show_comm, program::set_comm) },
    Entry { name: "cmdline", mode: 0o444, content: Content::Pieces(program::show_cmdline) },
    Entry::text("stat", status::show_stat),
    Entry::text("statm", status::show_statm),
    Entry { name: "maps", mode: 0o444, content: Content::Pieces(memory::show_maps) },
    Entry { name: "smaps", mode: 0o444, content: Content::Pieces(memory::show_smaps) },
    Entry::text("smaps_rollup", memory::show_smaps_rollup),
    Entry { name: "cwd", mode: 0o777, content: Content::Place(links::cwd) },
    Entry { name: "root", mode: 0o777, content: Content::Place(links::root) },
    Entry { name: "exe", mode: 0o777, content: Content::Place(links::exe) },
    Entry { name: "pagetables", mode: 0o400, content: Content::Pieces(tables::show_pagetables) },
    Entry { name: "pagemap", mode: 0o400, content: Content::Special(pagemap::open) },
    Entry { name: "mem", mode: 0o600, content: Content::Special(mem::open) },
    Entry::text("oom_score", oom::show_score),
    Entry {
        name: "oom_score_adj",
        mode: 0o644,
        content: Content::Setting(oom::show_score_adj, oom::set_score_adj),
    },
    Entry { name: "oom_adj", mode: 0o644, content: Content::Setting(oom::show_adj, oom::set_adj) },
    Entry::text("mounts", |process, out| show_each_mount(process, out, show_mounts)),
    Entry::text("mountinfo", |process, out| show_each_mount(process, out, show_mountinfo)),
];

/// The entries of `/proc/PID/task/TID`: those of the process but `task` itself.
static THREAD_ENTRIES: &[Entry<Process>] = ENTRIES.split_at(1).1;

impl Process {
    /// The process of `task`.
    pub fn of(task: &Arc<Task>) -> Process {
        Process { pid: task.pid(), task: Arc::downgrade(task) }
    }

    /// The process whose number is `name`, written without leading zeros.
    pub fn find(name: &[u8]) -> Option<Process> {
        table::find(number(name)?).map(|task| Process::of(&task))
    }

    /// Its directory.
    pub fn directory(self) -> Result<Arc<dyn Inode>, Errno> {
        const ROOT_INO: u64 = 1;
        Ok(TableDirectory::new(self, &ENTRIES, ROOT_INO)?)
    }

    /// The task if the caller may look into it, else EACCES (Linux: `ptrace_may_access`).
    fn open(&self) -> Result<Arc<Task>, Errno> {
        let task = self.task()?;
        let caller = current();
        if task.pid() == caller.pid() || caller.has_capability(CapSet::SYS_PTRACE) {
            return Ok(task);
        }
        let (own, other) = (caller.cred(), task.cred());
        let same = [other.uid, other.euid, other.suid].iter().all(|uid| *uid == own.file.uid)
            && [other.gid, other.egid, other.sgid].iter().all(|gid| *gid == own.file.gid);
        let open = task.attributes.dumpable.load(Relaxed) == 1;
        if same && open { Ok(task) } else { Err(Errno::EACCES) }
    }

    /// The task, ESRCH if it has been forgotten.
    fn task(&self) -> Result<Arc<Task>, Errno> {
        table::find(self.pid).filter(|task| Arc::as_ptr(task) == self.task.as_ptr()).ok_or(Errno::ESRCH)
    }
}

/// A number as names in `/proc` have it.
fn number(name: &[u8]) -> Option<u32> {
    let starts_well = matches!(name, [b'0'] | [b'1'..=b'9', ..]);
    if !starts_well || !name.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(name).ok()?.parse().ok()
}

impl Subject for Process {
    fn dev(&self) -> Dev {
        super::origin().0
    }

    fn first_ino(&self) -> u64 {
        (u64::from(self.pid) + 1) << 32
    }

    fn time(&self) -> Timespec {
        super::origin().1
    }

    /// Its effective ids; root's if others may not look into it (Linux: `task_dump_owner`).
    fn owner(&self) -> (u32, u32) {
        match self.task() {
            Ok(task) if task.attributes.dumpable.load(Relaxed) == 1 => {
                let cred = task.cred();
                (cred.euid, cred.egid)
            }
            _ => (0, 0),
        }
    }

    fn freshness(&self) -> Freshness {
        if self.task().is_ok() { Freshness::Current } else { Freshness::Stale }
    }
}

/// A line for each mount that the process can see.
fn show_each_mount(
    process: &Process,
    out: &mut Text,
    show: fn(&Mount, &Path, &mut Text) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let root = process.task()?.location().ok_or(Errno::EINVAL)?.root();
    vfs().mounts().iter().try_for_each(|mount| show(mount, &root, out))
}
