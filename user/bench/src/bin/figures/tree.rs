//! What the kernel costs a listing of many files.

use crate::meter::Meter;
use core::ffi::CStr;
use core::fmt::Write;
use rt::rustix::fd::{AsFd, BorrowedFd};
use rt::rustix::fs::{self, AtFlags, CWD, Mode, OFlags, RawDir};
use rt::sys::{Errno, errno};

const DIRECTORIES: usize = 40;
const FILES: usize = 50;
const ROOT: &CStr = c"/tmp/bench-tree";
/// What a C library looks for whenever a time is printed, and does not find here.
const LOCALTIME: &CStr = c"/etc/localtime";
/// What a C library's `readdir` asks for at a time.
const BUFFER: usize = 32 << 10;

/// A path that grows and shrinks.
#[derive(Clone, Copy)]
struct Text {
    bytes: [u8; 64],
    len: usize,
}

impl Text {
    fn new(start: &CStr) -> Text {
        let mut text = Text { bytes: [0; 64], len: 0 };
        text.push(start.to_bytes());
        text
    }

    fn push(&mut self, part: &[u8]) {
        self.bytes[self.len..self.len + part.len()].copy_from_slice(part);
        self.len += part.len();
        self.bytes[self.len] = 0;
    }

    fn join(mut self, name: &[u8]) -> Text {
        self.push(b"/");
        self.push(name);
        self
    }

    fn path(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }
}

impl Write for Text {
    fn write_str(&mut self, part: &str) -> core::fmt::Result {
        self.push(part.as_bytes());
        Ok(())
    }
}

/// The kernel's instructions for the calls of `ls -lR` on 2,000 files in 40 directories, the second time.
pub fn list(meter: &Meter, name: &str, _: rt::Args) -> Result<(), Errno> {
    make(true)?;
    let result = list_tree(meter, name);
    make(false)?;
    result
}

fn list_tree(meter: &Meter, name: &str) -> Result<(), Errno> {
    walk(Text::new(ROOT))?;
    let (files, took) = meter.count_kernel(|| walk(Text::new(ROOT)));
    assert_eq!(files?, DIRECTORIES + DIRECTORIES * FILES);
    meter.print(name, took, 1);
    Ok(())
}

/// Makes the tree, or removes it.
fn make(exists: bool) -> Result<(), Errno> {
    let make_directory = |path: &Text| fs::mkdirat(CWD, path.path(), Mode::RWXU).map_err(errno);
    let root = Text::new(ROOT);
    if exists {
        make_directory(&root)?;
    }
    for directory in 0..DIRECTORIES {
        let mut path = root;
        let _ = write!(path, "/directory{directory}");
        if exists {
            make_directory(&path)?;
        }
        for file in 0..FILES {
            let mut path = path;
            let _ = write!(path, "/file{file}");
            if exists {
                let flags = OFlags::CREATE | OFlags::WRONLY;
                drop(fs::openat(CWD, path.path(), flags, Mode::RUSR).map_err(errno)?);
            } else {
                fs::unlinkat(CWD, path.path(), AtFlags::empty()).map_err(errno)?;
            }
        }
        if !exists {
            fs::unlinkat(CWD, path.path(), AtFlags::REMOVEDIR).map_err(errno)?;
        }
    }
    if exists { Ok(()) } else { fs::unlinkat(CWD, root.path(), AtFlags::REMOVEDIR).map_err(errno) }
}

/// Lists a directory and those below it as `ls -lR` does; how many names there are.
fn walk(path: Text) -> Result<usize, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let directory = fs::openat(CWD, path.path(), flags, Mode::empty()).map_err(errno)?;
    fs::fstat(&directory).map_err(errno)?;
    let mut below = [None; DIRECTORIES];
    let mut nr_below = 0;
    let files = each_name(directory.as_fd(), |name| {
        let path = path.join(name);
        let stat = fs::statat(CWD, path.path(), AtFlags::SYMLINK_NOFOLLOW).map_err(errno)?;
        if fs::FileType::from_raw_mode(stat.st_mode) == fs::FileType::Directory {
            below[nr_below] = Some(path);
            nr_below += 1;
        }
        let _ = fs::statat(CWD, LOCALTIME, AtFlags::empty());
        Ok(())
    })?;
    drop(directory);
    below.into_iter().flatten().try_fold(files, |files, path| Ok(files + walk(path)?))
}

fn each_name(
    directory: BorrowedFd<'_>,
    mut visit: impl FnMut(&[u8]) -> Result<(), Errno>,
) -> Result<usize, Errno> {
    let mut buffer = [core::mem::MaybeUninit::uninit(); BUFFER];
    let mut entries = RawDir::new(directory, &mut buffer);
    let mut files = 0;
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(errno)?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            visit(name)?;
            files += 1;
        }
    }
    Ok(files)
}
