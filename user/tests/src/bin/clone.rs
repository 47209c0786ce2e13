//! clone: what parent and child share when they are asked to, and combinations that make no sense.
#![no_std]
#![no_main]

use rt::process::{self, Ended, Pid};
use rt::sys::raw::*;
use tests::{Outcome, anonymous, call, check, close, equal, fails, good, open, raw};

tests::program!(run);

const SIGCHLD: usize = 17;
const STACK: usize = 64 << 10;

/// A new stack's top.
fn stack() -> Result<usize, tests::Errno> {
    anonymous(STACK).map(|low| low + STACK)
}

fn wait_for(pid: usize) -> Result<Ended, tests::Errno> {
    process::wait_for(pid as Pid)
}

extern "C" fn write_late(at: usize) -> i32 {
    rt::time::sleep_ns(20_000_000);
    raw::poke64(at, 77);
    5
}

/// Answers each even number with the next one, through shared memory alone.
extern "C" fn answer(at: usize) -> i32 {
    for turn in 0..200 {
        while raw::peek64(at) != 2 * turn + 1 {
            core::hint::spin_loop();
        }
        // A page that nobody has touched yet, in turn by one and the other.
        raw::poke64(at + 4096 * (2 * turn as usize + 2), turn);
        raw::poke64(at, 2 * turn + 2);
    }
    0
}

extern "C" fn change_files(fd: usize) -> i32 {
    let closed = close(fd).is_ok();
    let moved = call(__NR_chdir, [c"/etc".as_ptr() as usize]).is_ok();
    i32::from(!(closed && moved))
}

extern "C" fn thread_pointer_is(expected: usize) -> i32 {
    i32::from(raw::thread_pointer() != expected as u64)
}

extern "C" fn own_number_is_at(at: usize) -> i32 {
    i32::from(raw::peek64(at) != process::getpid() as u64)
}

fn run(_: rt::Args) -> Outcome {
    let memory = good!(anonymous(4 << 20));

    // vfork: the parent goes on when the child is done with the memory they share.
    let vfork = (CLONE_VM | CLONE_VFORK) as usize | SIGCHLD;
    let child = good!(raw::clone([vfork, 0, 0, 0, 0], write_late, memory));
    equal!(raw::peek64(memory), 77);
    equal!(wait_for(child), Ok(Ended::Exited(5)));
    // Without shared memory the child's write is its own.
    let child = good!(raw::clone([CLONE_VFORK as usize | SIGCHLD, 0, 0, 0, 0], write_late, memory + 8));
    equal!(raw::peek64(memory + 8), 0);
    equal!(wait_for(child), Ok(Ended::Exited(5)));

    // Both run on the same memory.
    let shared = CLONE_VM as usize | SIGCHLD;
    raw::poke64(memory, 0);
    let child = good!(raw::clone([shared, good!(stack()), 0, 0, 0], answer, memory));
    for turn in 0..200 {
        raw::poke64(memory + 4096 * (2 * turn as usize + 1), turn);
        raw::poke64(memory, 2 * turn + 1);
        while raw::peek64(memory) != 2 * turn + 2 {
            process::getppid();
        }
        equal!(raw::peek64(memory + 4096 * (2 * turn as usize + 2)), turn);
    }
    equal!(wait_for(child), Ok(Ended::Exited(0)));

    files_and_directory()?;
    numbers(memory)?;
    nonsense()
}

fn files_and_directory() -> Outcome {
    let fd = good!(open(c"/etc/motd", O_RDONLY));
    good!(call(__NR_chdir, [c"/".as_ptr() as usize]));
    let child = good!(raw::clone([SIGCHLD, 0, 0, 0, 0], change_files, fd));
    equal!(wait_for(child), Ok(Ended::Exited(0)));
    fails!(open(c"motd", O_RDONLY), ENOENT);
    good!(call(__NR_lseek, [fd, 0, 0]));

    let all = (CLONE_FILES | CLONE_FS) as usize | SIGCHLD;
    let child = good!(raw::clone([all, 0, 0, 0, 0], change_files, fd));
    equal!(wait_for(child), Ok(Ended::Exited(0)));
    good!(close(good!(open(c"motd", O_RDONLY))));
    fails!(call(__NR_lseek, [fd, 0, 0]), EBADF);
    Ok(())
}

fn numbers(memory: usize) -> Outcome {
    let [parent_tid, child_tid] = [memory + 64, memory + 128];
    let set = (CLONE_PARENT_SETTID | CLONE_CHILD_SETTID) as usize | SIGCHLD;
    let child = good!(raw::clone([set, 0, parent_tid, 0, child_tid], own_number_is_at, child_tid));
    equal!(raw::peek64(parent_tid), child as u64);
    equal!(raw::peek64(child_tid), 0);
    equal!(wait_for(child), Ok(Ended::Exited(0)));

    let clear = (CLONE_VM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID) as usize | SIGCHLD;
    let child = good!(raw::clone([clear, good!(stack()), 0, 0, child_tid], write_late, memory));
    equal!(wait_for(child), Ok(Ended::Exited(5)));
    equal!(raw::peek64(child_tid), 0);

    let tls = CLONE_SETTLS as usize | SIGCHLD;
    let child = good!(raw::clone([tls, 0, 0, 0x1234_0000, 0], thread_pointer_is, 0x1234_0000));
    equal!(wait_for(child), Ok(Ended::Exited(0)));
    Ok(())
}

fn nonsense() -> Outcome {
    for flags in [CLONE_THREAD, CLONE_SIGHAND, CLONE_THREAD | CLONE_SIGHAND, CLONE_FS | CLONE_NEWNS] {
        let result = raw::clone([flags as usize | SIGCHLD, 0, 0, 0, 0], thread_pointer_is, 0);
        check!(result == Err(tests::Errno::EINVAL), "flags {flags:#x}: {result:?}");
    }
    fails!(call(__NR_wait4, [usize::MAX, 0, WNOHANG as usize, 0]), ECHILD);
    Ok(())
}
