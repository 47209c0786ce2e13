//! Permissions of files bind whoever is not root: walking, opening, making, removing, attributes, access.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::sys::raw::{
    __NR_chdir, __NR_chroot, __NR_fchmodat, __NR_linkat, __NR_mknodat, __NR_mount, __NR_setfsuid,
    __NR_truncate, __NR_umount2, __NR_utimensat, AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, O_CREAT, O_NOATIME,
    O_PATH, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY,
};
use tests::files::{create, link, lstat, mkdir, rename, rmdir, unlink, write};
use tests::ids::{DAC_OVERRIDE, KEEP, access, become_user, chmod, chown, lower, setgroups, setresuid};
use tests::{Outcome, call, close, equal, fails, good, in_child, open};

tests::program!(run);

const HERE: usize = AT_FDCWD as usize;
const DIR: &CStr = c"/tmp/rights";
const R: usize = 4;
const W: usize = 2;
const X: usize = 1;

fn make(path: &CStr, mode: usize, uid: usize, gid: usize) -> Outcome {
    good!(close(good!(create(path, O_CREAT | O_WRONLY, 0o600))));
    good!(chown(path, uid, gid));
    good!(chmod(path, mode));
    Ok(())
}

fn run(_: rt::Args) -> Outcome {
    good!(mkdir(DIR, 0o755));
    make(c"/tmp/rights/mine", 0o640, 1000, 1000)?;
    make(c"/tmp/rights/group", 0o064, 1, 1000)?;
    make(c"/tmp/rights/further", 0o040, 1, 50)?;
    make(c"/tmp/rights/others", 0o604, 1, 1)?;
    make(c"/tmp/rights/none", 0o000, 0, 0)?;
    good!(mkdir(c"/tmp/rights/closed", 0o700));
    make(c"/tmp/rights/closed/file", 0o777, 0, 0)?;
    good!(mkdir(c"/tmp/rights/listed", 0o744));
    good!(mkdir(c"/tmp/rights/open", 0o777));
    good!(mkdir(c"/tmp/rights/sticky", 0o777));
    good!(chmod(c"/tmp/rights/open", 0o777));
    good!(chmod(c"/tmp/rights/sticky", 0o1777));
    make(c"/tmp/rights/sticky/root's", 0o666, 0, 0)?;

    in_child!(|| {
        good!(setgroups(&[40, 50, 60]));
        good!(tests::ids::setresgid(1000, 1000, 1000));
        good!(setresuid(1000, 1000, 1000));
        opening()?;
        names()?;
        attributes()?;
        administration()
    });
    in_child!(access_asks_about_the_real_ids);
    in_child!(set_id_bits_go);
    in_child!(capabilities_make_root);
    in_child!(file_system_user);

    for file in [c"mine", c"group", c"further", c"others", c"none", c"closed/file", c"sticky/root's"] {
        good!(at(file, unlink));
    }
    for dir in [c"closed", c"listed", c"open", c"sticky"] {
        good!(at(dir, rmdir));
    }
    good!(rmdir(DIR));
    Ok(())
}

/// Does something with a name below [`DIR`].
fn at<R>(name: &CStr, work: impl FnOnce(&CStr) -> R) -> R {
    let mut path = [0u8; 64];
    let (dir, name) = (DIR.to_bytes(), name.to_bytes());
    path[..dir.len()].copy_from_slice(dir);
    path[dir.len()] = b'/';
    path[dir.len() + 1..][..name.len()].copy_from_slice(name);
    work(CStr::from_bytes_until_nul(&path).unwrap_or(DIR))
}

fn opening() -> Outcome {
    let tries = |name, flags| at(name, |path| open(path, flags)).and_then(close);
    good!(tries(c"mine", O_RDWR));
    good!(tries(c"group", O_RDWR));
    good!(tries(c"further", O_RDONLY));
    good!(tries(c"others", O_RDONLY));
    fails!(tries(c"further", O_WRONLY), EACCES);
    fails!(tries(c"others", O_RDWR), EACCES);
    fails!(tries(c"others", O_RDONLY | O_TRUNC), EACCES);
    fails!(tries(c"none", O_RDONLY), EACCES);
    good!(tries(c"none", O_PATH));
    // The last name needs no right to be looked at, but its directory must let one through.
    good!(at(c"none", lstat));
    fails!(at(c"closed/file", lstat), EACCES);
    fails!(tries(c"closed/file", O_RDONLY), EACCES);
    fails!(tries(c"closed/nothing", O_RDONLY), EACCES);
    fails!(tries(c"closed", O_RDONLY), EACCES);
    good!(tries(c"listed", O_RDONLY));
    fails!(tries(c"listed/nothing", O_RDONLY), EACCES);
    fails!(tries(c"others", O_RDONLY | O_NOATIME), EPERM);
    good!(tries(c"mine", O_RDONLY | O_NOATIME));
    fails!(call(__NR_chdir, [c"/tmp/rights/listed".as_ptr() as usize]), EACCES);
    fails!(call(__NR_truncate, [c"/tmp/rights/others".as_ptr() as usize, 0]), EACCES);
    good!(call(__NR_truncate, [c"/tmp/rights/group".as_ptr() as usize, 0]));
    // A file that one makes may be used as asked for, whatever its mode.
    let fd = good!(at(c"open/new", |path| create(path, O_CREAT | O_RDWR, 0o000)));
    good!(write(fd, b"x"));
    good!(close(fd));
    let made = good!(at(c"open/new", lstat));
    equal!((made.uid, made.gid, made.mode), (1000, 1000, 0o100_000));
    fails!(tries(c"open/new", O_RDONLY), EACCES);
    good!(at(c"open/new", unlink));
    Ok(())
}

fn names() -> Outcome {
    fails!(at(c"new", |path| create(path, O_CREAT | O_WRONLY, 0o600)), EACCES);
    fails!(at(c"new", |path| mkdir(path, 0o700)), EACCES);
    fails!(at(c"none", unlink), EACCES);
    fails!(at(c"open", rmdir), EACCES);
    fails!(link(c"/tmp/rights/mine", c"/tmp/rights/two"), EACCES);
    fails!(rename(c"/tmp/rights/mine", c"/tmp/rights/open/mine", 0), EACCES);
    // In a sticky directory one removes what is one's own.
    fails!(at(c"sticky/root's", unlink), EPERM);
    fails!(rename(c"/tmp/rights/sticky/root's", c"/tmp/rights/sticky/x", 0), EPERM);
    good!(at(c"sticky/own", |path| create(path, O_CREAT | O_WRONLY, 0o600)));
    fails!(rename(c"/tmp/rights/sticky/own", c"/tmp/rights/sticky/root's", 0), EPERM);
    good!(rename(c"/tmp/rights/sticky/own", c"/tmp/rights/sticky/mine", 0));
    good!(at(c"sticky/mine", unlink));
    // Devices are made by root; fifos by anybody.
    let node = c"/tmp/rights/open/node".as_ptr() as usize;
    fails!(call(__NR_mknodat, [HERE, node, 0o020_600, 0x103]), EPERM);
    fails!(call(__NR_mknodat, [HERE, node, 0o060_600, 0x103]), EPERM);
    good!(call(__NR_mknodat, [HERE, node, 0o010_600, 0]));
    good!(at(c"open/node", unlink));
    let fd = good!(at(c"mine", |path| open(path, O_PATH)));
    let to = c"/tmp/rights/open/two".as_ptr() as usize;
    let empty = c"".as_ptr() as usize;
    fails!(call(__NR_linkat, [fd, empty, HERE, to, 0]), ENOENT);
    good!(close(fd));
    Ok(())
}

fn attributes() -> Outcome {
    const NOW: u64 = 0x3fff_ffff;
    const OMIT: u64 = 0x3fff_fffe;
    good!(at(c"mine", |path| chmod(path, 0o600)));
    fails!(at(c"others", |path| chmod(path, 0o666)), EPERM);
    fails!(at(c"group", |path| chmod(path, 0o666)), EPERM);
    let set = |name, times: &[u64; 4]| {
        at(name, |path| call(__NR_utimensat, [HERE, path.as_ptr() as usize, times.as_ptr() as usize, 0]))
    };
    let touch = |name| at(name, |path: &CStr| call(__NR_utimensat, [HERE, path.as_ptr() as usize, 0, 0]));
    good!(set(c"mine", &[1, 2, 3, 4]));
    // Whoever may write may set both times to now, and nothing else.
    good!(touch(c"group"));
    good!(set(c"group", &[0, NOW, 0, NOW]));
    fails!(set(c"group", &[1, 2, 3, 4]), EPERM);
    fails!(set(c"group", &[0, NOW, 0, OMIT]), EPERM);
    fails!(touch(c"others"), EACCES);
    fails!(set(c"others", &[1, 2, 3, 4]), EPERM);
    good!(set(c"others", &[0, OMIT, 0, OMIT]));
    // A file is given to a group of its owner, and never to another user.
    good!(at(c"mine", |path| chown(path, KEEP, 60)));
    good!(at(c"mine", |path| chown(path, 1000, 50)));
    good!(at(c"mine", |path| chown(path, KEEP, KEEP)));
    fails!(at(c"mine", |path| chown(path, KEEP, 70)), EPERM);
    fails!(at(c"mine", |path| chown(path, 1001, KEEP)), EPERM);
    fails!(at(c"others", |path| chown(path, KEEP, 1000)), EPERM);
    // Set-group-id only where one belongs.
    good!(at(c"mine", |path| chmod(path, 0o2750)));
    equal!(good!(at(c"mine", lstat)).mode, 0o102_750);
    good!(at(c"mine", |path| chmod(path, 0o640)));
    good!(at(c"mine", |path| chown(path, KEEP, 1000)));
    Ok(())
}

fn administration() -> Outcome {
    let [none, at, kind] = [c"none", c"/tmp/rights/open", c"tmpfs"].map(|text| text.as_ptr() as usize);
    fails!(call(__NR_mount, [none, at, kind, 0, 0]), EPERM);
    fails!(call(__NR_umount2, [at, 0]), EPERM);
    fails!(call(__NR_chroot, [at]), EPERM);
    fails!(call(__NR_chroot, [c"/tmp/rights/closed".as_ptr() as usize]), EACCES);
    fails!(call(__NR_chroot, [c"/tmp/rights/none".as_ptr() as usize]), ENOTDIR);
    Ok(())
}

fn access_asks_about_the_real_ids() -> Outcome {
    // Effectively a user, really root.
    good!(setresuid(KEEP, 1000, KEEP));
    good!(access(c"/tmp/rights/closed/file", R, 0));
    fails!(access(c"/tmp/rights/closed/file", R, AT_EACCESS), EACCES);
    good!(access(c"/tmp/rights/none", R | W, 0));
    fails!(access(c"/tmp/rights/none", R, AT_EACCESS), EACCES);
    // Nobody may execute it.
    fails!(access(c"/tmp/rights/none", X, 0), EACCES);
    good!(setresuid(KEEP, 0, KEEP));
    // And the other way round.
    good!(setresuid(1000, 0, 0));
    fails!(access(c"/tmp/rights/none", R, 0), EACCES);
    good!(access(c"/tmp/rights/none", R, AT_EACCESS));
    fails!(access(c"/tmp/rights/others", W, 0), EACCES);
    fails!(access(c"/tmp/rights/others", 8, 0), EINVAL);
    let fd = good!(open(c"/tmp/rights/none", O_PATH));
    let empty = c"".as_ptr() as usize;
    let number = rt::sys::raw::__NR_faccessat2;
    fails!(call(number, [fd, empty, R, AT_EMPTY_PATH as usize]), EACCES);
    Ok(())
}

fn set_id_bits_go() -> Outcome {
    let path = c"/tmp/rights/mine";
    good!(chmod(path, 0o6777));
    // Root writes, and they stay.
    let fd = good!(open(path, O_WRONLY));
    good!(write(fd, b"1"));
    equal!(good!(lstat(path)).mode, 0o106_777);
    good!(become_user(1001, 1001));
    let fd = good!(open(path, O_WRONLY));
    equal!(good!(lstat(path)).mode, 0o106_777);
    good!(write(fd, b"2"));
    equal!(good!(lstat(path)).mode, 0o100_777);
    in_child!(|| Ok(()));
    Ok(())
}

fn capabilities_make_root() -> Outcome {
    // Without the capability the number 0 is only a number.
    good!(lower(DAC_OVERRIDE));
    good!(lower(2));
    fails!(open(c"/tmp/rights/others", O_WRONLY), EACCES);
    good!(open(c"/tmp/rights/others", O_RDONLY));
    fails!(open(c"/tmp/rights/further", O_RDONLY), EACCES);
    good!(chmod(c"/tmp/rights/further", 0o044));
    good!(open(c"/tmp/rights/further", O_RDONLY));
    good!(lower(3));
    fails!(call(__NR_fchmodat, [HERE, c"/tmp/rights/further".as_ptr() as usize, 0o040]), EPERM);
    Ok(())
}

fn file_system_user() -> Outcome {
    good!(call(__NR_setfsuid, [1000]));
    fails!(open(c"/tmp/rights/none", O_RDONLY), EACCES);
    let fd = good!(create(c"/tmp/rights/open/fs", O_CREAT | O_WRONLY, 0o600));
    equal!(good!(tests::files::fstat(fd)).uid, 1000);
    good!(unlink(c"/tmp/rights/open/fs"));
    good!(call(__NR_setfsuid, [0]));
    good!(open(c"/tmp/rights/none", O_RDONLY));
    Ok(())
}
