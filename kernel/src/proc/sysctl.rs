//! `/proc/sys`: settings of the kernel, by name. Mirrors Linux's `fs/proc/proc_sysctl.c` and the tables of
//! `kernel/sysctl.c`.
//!
//! A new setting is a line in [`SETTINGS`], in any order; its directories come into being by its name. A flag that the
//! kernel keeps in an atomic:
//!
//! ```text
//! Setting::flag("vm/page_size_strict", &page_size::STRICT),
//! ```
//!
//! Numbers with a range name two functions ([`Setting::number`]). What the command line says as `sysctl.vm.name=value` is
//! set before init starts, as on Linux.

use super::System;
use crate::file::vfs;
use crate::task::{exec, page_size, table};
use crate::{cmdline, frames, memory, random};
use abi::Errno;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use fs::inode::{Freshness, Inode, PageIo};
use fs::io::WriteSource;
use fs::kstat::{FileType, Kstat};
use fs::pseudo::{Attributes, ListDirectory, Listed, Listing, Seq, SeqSource, SpecialFile, Subject, Text};
use mm::types::PAGE_SIZE;

/// Longest value that counts.
const VALUE_MAX: usize = 256;
/// Inode numbers of settings begin here, those of their directories as much further on as there can be settings.
const FIRST_INO: u64 = 1 << 31;
const DIRECTORIES: u64 = 1 << 16;

/// One setting.
pub struct Setting {
    /// Path below `/proc/sys`.
    path: &'static str,
    /// Permission bits.
    mode: u32,
    value: Value,
}

/// How a number is set.
struct SetNumber {
    min: i64,
    max: i64,
    set: fn(i64),
}

enum Value {
    /// A number within a range.
    Number { get: fn() -> i64, set: Option<SetNumber> },
    /// On or off.
    Flag(&'static AtomicBool),
    /// A text that cannot be set.
    Text(fn(&mut Text) -> Result<(), Errno>),
}

impl Setting {
    /// A number from `min` to `max`.
    pub const fn number(
        path: &'static str,
        (min, max): (i64, i64),
        get: fn() -> i64,
        set: fn(i64),
    ) -> Setting {
        Setting { path, mode: 0o644, value: Value::Number { get, set: Some(SetNumber { min, max, set }) } }
    }

    /// A number that only tells.
    pub const fn constant(path: &'static str, get: fn() -> i64) -> Setting {
        Setting { path, mode: 0o444, value: Value::Number { get, set: None } }
    }

    /// 0 or 1.
    pub const fn flag(path: &'static str, flag: &'static AtomicBool) -> Setting {
        Setting { path, mode: 0o644, value: Value::Flag(flag) }
    }

    /// A text that only tells.
    pub const fn text(path: &'static str, show: fn(&mut Text) -> Result<(), Errno>) -> Setting {
        Setting { path, mode: 0o444, value: Value::Text(show) }
    }

    fn show(&self, out: &mut Text) -> Result<(), Errno> {
        match self.value {
            Value::Number { get, .. } => out.print(format_args!("{}\n", get())),
            Value::Flag(flag) => out.print(format_args!("{}\n", u32::from(flag.load(Relaxed)))),
            Value::Text(show) => {
                show(out)?;
                out.push(b"\n")
            }
        }
    }

    /// Takes a value as it is written: EINVAL for what is no number or out of range.
    fn store(&self, value: &[u8]) -> Result<(), Errno> {
        let number = || parse(value).ok_or(Errno::EINVAL);
        match self.value {
            Value::Number { set: Some(SetNumber { min, max, set }), .. } => {
                let number = number()?;
                if !(min..=max).contains(&number) {
                    return Err(Errno::EINVAL);
                }
                set(number);
            }
            Value::Flag(flag) => flag.store(
                match number()? {
                    0 => false,
                    1 => true,
                    _ => return Err(Errno::EINVAL),
                },
                Relaxed,
            ),
            Value::Number { set: None, .. } | Value::Text(_) => return Err(Errno::EINVAL),
        }
        Ok(())
    }
}

/// The first number of a text: decimal, octal or hexadecimal, with blanks around it (Linux: `proc_get_long`).
pub fn parse(text: &[u8]) -> Option<i64> {
    let text = core::str::from_utf8(text).ok()?.trim_matches('\0');
    let word = text.split_ascii_whitespace().next()?;
    let (negative, digits) = match word.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, word),
    };
    let magnitude = match (digits.strip_prefix("0x"), digits.strip_prefix('0')) {
        (Some(hex), _) => i64::from_str_radix(hex, 16),
        (None, Some(octal)) if !octal.is_empty() => i64::from_str_radix(octal, 8),
        _ => digits.parse(),
    }
    .ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

/// What was last written to `drop_caches`.
static DROPPED: AtomicU64 = AtomicU64::new(0);

static SETTINGS: [Setting; 39] = [
    Setting::number("vm/drop_caches", (1, 4), || DROPPED.load(Relaxed) as i64, drop_caches),
    Setting::number(
        "vm/overcommit_memory",
        (0, 1),
        || memory::get().overcommit_always.load(Relaxed).into(),
        |always| memory::get().overcommit_always.store(always == 1, Relaxed),
    ),
    Setting::constant("vm/overcommit_ratio", || 50),
    Setting::constant("vm/overcommit_kbytes", || 0),
    Setting::constant("vm/max_map_count", || mm::vma::MAX_MAP_COUNT as i64),
    Setting::constant("vm/mmap_min_addr", || mm::mm::MMAP_MIN_ADDR as i64),
    Setting::constant("vm/min_free_kbytes", || (frames::reserved() * PAGE_SIZE / 1024) as i64),
    Setting::constant("vm/nr_hugepages", || 0),
    Setting::constant("vm/nr_overcommit_hugepages", || 0),
    Setting::constant("vm/panic_on_oom", || 0),
    Setting::constant("vm/oom_kill_allocating_task", || 0),
    Setting::constant("vm/swappiness", || 0),
    Setting::number("vm/drop_native_tables", (1, 1), || 0, |_| drop_native_tables()),
    Setting::flag("vm/page_size_strict", &page_size::STRICT),
    Setting::flag("vm/page_size_trace", &crate::syscall::PAGE_SIZE_TRACE),
    Setting::constant("kernel/pid_max", || table::PID_MAX.into()),
    Setting::constant("kernel/threads-max", || table::TASKS_MAX as i64),
    Setting::constant("kernel/cap_last_cap", || i64::from(abi::CapSet::COUNT) - 1),
    Setting::constant("kernel/ngroups_max", || 65536),
    Setting::constant("kernel/tainted", || 0),
    Setting::constant("kernel/overflowuid", || 65534),
    Setting::constant("kernel/overflowgid", || 65534),
    Setting::number(
        "kernel/randomize_va_space",
        (0, 2),
        || exec::RANDOMIZE.load(Relaxed).into(),
        |mode| exec::RANDOMIZE.store(mode as u8, Relaxed),
    ),
    Setting::text("kernel/ostype", |out| out.push(b"Linux")),
    Setting::text("kernel/osrelease", |out| out.push(crate::syscall::RELEASE.as_bytes())),
    Setting::text("kernel/version", |out| out.push(crate::syscall::VERSION.as_bytes())),
    Setting::text("kernel/core_pattern", |out| out.push(b"core")),
    Setting::text("kernel/printk", |out| out.push(b"7\t4\t1\t7")),
    Setting::text("kernel/random/boot_id", boot_id),
    Setting::text("kernel/random/uuid", |out| show_uuid(random_uuid(), out)),
    Setting::constant("kernel/random/entropy_avail", || 256),
    Setting::constant("kernel/random/poolsize", || 256),
    Setting::constant("fs/file-max", || i64::MAX),
    Setting::constant("fs/nr_open", || crate::task::rlimit::NR_OPEN as i64),
    Setting::constant("fs/pipe-max-size", || fs::pipe::MAX_CAPACITY as i64),
    Setting::constant("fs/overflowuid", || 65534),
    Setting::constant("fs/overflowgid", || 65534),
    Setting::constant("fs/suid_dumpable", || 0),
    Setting::constant("fs/lease-break-time", || 45),
];

/// Frees the native tables of all processes with larger pages whose memory nobody is just changing; faults make them again.
fn drop_native_tables() {
    memory::get().drop_native_tables();
}

/// 1 drops clean page cache that nobody maps, 2 the names and inodes that are remembered, 3 both; 4 silences a message that
/// is never written here.
fn drop_caches(what: i64) {
    DROPPED.store(what as u64, Relaxed);
    // The files that names keep alive go before their page cache is looked for.
    if what & 2 != 0 {
        vfs().drop_dentries();
    }
    if what & 1 != 0 {
        memory::get().reclaim();
    }
}

fn random_uuid() -> [u8; 16] {
    let mut uuid = [0; 16];
    random::fill(&mut uuid);
    // Version 4, variant 1 of RFC 4122.
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    uuid
}

fn show_uuid(uuid: [u8; 16], out: &mut Text) -> Result<(), Errno> {
    for (index, byte) in uuid.iter().enumerate() {
        let gap = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
        out.print(format_args!("{gap}{byte:02x}"))?;
    }
    Ok(())
}

fn boot_id(out: &mut Text) -> Result<(), Errno> {
    static ID: spin::Once<[u8; 16]> = spin::Once::new();
    show_uuid(*ID.call_once(random_uuid), out)
}

/// Sets what the command line says as `sysctl.vm.name=value`.
pub fn apply_command_line() {
    for (name, value) in cmdline::with_prefix("sysctl.") {
        let same = |setting: &&Setting| setting.path.split('/').eq(name.split(['.', '/']));
        let result = match SETTINGS.iter().find(same) {
            Some(setting) => setting.store(value.as_bytes()),
            None => Err(Errno::ENOENT),
        };
        if let Err(error) = result {
            log::warn!("command line: sysctl.{name}={value}: {error:?}");
        }
    }
}

/// A directory: those settings whose paths begin with this, which is empty or ends in a slash.
#[derive(Clone, Copy)]
struct Directory(&'static str);

/// `/proc/sys`.
pub fn directory(_: &System, attributes: Attributes, parent: u64) -> Result<Arc<dyn Inode>, Errno> {
    Ok(ListDirectory::new(attributes, parent, Directory(""))?)
}

impl Directory {
    /// The part of a setting's path below this directory.
    fn below(self, setting: &Setting) -> Option<&'static str> {
        setting.path.strip_prefix(self.0)
    }
}

impl Listing for Directory {
    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        for (index, setting) in SETTINGS.iter().enumerate() {
            let Some(rest) = self.below(setting) else { continue };
            let first = rest.split('/').next().unwrap_or(rest);
            if first.as_bytes() != name {
                continue;
            }
            let own = index as u64;
            if first.len() == rest.len() {
                return Ok(Arc::new(File(setting, FIRST_INO + own)));
            }
            let prefix = &setting.path[..self.0.len() + first.len() + 1];
            let attributes =
                attributes(FIRST_INO + DIRECTORIES + directory_number(prefix), FileType::Directory, 0o555);
            return Ok(ListDirectory::new(attributes, attributes.ino, Directory(prefix))?);
        }
        Err(Errno::ENOENT)
    }

    fn next(&self, from: u64) -> Result<Option<Listed>, Errno> {
        let first = usize::try_from(from).unwrap_or(usize::MAX);
        for (index, setting) in SETTINGS.iter().enumerate().skip(first) {
            let Some(rest) = self.below(setting) else { continue };
            let mut name = Text::new();
            let component = rest.split('/').next().unwrap_or(rest);
            name.push(component.as_bytes())?;
            if component.len() == rest.len() {
                let (number, ino) = (index as u64, FIRST_INO + index as u64);
                return Ok(Some(Listed { number, ino, file_type: FileType::Regular, name }));
            }
            // A directory is listed where its first setting is.
            let prefix = &setting.path[..self.0.len() + component.len() + 1];
            if directory_number(prefix) == index as u64 {
                let ino = FIRST_INO + DIRECTORIES + index as u64;
                return Ok(Some(Listed { number: index as u64, ino, file_type: FileType::Directory, name }));
            }
        }
        Ok(None)
    }

    fn freshness(&self) -> Freshness {
        Freshness::Stable
    }
}

/// Number of the first setting in the directory.
fn directory_number(prefix: &str) -> u64 {
    SETTINGS.iter().position(|setting| setting.path.starts_with(prefix)).unwrap_or(0) as u64
}

fn attributes(ino: u64, file_type: FileType, mode: u32) -> Attributes {
    let (dev, time) = (System.dev(), System.time());
    Attributes { dev, ino, file_type, mode, nlink: 1, uid: 0, gid: 0, size: 0, time }
}

/// A setting as a file.
struct File(&'static Setting, u64);

impl Inode for File {
    fn file_type(&self) -> FileType {
        FileType::Regular
    }

    fn stat(&self) -> Result<Kstat, Errno> {
        Ok(attributes(self.1, FileType::Regular, self.0.mode).stat())
    }

    fn open_special(&self) -> Result<Option<Arc<dyn SpecialFile>>, Errno> {
        Ok(Some(Seq::open(Opened(self.0))?))
    }

    fn truncate(&self, _: &dyn PageIo, _: u64) -> Result<(), Errno> {
        Ok(())
    }
}

struct Opened(&'static Setting);

impl SeqSource for Opened {
    fn show(&self, _: u64, out: &mut Text) -> Result<Option<u64>, Errno> {
        self.0.show(out).map(|()| None)
    }

    /// A value is one write at the beginning; what follows is taken and forgotten (Linux: `sysctl_writes_strict`).
    fn store(&self, pos: u64, source: &mut dyn WriteSource) -> Result<usize, Errno> {
        let len = source.remaining();
        if pos > 0 || len == 0 {
            return Ok(len);
        }
        let mut value = [0; VALUE_MAX];
        let taken = len.min(value.len());
        if source.take(&mut value[..taken]) < taken {
            return Err(Errno::EFAULT);
        }
        self.0.store(&value[..taken])?;
        Ok(len)
    }
}
