//! rseq: registration, the CPU's number, and critical sections that preemption and signals abort.
#![no_std]
#![no_main]

use rt::sys::raw::{__NR_rseq, __NR_setitimer};
use rt::sys::signal::{SaFlags, Signal};
use rt::{auxv, process};
use tests::raw::{RSEQ_SIGNATURE, peek, peek64, poke64, spin_restartable};
use tests::{Outcome, anonymous, call, check, dies, equal, fails, good, in_child, signal};

tests::program!(run);

const SIZE: usize = 32;
const UNREGISTER: usize = 1;
const AT_RSEQ_FEATURE_SIZE: u32 = 27;
const AT_RSEQ_ALIGN: u32 = 28;
/// More turns than fit between two ticks.
const LONG: u64 = 1 << 40;

fn rseq(at: usize, len: usize, flags: usize, signature: u32) -> rt::sys::Result {
    call(__NR_rseq, [at, len, flags, signature as usize])
}

fn word(at: usize, index: usize) -> u32 {
    (0..4).fold(0, |value, byte| value | u32::from(peek(at + 4 * index + byte)) << (8 * byte))
}

fn run(args: rt::Args) -> Outcome {
    check!(auxv().value(AT_RSEQ_FEATURE_SIZE).is_some_and(|size| size >= 20));
    check!(auxv().value(AT_RSEQ_ALIGN).is_some_and(|align| align >= 32));
    let at = good!(anonymous(4096));
    poke64(at, u64::MAX);
    in_child!(|| registration(at));
    in_child!(|| preemption(at));
    in_child!(|| signals(at));
    replacement(at, args)?;
    nonsense(at)
}

fn registration(at: usize) -> Outcome {
    fails!(rseq(at + 4, SIZE, 0, 1), EINVAL);
    fails!(rseq(at, SIZE - 4, 0, 1), EINVAL);
    fails!(rseq(at, SIZE, 2, 1), EINVAL);
    fails!(rseq(at, SIZE, UNREGISTER, 1), EINVAL);
    fails!(rseq(0xffff_8000_8000_0000, SIZE, 0, 1), EFAULT);
    good!(rseq(at, SIZE, 0, 1));
    equal!((word(at, 0), word(at, 1)), (0, 0));
    fails!(rseq(at, SIZE, 0, 1), EBUSY);
    fails!(rseq(at, SIZE, 0, 2), EPERM);
    fails!(rseq(at + 64, SIZE, 0, 1), EINVAL);
    // A child that has a copy of the memory has one of the registration, too.
    in_child!(|| {
        fails!(rseq(at, SIZE, 0, 1), EBUSY);
        Ok(())
    });
    fails!(rseq(at, SIZE, UNREGISTER, 2), EPERM);
    fails!(rseq(at + 64, SIZE, UNREGISTER, 1), EINVAL);
    good!(rseq(at, SIZE, UNREGISTER, 1));
    equal!(word(at, 1), u32::MAX);
    Ok(())
}

/// A new program has no registration, though the old one lost the CPU on its way: its pages come from the disk.
fn replacement(at: usize, args: rt::Args) -> Outcome {
    let ended = tests::child::run(|| {
        if rseq(at, SIZE, 0, RSEQ_SIGNATURE).is_err() {
            return 1;
        }
        if let Ok(fd) = tests::open(c"/proc/sys/vm/drop_caches", rt::sys::raw::O_WRONLY) {
            let _ = tests::files::write(fd, b"3\n");
        }
        process::execve(c"/bin/true", &[rt::Arg::new(c"true"), rt::Arg::END], args.envp()).raw().into()
    });
    equal!(ended, Ok(process::Ended::Exited(0)));
    Ok(())
}

/// A child that wants the CPU.
fn rival() -> rt::sys::Result {
    process::spawn(|| {
        let end = rt::time::monotonic_ns() + 200_000_000;
        while rt::time::monotonic_ns() < end {}
        0
    })
    .map(|pid| pid as usize)
}

fn preemption(at: usize) -> Outcome {
    let section = at + 256;
    good!(rseq(at, SIZE, 0, RSEQ_SIGNATURE));
    // A short one comes to its end nearly always.
    check!((0..20).any(|_| !spin_restartable(at, section, 1)));
    let rival = good!(rival());
    check!(spin_restartable(at, section, LONG));
    equal!(peek64(at + 8), 0);
    equal!((word(at, 0), word(at, 1)), (0, 0));
    good!(process::wait_for(rival as process::Pid));
    Ok(())
}

fn signals(at: usize) -> Outcome {
    good!(rseq(at, SIZE, 0, RSEQ_SIGNATURE));
    good!(signal::handle(Signal::SIGALRM, SaFlags::empty()));
    // The process's own timer, so that nobody else wants the CPU.
    let once = [0u64, 0, 0, 20_000];
    good!(call(__NR_setitimer, [0, once.as_ptr() as usize, 0]));
    while signal::count() == 0 {
        check!(spin_restartable(at, at + 256, LONG));
    }
    Ok(())
}

/// What the kernel finds and cannot believe ends the program.
fn nonsense(at: usize) -> Outcome {
    let wait = || rt::time::sleep_ns(1_000_000);
    dies!(SIGSEGV, {
        // Another signature than the one before the handler.
        let _ = rseq(at, SIZE, 0, RSEQ_SIGNATURE + 1);
        let _ = rival();
        spin_restartable(at, at + 256, LONG)
    });
    for bad in [8, 1 << 60, 0xffff_8000_8000_0000] {
        dies!(SIGSEGV, {
            let _ = rseq(at, SIZE, 0, RSEQ_SIGNATURE);
            poke64(at + 8, bad);
            wait();
        });
    }
    dies!(SIGSEGV, {
        // The abort handler lies in the section.
        let _ = rseq(at, SIZE, 0, RSEQ_SIGNATURE);
        [0, 0x1000, 0x1000, 0x1800]
            .iter()
            .enumerate()
            .for_each(|(i, value)| poke64(at + 256 + 8 * i, *value));
        poke64(at + 8, at as u64 + 256);
        wait();
    });
    // What lies elsewhere is not touched, and forgotten.
    in_child!(|| {
        good!(rseq(at, SIZE, 0, 0));
        poke64(at + 512 + 0x100 - 8, 0);
        let section = [0, 0x1000, 0x1000, at as u64 + 512 + 0x100];
        section.iter().enumerate().for_each(|(i, value)| poke64(at + 256 + 8 * i, *value));
        poke64(at + 8, at as u64 + 256);
        wait();
        equal!(peek64(at + 8), 0);
        Ok(())
    });
    Ok(())
}
