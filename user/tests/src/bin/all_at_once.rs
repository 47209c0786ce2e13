//! Other tests, many at the same time: each must pass as if it were alone.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::process::{self, Ended};
use rt::sys::raw::{__NR_dup3, O_WRONLY};
use rt::{Arg, Args};
use tests::{Failure, Outcome, call, good, open};

tests::program!(run);

const TESTS: [&CStr; 10] = [
    c"/tests/brk",
    c"/tests/code",
    c"/tests/concurrent_reads",
    c"/tests/deaths",
    c"/tests/exec_files",
    c"/tests/fork_cow",
    c"/tests/fork_many",
    c"/tests/mappings_random",
    c"/tests/private_file",
    c"/tests/registers",
];

fn run(args: Args) -> Outcome {
    let children = TESTS.map(|path| process::spawn(|| quietly(path, args)));
    let mut failed = None;
    for (path, child) in TESTS.iter().zip(children) {
        let ended = good!(process::wait_for(good!(child)));
        if ended != Ended::Exited(0) {
            failed.get_or_insert((path, ended));
        }
    }
    match failed {
        None => Ok(()),
        Some((path, ended)) => {
            Err(Failure::new(line!(), format_args!("{}: {ended}", rt::io::Text(path.to_bytes()))))
        }
    }
}

/// Becomes a test whose line nobody sees: it would count as one of its own.
fn quietly(path: &'static CStr, args: Args) -> i32 {
    if let Ok(null) = open(c"/dev/null", O_WRONLY) {
        let _ = call(__NR_dup3, [null, rt::io::STDOUT as usize, 0]);
    }
    process::execve(path, &[Arg::new(path), Arg::END], args.envp()).raw().into()
}
