//! `/proc/PID/status`: what people and programs look up by name (Linux: `proc_pid_status`).

use crate::pseudo::Text;
use abi::Errno;
use mm::types::PageSize;

/// What the file tells about memory; absent for kernel threads and zombies. In bytes.
#[derive(Clone, Debug, Default)]
pub struct MemoryStatus {
    /// Most that was mapped at a time.
    pub peak: u64,
    /// Mapped.
    pub size: u64,
    /// Most that was in memory at a time.
    pub high_water: u64,
    /// In memory: anonymous.
    pub rss_anon: u64,
    /// From files.
    pub rss_file: u64,
    /// Of shared memory.
    pub rss_shmem: u64,
    /// Private writable areas.
    pub data: u64,
    /// The stack.
    pub stack: u64,
    /// The program's code.
    pub exe: u64,
    /// Other code.
    pub lib: u64,
    /// Page tables.
    pub tables: u64,
}

/// The page sizes of a process.
#[derive(Clone, Copy, Debug)]
pub struct PageStatus {
    /// What the process sees.
    pub page_size: PageSize,
    /// Bytes of the granule that hardware walks for it.
    pub live_granule: u64,
    /// Why that is not the process's page size, if it is not.
    pub fallback: Option<&'static str>,
}

/// What the file tells.
#[derive(Clone, Debug)]
pub struct TaskStatus<'a> {
    /// Name.
    pub comm: &'a [u8],
    /// Permissions that new files do not get.
    pub umask: Option<u32>,
    /// State as one letter.
    pub state: u8,
    /// The process.
    pub tgid: u32,
    /// The task.
    pub pid: u32,
    /// Parent.
    pub ppid: u32,
    /// Real, effective, saved and file system user.
    pub uids: [u32; 4],
    /// The same for groups.
    pub gids: [u32; 4],
    /// Slots in the table of open files.
    pub fd_size: u32,
    /// Further groups.
    pub groups: &'a [u32],
    /// Process group.
    pub pgrp: u32,
    /// Session.
    pub session: u32,
    /// Whether it is a thread of the kernel.
    pub kthread: bool,
    /// Memory.
    pub memory: Option<(MemoryStatus, PageStatus)>,
    /// Threads of the process.
    pub threads: u32,
    /// Signals queued, and how many may be.
    pub signals_queued: (u32, u64),
    /// Pending for the task, for the process, blocked, ignored, caught.
    pub signals: [u64; 5],
    /// Capabilities: inheritable, permitted, effective, bounding, ambient.
    pub capabilities: [u64; 5],
    /// `PR_SET_NO_NEW_PRIVS`.
    pub no_new_privs: bool,
    /// CPUs.
    pub cpus: u32,
    /// How often it gave up the CPU, and how often that was taken from it.
    pub switches: (u64, u64),
}

/// The word behind a state's letter (Linux: `task_state_array`).
fn state_name(state: u8) -> &'static str {
    match state {
        b'R' => "running",
        b'S' => "sleeping",
        b'D' => "disk sleep",
        b'T' => "stopped",
        b't' => "tracing stop",
        b'X' => "dead",
        b'Z' => "zombie",
        b'I' => "idle",
        _ => "parked",
    }
}

fn kb(out: &mut Text, name: &str, bytes: u64) -> Result<(), Errno> {
    out.print(format_args!("{name}:\t{:>8} kB\n", bytes >> 10))
}

impl TaskStatus<'_> {
    /// Writes the file.
    pub fn show(&self, out: &mut Text) -> Result<(), Errno> {
        out.push(b"Name:\t")?;
        out.push_escaped(self.comm, b"\n")?;
        out.push(b"\n")?;
        if let Some(umask) = self.umask {
            out.print(format_args!("Umask:\t{umask:04o}\n"))?;
        }
        let state = self.state;
        out.print(format_args!("State:\t{} ({})\n", char::from(state), state_name(state)))?;
        out.print(format_args!("Tgid:\t{}\nNgid:\t0\nPid:\t{}\n", self.tgid, self.pid))?;
        out.print(format_args!("PPid:\t{}\nTracerPid:\t0\n", self.ppid))?;
        for (name, ids) in [("Uid", self.uids), ("Gid", self.gids)] {
            let [real, effective, saved, fs] = ids;
            out.print(format_args!("{name}:\t{real}\t{effective}\t{saved}\t{fs}\n"))?;
        }
        out.print(format_args!("FDSize:\t{}\nGroups:\t", self.fd_size))?;
        for (index, group) in self.groups.iter().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            out.print(format_args!("{gap}{group}"))?;
        }
        out.print(format_args!(" \nNStgid:\t{}\nNSpid:\t{}\n", self.tgid, self.pid))?;
        out.print(format_args!("NSpgid:\t{}\nNSsid:\t{}\n", self.pgrp, self.session))?;
        out.print(format_args!("Kthread:\t{}\n", u32::from(self.kthread)))?;
        if let Some((memory, _)) = &self.memory {
            memory.show(out)?;
        }
        out.print(format_args!("Threads:\t{}\n", self.threads))?;
        out.print(format_args!("SigQ:\t{}/{}\n", self.signals_queued.0, self.signals_queued.1))?;
        let names = ["SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"];
        let capabilities = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
        let masks = names.iter().zip(self.signals).chain(capabilities.iter().zip(self.capabilities));
        for (name, mask) in masks {
            out.print(format_args!("{name}:\t{mask:016x}\n"))?;
        }
        out.print(format_args!("NoNewPrivs:\t{}\n", u32::from(self.no_new_privs)))?;
        out.push(b"Seccomp:\t0\nSeccomp_filters:\t0\n")?;
        out.push(b"Speculation_Store_Bypass:\tnot vulnerable\n")?;
        out.push(b"SpeculationIndirectBranch:\tunknown\n")?;
        let all = u64::MAX.checked_shr(64 - self.cpus.min(64)).unwrap_or(0);
        out.print(format_args!("Cpus_allowed:\t{all:x}\nCpus_allowed_list:\t"))?;
        match self.cpus {
            0 | 1 => out.push(b"0\n")?,
            more => out.print(format_args!("0-{}\n", more - 1))?,
        }
        out.push(b"Mems_allowed:\t1\nMems_allowed_list:\t0\n")?;
        out.print(format_args!("voluntary_ctxt_switches:\t{}\n", self.switches.0))?;
        out.print(format_args!("nonvoluntary_ctxt_switches:\t{}\n", self.switches.1))?;
        self.memory.as_ref().map_or(Ok(()), |(_, pages)| pages.show(out))
    }
}

impl MemoryStatus {
    fn show(&self, out: &mut Text) -> Result<(), Errno> {
        let rss = self.rss_anon + self.rss_file + self.rss_shmem;
        for (name, bytes) in [
            ("VmPeak", self.peak.max(self.size)),
            ("VmSize", self.size),
            ("VmLck", 0),
            ("VmPin", 0),
            ("VmHWM", self.high_water.max(rss)),
            ("VmRSS", rss),
            ("RssAnon", self.rss_anon),
            ("RssFile", self.rss_file),
            ("RssShmem", self.rss_shmem),
            ("VmData", self.data),
            ("VmStk", self.stack),
            ("VmExe", self.exe),
            ("VmLib", self.lib),
            ("VmPTE", self.tables),
            ("VmSwap", 0),
            ("HugetlbPages", 0),
        ] {
            kb(out, name, bytes)?;
        }
        out.push(b"CoreDumping:\t0\nTHP_enabled:\t0\nuntag_mask:\t0xffffffffffffffff\n")
    }
}

impl PageStatus {
    /// Our own lines, behind Linux's.
    fn show(&self, out: &mut Text) -> Result<(), Errno> {
        out.print(format_args!("PageSize:\t{} kB\n", self.page_size.bytes() >> 10))?;
        out.print(format_args!("NativeGranule:\t{} kB\n", self.live_granule >> 10))?;
        match self.fallback {
            Some(reason) => out.print(format_args!("NativeFallback:\t{reason}\n")),
            None => Ok(()),
        }
    }
}
