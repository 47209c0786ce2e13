//! Random system calls with random arguments, the same in each run: whatever becomes of those who make them, the system lives.
//!
//! The calls are made by children, as a user without rights, in a directory of its own, with limits. Left out is what would
//! end or stop others than the caller, the terminal, and the return from a signal, which nobody survives. An argument is how
//! many children there are.
#![no_std]
#![no_main]

use rt::process::{self, Ended, Pid, Wait};
use rt::sys::raw::*;
use rt::sys::signal::{SaFlags, Signal};
use tests::ids::{become_user, chown};
use tests::{
    ANONYMOUS, Errno, Failure, Outcome, READ, READ_WRITE, Random, anonymous, call, check, close, equal,
    files, good, mmap, munmap, open, signal,
};

tests::program!(run);

const DIR: &core::ffi::CStr = c"/tmp/random";
const CALLS_EACH: usize = 400;
/// A child that goes on for longer is killed.
const PATIENCE_NS: u64 = 1_500_000_000;
const SIGKILL: i32 = 9;
const MIB: u64 = 1 << 20;

#[rustfmt::skip]
const CALLS: &[u32] = &[
    __NR_getpid, __NR_gettid, __NR_getppid, __NR_execve, __NR_wait4, __NR_waitid, __NR_setpgid, __NR_getpgid,
    __NR_setsid, __NR_getsid, __NR_vhangup, __NR_set_tid_address, __NR_futex, __NR_set_robust_list,
    __NR_get_robust_list, __NR_rseq, __NR_getrusage, __NR_personality, __NR_prlimit64, __NR_prctl, __NR_getuid,
    __NR_geteuid, __NR_getgid, __NR_getegid, __NR_setuid, __NR_setgid, __NR_setreuid, __NR_setregid,
    __NR_setresuid, __NR_setresgid, __NR_getresuid, __NR_getresgid, __NR_setfsuid, __NR_setfsgid,
    __NR_getgroups, __NR_setgroups, __NR_capget, __NR_capset, __NR_sched_yield, __NR_sched_setscheduler,
    __NR_sched_getscheduler, __NR_sched_setparam, __NR_sched_getparam, __NR_sched_setattr, __NR_sched_getattr,
    __NR_sched_get_priority_max, __NR_sched_get_priority_min, __NR_sched_rr_get_interval,
    __NR_sched_getaffinity, __NR_sched_setaffinity, __NR_getcpu, __NR_setpriority, __NR_getpriority,
    __NR_ioprio_set, __NR_ioprio_get, __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_rt_sigpending,
    __NR_rt_sigsuspend, __NR_rt_sigtimedwait, __NR_sigaltstack, __NR_restart_syscall,
    __NR_brk, __NR_mmap, __NR_munmap, __NR_mprotect, __NR_mremap, __NR_madvise, __NR_openat, __NR_openat2,
    __NR_fallocate, __NR_close, __NR_read, __NR_pread64, __NR_readv, __NR_write, __NR_writev, __NR_lseek,
    __NR_fstat, __NR_newfstatat, __NR_readlinkat, __NR_getdents64, __NR_dup, __NR_dup3, __NR_getcwd, __NR_chdir,
    __NR_chroot, __NR_fchdir, __NR_umask, __NR_pwrite64, __NR_preadv, __NR_pwritev, __NR_preadv2, __NR_pwritev2,
    __NR_sendfile, __NR_copy_file_range, __NR_fcntl, __NR_close_range, __NR_pipe2, __NR_memfd_create,
    __NR_ppoll, __NR_mkdirat, __NR_mknodat, __NR_symlinkat, __NR_linkat, __NR_unlinkat, __NR_renameat,
    __NR_renameat2, __NR_truncate, __NR_ftruncate, __NR_fchmod, __NR_fchmodat, __NR_fchmodat2, __NR_fchown,
    __NR_fchownat, __NR_utimensat, __NR_faccessat, __NR_faccessat2, __NR_statx, __NR_statfs, __NR_fstatfs,
    __NR_mount, __NR_umount2, __NR_sync, __NR_fsync, __NR_fdatasync, __NR_syncfs, __NR_sync_file_range,
    __NR_fadvise64, __NR_readahead, __NR_flock, __NR_pselect6, __NR_clock_gettime, __NR_clock_getres,
    __NR_nanosleep, __NR_clock_nanosleep, __NR_gettimeofday, __NR_settimeofday, __NR_clock_settime, __NR_times,
    __NR_setitimer, __NR_getitimer, __NR_timer_create, __NR_timer_settime, __NR_timer_gettime,
    __NR_timer_getoverrun, __NR_timer_delete, __NR_uname, __NR_sysinfo, __NR_getrandom,
];

const TEXTS: [&core::ffi::CStr; 8] = [c"a", c"b", c"d", c"d/e", c"", c".", c"../random/a", c"no/such/name"];

fn run(args: rt::Args) -> Outcome {
    let digits = args.get(1).map(core::ffi::CStr::to_bytes).unwrap_or(b"24");
    let children = digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit.wrapping_sub(b'0')));
    good!(files::mkdir(DIR, 0o777));
    good!(chown(DIR, 4242, 4242));
    for seed in 1..=children {
        let child = good!(process::spawn(|| random_calls(Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)))));
        wait_for(child)?;
    }
    // What it left, as far as one level of names goes.
    for name in [c"/tmp/random/a", c"/tmp/random/b", c"/tmp/random/d/e"] {
        let _ = files::unlink(name);
        let _ = files::rmdir(name);
    }
    let _ = files::rmdir(c"/tmp/random/d");
    let _ = files::unlink(c"/tmp/random/d");
    let _ = files::rmdir(DIR);
    // The system does what it did before.
    for _ in 0..10 {
        equal!(tests::child::run(|| 7), Ok(Ended::Exited(7)));
    }
    let fd = good!(open(c"/etc/motd", O_RDONLY));
    check!(good!(tests::read(fd, &mut [0; 64])) > 0);
    good!(close(fd));
    let memory = good!(anonymous(1 << 20));
    good!(munmap(memory, 1 << 20));
    Ok(())
}

/// Waits for the end of a child, and brings it about if it takes too long.
fn wait_for(child: Pid) -> Outcome {
    let start = rt::time::monotonic_ns();
    loop {
        match process::wait(child, Wait::Poll) {
            Ok(Some(_)) => return Ok(()),
            Ok(None) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Failure::new(line!(), format_args!("child {child}: {errno}"))),
        }
        if rt::time::monotonic_ns() - start > PATIENCE_NS {
            good!(process::kill(child, SIGKILL));
            good!(process::wait_for(child));
            return Ok(());
        }
        rt::time::sleep_ns(2_000_000);
    }
}

/// In a child.
fn random_calls(mut random: Random) -> i32 {
    let Ok(pool) = prepare() else { return 1 };
    for _ in 0..CALLS_EACH {
        let number = CALLS[random.number() as usize % CALLS.len()];
        let args: [usize; 6] = core::array::from_fn(|_| argument(&mut random, &pool));
        let _ = call(number, args);
    }
    0
}

/// Where pointers lead.
struct Pool {
    memory: usize,
    fixed: usize,
    hole: usize,
}

/// Gives up all rights and bounds what can be used up; opens some files; sees to it that nothing is waited for long.
fn prepare() -> Result<Pool, Errno> {
    let page = rt::page_size();
    for (resource, limit) in
        [(RLIMIT_AS, 64 * MIB), (RLIMIT_FSIZE, MIB), (RLIMIT_NOFILE, 64), (RLIMIT_NPROC, 4), (RLIMIT_CORE, 0)]
    {
        call(__NR_prlimit64, [0, resource as usize, [limit, limit].as_ptr() as usize, 0])?;
    }
    let null = open(c"/dev/null", O_RDWR)?;
    for standard in 0..3 {
        call(__NR_dup3, [null, standard, 0])?;
    }
    call(__NR_chdir, [DIR.as_ptr() as usize])?;
    become_user(4242, 4242)?;
    let _ = files::mkdir(c"d", 0o777);
    let _ = files::create(c"a", O_CREAT | O_RDWR, 0o666);
    let _ = open(c"/etc/motd", O_RDONLY);
    let _ = open(c".", O_RDONLY);
    let _ = open(c"a", O_PATH);
    let _ = files::pipe(0);
    call(__NR_memfd_create, [c"random".as_ptr() as usize, 0])?;
    let memory = anonymous(4 * page)?;
    let fixed = mmap(0, page, READ, ANONYMOUS, usize::MAX, 0)?;
    let hole = mmap(0, page, READ_WRITE, ANONYMOUS, usize::MAX, 0)?;
    munmap(hole, page)?;
    signal::handle(Signal::SIGALRM, SaFlags::empty())?;
    let each = [0u64, 20_000, 0, 20_000];
    call(__NR_setitimer, [0, each.as_ptr() as usize, 0])?;
    Ok(Pool { memory, fixed, hole })
}

fn argument(random: &mut Random, pool: &Pool) -> usize {
    let value = random.number();
    let small = (value >> 8) as usize;
    match value % 16 {
        0 | 1 => 0,
        2 => usize::MAX,
        3 => small % 16,
        4 => small % 4096,
        5 => 1 << (small % 64),
        6 | 7 => pool.memory + small % 16384,
        8 => pool.memory + (small % 2048) * 8,
        9 => TEXTS[small % TEXTS.len()].as_ptr() as usize,
        10 => pool.fixed + small % 4096,
        11 => pool.hole + small % 64,
        12 => 0xffff_0000_0000_0000 | small,
        13 => AT_FDCWD as usize,
        14 => i32::MAX as usize + small % 3,
        _ => random.number() as usize,
    }
}
