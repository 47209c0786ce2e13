//! execve: the process stays, with its number and descriptors; memory and registers start anew.
#![no_std]
#![no_main]

use rt::process::{self, Ended};
use rt::sys::raw::{__NR_lseek, O_CLOEXEC, O_RDONLY, SEEK_CUR};
use rt::{Arg, Args};
use tests::{Outcome, READ_WRITE, call, check, equal, fails, good, mmap, open, raw};

tests::program!(run);

const SELF: &core::ffi::CStr = c"/tests/exec_keeps";
/// Where the old program has memory that the new one must not see.
const OLD: usize = 0x1000_0000;

fn run(args: Args) -> Outcome {
    if args.get(1) == Some(c"again") {
        let [pid, kept, closed] =
            [2, 3, 4].map(|index| args.get(index).map_or(0, |text| number(text.to_bytes())));
        process::exit(tests::child::outcome(again(pid, kept, closed)));
    }

    let child = process::spawn(|| {
        let kept = open(c"/etc/motd", O_RDONLY).unwrap_or(0);
        let closed = open(c"/etc/motd", O_RDONLY | O_CLOEXEC).unwrap_or(0);
        let _ = tests::read(kept, &mut [0; 5]);
        let _ = mmap(OLD, 4096, READ_WRITE, tests::ANONYMOUS | tests::FIXED, usize::MAX, 0);
        raw::poke(OLD, 1);
        raw::set_float_control(1 << 22, 1);
        raw::set_thread_pointer(99);
        let mut texts = [[0; 24]; 3];
        let [pid, kept, closed] = [process::getpid() as usize, kept, closed];
        for (text, value) in texts.iter_mut().zip([pid, kept, closed]) {
            write_number(text, value);
        }
        let [pid, kept, closed] = texts.each_ref().map(|text| text_of(text));
        let argv = [Arg::new(SELF), Arg::new(c"again"), pid, kept, closed, Arg::END];
        process::execve(SELF, &argv, args.envp()).raw().into()
    });
    equal!(process::wait_for(good!(child)), Ok(Ended::Exited(0)));
    Ok(())
}

/// The new program.
fn again(pid: usize, kept: usize, closed: usize) -> Outcome {
    equal!(process::getpid() as usize, pid);
    equal!(call(__NR_lseek, [kept, 0, SEEK_CUR as usize]), Ok(5));
    fails!(call(__NR_lseek, [closed, 0, SEEK_CUR as usize]), EBADF);
    tests::dies!(SIGSEGV, raw::peek(OLD));
    equal!(raw::float_control(), (0, 0));
    equal!(raw::thread_pointer(), 0);
    check!(raw::vectors_are_zero());
    Ok(())
}

fn number(text: &[u8]) -> usize {
    text.iter().fold(0, |value, digit| value * 10 + usize::from(digit - b'0'))
}

fn write_number(text: &mut [u8; 24], value: usize) {
    let mut scale = 1_000_000_000_000_000;
    for slot in &mut text[..16] {
        *slot = b'0' + (value / scale % 10) as u8;
        scale /= 10;
    }
}

fn text_of(text: &[u8; 24]) -> Arg<'_> {
    core::ffi::CStr::from_bytes_until_nul(text).map_or(Arg::END, Arg::new)
}
