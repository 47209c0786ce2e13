//! mmap: what it refuses, and how.
#![no_std]
#![no_main]

use rt::sys::raw::{self, MAP_ANONYMOUS, MAP_FIXED_NOREPLACE, MAP_SHARED, O_RDONLY, O_WRONLY};
use tests::{ANONYMOUS, FIXED, Outcome, PRIVATE, READ, READ_WRITE, fails, good, mmap, open};

tests::program!(run);

const NO_FD: usize = usize::MAX;

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let taken = good!(tests::anonymous(page));

    // Lengths.
    fails!(mmap(0, 0, READ, ANONYMOUS, NO_FD, 0), EINVAL);
    fails!(mmap(0, usize::MAX, READ, ANONYMOUS, NO_FD, 0), ENOMEM);
    fails!(mmap(0, 1 << 60, READ, ANONYMOUS, NO_FD, 0), ENOMEM);
    fails!(mmap(0, 0xffff_ffff_f000, READ, ANONYMOUS, NO_FD, 0), ENOMEM);

    // Fixed addresses.
    fails!(mmap(taken + 1, page, READ, ANONYMOUS | FIXED, NO_FD, 0), EINVAL);
    fails!(mmap(usize::MAX & !(page - 1), page, READ, ANONYMOUS | FIXED, NO_FD, 0), ENOMEM);
    fails!(mmap(1 << 60, page, READ, ANONYMOUS | FIXED, NO_FD, 0), ENOMEM);
    fails!(mmap(taken, 1 << 50, READ, ANONYMOUS | FIXED, NO_FD, 0), ENOMEM);
    let exactly_free = ANONYMOUS | MAP_FIXED_NOREPLACE as usize;
    fails!(mmap(taken, page, READ, exactly_free, NO_FD, 0), EEXIST);
    fails!(mmap(taken - page, 3 * page, READ, exactly_free, NO_FD, 0), EEXIST);
    fails!(mmap(taken + 1, page, READ, exactly_free, NO_FD, 0), EINVAL);

    // Neither private nor shared.
    fails!(mmap(0, page, READ, MAP_ANONYMOUS as usize, NO_FD, 0), EINVAL);

    // Files.
    let file = good!(open(c"/tests/data/pattern", O_RDONLY));
    let directory = good!(open(c"/tests", O_RDONLY));
    let write_only = good!(open(c"/dev/null", O_WRONLY));
    let null = good!(open(c"/dev/null", O_RDONLY));
    fails!(mmap(0, page, READ, PRIVATE, NO_FD, 0), EBADF);
    fails!(mmap(0, page, READ, PRIVATE, 999, 0), EBADF);
    fails!(mmap(0, page, READ, 0, file, 0), EINVAL);
    fails!(mmap(0, page, READ, PRIVATE, file, 1), EINVAL);
    fails!(mmap(0, page, READ, PRIVATE, file, 512), EINVAL);
    fails!(mmap(0, 0, READ, PRIVATE, file, 0), EINVAL);
    // Nothing to map is said before what cannot be mapped.
    fails!(mmap(0, 0, READ, PRIVATE, directory, 0), EINVAL);
    fails!(mmap(0, page, READ, PRIVATE, file, 1 << 63), EOVERFLOW);
    fails!(mmap(0, page, READ, PRIVATE, directory, 0), ENODEV);
    fails!(mmap(0, page, READ, PRIVATE, null, 0), ENODEV);
    fails!(mmap(0, page, READ, PRIVATE, write_only, 0), EACCES);
    fails!(mmap(0, page, READ_WRITE, MAP_SHARED as usize, file, 0), EACCES);

    // A read-only shared mapping is allowed, but never becomes writable.
    let shared = good!(mmap(0, page, READ, MAP_SHARED as usize, file, 0));
    fails!(tests::mprotect(shared, page, READ_WRITE), EACCES);
    let unused_bit = raw::MAP_SHARED_VALIDATE as usize | 1 << 25;
    fails!(mmap(0, page, READ, unused_bit, file, 0), EOPNOTSUPP);
    Ok(())
}
