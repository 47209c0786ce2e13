//! prlimit64: what it says, what it refuses, and that the limits hold.
#![no_std]
#![no_main]

use rt::sys::raw::{__NR_dup, __NR_prlimit64};
use tests::{ANONYMOUS, Errno, Outcome, READ_WRITE, call, check, dies, equal, fails, good, in_child, mmap};

tests::program!(run);

const STACK: usize = 3;
const NOFILE: usize = 7;
const AS: usize = 9;
const MIB: usize = 1 << 20;
const NO_FD: usize = usize::MAX;

fn get(resource: usize) -> Result<[u64; 2], Errno> {
    let mut limit = [0u64; 2];
    call(__NR_prlimit64, [0, resource, 0, limit.as_mut_ptr() as usize])?;
    Ok(core::hint::black_box(limit))
}

fn set(resource: usize, limit: [u64; 2]) -> Result<usize, Errno> {
    call(__NR_prlimit64, [0, resource, limit.as_ptr() as usize, 0])
}

fn run(_: rt::Args) -> Outcome {
    let [soft, hard] = good!(get(STACK));
    check!(soft <= hard);
    fails!(get(16), EINVAL);
    fails!(set(STACK, [2, 1]), EINVAL);
    fails!(call(__NR_prlimit64, [0, STACK, 1, 0]), EFAULT);
    fails!(call(__NR_prlimit64, [0, STACK, 0, 1]), EFAULT);
    fails!(call(__NR_prlimit64, [usize::MAX >> 1, STACK, 0, 0]), ESRCH);
    equal!(get(STACK), Ok([soft, hard]));

    in_child!(|| {
        good!(set(NOFILE, [5, 5]));
        equal!(get(NOFILE), Ok([5, 5]));
        equal!(call(__NR_dup, [0]), Ok(3));
        equal!(call(__NR_dup, [0]), Ok(4));
        fails!(call(__NR_dup, [0]), EMFILE);
        Ok(())
    });
    in_child!(|| {
        good!(set(AS, [16 * MIB as u64, 16 * MIB as u64]));
        fails!(mmap(0, 32 * MIB, READ_WRITE, ANONYMOUS, NO_FD, 0), ENOMEM);
        good!(mmap(0, MIB, READ_WRITE, ANONYMOUS, NO_FD, 0));
        // Children inherit it.
        in_child!(|| {
            fails!(mmap(0, 32 * MIB, READ_WRITE, ANONYMOUS, NO_FD, 0), ENOMEM);
            Ok(())
        });
        Ok(())
    });
    in_child!(|| {
        // The stack may grow to its new limit at once, and no further.
        good!(set(STACK, [4 * MIB as u64, hard]));
        equal!(deep(2 * MIB / FRAME), 0);
        dies!(SIGSEGV, {
            deep(5 * MIB / FRAME);
        });
        good!(set(STACK, [6 * MIB as u64, hard]));
        equal!(deep(5 * MIB / FRAME), 0);
        Ok(())
    });
    equal!(get(STACK), Ok([soft, hard]));
    Ok(())
}

/// Bytes of stack for one level of [`deep`], at least.
const FRAME: usize = 1024;

#[inline(never)]
fn deep(levels: usize) -> usize {
    let frame = core::hint::black_box([levels as u8; FRAME]);
    if levels == 0 {
        0
    } else {
        deep(levels - 1) + usize::from(core::hint::black_box(&frame)[0] != levels as u8)
    }
}
