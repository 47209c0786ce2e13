//! The program `pagesize`: sets the size for a command, leaves the rest of the personality, and complains as setarch does.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::process::{self, Ended, personality};
use rt::sys::raw::{__NR_dup3, O_WRONLY};
use rt::{Arg, Args};
use tests::{Errno, Outcome, call, child, equal, on_granule, open};

tests::program!(run);

const PAGESIZE: &CStr = c"/bin/pagesize";
const UNITS: &CStr = c"/tests/data/sizes/64K";
const NO_RANDOMIZE: u32 = 0x0004_0000;
const SIZE_16K: u32 = 0x1000_0000;

fn run(args: Args) -> Outcome {
    if args.get(1) == Some(c"personality") {
        // The bits from 16 on, folded into an exit status.
        let bits = personality(u32::MAX).unwrap_or(0) >> 16;
        process::exit((bits >> 8 | bits & 0xff) as i32);
    }
    mistakes(args)?;
    personality_is_kept(args)?;
    if on_granule() {
        for (size, units) in
            [(c"4K", 1), (c"16K", 4), (c"64K", 16), (c"4096", 1), (c"16384", 4), (c"65536", 16), (c"64k", 16)]
        {
            equal!(pagesize(args, &[size, UNITS]), Ok(Ended::Exited(units)));
        }
        // The innermost wins, and the shell hands it on.
        equal!(pagesize(args, &[c"16K", c"pagesize", c"64K", UNITS]), Ok(Ended::Exited(16)));
        let nested = c"/tests/data/sizes/64K; exit $?";
        equal!(pagesize(args, &[c"16K", c"sh", c"-c", nested]), Ok(Ended::Exited(4)));
    }
    Ok(())
}

/// Runs it with these arguments and nothing on its standard error.
fn pagesize(args: Args, words: &[&CStr]) -> Result<Ended, Errno> {
    let mut argv = [Arg::END; 8];
    argv[0] = Arg::new(PAGESIZE);
    for (slot, word) in argv[1..7].iter_mut().zip(words) {
        *slot = Arg::new(word);
    }
    child::run(|| {
        if let Ok(null) = open(c"/dev/null", O_WRONLY) {
            let _ = call(__NR_dup3, [null, 2, 0]);
        }
        process::execve(PAGESIZE, &argv, args.envp()).raw().into()
    })
}

fn mistakes(args: Args) -> Outcome {
    for words in
        [&[][..], &[c"8K", c"true"], &[c"", c"true"], &[c"--size", c"4K"], &[c"-x"], &[c"64", c"true"]]
    {
        equal!(pagesize(args, words), Ok(Ended::Exited(1)));
    }
    equal!(pagesize(args, &[c"4K", c"no-such-program"]), Ok(Ended::Exited(127)));
    equal!(pagesize(args, &[c"4K", c"/no/such/program"]), Ok(Ended::Exited(127)));
    equal!(pagesize(args, &[c"4K", c"/etc/motd"]), Ok(Ended::Exited(126)));
    equal!(pagesize(args, &[c"4K", c"true"]), Ok(Ended::Exited(0)));
    equal!(pagesize(args, &[c"4K", c"false"]), Ok(Ended::Exited(1)));
    Ok(())
}

fn personality_is_kept(args: Args) -> Outcome {
    let ended = child::run(|| {
        let _ = personality(NO_RANDOMIZE);
        match pagesize(args, &[c"16K", c"/tests/pagesize_command", c"personality"]) {
            Ok(Ended::Exited(status)) => status,
            _ => 255,
        }
    });
    let wanted = (NO_RANDOMIZE | SIZE_16K) >> 16;
    equal!(ended, Ok(Ended::Exited((wanted >> 8 | wanted & 0xff) as i32)));
    Ok(())
}
