//! Every system call with arguments out of their minds, many times, each number in a child that may die
//! of it. The kernel lives, and so does this program.
#![no_std]
#![no_main]

use rt::process::{self, Ended, Pid, Wait};
use rt::sys::raw::*;
use tests::{Errno, Failure, Outcome, Random, anonymous, call, check, equal, good};

tests::program!(run);

const NUMBERS: u32 = 470;
const ROUNDS: usize = 60;

/// Calls that do what they should with any argument: end, stop, wait without end, make processes, shoot
/// at others, or take the machine down.
const LEFT_OUT: &[u32] = &[
    __NR_exit,
    __NR_exit_group,
    __NR_reboot,
    __NR_clone,
    __NR_clone3,
    __NR_kill,
    __NR_tkill,
    __NR_tgkill,
    __NR_rt_sigqueueinfo,
    __NR_rt_tgsigqueueinfo,
    __NR_ppoll,
    __NR_pselect6,
    __NR_rt_sigsuspend,
    __NR_rt_sigtimedwait,
    __NR_futex,
    __NR_nanosleep,
    __NR_clock_nanosleep,
    __NR_wait4,
    __NR_waitid,
    __NR_msgsnd,
    __NR_msgrcv,
    __NR_semop,
    __NR_semtimedop,
    __NR_mq_timedsend,
    __NR_mq_timedreceive,
    __NR_umount2,
    __NR_mount,
    __NR_vhangup,
    __NR_sync,
    __NR_setpriority,
    __NR_sched_setscheduler,
    __NR_sched_setparam,
    __NR_sched_setattr,
    __NR_settimeofday,
    __NR_clock_settime,
    __NR_clock_adjtime,
    __NR_adjtimex,
];

fn run(_: rt::Args) -> Outcome {
    let memory = good!(anonymous(1 << 20));
    let mut deaths = 0;
    for number in (0..NUMBERS).filter(|number| !LEFT_OUT.contains(number)) {
        let pid = good!(process::spawn(|| attack(number, memory)));
        match good!(patiently(pid)) {
            None => return Err(Failure::new(line!(), format_args!("call {number} doesn't come back"))),
            Some(Ended::Exited(0)) => {}
            // It may have unmapped itself, or become another program.
            _ => deaths += 1,
        }
    }
    check!(deaths < 100, "{deaths} of {NUMBERS} children died");

    // All is well afterwards.
    equal!(tests::child::run(|| 17), Ok(Ended::Exited(17)));
    let again = good!(anonymous(1 << 20));
    tests::raw::poke(again, 1);
    Ok(())
}

/// Waits for a child, within reason. One that goes on is killed if the kernel can do that.
fn patiently(pid: Pid) -> Result<Option<Ended>, Errno> {
    const SIGKILL: usize = 9;
    for ms in 0..4000 {
        if let Some((_, ended)) = process::wait(pid, Wait::Poll)? {
            return Ok(Some(ended));
        }
        rt::time::sleep_ns(if ms < 10 { 50_000 } else { 1_000_000 });
    }
    call(__NR_kill, [pid as usize, SIGKILL])?;
    process::wait_for(pid).map(|_| None)
}

/// In the child. Its descriptors are closed, so that nothing waits for a key.
fn attack(number: u32, memory: usize) -> i32 {
    for fd in 0..3 {
        let _ = tests::close(fd);
    }
    let mut random = Random(0x9e37_79b9 ^ u64::from(number) << 32);
    for _ in 0..ROUNDS {
        let mut argument = || mad(&mut random, memory);
        let _ = call(number, [argument(), argument(), argument(), argument(), argument(), argument()]);
    }
    0
}

fn mad(random: &mut Random, memory: usize) -> usize {
    let value = random.number() as usize;
    match value >> 8 & 15 {
        0 => 0,
        1 => value & 7,
        2 => usize::MAX - (value & 7),
        3 => memory + (value & 0xf_ffff),
        4 => (memory + (value & 0xf_ffff)) & !0xfff,
        5 => 1 << (value & 63),
        6 => (1 << (value & 63)) - 1,
        7 => 0xffff_0000_0000_0000 | value & 0xffff_f000,
        8 => value & 0xfff,
        9 => value & 0xffff_f000,
        10 => 0x7fff_ffff_ffff_ffff,
        11 => 0xffff_ffff_f000 | value & 0xfff,
        12 => (value & 0xff) << 12,
        13 => -100isize as usize,
        14 => 0x8000_0000,
        _ => value,
    }
}
