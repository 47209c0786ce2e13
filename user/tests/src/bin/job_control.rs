//! Process groups, sessions, stopping and going on, orphaned groups, and what parents learn of it.
#![no_std]
#![no_main]

use rt::process::{self, Ended, Pid, getpid, getppid, kill};
use rt::sys::raw::{__NR_getpgid, __NR_getsid, __NR_setpgid, __NR_setsid, __NR_wait4, __NR_waitid};
use rt::sys::signal::{SigAction, SigInfo, SigSet, Signal};
use tests::signal::{SaFlags, code, count, noted};
use tests::{Errno, Outcome, call, check, child, equal, fails, good, in_child, signal};

tests::program!(run);

const NOHANG: usize = 1;
const UNTRACED: usize = 2;
const EXITED: usize = 4;
const CONTINUED: usize = 8;
const NOWAIT: usize = 0x100_0000;
const ALL: usize = 0x4000_0000;
const CLONE: usize = 0x8000_0000;
const MS: u64 = 1_000_000;

fn run(_: rt::Args) -> Outcome {
    in_child!(groups);
    in_child!(sessions);
    in_child!(stopping);
    in_child!(waiting);
    in_child!(waitid_refusals);
    in_child!(child_signals);
    in_child!(no_zombies);
    in_child!(orphans);
    in_child!(reapers);
    Ok(())
}

fn sleeper() -> Result<Pid, Errno> {
    process::spawn(|| {
        rt::time::sleep_ns(60_000_000_000);
        0
    })
}

fn group_of(pid: Pid) -> rt::sys::Result {
    call(__NR_getpgid, [pid as usize])
}

fn session_of(pid: Pid) -> rt::sys::Result {
    call(__NR_getsid, [pid as usize])
}

fn set_group(pid: Pid, group: Pid) -> rt::sys::Result {
    call(__NR_setpgid, [pid as usize, group as usize])
}

/// `wait4`: who and the status word.
fn wait(pid: Pid, options: usize) -> Result<(Pid, u32), Errno> {
    let mut status = 0u64;
    let got = call(__NR_wait4, [pid as usize, (&raw mut status).addr(), options, 0])?;
    Ok((got as Pid, tests::raw::peek64((&raw const status).addr()) as u32))
}

fn end(pid: Pid) -> Outcome {
    good!(kill(pid, 9));
    equal!(process::wait_for(pid), Ok(Ended::Killed(9)));
    Ok(())
}

fn groups() -> Outcome {
    let me = getpid();
    equal!(group_of(0), group_of(me));
    fails!(group_of(-1), ESRCH);
    fails!(group_of(32_000), ESRCH);
    fails!(set_group(0, -1), EINVAL);
    fails!(set_group(-1, 0), EINVAL);
    fails!(set_group(-1, 1), ESRCH);
    fails!(set_group(32_000, 0), ESRCH);
    fails!(set_group(getppid(), 0), ESRCH);
    let child = good!(sleeper());
    equal!(group_of(child), group_of(0));
    good!(set_group(child, 0));
    equal!(group_of(child), Ok(child as usize));
    good!(set_group(0, child));
    equal!(group_of(0), Ok(child as usize));
    good!(set_group(0, 0));
    fails!(set_group(child, 32_000), EPERM);
    // A group lives as long as a member, but nobody joins a group that is gone.
    end(child)?;
    fails!(set_group(0, child), EPERM);
    // A child in another session is out of reach, and so is one that runs another program.
    let child = good!(process::spawn(|| {
        let _ = call(__NR_setsid, []);
        rt::time::sleep_ns(60_000_000_000);
        0
    }));
    while session_of(child) != Ok(child as usize) {
        rt::time::sleep_ns(MS);
    }
    fails!(set_group(child, me), EPERM);
    end(child)?;
    let child = good!(process::spawn(|| {
        let errno = process::execve(
            c"/bin/sleep",
            &[rt::Arg::new(c"sleep"), rt::Arg::new(c"60"), rt::Arg::END],
            &[rt::Arg::END],
        );
        i32::from(errno != Errno::ENOENT)
    }));
    rt::time::sleep_ns(50 * MS);
    match set_group(child, 0) {
        Err(Errno::EACCES) => end(child),
        // There is no such program here.
        _ => process::wait_for(child).map(drop).or(Ok(())),
    }
}

fn sessions() -> Outcome {
    let me = getpid();
    equal!(session_of(0), session_of(me));
    fails!(session_of(32_000), ESRCH);
    equal!(call(__NR_setsid, []), Ok(me as usize));
    equal!((session_of(0), group_of(0)), (Ok(me as usize), Ok(me as usize)));
    fails!(call(__NR_setsid, []), EPERM);
    fails!(set_group(0, 0), EPERM);
    // No terminal controls it.
    fails!(tests::open(c"/dev/tty", 2), ENXIO);
    // The leader of a group can't begin a session either.
    in_child!(|| {
        good!(set_group(0, 0));
        fails!(call(__NR_setsid, []), EPERM);
        Ok(())
    });
    Ok(())
}

fn stopping() -> Outcome {
    let child = good!(sleeper());
    equal!(wait(child, NOHANG | UNTRACED | CONTINUED), Ok((0, 0)));
    good!(kill(child, 19));
    equal!(wait(child, UNTRACED), Ok((child, 0x137f)));
    equal!(wait(child, NOHANG | UNTRACED | CONTINUED), Ok((0, 0)));
    // A stopped process takes signals when it goes on.
    good!(kill(child, 18));
    equal!(wait(child, CONTINUED), Ok((child, 0xffff)));
    good!(kill(child, 19));
    equal!(wait(child, UNTRACED), Ok((child, 0x137f)));
    good!(kill(child, 15));
    rt::time::sleep_ns(20 * MS);
    equal!(wait(child, NOHANG), Ok((0, 0)));
    good!(kill(child, 18));
    equal!(wait(child, 0), Ok((child, 15)));
    // SIGKILL ends a stopped one. The keyboard's signals stop only where this process could let it go on.
    let child = good!(sleeper());
    good!(set_group(child, 0));
    good!(kill(child, 20));
    equal!(wait(child, UNTRACED), Ok((child, 0x147f)));
    good!(kill(child, 9));
    equal!(wait(child, 0), Ok((child, 9)));
    // SIGCONT takes a stop back that waits, and a handler for it is called.
    let child = good!(process::spawn(|| {
        let _ = signal::handle(Signal::SIGCONT, SaFlags::empty());
        let _ = signal::mask(signal::How::Block, SigSet::of(&[Signal::SIGTSTP]));
        let _ = kill(getpid(), 20);
        let _ = kill(getpid(), 18);
        let taken_back = signal::pending() == Ok(SigSet::EMPTY);
        i32::from(!(taken_back && count() == 1))
    }));
    equal!(wait(child, UNTRACED), Ok((child, 0)));
    Ok(())
}

/// `waitid`: the first words of what it tells.
fn wait_id(kind: usize, id: Pid, options: usize) -> Result<[u32; 7], Errno> {
    let mut info = [0u64; 16];
    call(__NR_waitid, [kind, id as usize, info.as_mut_ptr().addr(), options, 0])?;
    let word = |at: usize| (tests::raw::peek64(info.as_ptr().addr() + at / 8 * 8) >> (at % 8 * 8)) as u32;
    Ok([0, 4, 8, 12, 16, 20, 24].map(word))
}

fn waiting() -> Outcome {
    const P_ALL: usize = 0;
    const P_PID: usize = 1;
    const P_PGID: usize = 2;
    let (one, two) = (good!(process::spawn(|| 5)), good!(sleeper()));
    good!(set_group(two, 0));
    equal!(wait_id(P_PID, one, EXITED | NOWAIT), Ok([17, 0, code::CLD_EXITED as u32, 0, one as u32, 0, 5]));
    equal!(wait_id(P_ALL, 0, EXITED), Ok([17, 0, code::CLD_EXITED as u32, 0, one as u32, 0, 5]));
    fails!(wait_id(P_PID, one, EXITED), ECHILD);
    equal!(wait_id(P_PGID, two, EXITED | NOHANG), Ok([0; 7]));
    fails!(wait_id(P_PGID, one, EXITED), ECHILD);
    fails!(wait_id(P_PGID, 0, EXITED), ECHILD);
    good!(kill(two, 19));
    let stopped = [17, 0, code::CLD_STOPPED as u32, 0, two as u32, 0, 19];
    equal!(wait_id(P_PGID, two, UNTRACED | NOWAIT), Ok(stopped));
    equal!(wait_id(P_PGID, two, UNTRACED | EXITED), Ok(stopped));
    good!(kill(two, 18));
    equal!(wait_id(P_PID, two, CONTINUED), Ok([17, 0, code::CLD_CONTINUED as u32, 0, two as u32, 0, 18]));
    good!(kill(two, 9));
    equal!(wait_id(P_PID, two, EXITED), Ok([17, 0, code::CLD_KILLED as u32, 0, two as u32, 0, 9]));

    // wait4 by group: this one's, another's.
    let (mine, other) = (good!(process::spawn(|| 1)), good!(sleeper()));
    good!(set_group(other, 0));
    equal!(wait(0, 0), Ok((mine, 0x100)));
    fails!(wait(0, NOHANG), ECHILD);
    equal!(wait(-other, NOHANG), Ok((0, 0)));
    good!(kill(other, 9));
    equal!(wait(-other, 0), Ok((other, 9)));
    // A child that sends another signal at its end is waited for with __WCLONE or __WALL only.
    let silent = good!(tests::raw::clone([0, 0, 0, 0, 0], quiet, 3)) as Pid;
    fails!(wait(silent, 0), ECHILD);
    equal!(wait(silent, CLONE), Ok((silent, 0x300)));
    good!(signal::ignore(Signal::SIGUSR1));
    let silent = good!(tests::raw::clone([10, 0, 0, 0, 0], quiet, 4)) as Pid;
    equal!(wait(-1, ALL), Ok((silent, 0x400)));
    Ok(())
}

extern "C" fn quiet(status: usize) -> i32 {
    status as i32
}

fn waitid_refusals() -> Outcome {
    fails!(wait_id(0, 0, 0), EINVAL);
    fails!(wait_id(0, 0, NOHANG), EINVAL);
    fails!(wait_id(0, 0, EXITED | 0x80), EINVAL);
    fails!(wait_id(7, 1, EXITED), EINVAL);
    fails!(wait_id(1, 0, EXITED), EINVAL);
    fails!(wait_id(1, -1, EXITED), EINVAL);
    fails!(wait_id(2, -1, EXITED), EINVAL);
    fails!(wait_id(3, 500, EXITED), EBADF);
    fails!(wait_id(0, 0, EXITED), ECHILD);
    fails!(wait(i32::MIN, 0), ESRCH);
    fails!(wait(-1, EXITED), EINVAL);
    Ok(())
}

fn child_signals() -> Outcome {
    good!(signal::handle(Signal::SIGCHLD, SaFlags::RESTART));
    let child = good!(process::spawn(|| 9));
    equal!(process::wait_for(child), Ok(Ended::Exited(9)));
    let got = noted();
    equal!((got.count, got.code, got.pid, got.value as u32), (1, code::CLD_EXITED, child as u32, 9));
    let child = good!(sleeper());
    good!(kill(child, 19));
    equal!(wait(child, UNTRACED), Ok((child, 0x137f)));
    equal!((noted().count, noted().code, noted().value as u32), (2, code::CLD_STOPPED, 19));
    good!(kill(child, 18));
    equal!(wait(child, CONTINUED), Ok((child, 0xffff)));
    // The child tells it itself, when it runs again.
    while count() < 3 {
        rt::time::sleep_ns(MS);
    }
    equal!((noted().count, noted().code, noted().value as u32), (3, code::CLD_CONTINUED, 18));
    // Not with SA_NOCLDSTOP; the end is still told.
    good!(signal::handle(Signal::SIGCHLD, SaFlags::RESTART | SaFlags::NOCLDSTOP));
    good!(kill(child, 19));
    equal!(wait(child, UNTRACED), Ok((child, 0x137f)));
    equal!(count(), 3);
    good!(kill(child, 9));
    equal!(wait(child, 0), Ok((child, 9)));
    equal!((noted().count, noted().code, noted().value as u32), (4, code::CLD_KILLED, 9));
    Ok(())
}

fn no_zombies() -> Outcome {
    good!(signal::ignore(Signal::SIGCHLD));
    let child = good!(process::spawn(|| 9));
    // Waiting lasts until the last child is gone, and finds none.
    fails!(process::wait_for(child), ECHILD);
    fails!(kill(child, 0), ESRCH);
    good!(signal::handle(Signal::SIGCHLD, SaFlags::NOCLDWAIT | SaFlags::RESTART));
    let child = good!(process::spawn(|| 9));
    fails!(process::wait_for(child), ECHILD);
    equal!((count(), noted().pid), (1, child as u32));
    // An ignored signal is still ignored in a new program's eyes; a handler is not: see the action of a child.
    let action = good!(signal::action_of(Signal::SIGCHLD));
    check!(action.handler > SigAction::SIG_IGN && SigInfo::SIZE == 128);
    Ok(())
}

/// What a grandchild found, as its exit status can't reach us: written here by way of a pipe's length.
fn orphans() -> Outcome {
    // A stopped child whose group is orphaned by its parent's end gets SIGHUP, then SIGCONT.
    let mut ends = [0u64; 1];
    good!(call(rt::sys::raw::__NR_pipe2, [ends.as_mut_ptr().addr(), 0]));
    let word = tests::raw::peek64(ends.as_ptr().addr());
    let (reader, writer) = (word as u32 as usize, (word >> 32) as usize);
    let parent = good!(process::spawn(|| {
        let stopped = process::spawn(|| {
            let _ = set_group(0, 0);
            let _ = signal::handle(Signal::SIGHUP, SaFlags::empty());
            let _ = signal::handle(Signal::SIGCONT, SaFlags::empty());
            let _ = kill(getpid(), 19);
            let byte = [count() as u8];
            let _ = call(rt::sys::raw::__NR_write, [writer, byte.as_ptr().addr(), 1]);
            // Nobody could let it go on, so the keyboard's signals stop it no more.
            let _ = kill(getpid(), 20);
            let _ = call(rt::sys::raw::__NR_write, [writer, byte.as_ptr().addr(), 1]);
            0
        });
        let Ok(stopped) = stopped else { return 1 };
        i32::from(wait(stopped, UNTRACED) != Ok((stopped, 0x137f)))
    }));
    equal!(process::wait_for(parent), Ok(Ended::Exited(0)));
    let mut byte = [0];
    for _ in 0..2 {
        equal!(tests::read(reader, &mut byte), Ok(1));
        equal!(byte[0], 2);
    }
    equal!(child::run(|| 0), Ok(Ended::Exited(0)));
    Ok(())
}

fn reapers() -> Outcome {
    const PR_SET_PDEATHSIG: usize = 1;
    const PR_SET_CHILD_SUBREAPER: usize = 36;
    let prctl = |option, value| call(rt::sys::raw::__NR_prctl, [option, value]);
    good!(prctl(PR_SET_CHILD_SUBREAPER, 1));
    // A grandchild becomes this process's child when its parent ends, and is killed then as it wanted.
    let parent = good!(process::spawn(|| {
        let started = process::spawn(|| {
            let asked = prctl(PR_SET_PDEATHSIG, 10).is_ok();
            rt::time::sleep_ns(10_000_000_000);
            i32::from(asked)
        });
        rt::time::sleep_ns(50 * MS);
        i32::from(started.is_err())
    }));
    equal!(process::wait_for(parent), Ok(Ended::Exited(0)));
    let (orphan, status) = good!(wait(-1, 0));
    equal!(status, 10);
    check!(orphan > parent);
    Ok(())
}
