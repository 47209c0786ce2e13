//! Where a process is and what it has open: `cwd`, `root`, `exe`, `fd`, `fdinfo`, `task`. Mirrors Linux's `fs/proc/fd.c`.

use super::{Process, THREAD_ENTRIES, number};
use crate::file::{AtExec, Files};
use abi::{Errno, OpenFlags, Whence};
use alloc::sync::Arc;
use alloc::vec::Vec;
use fs::inode::{Freshness, Inode};
use fs::kstat::{FileType, Kstat};
use fs::pseudo::{
    Attributes, ListDirectory, Listed, Listing, Seq, SeqSource, SpecialFile, Subject, TableDirectory, Text,
};
use fs::vfs::{File, Path};

/// Added to a process's first inode number for its descriptors, in `fd` and in `fdinfo`.
const FD_INO: u64 = 1 << 30;
const FDINFO_INO: u64 = 1 << 31;

/// `/proc/PID/cwd`.
pub fn cwd(process: &Process) -> Result<Path, Errno> {
    Ok(process.open()?.location().ok_or(Errno::ENOENT)?.cwd())
}

/// `/proc/PID/root`.
pub fn root(process: &Process) -> Result<Path, Errno> {
    Ok(process.open()?.location().ok_or(Errno::ENOENT)?.root().as_ref().clone())
}

/// `/proc/PID/exe`. ENOENT for threads of the kernel and zombies.
pub fn exe(process: &Process) -> Result<Path, Errno> {
    Ok(process.open()?.memory().ok_or(Errno::ENOENT)?.program().exe.clone())
}

/// A name in a directory of a process that is gone does not exist.
fn gone(error: Errno) -> Errno {
    if error == Errno::ESRCH { Errno::ENOENT } else { error }
}

/// The directory `task`: a process has one thread.
struct Threads(Process);

/// `/proc/PID/task`.
pub fn threads(process: &Process, attributes: Attributes, parent: u64) -> Result<Arc<dyn Inode>, Errno> {
    Ok(ListDirectory::new(attributes, parent, Threads(process.clone()))?)
}

impl Listing for Threads {
    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        self.0.task().map_err(|_| Errno::ENOENT)?;
        if number(name) != Some(self.0.pid) {
            return Err(Errno::ENOENT);
        }
        Ok(TableDirectory::new(self.0.clone(), THREAD_ENTRIES, self.0.first_ino() + 1)?)
    }

    fn next(&self, from: u64) -> Result<Option<Listed>, Errno> {
        self.0.task().map_err(|_| Errno::ENOENT)?;
        if from > 0 {
            return Ok(None);
        }
        let mut name = Text::new();
        name.print(format_args!("{}", self.0.pid))?;
        let ino = self.0.first_ino() + 1;
        Ok(Some(Listed { number: 0, ino, file_type: FileType::Directory, name }))
    }

    fn freshness(&self) -> Freshness {
        self.0.freshness()
    }
}

/// One descriptor of a process.
#[derive(Clone)]
struct Descriptor {
    process: Process,
    fd: u32,
}

/// What a directory shows of descriptors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    /// Links to the files.
    Link,
    /// Texts about them.
    Info,
}

/// The directories `fd` and `fdinfo`.
struct Descriptors {
    process: Process,
    view: View,
}

/// `/proc/PID/fd`.
pub fn descriptors(process: &Process, attributes: Attributes, parent: u64) -> Result<Arc<dyn Inode>, Errno> {
    Ok(ListDirectory::new(attributes, parent, Descriptors { process: process.clone(), view: View::Link })?)
}

/// `/proc/PID/fdinfo`.
pub fn descriptor_infos(
    process: &Process,
    attributes: Attributes,
    parent: u64,
) -> Result<Arc<dyn Inode>, Errno> {
    Ok(ListDirectory::new(attributes, parent, Descriptors { process: process.clone(), view: View::Info })?)
}

impl Descriptors {
    fn files(&self) -> Result<Option<Arc<Files>>, Errno> {
        Ok(self.process.open().map_err(gone)?.open_files())
    }
}

impl Listing for Descriptors {
    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        let fd = number(name).ok_or(Errno::ENOENT)?;
        let descriptor = Descriptor { process: self.process.clone(), fd };
        descriptor.file()?;
        Ok(match self.view {
            View::Link => Arc::new(Link(descriptor)),
            View::Info => Arc::new(Info(descriptor)),
        })
    }

    fn next(&self, from: u64) -> Result<Option<Listed>, Errno> {
        let Some(files) = self.files()? else { return Ok(None) };
        let open = (from..files.len().into()).find(|&fd| files.get(fd).is_ok());
        let Some(fd) = open else { return Ok(None) };
        let (first, file_type) = match self.view {
            View::Link => (FD_INO, FileType::Symlink),
            View::Info => (FDINFO_INO, FileType::Regular),
        };
        let mut name = Text::new();
        name.print(format_args!("{fd}"))?;
        Ok(Some(Listed { number: fd, ino: self.process.first_ino() + first + fd, file_type, name }))
    }

    fn freshness(&self) -> Freshness {
        self.process.freshness()
    }
}

impl Descriptor {
    /// The open file, ENOENT if there is none.
    fn file(&self) -> Result<Arc<File>, Errno> {
        let task = self.process.open().map_err(gone)?;
        let files = task.open_files().ok_or(Errno::ENOENT)?;
        files.get(self.fd.into()).map_err(|_| Errno::ENOENT)
    }

    fn freshness(&self) -> Freshness {
        if self.file().is_ok() { Freshness::Current } else { Freshness::Stale }
    }

    fn attributes(&self, first_ino: u64, file_type: FileType, mode: u32, size: u64) -> Attributes {
        let (uid, gid) = self.process.owner();
        Attributes {
            dev: self.process.dev(),
            ino: self.process.first_ino() + first_ino + u64::from(self.fd),
            file_type,
            mode,
            nlink: 1,
            uid,
            gid,
            size,
            time: self.process.time(),
        }
    }
}

/// `/proc/PID/fd/N`.
struct Link(Descriptor);

impl Inode for Link {
    fn file_type(&self) -> FileType {
        FileType::Symlink
    }

    /// The permissions tell how the file is open.
    fn stat(&self) -> Result<Kstat, Errno> {
        const SIZE: u64 = 64;
        let file = self.0.file()?;
        let allowed = |on, mode| if on { mode } else { 0 };
        let mode = allowed(file.is_readable(), 0o500) | allowed(file.is_writable(), 0o300);
        Ok(self.0.attributes(FD_INO, FileType::Symlink, mode, SIZE).stat())
    }

    fn readlink(&self) -> Result<Vec<u8>, Errno> {
        self.0.file()?.path().to_full_text()
    }

    fn jump(&self) -> Result<Option<Path>, Errno> {
        Ok(Some(self.0.file()?.path().clone()))
    }

    fn freshness(&self) -> Freshness {
        self.0.freshness()
    }
}

/// `/proc/PID/fdinfo/N`.
struct Info(Descriptor);

impl Inode for Info {
    fn file_type(&self) -> FileType {
        FileType::Regular
    }

    fn stat(&self) -> Result<Kstat, Errno> {
        Ok(self.0.attributes(FDINFO_INO, FileType::Regular, 0o444, 0).stat())
    }

    fn open_special(&self) -> Result<Option<Arc<dyn SpecialFile>>, Errno> {
        Ok(Some(Seq::open(InfoText(self.0.clone()))?))
    }

    fn freshness(&self) -> Freshness {
        self.0.freshness()
    }
}

struct InfoText(Descriptor);

impl SeqSource for InfoText {
    fn show(&self, _: u64, out: &mut Text) -> Result<Option<u64>, Errno> {
        let file = self.0.file()?;
        let pos = file.lseek(0, Whence::Cur).unwrap_or(0);
        let mut flags = file.flags();
        let files = self.0.process.open()?.open_files().ok_or(Errno::ENOENT)?;
        if files.at_exec(self.0.fd.into()) == Ok(AtExec::Close) {
            flags |= OpenFlags::CLOEXEC;
        }
        let (mount, ino) = (file.path().mount.id, file.stat()?.ino);
        let flags = flags.bits();
        out.print(format_args!("pos:\t{pos}\nflags:\t0{flags:o}\nmnt_id:\t{mount}\nino:\t{ino}\n"))?;
        Ok(None)
    }
}
