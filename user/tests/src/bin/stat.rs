//! fstat: kinds, sizes, modes, identities.
#![no_std]
#![no_main]

use rt::rustix::fs::{FileType, Stat, fstat, major, minor};
use tests::{Errno, Outcome, check, equal, good, open, pattern};

tests::program!(run);

fn stat(path: &core::ffi::CStr) -> Result<Stat, Errno> {
    let fd = open(path, rt::sys::raw::O_RDONLY)?;
    let stat = fstat(rt::io::fd(fd as i32)).map_err(rt::sys::errno);
    tests::close(fd)?;
    stat
}

fn run(_: rt::Args) -> Outcome {
    let file = good!(stat(pattern::PATH));
    check!(FileType::from_raw_mode(file.st_mode) == FileType::RegularFile);
    equal!(file.st_mode & 0o7777, 0o644);
    equal!(file.st_size, pattern::LEN as i64);
    equal!(file.st_nlink, 1);
    equal!((file.st_uid, file.st_gid), (0, 0));
    equal!(file.st_blksize, 4096);
    check!(file.st_blocks * 512 >= file.st_size, "{} blocks", file.st_blocks);
    check!(file.st_ino != 0);

    let same = good!(stat(c"/tests/../tests/data/pattern"));
    equal!((same.st_dev, same.st_ino), (file.st_dev, file.st_ino));
    let other = good!(stat(c"/tests/data/small"));
    check!(other.st_ino != file.st_ino);
    equal!(other.st_dev, file.st_dev);
    equal!(good!(stat(c"/tests/data/empty")).st_size, 0);
    equal!(good!(stat(c"/bin/hello")).st_mode & 0o7777, 0o755);

    let directory = good!(stat(c"/tests"));
    check!(FileType::from_raw_mode(directory.st_mode) == FileType::Directory);
    check!(directory.st_nlink >= 2);
    equal!(good!(stat(c"/root")).st_mode & 0o7777, 0o700);
    equal!(good!(stat(c"/tests/data/to-small")).st_ino, other.st_ino);

    for (path, number) in [(c"/dev/null", 3), (c"/dev/zero", 5), (c"/dev/full", 7)] {
        let device = good!(stat(path));
        check!(FileType::from_raw_mode(device.st_mode) == FileType::CharacterDevice);
        equal!((major(device.st_rdev), minor(device.st_rdev)), (1, number));
        check!(device.st_dev != file.st_dev);
    }
    let Err(errno) = fstat(rt::io::fd(999)) else {
        return Err(tests::Failure::new(line!(), format_args!("fstat(999) succeeded")));
    };
    equal!(rt::sys::errno(errno), Errno::EBADF);
    Ok(())
}
