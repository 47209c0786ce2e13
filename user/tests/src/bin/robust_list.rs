//! Locks of threads that die: the words in the robust list, and the word that is zeroed at the end.
#![no_std]
#![no_main]

use rt::process::{self, Pid};
use rt::sys::raw::{
    __NR_ftruncate, __NR_futex, __NR_get_robust_list, __NR_memfd_create, __NR_set_robust_list,
    CLONE_CHILD_CLEARTID, CLONE_VM, MAP_SHARED,
};
use tests::raw::{peek, peek64, poke64};
use tests::{Outcome, READ_WRITE, anonymous, call, check, equal, fails, good, in_child, mmap, raw};

tests::program!(run);

const WAITERS: u64 = 1 << 31;
const OWNER_DIED: u64 = 1 << 30;

fn run(_: rt::Args) -> Outcome {
    let fd = good!(call(__NR_memfd_create, [c"robust".as_ptr() as usize, 0]));
    good!(call(__NR_ftruncate, [fd, 8192]));
    let at = good!(mmap(0, 8192, READ_WRITE, MAP_SHARED as usize, fd, 0));
    in_child!(|| calls(at));
    lists(at)?;
    circle(at)?;
    cleared_word(at)
}

fn calls(at: usize) -> Outcome {
    fails!(call(__NR_set_robust_list, [at, 23]), EINVAL);
    good!(call(__NR_set_robust_list, [at, 24]));
    let mut told = [0usize; 2];
    let to = told.as_mut_ptr() as usize;
    good!(call(__NR_get_robust_list, [0, to, to + 8]));
    equal!(core::hint::black_box(told), [at, 24]);
    fails!(call(__NR_get_robust_list, [0, 8, to]), EFAULT);
    fails!(call(__NR_get_robust_list, [0, to, 8]), EFAULT);
    fails!(call(__NR_get_robust_list, [0x7fff_fffe, to, to]), ESRCH);
    good!(call(__NR_get_robust_list, [1, to, to + 8]));
    good!(tests::ids::become_user(1000, 1000));
    fails!(call(__NR_get_robust_list, [1, to, to + 8]), EPERM);
    Ok(())
}

/// A lock's word lies 16 bytes behind its entry.
const OFFSET: u64 = 16;

fn lists(at: usize) -> Outcome {
    let (head, first, second, pending) = (at, at + 128, at + 256, at + 384);
    let word = |entry: usize| entry + OFFSET as usize;
    let pid = good!(process::spawn(|| {
        let own = process::getpid() as u64;
        poke64(head, first as u64);
        poke64(head + 8, OFFSET);
        poke64(head + 16, pending as u64);
        poke64(first, second as u64);
        poke64(second, head as u64);
        poke64(word(first), own | WAITERS);
        // Somebody else's by now.
        poke64(word(second), 0x1234);
        poke64(word(pending), own);
        i32::from(call(__NR_set_robust_list, [head, 24]).is_err())
    }));
    // One that waits for the first is woken by the owner's death.
    while peek64(word(first)) & WAITERS == 0 {
        rt::time::sleep_ns(1_000_000);
    }
    good!(process::wait_for(pid));
    equal!(peek64(word(first)), WAITERS | OWNER_DIED);
    equal!(peek64(word(second)), 0x1234);
    equal!(peek64(word(pending)), OWNER_DIED);
    Ok(())
}

/// A list that never ends, or leads nowhere, is left at some point.
fn circle(at: usize) -> Outcome {
    let (head, first) = (at, at + 128);
    for next in [first, 8, usize::MAX - 7, 1 << 62, first + 4] {
        let pid = good!(process::spawn(|| {
            poke64(head, first as u64);
            poke64(head + 8, OFFSET);
            poke64(head + 16, 0);
            poke64(first, next as u64);
            i32::from(call(__NR_set_robust_list, [head, 24]).is_err())
        }));
        equal!(process::wait_for(pid), Ok(process::Ended::Exited(0)));
    }
    Ok(())
}

extern "C" fn end(_: usize) -> i32 {
    rt::time::sleep_ns(30_000_000);
    0
}

fn cleared_word(at: usize) -> Outcome {
    const SIGCHLD: usize = 17;
    const WAIT: usize = 0;
    let word = at + 512;
    poke64(word, 77);
    let stack = good!(anonymous(65536)) + 65536;
    let flags = (CLONE_VM | CLONE_CHILD_CLEARTID) as usize | SIGCHLD;
    let pid = good!(raw::clone([flags, stack, 0, 0, word], end, 0));
    // The end wakes whoever waits for the word to change.
    good!(call(__NR_futex, [word, WAIT, 77, 0, 0, 0]));
    equal!(peek64(word), 0);
    good!(process::wait_for(pid as Pid));
    check!(peek(word) == 0);
    Ok(())
}
