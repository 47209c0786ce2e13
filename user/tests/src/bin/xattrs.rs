//! Extended attributes of files in memory.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::sys::Result;
use rt::sys::raw::{
    __NR_fgetxattr, __NR_fsetxattr, __NR_getxattr, __NR_lgetxattr, __NR_listxattr, __NR_lsetxattr,
    __NR_removexattr, __NR_setxattr, O_CREAT, O_PATH, O_RDWR,
};
use tests::files::{create, symlink, unlink};
use tests::{Outcome, call, close, equal, fails, good, open};

tests::program!(run);

const PATH: &CStr = c"/tmp/xattrs-test";
const LINK: &CStr = c"/tmp/xattrs-link";
const CREATE: usize = 1;
const REPLACE: usize = 2;

fn set(path: &CStr, name: &CStr, value: &[u8], flags: usize) -> Result {
    let (path, name) = (path.as_ptr() as usize, name.as_ptr() as usize);
    call(__NR_setxattr, [path, name, value.as_ptr() as usize, value.len(), flags])
}

fn get(path: &CStr, name: &CStr, into: &mut [u8]) -> Result {
    let (path, name) = (path.as_ptr() as usize, name.as_ptr() as usize);
    call(__NR_getxattr, [path, name, into.as_mut_ptr() as usize, into.len()])
}

fn remove(path: &CStr, name: &CStr) -> Result {
    call(__NR_removexattr, [path.as_ptr() as usize, name.as_ptr() as usize])
}

fn run(_: rt::Args) -> Outcome {
    let _ = unlink(PATH);
    let _ = unlink(LINK);
    let fd = good!(create(PATH, O_CREAT | O_RDWR, 0o600));
    good!(symlink(PATH, LINK));
    values()?;
    names(fd)?;
    links()?;
    good!(close(fd));
    good!(unlink(PATH));
    good!(unlink(LINK));
    fails!(get(PATH, c"user.a", &mut []), ENOENT);
    Ok(())
}

fn values() -> Outcome {
    let mut buffer = [0; 16];
    fails!(get(PATH, c"user.a", &mut buffer), ENODATA);
    fails!(set(PATH, c"user.a", b"value", REPLACE), ENODATA);
    equal!(set(PATH, c"user.a", b"value", CREATE), Ok(0));
    fails!(set(PATH, c"user.a", b"other", CREATE), EEXIST);
    equal!(get(PATH, c"user.a", &mut buffer), Ok(5));
    equal!(buffer[..5], *b"value");
    equal!(get(PATH, c"user.a", &mut []), Ok(5));
    fails!(get(PATH, c"user.a", &mut buffer[..4]), ERANGE);
    equal!(set(PATH, c"user.a", b"longer value", REPLACE), Ok(0));
    equal!(get(PATH, c"user.a", &mut buffer), Ok(12));
    equal!(set(PATH, c"user.empty", b"", 0), Ok(0));
    equal!(get(PATH, c"user.empty", &mut buffer), Ok(0));
    equal!(set(PATH, c"trusted.t", b"1", 0), Ok(0));
    equal!(remove(PATH, c"user.a"), Ok(0));
    fails!(remove(PATH, c"user.a"), ENODATA);
    fails!(get(PATH, c"user.a", &mut buffer), ENODATA);
    Ok(())
}

fn names(fd: usize) -> Outcome {
    let list = |into: &mut [u8]| {
        call(__NR_listxattr, [PATH.as_ptr() as usize, into.as_mut_ptr() as usize, into.len()])
    };
    let mut buffer = [0; 64];
    let len = good!(list(&mut buffer));
    let has = |name: &[u8]| buffer[..len].split_inclusive(|byte| *byte == 0).any(|found| found == name);
    tests::check!(has(b"user.empty\0") && has(b"trusted.t\0"));
    equal!(list(&mut []), Ok(len));
    fails!(list(&mut [0; 4]), ERANGE);

    let mut long = [b'a'; 300];
    long[..5].copy_from_slice(b"user.");
    long[255] = 0;
    let longest = CStr::from_bytes_until_nul(&long).unwrap_or(c"");
    equal!(set(PATH, longest, b"x", 0), Ok(0));
    let mut long = [b'a'; 300];
    long[299] = 0;
    let too_long = CStr::from_bytes_until_nul(&long).unwrap_or(c"");
    fails!(set(PATH, too_long, b"x", 0), ERANGE);
    fails!(set(PATH, c"", b"x", 0), ERANGE);
    fails!(set(PATH, c"user.", b"x", 0), EINVAL);
    fails!(set(PATH, c"nonsense.name", b"x", 0), EOPNOTSUPP);
    fails!(set(PATH, c"noprefix", b"x", 0), EOPNOTSUPP);
    fails!(set(PATH, c"user.a", b"x", 4), EINVAL);
    fails!(call(__NR_setxattr, [PATH.as_ptr() as usize, c"user.a".as_ptr() as usize, 8, 4, 0]), EFAULT);
    fails!(call(__NR_setxattr, [PATH.as_ptr() as usize, c"user.a".as_ptr() as usize, 8, 65537, 0]), E2BIG);
    fails!(call(__NR_setxattr, [PATH.as_ptr() as usize, 8, 0, 0, 0]), EFAULT);

    let name = c"user.fd".as_ptr() as usize;
    equal!(call(__NR_fsetxattr, [fd, name, b"fd".as_ptr() as usize, 2, 0]), Ok(0));
    equal!(call(__NR_fgetxattr, [fd, name, buffer.as_mut_ptr() as usize, 64]), Ok(2));
    fails!(call(__NR_fsetxattr, [99, name, 0, 0, 0]), EBADF);
    let place = good!(open(PATH, O_PATH));
    fails!(call(__NR_fgetxattr, [place, name, buffer.as_mut_ptr() as usize, 64]), EBADF);
    good!(close(place));
    Ok(())
}

fn links() -> Outcome {
    let mut buffer = [0; 16];
    equal!(get(LINK, c"user.fd", &mut buffer), Ok(2));
    let (link, name) = (LINK.as_ptr() as usize, c"user.fd".as_ptr() as usize);
    fails!(call(__NR_lgetxattr, [link, name, buffer.as_mut_ptr() as usize, 16]), ENODATA);
    fails!(call(__NR_lsetxattr, [link, name, buffer.as_ptr() as usize, 1, 0]), EPERM);
    let trusted = c"trusted.link".as_ptr() as usize;
    equal!(call(__NR_lsetxattr, [link, trusted, b"l".as_ptr() as usize, 1, 0]), Ok(0));
    fails!(get(LINK, c"trusted.link", &mut buffer), ENODATA);
    equal!(call(__NR_lgetxattr, [link, trusted, buffer.as_mut_ptr() as usize, 16]), Ok(1));
    equal!(set(c"/tmp", c"user.dir", b"d", 0), Ok(0));
    equal!(remove(c"/tmp", c"user.dir"), Ok(0));
    fails!(set(c"/dev/null", c"user.device", b"d", 0), EPERM);
    Ok(())
}
