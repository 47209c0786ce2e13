//! `run [NAME...]`: runs the test programs, all or those named, each in a process of its own with a
//! time limit, and counts.
//!
//! A test that dies by a signal, exits with anything but 0, or runs too long has failed. The last line
//! is `N passed, N failed`; the exit status is 0 only if none failed.
#![no_std]
#![no_main]

use core::ffi::CStr;
use core::mem::MaybeUninit;
use rt::io::Text;
use rt::process::{self, Ended, Pid, Wait};
use rt::rustix::fs::{FileType, Mode, OFlags, RawDir, open};
use rt::sys::Errno;
use rt::{Arg, Args, println};
use tests::call;

rt::main!(main);

const DIRECTORY: &CStr = c"/tests";
/// This program, which is no test.
const RUNNER: &CStr = c"run";
/// For the slowest test on the slowest host.
const LIMIT_NS: u64 = 120_000_000_000;
const POLL_NS: u64 = 1_000_000;

fn main(args: Args) -> i32 {
    let mut count = Count::default();
    let result = if args.len() > 1 {
        args.from(1).for_each(|name| count.add(run(name, args)));
        Ok(())
    } else {
        run_all(args, &mut count)
    };
    if let Err(errno) = result {
        println!("not ok {}: {errno}", Text(DIRECTORY.to_bytes()));
        count.failed += 1;
    }
    println!("{} passed, {} failed", count.passed, count.failed);
    i32::from(count.failed != 0 || count.passed == 0)
}

#[derive(Default)]
struct Count {
    passed: u32,
    failed: u32,
}

impl Count {
    fn add(&mut self, passed: bool) {
        if passed { self.passed += 1 } else { self.failed += 1 }
    }
}

fn run_all(args: Args, count: &mut Count) -> Result<(), rt::rustix::io::Errno> {
    let directory = open(DIRECTORY, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(&directory, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if entry.file_type() == FileType::RegularFile && entry.file_name() != RUNNER {
            count.add(run(entry.file_name(), args));
        }
    }
    Ok(())
}

/// Runs one test; its own line says how it went, unless it couldn't say so.
fn run(name: &CStr, args: Args) -> bool {
    let shown = Text(name.to_bytes());
    let ended = process::spawn(|| start(name, args)).and_then(|pid| wait_for(pid, shown.0));
    match ended {
        Ok(Some(Ended::Exited(0))) => return true,
        // The program has said `not ok` itself.
        Ok(Some(Ended::Exited(1))) => {}
        Ok(Some(ended)) => println!("not ok {shown}: {ended}"),
        Ok(None) => println!("not ok {shown}: ran for more than {} s", LIMIT_NS / 1_000_000_000),
        Err(errno) => println!("not ok {shown}: {errno}"),
    }
    false
}

/// In the child: becomes the test.
fn start(name: &CStr, args: Args) -> i32 {
    const CANNOT_START: i32 = 126;
    let mut path = [0u8; 512];
    let parts = [DIRECTORY.to_bytes(), b"/", name.to_bytes()];
    let mut end = 0;
    for part in parts {
        let Some(slot) = path.get_mut(end..end + part.len()) else { return CANNOT_START };
        slot.copy_from_slice(part);
        end += part.len();
    }
    let Ok(path) = CStr::from_bytes_until_nul(&path) else { return CANNOT_START };
    let errno = process::execve(path, &[Arg::new(path), Arg::END], args.envp());
    println!("# {}: {errno}", Text(path.to_bytes()));
    CANNOT_START
}

/// Waits within the limit. What runs on is killed if the kernel can do that.
fn wait_for(pid: Pid, name: &[u8]) -> Result<Option<Ended>, Errno> {
    const SIGKILL: usize = 9;
    let start = rt::time::monotonic_ns();
    loop {
        if let Some((_, ended)) = process::wait(pid, Wait::Poll)? {
            return Ok(Some(ended));
        }
        if rt::time::monotonic_ns() - start > LIMIT_NS {
            if call(rt::sys::raw::__NR_kill, [pid as usize, SIGKILL]).is_ok() {
                process::wait_for(pid)?;
            } else {
                println!("# {}: goes on running, as it can't be killed", Text(name));
            }
            return Ok(None);
        }
        rt::time::sleep_ns(POLL_NS);
    }
}
