//! The page size as a property of a process: the personality carries it, execve gives it, fork hands it on. Programs
//! whose files do not fit run with the largest size that does. A Linux kernel has one size and keeps the bits only.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::process::{self, Ended, personality};
use rt::sys::Errno;
use rt::sys::raw::O_WRONLY;
use rt::{Arg, Args};
use tests::{Outcome, check, child, close, equal, fails, files, good, on_granule, open, raw, text};

tests::program!(run);

const QUERY: u32 = u32::MAX;
const SIZE_16K: u32 = 0x1000_0000;
const SIZE_64K: u32 = 0x2000_0000;
const NO_RANDOMIZE: u32 = 0x0004_0000;
const SIZES: [(u32, i32); 3] = [(0, 1), (SIZE_16K, 4), (SIZE_64K, 16)];

/// Programs that exit with their page size in units of 4K, and the largest size that each fits.
const PROGRAMS: [(&CStr, i32); 8] = [
    (c"/tests/data/sizes/64K", 16),
    (c"/tests/data/sizes/16K-not-congruent", 4),
    (c"/tests/data/sizes/16K-other-permissions", 4),
    (c"/tests/data/sizes/16K-other-file-pages", 4),
    (c"/tests/data/sizes/16K-bss-over-a-neighbour", 4),
    (c"/tests/data/sizes/4K-not-congruent", 1),
    (c"/tests/data/sizes/4K-other-permissions", 1),
    (c"/tests/data/sizes/4K-in-the-interpreter", 1),
];
const FITS_ALL: &CStr = PROGRAMS[0].0;

/// What a child exits with whose execve failed, plus the error's number.
const NOT_REPLACED: i32 = 100;

fn run(args: Args) -> Outcome {
    if args.get(1) == Some(c"status") {
        process::exit(child::outcome(status()));
    }
    bits()?;
    if on_granule() {
        sizes()?;
        files()?;
        let strict = set_strict(c"1").map(|_| strict());
        good!(set_strict(c"0"));
        good!(strict)?;
        let argv = [Arg::new(c"page_size"), Arg::new(c"status"), Arg::END];
        for (bits, _) in SIZES {
            let ended = child::run(|| {
                let _ = personality(bits);
                process::execve(c"/tests/page_size", &argv, args.envp()).raw().into()
            });
            equal!(ended, Ok(Ended::Exited(0)));
        }
    }
    Ok(())
}

/// How a program ends that a child with personality `bits` becomes.
fn exec(bits: u32, path: &CStr) -> Result<Ended, Errno> {
    child::run(|| {
        let _ = personality(bits);
        let errno = process::execve(path, &[Arg::new(path), Arg::END], &[Arg::END]);
        NOT_REPLACED + i32::from(errno.raw())
    })
}

fn bits() -> Outcome {
    let before = good!(personality(QUERY));
    equal!(personality(SIZE_16K | NO_RANDOMIZE), Ok(before));
    equal!(personality(SIZE_64K), Ok(SIZE_16K | NO_RANDOMIZE));
    if on_granule() {
        fails!(personality(SIZE_16K | SIZE_64K), EINVAL);
        fails!(personality(SIZE_16K | SIZE_64K | NO_RANDOMIZE), EINVAL);
    }
    equal!(personality(QUERY), Ok(SIZE_64K));
    // A child has it; the running program keeps its size.
    equal!(child::run(|| i32::from(personality(QUERY) == Ok(SIZE_64K))), Ok(Ended::Exited(1)));
    let page = rt::page_size();
    let here = good!(tests::anonymous(2 * page));
    equal!(tests::munmap(here + page, page), Ok(0));
    equal!(personality(before), Ok(SIZE_64K));
    Ok(())
}

fn sizes() -> Outcome {
    for (bits, units) in SIZES {
        equal!(exec(bits, FITS_ALL), Ok(Ended::Exited(units)));
        equal!(exec(bits | NO_RANDOMIZE, FITS_ALL), Ok(Ended::Exited(units)));
        // Of a child that execs without asking for anything.
        let inherited = child::run(|| {
            let _ = personality(bits);
            match child::run(|| {
                process::execve(FITS_ALL, &[Arg::new(FITS_ALL), Arg::END], &[Arg::END]).raw().into()
            }) {
                Ok(Ended::Exited(status)) => status,
                _ => NOT_REPLACED,
            }
        });
        equal!(inherited, Ok(Ended::Exited(units)));
    }
    Ok(())
}

fn files() -> Outcome {
    for (bits, asked) in SIZES {
        for (path, largest) in PROGRAMS {
            let ended = good!(exec(bits, path));
            let given = asked.min(largest);
            check!(ended == Ended::Exited(given), "{} at {asked}: {ended}", rt::io::Text(path.to_bytes()));
        }
    }
    Ok(())
}

fn set_strict(value: &CStr) -> rt::sys::Result {
    set(c"/proc/sys/vm/page_size_strict", value)
}

fn set(path: &CStr, value: &CStr) -> rt::sys::Result {
    let fd = open(path, O_WRONLY)?;
    let written = files::write(fd, value.to_bytes());
    close(fd)?;
    written
}

/// With `vm.page_size_strict` a program that does not fit is refused, and the caller lives to hear of it.
fn strict() -> Outcome {
    for (bits, asked) in SIZES {
        for (path, largest) in PROGRAMS {
            let ended = good!(exec(bits, path));
            let wanted =
                if asked <= largest { asked } else { NOT_REPLACED + i32::from(Errno::ENOEXEC.raw()) };
            check!(ended == Ended::Exited(wanted), "{} at {asked}: {ended}", rt::io::Text(path.to_bytes()));
        }
    }
    Ok(())
}

/// What `/proc/self/status` says of the sizes: the page size is the one of the auxiliary vector, and a granule that
/// differs has a reason.
fn status() -> Outcome {
    let status = good!(text::Text::<4096>::read(c"/proc/self/status"));
    let page = rt::page_size() as u64 >> 10;
    equal!(status.number("PageSize:"), Some(page));
    let granule = good!(status.number("NativeGranule:").ok_or(Errno::ENOENT));
    check!(granule == page || granule == 4);
    equal!(status.field("NativeFallback:").is_some(), granule != page);
    native_tables_come_back(page > 4 && granule == page)
}

/// `vm.drop_native_tables` takes the tables of a process that runs `natively`, and what it has mapped stays.
fn native_tables_come_back(natively: bool) -> Outcome {
    const PAGES: usize = 64;
    const DROP: &CStr = c"/proc/sys/vm/drop_native_tables";
    let dropped =
        || text::Text::<8192>::read(c"/proc/vmstat").map(|text| text.number("native_tables_dropped"));
    let page = rt::page_size();
    let memory = good!(tests::anonymous(PAGES * page));
    (0..PAGES).for_each(|index| raw::poke(memory + index * page, index as u8));
    let before = good!(dropped());
    fails!(set(DROP, c"0"), EINVAL);
    good!(set(DROP, c"1"));
    let after = good!(dropped());
    check!(!natively || after > before, "{before:?} kernel pages dropped before, {after:?} after");
    for index in 0..PAGES {
        equal!(raw::peek(memory + index * page), index as u8);
        raw::poke(memory + index * page, 1);
    }
    Ok(())
}
