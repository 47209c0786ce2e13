//! execve: arguments and environment arrive as they were, many of them, up to the limits.
#![no_std]
#![no_main]

use rt::process::{self, Ended};
use rt::sys::raw::__NR_execve;
use rt::{Arg, Args};
use tests::{Errno, Outcome, anonymous, call, check, equal, fails, good, in_child, raw};

tests::program!(run);

const SELF: &core::ffi::CStr = c"/tests/exec_arguments";
fn run(args: Args) -> Outcome {
    match args.get(0).map(|name| name.to_bytes()) {
        Some(b"few") => process::exit(tests::child::outcome(few(args))),
        Some(b"many") => process::exit(tests::child::outcome(many(args))),
        Some(b"long") => process::exit(tests::child::outcome(long(args))),
        Some(b"") => {
            process::exit(if args.len() == 1 && args.environment().next().is_none() { 77 } else { 1 })
        }
        _ => {}
    }

    let argv = ["few\0", "two words\0", "\0", "\u{e9}\u{1f980}\0", "-\0"].map(text);
    let envp = ["A=1\0", "PATH=/nowhere\0", "EMPTY=\0"].map(text);
    let list = |words: [Arg<'static>; 5]| [words[0], words[1], words[2], words[3], words[4], Arg::END];
    let exec = || process::execve(SELF, &list(argv), &[envp[0], envp[1], envp[2], Arg::END]);
    equal!(tests::child::run(|| i32::from(exec().raw())), Ok(Ended::Exited(0)));

    // No argument at all becomes one empty one. No list at all is an empty list.
    let nothing = [0usize];
    for lists in [[nothing.as_ptr() as usize; 2], [0, 0]] {
        let exec = || call(__NR_execve, [SELF.as_ptr() as usize, lists[0], lists[1]]);
        equal!(tests::child::run(|| exec().map_or(1, |_| 2)), Ok(Ended::Exited(77)));
    }
    limits()
}

/// Linux's longest single string, with its end.
fn max_arg_strlen() -> usize {
    32 * tests::kernel_page()
}

fn text(with_end: &'static str) -> Arg<'static> {
    core::ffi::CStr::from_bytes_until_nul(with_end.as_bytes()).map_or(Arg::END, Arg::new)
}

fn few(args: Args) -> Outcome {
    equal!(args.len(), 5);
    for (index, expected) in ["few", "two words", "", "\u{e9}\u{1f980}", "-"].iter().enumerate() {
        equal!(args.get(index).map(|arg| arg.to_bytes()), Some(expected.as_bytes()));
    }
    let mut environment = args.environment();
    for expected in ["A=1", "PATH=/nowhere", "EMPTY="] {
        equal!(environment.next().map(|entry| entry.to_bytes()), Some(expected.as_bytes()));
    }
    check!(environment.next().is_none());
    Ok(())
}

/// Builds lists in memory of our own: `count` pointers to the string at `first`, after a name.
fn list(name: &'static core::ffi::CStr, first: usize, count: usize) -> Result<usize, Errno> {
    let at = anonymous((count + 2) * 8)?;
    raw::poke64(at, name.as_ptr() as u64);
    for index in 0..count {
        raw::poke64(at + 8 + index * 8, first as u64);
    }
    Ok(at)
}

/// A string of `len` letters.
fn letters(len: usize) -> Result<usize, Errno> {
    let at = anonymous(len + 1)?;
    for index in 0..len {
        raw::poke(at + index, b'x');
    }
    Ok(at)
}

fn limits() -> Outcome {
    let path = SELF.as_ptr() as usize;
    let empty = [0usize];
    let empty = empty.as_ptr() as usize;
    let exec = |argv: usize| call(__NR_execve, [path, argv, empty]);

    let ten = good!(letters(9));
    let thousands = good!(list(c"many", ten, 20_000));
    equal!(tests::child::run(|| exec(thousands).map_or(1, |_| 2)), Ok(Ended::Exited(0)));

    let longest = good!(letters(max_arg_strlen() - 1));
    let one_long = good!(list(c"long", longest, 3));
    equal!(tests::child::run(|| exec(one_long).map_or(1, |_| 2)), Ok(Ended::Exited(0)));

    // In a child: a kernel that takes them anyway must not replace this program.
    in_child!(|| {
        let too_long = good!(letters(max_arg_strlen()));
        fails!(exec(good!(list(c"long", too_long, 1))), E2BIG);
        // A quarter of the stack's limit is for arguments and environment: 2 MiB.
        fails!(exec(good!(list(c"long", longest, 20))), E2BIG);
        fails!(exec(good!(list(c"many", ten, 300_000))), E2BIG);
        let environment = good!(list(c"A=1", longest, 20));
        fails!(call(__NR_execve, [path, empty, environment]), E2BIG);
        Ok(())
    });
    Ok(())
}

fn many(args: Args) -> Outcome {
    equal!(args.len(), 20_001);
    for arg in args.from(1) {
        check!(arg.to_bytes() == b"xxxxxxxxx");
    }
    Ok(())
}

fn long(args: Args) -> Outcome {
    equal!(args.len(), 4);
    for arg in args.from(1) {
        let bytes = arg.to_bytes();
        equal!(bytes.len(), max_arg_strlen() - 1);
        check!(bytes.iter().all(|&byte| byte == b'x'));
    }
    Ok(())
}
