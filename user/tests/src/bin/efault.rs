//! Bad pointers in system calls: EFAULT, and the program lives.
#![no_std]
#![no_main]

use rt::sys::raw::*;
use tests::{
    ANONYMOUS, Outcome, READ, READ_WRITE, anonymous, call, check, equal, fails, good, mmap, munmap, open, raw,
};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let hole = good!(anonymous(page));
    good!(munmap(hole, page));
    let none = good!(mmap(0, page, 0, ANONYMOUS, usize::MAX, 0));
    let never = [
        8,
        hole,
        none,
        0xffff_0000_0000_0000,
        0xffff_8000_8000_0000,
        1 << 63,
        usize::MAX - 4095,
        usize::MAX - 7,
    ];

    let file = good!(open(c"/tests/data/pattern", O_RDONLY));
    let directory = good!(open(c"/tests/data/long", O_RDONLY));
    let zero = good!(open(c"/dev/zero", O_RDWR));
    let here = AT_FDCWD as usize;
    let hello = c"/bin/hello".as_ptr() as usize;
    let link = c"/tests/data/to-small".as_ptr() as usize;
    let no_strings = [0usize; 1];
    let empty = no_strings.as_ptr() as usize;

    for bad in never {
        // What the kernel would write.
        fails!(call(__NR_read, [zero, bad, 16]), EFAULT);
        fails!(call(__NR_read, [file, bad, 16]), EFAULT);
        fails!(call(__NR_pread64, [file, bad, 5000, 100]), EFAULT);
        fails!(call(__NR_fstat, [file, bad]), EFAULT);
        fails!(call(__NR_getdents64, [directory, bad, 1024]), EFAULT);
        fails!(call(__NR_clock_gettime, [CLOCK_MONOTONIC as usize, bad]), EFAULT);
        fails!(call(__NR_uname, [bad]), EFAULT);
        // What it would read.
        fails!(call(__NR_write, [1, bad, 16]), EFAULT);
        fails!(call(__NR_nanosleep, [bad, 0]), EFAULT);
        fails!(call(__NR_openat, [here, bad, 0, 0]), EFAULT);
        fails!(call(__NR_execve, [bad, empty, empty]), EFAULT);
        fails!(call(__NR_execve, [hello, bad, empty]), EFAULT);
        fails!(call(__NR_execve, [hello, empty, bad]), EFAULT);
        let list = [bad, 0];
        fails!(call(__NR_execve, [hello, list.as_ptr() as usize, empty]), EFAULT);
        fails!(call(__NR_execve, [hello, empty, list.as_ptr() as usize]), EFAULT);
        // Calls that a kernel may not have yet.
        may_fail_so(call(__NR_newfstatat, [here, hello, bad, 0]))?;
        may_fail_so(call(__NR_newfstatat, [here, bad, good!(anonymous(page)), 0]))?;
        may_fail_so(call(__NR_readlinkat, [here, link, bad, 100]))?;
        may_fail_so(call(__NR_writev, [1, bad, 1]))?;
        may_fail_so(call(__NR_readv, [file, bad, 1]))?;
        may_fail_so(call(__NR_getcwd, [bad, 100]))?;
    }

    // Memory that may only be read isn't written by the kernel either, and stays as it is.
    let fixed = good!(mmap(0, page, READ, ANONYMOUS, usize::MAX, 0));
    equal!(raw::peek(fixed), 0);
    fails!(call(__NR_read, [file, fixed, 16]), EFAULT);
    equal!(raw::peek(fixed), 0);

    at_the_edge(file, zero)?;
    touched_first_by_the_kernel(file)
}

/// Either the error or the kernel's word that it has no such call.
fn may_fail_so(result: rt::sys::Result) -> Outcome {
    match result {
        Err(tests::Errno::EFAULT | tests::Errno::ENOSYS) => Ok(()),
        other => Err(tests::Failure::new(line!(), format_args!("{other:?}, neither EFAULT nor ENOSYS"))),
    }
}

/// A buffer that begins well and ends badly: what fits is moved, or nothing.
fn at_the_edge(file: usize, zero: usize) -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(3 * page));
    good!(munmap(base + 2 * page, page));
    let end = base + 2 * page;
    for fd in [file, zero] {
        let moved = call(__NR_read, [fd, end - 100, 200]);
        check!(matches!(moved, Ok(1..=100) | Err(tests::Errno::EFAULT)), "{moved:?}");
        let moved = call(__NR_read, [fd, end - page, 2 * page]);
        check!(matches!(moved, Ok(n) if n > 0 && n <= page), "{moved:?}");
    }
    // A string must end before its memory does.
    for addr in end - 5..end {
        raw::poke(addr, b'x');
    }
    fails!(call(__NR_openat, [AT_FDCWD as usize, end - 5, 0, 0]), EFAULT);
    raw::poke(end - 1, 0);
    fails!(call(__NR_openat, [AT_FDCWD as usize, end - 5, 0, 0]), ENOENT);
    Ok(())
}

/// Good pointers whose pages aren't there yet: zero pages, file pages, shared ones.
fn touched_first_by_the_kernel(file: usize) -> Outcome {
    let page = rt::page_size();
    let fresh = good!(mmap(0, 4 * page, READ_WRITE, ANONYMOUS, usize::MAX, 0));
    equal!(call(__NR_pread64, [file, fresh + 1, 3 * page, 7]), Ok(3 * page));
    equal!(tests::pattern::difference(raw::bytes(fresh + 1, 3 * page), 7), None);

    let copied = good!(mmap(0, 2 * page, READ_WRITE, tests::PRIVATE, file, 0));
    equal!(call(__NR_pread64, [file, copied + page - 8, 16, 0]), Ok(16));
    equal!(tests::pattern::difference(raw::bytes(copied + page - 8, 16), 0), None);
    equal!(raw::peek(copied), tests::pattern::byte(0));

    // A path that lies in a file mapping nobody has touched.
    let null = good!(open(c"/dev/null", O_WRONLY));
    let mapped = good!(mmap(0, page, READ, tests::PRIVATE, file, 0));
    equal!(call(__NR_write, [null, mapped, page]), Ok(page));

    // After a fork the kernel's writes copy, too.
    raw::poke(fresh, 1);
    tests::in_child!(|| {
        equal!(call(__NR_pread64, [file, fresh, page, 0]), Ok(page));
        Ok(())
    });
    equal!(raw::peek(fresh), 1);
    equal!(tests::pattern::difference(raw::bytes(fresh + 1, page), 7), None);
    Ok(())
}
