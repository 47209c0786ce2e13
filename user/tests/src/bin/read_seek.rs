//! read, pread64, lseek: positions, ends, refusals.
#![no_std]
#![no_main]

use rt::sys::Result;
use rt::sys::raw::{__NR_lseek, __NR_pread64, __NR_read, __NR_write, O_RDONLY, SEEK_CUR, SEEK_END, SEEK_SET};
use tests::pattern::{self, LEN};
use tests::{Outcome, anonymous, call, close, equal, fails, good, open, pread, raw, read};

tests::program!(run);

fn seek(fd: usize, offset: isize, whence: u32) -> Result {
    call(__NR_lseek, [fd, offset as usize, whence as usize])
}

fn run(_: rt::Args) -> Outcome {
    let fd = good!(open(pattern::PATH, O_RDONLY));
    let mut buffer = [0; 10_000];

    // In pieces of odd sizes through the whole file.
    let mut offset = 0;
    for size in [1, 4095, 4097, 9999, 7].into_iter().cycle() {
        let got = good!(read(fd, &mut buffer[..size]));
        equal!(pattern::difference(&buffer[..got], offset), None);
        offset += got;
        if got < size {
            break;
        }
    }
    equal!(offset, LEN);
    equal!(read(fd, &mut buffer), Ok(0));
    equal!(seek(fd, 0, SEEK_CUR), Ok(LEN));

    // pread leaves the position alone.
    equal!(pread(fd, &mut buffer[..100], 4090), Ok(100));
    equal!(pattern::difference(&buffer[..100], 4090), None);
    equal!(seek(fd, 0, SEEK_CUR), Ok(LEN));
    equal!(pread(fd, &mut buffer, LEN - 3), Ok(3));
    equal!(pread(fd, &mut buffer, LEN), Ok(0));
    equal!(pread(fd, &mut buffer, 1 << 40), Ok(0));
    fails!(pread(fd, &mut buffer, usize::MAX), EINVAL);
    fails!(pread(fd, &mut buffer, 1 << 63), EINVAL);

    equal!(seek(fd, 5, SEEK_SET), Ok(5));
    equal!(seek(fd, 10, SEEK_CUR), Ok(15));
    equal!(seek(fd, -15, SEEK_CUR), Ok(0));
    equal!(seek(fd, -1, SEEK_END), Ok(LEN - 1));
    equal!(read(fd, &mut buffer), Ok(1));
    equal!(buffer[0], pattern::byte(LEN - 1));
    fails!(seek(fd, -1, SEEK_SET), EINVAL);
    fails!(seek(fd, -(LEN as isize) - 1, SEEK_END), EINVAL);
    fails!(seek(fd, 0, 99), EINVAL);
    equal!(seek(fd, 0, SEEK_CUR), Ok(LEN));
    // Behind the end one may stand, but there is nothing.
    equal!(seek(fd, 1 << 32, SEEK_SET), Ok(1 << 32));
    equal!(read(fd, &mut buffer), Ok(0));

    lengths(fd)?;
    descriptors(fd)
}

fn lengths(fd: usize) -> Outcome {
    equal!(seek(fd, 0, SEEK_SET), Ok(0));
    equal!(call(__NR_read, [fd, 0, 0]), Ok(0));
    // A length is bad only when somebody looks: the file ends before the buffer does.
    let map = good!(anonymous(LEN + 4096));
    equal!(call(__NR_read, [fd, map, LEN + 4096]), Ok(LEN));
    equal!(pattern::difference(raw::bytes(map, LEN), 0), None);
    equal!(call(__NR_pread64, [fd, map, LEN + 4096, LEN - 10]), Ok(10));
    // So large that it can't be memory of a program.
    fails!(call(__NR_read, [fd, map, usize::MAX]), EFAULT);
    Ok(())
}

fn descriptors(fd: usize) -> Outcome {
    let mut buffer = [0; 8];
    let directory = good!(open(c"/etc", O_RDONLY));
    fails!(read(directory, &mut buffer), EISDIR);
    fails!(pread(directory, &mut buffer, 0), EISDIR);
    fails!(call(__NR_write, [fd, buffer.as_ptr() as usize, 8]), EBADF);
    for bad in [999, usize::MAX, 1 << 32, 1 << 31] {
        // Only 32 bits of a descriptor count, and 0 is one.
        if bad as u32 != 0 {
            fails!(read(bad, &mut buffer), EBADF);
            fails!(pread(bad, &mut buffer, 0), EBADF);
            fails!(seek(bad, 0, SEEK_SET), EBADF);
            fails!(call(__NR_write, [bad, buffer.as_ptr() as usize, 8]), EBADF);
        }
    }
    good!(close(fd));
    fails!(read(fd, &mut buffer), EBADF);

    // A child's descriptors are its own, the position is shared.
    let fd = good!(open(pattern::PATH, O_RDONLY));
    tests::in_child!(|| {
        equal!(seek(fd, 1000, SEEK_SET), Ok(1000));
        good!(close(fd));
        Ok(())
    });
    equal!(seek(fd, 0, SEEK_CUR), Ok(1000));
    Ok(())
}
