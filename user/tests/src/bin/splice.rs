//! splice, tee and vmsplice; pipes of packets.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::sys::Result;
use rt::sys::raw::{
    __NR_splice, __NR_tee, __NR_vmsplice, F_GETFL, O_APPEND, O_CREAT, O_DIRECT, O_DIRECTORY, O_RDWR,
    SEEK_CUR, SEEK_SET,
};
use tests::files::{create, fcntl, fstat, lseek, pipe, unlink, write};
use tests::{Outcome, call, check, close, equal, fails, good, open, pread, read};

tests::program!(run);

const PATH: &CStr = c"/tmp/splice-test";
const NONBLOCK: usize = 2;

fn splice(
    from: usize,
    at: Option<&mut u64>,
    to: usize,
    to_at: Option<&mut u64>,
    len: usize,
    flags: usize,
) -> Result {
    let address = |at: Option<&mut u64>| at.map_or(0, |at| core::ptr::from_mut(at) as usize);
    call(__NR_splice, [from, address(at), to, address(to_at), len, flags])
}

fn run(_: rt::Args) -> Outcome {
    let _ = unlink(PATH);
    let file = good!(create(PATH, O_CREAT | O_RDWR, 0o600));
    let (reader, writer) = good!(pipe(0));
    files_and_pipes(file, reader, writer)?;
    pipes(reader, writer)?;
    memory(reader, writer)?;
    refused(file, reader, writer)?;
    for fd in [file, reader, writer] {
        good!(close(fd));
    }
    good!(unlink(PATH));
    packets()?;
    Ok(())
}

fn files_and_pipes(file: usize, reader: usize, writer: usize) -> Outcome {
    equal!(write(file, b"0123456789"), Ok(10));
    equal!(lseek(file, 2, SEEK_SET), Ok(2));
    equal!(splice(file, None, writer, None, 3, 0), Ok(3));
    equal!(lseek(file, 0, SEEK_CUR), Ok(5));
    let mut at = 8;
    equal!(splice(file, Some(&mut at), writer, None, 100, 0), Ok(2));
    equal!((at, lseek(file, 0, SEEK_CUR)), (10, Ok(5)));
    equal!(splice(file, Some(&mut at), writer, None, 100, 0), Ok(0));
    let mut at = 20;
    equal!(splice(reader, None, file, Some(&mut at), 100, 0), Ok(5));
    equal!(at, 25);
    let mut bytes = [9; 25];
    equal!(pread(file, &mut bytes, 0), Ok(25));
    equal!(bytes, *b"0123456789\0\0\0\0\0\0\0\0\0\x0023489");
    fails!(splice(reader, None, file, None, 1, NONBLOCK), EAGAIN);
    Ok(())
}

fn pipes(reader: usize, writer: usize) -> Outcome {
    let (other_reader, other_writer) = good!(pipe(0));
    equal!(write(writer, b"abcdef"), Ok(6));
    equal!(call(__NR_tee, [reader, other_writer, 4, 0]), Ok(4));
    let mut bytes = [0; 8];
    equal!(read(other_reader, &mut bytes), Ok(4));
    equal!(bytes[..4], *b"abcd");
    equal!(splice(reader, None, other_writer, None, 5, 0), Ok(5));
    equal!(read(other_reader, &mut bytes), Ok(5));
    equal!(bytes[..5], *b"abcde");
    equal!(read(reader, &mut bytes), Ok(1));
    equal!(bytes[0], b'f');
    fails!(call(__NR_tee, [reader, other_writer, 4, NONBLOCK]), EAGAIN);
    good!(close(other_writer));
    // At the end of a pipe nothing comes any more.
    equal!(splice(other_reader, None, writer, None, 5, 0), Ok(0));
    equal!(call(__NR_tee, [other_reader, writer, 4, 0]), Ok(0));
    good!(close(other_reader));
    Ok(())
}

fn memory(reader: usize, writer: usize) -> Outcome {
    let (one, two) = (*b"one", *b"two");
    let list = [one.as_ptr() as usize, 3, two.as_ptr() as usize, 3];
    equal!(call(__NR_vmsplice, [writer, list.as_ptr() as usize, 2, 0]), Ok(6));
    let mut bytes = [0u8; 8];
    let list = [bytes.as_mut_ptr() as usize, 8];
    equal!(call(__NR_vmsplice, [reader, list.as_ptr() as usize, 1, 0]), Ok(6));
    equal!(core::hint::black_box(&bytes)[..6], *b"onetwo");
    fails!(call(__NR_vmsplice, [reader, list.as_ptr() as usize, 1025, 0]), EINVAL);
    fails!(call(__NR_vmsplice, [writer, 8, 1, 0]), EFAULT);
    fails!(call(__NR_vmsplice, [99, list.as_ptr() as usize, 1, 0]), EBADF);
    Ok(())
}

fn refused(file: usize, reader: usize, writer: usize) -> Outcome {
    let mut at = 0;
    equal!(splice(99, None, 99, None, 0, 0), Ok(0));
    fails!(splice(99, None, writer, None, 1, 0), EBADF);
    fails!(splice(file, None, 99, None, 1, 0), EBADF);
    fails!(splice(file, None, writer, None, 1, 0x100), EINVAL);
    fails!(splice(file, None, file, None, 1, 0), EINVAL);
    fails!(splice(reader, None, writer, None, 1, 0), EINVAL);
    fails!(splice(reader, Some(&mut at), file, None, 1, 0), ESPIPE);
    fails!(splice(file, None, writer, Some(&mut at), 1, 0), ESPIPE);
    fails!(splice(writer, None, file, None, 1, 0), EBADF);
    fails!(splice(file, None, reader, None, 1, 0), EBADF);
    let append = good!(open(PATH, O_RDWR | O_APPEND));
    equal!(write(writer, b"x"), Ok(1));
    fails!(splice(reader, None, append, None, 1, 0), EINVAL);
    equal!(read(reader, &mut [0]), Ok(1));
    good!(close(append));
    let dir = good!(open(c"/tmp", O_DIRECTORY));
    fails!(splice(dir, None, writer, None, 1, 0), EINVAL);
    good!(close(dir));
    fails!(call(__NR_tee, [reader, writer, 1, 0]), EINVAL);
    fails!(call(__NR_tee, [file, writer, 1, 0]), EINVAL);
    let list = [PATH.as_ptr() as usize, 1];
    fails!(call(__NR_vmsplice, [file, list.as_ptr() as usize, 1, 0]), EBADF);
    equal!(call(__NR_vmsplice, [file, 0, 0, 0]), Ok(0));
    Ok(())
}

fn packets() -> Outcome {
    let (reader, writer) = good!(pipe(O_DIRECT));
    check!(good!(fcntl(writer, F_GETFL, 0)) as u32 & O_DIRECT != 0);
    equal!(write(writer, b"first"), Ok(5));
    equal!(write(writer, b"second"), Ok(6));
    let mut bytes = [0; 16];
    equal!(read(reader, &mut bytes), Ok(5));
    // What a reader has no room for is lost.
    equal!(read(reader, &mut bytes[..3]), Ok(3));
    equal!(bytes[..3], *b"sec");
    equal!(write(writer, b"third"), Ok(5));
    equal!(read(reader, &mut bytes), Ok(5));
    equal!(bytes[..5], *b"third");
    equal!(write(writer, &[7; 6000]), Ok(6000));
    let mut large = [0; 8192];
    // A packet is a page at most.
    let first = tests::kernel_page().min(6000);
    equal!(read(reader, &mut large), Ok(first));
    if first < 6000 {
        equal!(read(reader, &mut large), Ok(6000 - first));
    }
    equal!(good!(fstat(reader)).size, 0);
    good!(close(reader));
    good!(close(writer));
    Ok(())
}
