//! Numbers about a process: `stat`, `statm`, `status`, `limits`, `personality`. Mirrors Linux's `fs/proc/array.c`.

use super::Process;
use super::memory::MemorySummary;
use crate::drivers::tty::control;
use crate::file::SERIAL;
use crate::platform;
use crate::task::Task;
use crate::task::remote::page_size_of_reader;
use crate::task::rlimit::{NR_RLIMITS, RLIM_INFINITY};
use abi::{Errno, raw};
use fs::proc::{Statm, TaskStat, TaskStatus};
use fs::pseudo::Text;

/// `PF_KTHREAD`, the one flag that others look for.
const PF_KTHREAD: u32 = 0x0020_0000;
/// Whether it never had memory: a thread of the kernel.
fn is_kernel_thread(task: &Task) -> bool {
    task.ppid() == 0 && !task.is_user() && task.pid() != 1
}

/// `/proc/PID/stat`.
pub fn show_stat(process: &Process, out: &mut Text) -> Result<(), Errno> {
    let task = process.task()?;
    let (comm, len) = task.comm();
    let usage = task.usage();
    let children = *task.children_usage.lock();
    let [pending, _] = task.pending_apart();
    let [ignored, caught] = task.process.actions.ignored_and_caught();
    let mut stat = TaskStat {
        pid: task.pid(),
        comm: &comm[..len],
        state: task.state_letter(),
        ppid: task.ppid(),
        pgrp: task.process.pgrp(),
        session: task.process.session(),
        tty_nr: if task.process.has_tty() { SERIAL.encode() } else { 0 },
        tpgid: if task.process.has_tty() { control::foreground_pgrp() as i32 } else { -1 },
        flags: if is_kernel_thread(&task) { PF_KTHREAD } else { 0 },
        min_flt: usage.min_flt,
        cmin_flt: children.min_flt,
        maj_flt: usage.maj_flt,
        cmaj_flt: children.maj_flt,
        utime: usage.cpu_time,
        cutime: children.cpu_time,
        num_threads: 1,
        start_time: task.start_time(),
        rss_limit: task.rlimits.lock()[raw::RLIMIT_RSS as usize].cur,
        signals: [pending.0, task.signals.blocked().0, ignored.0, caught.0],
        exit_signal: task.process.exit_signal().map_or(0, |signal| signal.number()),
        nice: task.attributes.nice().into(),
        exit_code: task.exit_status(),
        ..TaskStat::default()
    };
    if let Some(mm) = task.memory() {
        let summary = MemorySummary::of(&mm);
        let program = mm.program();
        stat.vsize = summary.usage.total_vm;
        stat.rss = summary.usage.resident() / page_size_of_reader().bytes();
        stat.code = program.code.clone();
        stat.data = program.data.clone();
        stat.start_stack = summary.layout.start_stack;
        stat.start_brk = summary.layout.start_brk;
        stat.args = summary.layout.arg_start..summary.layout.arg_end;
        stat.env = summary.layout.env_start..summary.layout.env_end;
    }
    stat.show(out)
}

/// `/proc/PID/statm`.
pub fn show_statm(process: &Process, out: &mut Text) -> Result<(), Errno> {
    let page = page_size_of_reader().bytes();
    let statm = process.task()?.memory().map(|mm| {
        let summary = MemorySummary::of(&mm);
        let code = &mm.program().code;
        Statm {
            size: summary.usage.total_vm / page,
            resident: summary.usage.resident() / page,
            shared: (summary.usage.file + summary.usage.shmem) / page,
            text: (code.end.next_multiple_of(page) - code.start / page * page) / page,
            data: (summary.data + summary.stack) / page,
        }
    });
    statm.unwrap_or_default().show(out)
}

/// `/proc/PID/status`.
pub fn show_status(process: &Process, out: &mut Text) -> Result<(), Errno> {
    let task = process.task()?;
    let (comm, len) = task.comm();
    let cpus = platform::get().cpus.len().min(1) as u32;
    let cred = task.cred();
    let file = &cred.file;
    let [pending, shared] = task.pending_apart();
    let [ignored, caught] = task.process.actions.ignored_and_caught();
    TaskStatus {
        comm: &comm[..len],
        umask: task.location().map(|fs| fs.umask()),
        state: task.state_letter(),
        tgid: task.pid(),
        pid: task.pid(),
        ppid: task.ppid(),
        uids: [cred.uid, cred.euid, cred.suid, file.uid],
        gids: [cred.gid, cred.egid, cred.sgid, file.gid],
        fd_size: task.open_files().map_or(0, |files| files.len().next_multiple_of(64)),
        groups: file.groups.as_deref().unwrap_or(&[]),
        pgrp: task.process.pgrp(),
        session: task.process.session(),
        kthread: is_kernel_thread(&task),
        memory: task.memory().map(|mm| MemorySummary::of(&mm).status(&mm)),
        threads: 1,
        signals_queued: (
            task.queued_signals() as u32,
            task.rlimits.lock()[raw::RLIMIT_SIGPENDING as usize].cur,
        ),
        signals: [pending, shared, task.signals.blocked(), ignored, caught].map(|set| set.0),
        capabilities: [cred.inheritable, cred.permitted, cred.effective(), cred.bounding, cred.ambient]
            .map(|set| set.bits()),
        no_new_privs: cred.no_new_privs,
        cpus,
        switches: task.switches(),
    }
    .show(out)
}

/// `/proc/PID/personality`.
pub fn show_personality(process: &Process, out: &mut Text) -> Result<(), Errno> {
    let task = process.open()?;
    out.print(format_args!("{:08x}\n", task.personality()))
}

/// What `limits` calls the resources, by number, and their units (Linux: `lnames`).
const LIMITS: [(&str, &str); NR_RLIMITS] = [
    ("Max cpu time", "seconds"),
    ("Max file size", "bytes"),
    ("Max data size", "bytes"),
    ("Max stack size", "bytes"),
    ("Max core file size", "bytes"),
    ("Max resident set", "bytes"),
    ("Max processes", "processes"),
    ("Max open files", "files"),
    ("Max locked memory", "bytes"),
    ("Max address space", "bytes"),
    ("Max file locks", "locks"),
    ("Max pending signals", "signals"),
    ("Max msgqueue size", "bytes"),
    ("Max nice priority", ""),
    ("Max realtime priority", ""),
    ("Max realtime timeout", "us"),
];

/// `/proc/PID/limits`.
pub fn show_limits(process: &Process, out: &mut Text) -> Result<(), Errno> {
    let limits = *process.task()?.rlimits.lock();
    out.print(format_args!("{:<25} {:<20} {:<20} {:<10}\n", "Limit", "Soft Limit", "Hard Limit", "Units"))?;
    for (limit, (name, unit)) in limits.iter().zip(LIMITS) {
        out.print(format_args!("{name:<25} "))?;
        for value in [limit.cur, limit.max] {
            match value {
                RLIM_INFINITY => out.print(format_args!("{:<20} ", "unlimited"))?,
                value => out.print(format_args!("{value:<20} "))?,
            }
        }
        match unit {
            "" => out.push(b"\n")?,
            unit => out.print(format_args!("{unit:<10}\n"))?,
        }
    }
    Ok(())
}
