//! Making, removing and renaming names on a file system that can be written, and on one that cannot.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::sys::raw::{
    O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, RENAME_EXCHANGE, RENAME_NOREPLACE,
};
use tests::files::{create, fstat, link, lstat, mkdir, rename, rmdir, symlink, unlink, write};
use tests::{Outcome, close, equal, fails, good, open, read};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    let _ = rmdir(c"/tmp/names");
    good!(mkdir(c"/tmp/names", 0o777));
    equal!(good!(lstat(c"/tmp/names")).mode, 0o040_755);
    good!(tests::call(rt::sys::raw::__NR_chdir, [c"/tmp/names".as_ptr() as usize]));
    files()?;
    directories()?;
    links()?;
    renames()?;
    deleted_while_open()?;
    read_only()?;
    good!(rmdir(c"/tmp/names"));
    fails!(open(c"x", O_CREAT | O_RDWR), ENOENT);
    good!(tests::call(rt::sys::raw::__NR_chdir, [c"/".as_ptr() as usize]));
    Ok(())
}

fn put(path: &CStr, text: &[u8]) -> Outcome {
    let fd = good!(create(path, O_CREAT | O_WRONLY | O_TRUNC, 0o666));
    equal!(write(fd, text), Ok(text.len()));
    good!(close(fd));
    Ok(())
}

fn holds(path: &CStr, text: &[u8]) -> Outcome {
    let fd = good!(open(path, O_RDONLY));
    let mut buffer = [0; 64];
    equal!(read(fd, &mut buffer), Ok(text.len()));
    equal!(buffer[..text.len()], *text);
    good!(close(fd));
    Ok(())
}

fn files() -> Outcome {
    fails!(open(c"a", O_RDWR), ENOENT);
    let fd = good!(create(c"a", O_CREAT | O_EXCL | O_RDONLY, 0o4777));
    equal!(good!(fstat(fd)).mode, 0o104_755);
    fails!(write(fd, b"x"), EBADF);
    good!(close(fd));
    fails!(create(c"a", O_CREAT | O_EXCL, 0o777), EEXIST);
    put(c"a", b"text")?;
    holds(c"a", b"text")?;
    put(c"a", b"x")?;
    holds(c"a", b"x")?;
    fails!(open(c"a/", O_RDONLY), ENOTDIR);
    fails!(create(c"b/", O_CREAT, 0o777), EISDIR);
    fails!(create(c".", O_CREAT, 0o777), EISDIR);
    fails!(create(c"a/b", O_CREAT, 0o777), ENOTDIR);
    fails!(unlink(c"b"), ENOENT);
    fails!(unlink(c"a/"), ENOTDIR);
    fails!(rmdir(c"a"), ENOTDIR);
    good!(unlink(c"a"));
    fails!(lstat(c"a"), ENOENT);
    Ok(())
}

fn directories() -> Outcome {
    good!(mkdir(c"d/", 0o700));
    fails!(mkdir(c"d", 0o700), EEXIST);
    fails!(mkdir(c".", 0o700), EEXIST);
    fails!(mkdir(c"d/x/y", 0o700), ENOENT);
    equal!(good!(lstat(c".")).nlink, 3);
    good!(mkdir(c"d/e", 0o700));
    equal!(good!(lstat(c"d")).nlink, 3);
    equal!(good!(lstat(c"d/e/..")).ino, good!(lstat(c"d")).ino);
    fails!(rmdir(c"d"), ENOTEMPTY);
    fails!(rmdir(c"d/."), EINVAL);
    fails!(rmdir(c"d/e/.."), ENOTEMPTY);
    fails!(unlink(c"d"), EISDIR);
    let fd = good!(open(c"d/e", O_RDONLY | O_DIRECTORY));
    good!(rmdir(c"d/e/"));
    equal!(good!(fstat(fd)).nlink, 0);
    good!(close(fd));
    good!(rmdir(c"d"));
    equal!(good!(lstat(c".")).nlink, 2);
    Ok(())
}

fn links() -> Outcome {
    put(c"a", b"one")?;
    good!(link(c"a", c"b"));
    equal!(good!(lstat(c"a")).nlink, 2);
    equal!(good!(lstat(c"a")).ino, good!(lstat(c"b")).ino);
    fails!(link(c"a", c"b"), EEXIST);
    fails!(link(c".", c"c"), EPERM);
    fails!(link(c"/dev/null", c"c"), EXDEV);
    good!(unlink(c"a"));
    holds(c"b", b"one")?;
    equal!(good!(lstat(c"b")).nlink, 1);
    good!(symlink(c"b", c"s"));
    equal!(good!(lstat(c"s")).mode, 0o120_777);
    equal!(good!(lstat(c"s")).size, 1);
    holds(c"s", b"one")?;
    fails!(symlink(c"b", c"s"), EEXIST);
    fails!(symlink(c"", c"t"), ENOENT);
    // A link is made, not what it points to.
    good!(link(c"s", c"t"));
    equal!(good!(lstat(c"t")).mode, 0o120_777);
    // A file is made where a dangling link points.
    good!(symlink(c"fresh", c"dangling"));
    put(c"dangling", b"two")?;
    holds(c"fresh", b"two")?;
    fails!(create(c"dangling", O_CREAT | O_EXCL, 0o600), EEXIST);
    for name in [c"b", c"s", c"t", c"dangling", c"fresh"] {
        good!(unlink(name));
    }
    Ok(())
}

fn renames() -> Outcome {
    put(c"a", b"A")?;
    put(c"b", b"B")?;
    fails!(rename(c"a", c"b", RENAME_NOREPLACE), EEXIST);
    fails!(rename(c"a", c"c", RENAME_EXCHANGE), ENOENT);
    fails!(rename(c"a", c"c", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
    good!(rename(c"a", c"b", RENAME_EXCHANGE));
    holds(c"a", b"B")?;
    holds(c"b", b"A")?;
    good!(rename(c"a", c"b", 0));
    holds(c"b", b"B")?;
    fails!(lstat(c"a"), ENOENT);
    fails!(rename(c"a", c"b", 0), ENOENT);
    good!(rename(c"b", c"b", 0));
    good!(link(c"b", c"c"));
    // Two names of one file: both stay.
    good!(rename(c"b", c"c", 0));
    equal!(good!(lstat(c"b")).nlink, 2);
    good!(mkdir(c"d", 0o755));
    good!(mkdir(c"d/sub", 0o755));
    good!(mkdir(c"e", 0o755));
    fails!(rename(c"b", c"d", 0), EISDIR);
    fails!(rename(c"d", c"b", 0), ENOTDIR);
    fails!(rename(c"e", c"d", 0), ENOTEMPTY);
    fails!(rename(c"d", c"d/sub/x", 0), EINVAL);
    fails!(rename(c"d/sub", c"d", 0), ENOTEMPTY);
    fails!(rename(c"d/.", c"x", 0), EBUSY);
    fails!(rename(c"b", c"x/", 0), ENOTDIR);
    fails!(rename(c"b", c"/dev/shm/x", 0), EXDEV);
    good!(rename(c"d/sub", c"e", 0));
    good!(rename(c"e", c"d/moved", 0));
    equal!(good!(lstat(c"d/moved/..")).ino, good!(lstat(c"d")).ino);
    equal!(good!(lstat(c".")).nlink, 3);
    good!(rename(c"b", c"d/moved/file", 0));
    holds(c"d/moved/file", b"B")?;
    good!(unlink(c"d/moved/file"));
    good!(unlink(c"c"));
    good!(rmdir(c"d/moved"));
    good!(rmdir(c"d"));
    Ok(())
}

fn deleted_while_open() -> Outcome {
    let fd = good!(create(c"gone", O_CREAT | O_RDWR, 0o600));
    good!(unlink(c"gone"));
    equal!(write(fd, b"still here"), Ok(10));
    equal!(good!(fstat(fd)).nlink, 0);
    put(c"gone", b"another")?;
    let mut buffer = [0; 16];
    equal!(tests::pread(fd, &mut buffer, 0), Ok(10));
    equal!(buffer[..10], *b"still here");
    good!(close(fd));
    good!(unlink(c"gone"));
    Ok(())
}

fn read_only() -> Outcome {
    if !tests::on_granule() {
        return Ok(());
    }
    fails!(create(c"/bin/new", O_CREAT | O_RDWR, 0o666), EROFS);
    fails!(open(c"/bin/cat", O_RDWR), EROFS);
    fails!(open(c"/bin/cat", O_TRUNC), EROFS);
    fails!(mkdir(c"/bin/new", 0o777), EROFS);
    fails!(mkdir(c"/bin/cat", 0o777), EEXIST);
    fails!(unlink(c"/bin/cat"), EROFS);
    fails!(rmdir(c"/bin/nothing"), EROFS);
    fails!(symlink(c"x", c"/bin/new"), EROFS);
    fails!(link(c"/bin/cat", c"/bin/new"), EROFS);
    fails!(rename(c"/bin/cat", c"/bin/new", 0), EROFS);
    Ok(())
}
