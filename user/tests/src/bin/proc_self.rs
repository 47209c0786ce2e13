//! `/proc/self`: stat, statm, status, cmdline, comm, auxv, environ, limits, and links to what is open.
#![no_std]
#![no_main]

use rt::sys::raw::{
    __NR_getpid, __NR_getppid, __NR_getrusage, __NR_prctl, __NR_readlinkat, AT_FDCWD, MAP_ANONYMOUS,
    MAP_SHARED, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY, RUSAGE_SELF,
};
use tests::files::{create, lstat, pipe, unlink, write};
use tests::text::{PathText, Text};
use tests::{Errno, Outcome, anonymous, call, check, child, close, equal, fails, good, open, raw, read};

tests::program!(run);

const PR_SET_NAME: usize = 15;

fn pid() -> u64 {
    call(__NR_getpid, []).unwrap_or(0) as u64
}

fn run(args: rt::Args) -> Outcome {
    links()?;
    stat_line()?;
    status()?;
    memory_moves()?;
    peaks_and_shared_memory()?;
    program(args)?;
    descriptors()?;
    pipes()?;
    gone()
}

fn readlink<'a>(path: &core::ffi::CStr, into: &'a mut [u8]) -> Result<&'a [u8], Errno> {
    let here = AT_FDCWD as usize;
    let len = call(__NR_readlinkat, [here, path.as_ptr() as usize, into.as_mut_ptr() as usize, into.len()])?;
    Ok(&into[..len])
}

fn links() -> Outcome {
    let mut buffer = [0; 256];
    let own = PathText::new(format_args!("{}", pid()));
    equal!(good!(readlink(c"/proc/self", &mut buffer)), own.c_str().to_bytes());
    let thread = PathText::new(format_args!("{0}/task/{0}", pid()));
    equal!(good!(readlink(c"/proc/thread-self", &mut buffer)), thread.c_str().to_bytes());
    equal!(good!(readlink(c"/proc/self/exe", &mut buffer)), b"/tests/proc_self");
    equal!(good!(readlink(c"/proc/self/root", &mut buffer)), b"/");
    equal!(good!(lstat(c"/proc/self/exe")).mode, 0o120_777);
    equal!(good!(lstat(c"/proc/self/task")).mode, 0o040_555);
    // A link is followed to the file itself, whatever its name.
    let exe = good!(open(c"/proc/self/exe", O_RDONLY));
    let mut magic = [0; 4];
    equal!(read(exe, &mut magic), Ok(4));
    equal!(magic, *b"\x7fELF");
    good!(close(exe));
    fails!(open(c"/proc/self/nothing", O_RDONLY), ENOENT);
    fails!(open(c"/proc/self/stat/x", O_RDONLY), ENOTDIR);
    Ok(())
}

fn stat_line() -> Outcome {
    let text = good!(Text::<1024>::read(c"/proc/self/stat"));
    let whole = text.str();
    let begin = PathText::new(format_args!("{} (proc_self) R ", pid()));
    check!(whole.as_bytes().starts_with(begin.c_str().to_bytes()), "{whole}");
    let rest = whole.rsplit_once(") ").map_or("", |parts| parts.1);
    equal!(rest.trim().split(' ').count(), 50);
    let field =
        |number: usize| rest.trim().split(' ').nth(number - 3).and_then(|word| word.parse::<u64>().ok());
    equal!(field(4), call(__NR_getppid, []).ok().map(|ppid| ppid as u64));
    equal!(field(20), Some(1));
    check!(field(23) > Some(0), "{whole}");
    // Linux counts pages in batches, so a young program may have none.
    check!(field(24) > Some(0) || !tests::on_granule(), "{whole}");
    check!(field(26) < field(27) && field(28) > field(27), "{whole}");
    // Read byte by byte it says the same, but for what moves on.
    let slow = good!(Text::<1024>::read_in_steps(c"/proc/self/stat", 1));
    equal!(slow.str().split(' ').count(), whole.split(' ').count());
    Ok(())
}

fn status() -> Outcome {
    let text = good!(Text::<4096>::read(c"/proc/self/status"));
    equal!(text.field("Name:"), Some("proc_self"));
    equal!(text.field("State:"), Some("R (running)"));
    equal!(text.number("Pid:"), Some(pid()));
    equal!(text.number("Tgid:"), Some(pid()));
    equal!(text.number("Threads:"), Some(1));
    for name in ["VmSize:", "VmRSS:", "VmStk:", "VmExe:", "RssAnon:"] {
        check!(text.number(name) > Some(0), "{name} {:?}", text.field(name));
    }
    let rss = text.number("VmRSS:");
    let parts = ["RssAnon:", "RssFile:", "RssShmem:"].map(|name| text.number(name).unwrap_or(0));
    equal!(rss, Some(parts.iter().sum()));
    if tests::on_granule() {
        equal!(text.number("PageSize:"), Some(rt::page_size() as u64 / 1024));
        check!(text.number("NativeGranule:").is_some());
    }
    Ok(())
}

/// Touched memory shows in VmRSS, mapped memory in VmSize; statm agrees.
fn memory_moves() -> Outcome {
    const SIZE: usize = 8 << 20;
    let numbers = || {
        let status = Text::<4096>::read(c"/proc/self/status")?;
        let statm = Text::<256>::read(c"/proc/self/statm")?;
        let mut words = statm.str().split(' ').map(|word| word.parse::<u64>().unwrap_or(0));
        let page = rt::page_size() as u64 / 1024;
        let (size, rss) = (words.next().unwrap_or(0) * page, words.next().unwrap_or(0) * page);
        let kb = |name| status.number(name).unwrap_or(0);
        Ok::<_, Errno>((kb("VmSize:"), kb("VmRSS:"), size, rss))
    };
    let before = good!(numbers());
    let memory = good!(anonymous(SIZE));
    let mapped = good!(numbers());
    equal!(mapped.0 - before.0, SIZE as u64 / 1024);
    equal!(mapped.2, mapped.0);
    for addr in (memory..memory + SIZE).step_by(4096) {
        raw::poke(addr, 1);
    }
    let touched = good!(numbers());
    // Linux counts in batches per CPU, so a little may be missing.
    let grown = touched.1 - before.1;
    check!((SIZE as u64 / 1024 - 512..SIZE as u64 / 1024 + 512).contains(&grown), "{grown} kB");
    check!(touched.3.abs_diff(touched.1) < 512, "{} {}", touched.3, touched.1);
    good!(tests::munmap(memory, SIZE));
    let unmapped = good!(numbers());
    equal!(unmapped.0, before.0);
    check!(unmapped.1 < touched.1 - 7 * 1024, "{} kB", unmapped.1);
    Ok(())
}

/// Fails unless the file has exactly this text.
fn says(path: &core::ffi::CStr, text: &[u8]) -> Outcome {
    let read = good!(Text::<256>::read(path));
    equal!(read.bytes(), text);
    Ok(())
}

/// What was in memory once is remembered; shared memory is counted apart, and by the machine too.
fn peaks_and_shared_memory() -> Outcome {
    const SIZE: usize = 8 << 20;
    const KB: u64 = SIZE as u64 / 1024;
    let status = || Text::<4096>::read(c"/proc/self/status");
    let after = good!(status());
    let (peak, high) = (after.number("VmPeak:").unwrap_or(0), after.number("VmHWM:").unwrap_or(0));
    check!(peak >= after.number("VmSize:").unwrap_or(0) + KB, "{peak}");
    check!(high + 512 >= after.number("VmRSS:").unwrap_or(0) + KB, "{high}");
    let mut usage = [0u64; 18];
    good!(call(__NR_getrusage, [RUSAGE_SELF as usize, usage.as_mut_ptr() as usize]));
    check!(usage[4].abs_diff(high) < 512, "ru_maxrss {} kB, VmHWM {high} kB", usage[4]);

    let shmem = || Text::<4096>::read(c"/proc/meminfo").map(|text| text.number("Shmem:").unwrap_or(0));
    let (before, all) = (good!(status()), good!(shmem()));
    let flags = (MAP_SHARED | MAP_ANONYMOUS) as usize;
    let memory = good!(tests::mmap(0, SIZE, tests::READ_WRITE, flags, usize::MAX, 0));
    (memory..memory + SIZE).step_by(4096).for_each(|addr| raw::poke(addr, 1));
    let (now, all_now) = (good!(status()), good!(shmem()));
    let grown = now.number("RssShmem:").unwrap_or(0) - before.number("RssShmem:").unwrap_or(0);
    check!(grown.abs_diff(KB) < 512, "RssShmem grew by {grown} kB");
    check!((all_now - all).abs_diff(KB) < 1024, "Shmem grew from {all} to {all_now} kB");
    good!(tests::munmap(memory, SIZE));
    check!(good!(shmem()) < all_now - KB / 2, "shared memory stays");
    Ok(())
}

fn program(_: rt::Args) -> Outcome {
    says(c"/proc/self/cmdline", b"/tests/proc_self\0")?;
    says(c"/proc/self/comm", b"proc_self\n")?;
    good!(call(__NR_prctl, [PR_SET_NAME, c"other name".as_ptr() as usize]));
    says(c"/proc/self/comm", b"other name\n")?;
    let comm = good!(open(c"/proc/self/comm", O_WRONLY));
    equal!(write(comm, b"a name that is too long"), Ok(23));
    good!(close(comm));
    says(c"/proc/self/comm", b"a name that is \n")?;
    good!(call(__NR_prctl, [PR_SET_NAME, c"proc_self".as_ptr() as usize]));
    // AT_PAGESZ is one of the pairs of numbers.
    let auxv = good!(Text::<1024>::read(c"/proc/self/auxv"));
    let pairs = auxv.bytes().chunks_exact(16);
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
    let mut page = None;
    for pair in pairs {
        if word(&pair[..8]) == 6 {
            page = Some(word(&pair[8..]));
        }
    }
    equal!(page, Some(rt::page_size() as u64));
    let limits = good!(Text::<4096>::read(c"/proc/self/limits"));
    equal!(limits.str().lines().count(), 17);
    check!(limits.field("Max open files ").is_some());
    Ok(())
}

fn descriptors() -> Outcome {
    let path = c"/tmp/proc_self";
    let fd = good!(create(path, O_CREAT | O_RDWR, 0o600));
    equal!(write(fd, b"text"), Ok(4));
    let link = PathText::new(format_args!("/proc/self/fd/{fd}"));
    let mut buffer = [0; 64];
    equal!(good!(readlink(link.c_str(), &mut buffer)), path.to_bytes());
    equal!(good!(lstat(link.c_str())).mode, 0o120_700);
    let info = PathText::new(format_args!("/proc/self/fdinfo/{fd}"));
    let info = good!(Text::<256>::read(info.c_str()));
    equal!(info.field("pos:"), Some("4"));
    equal!(info.field("flags:"), Some("0400002"));
    good!(unlink(path));
    equal!(good!(readlink(link.c_str(), &mut buffer)), b"/tmp/proc_self (deleted)");
    // The file can be opened again, though it has no name, at a position of its own.
    let again = good!(open(link.c_str(), O_RDONLY));
    let mut text = [0; 8];
    equal!(read(again, &mut text), Ok(4));
    equal!(&text[..4], b"text");
    good!(close(again));
    good!(close(fd));
    fails!(readlink(link.c_str(), &mut buffer), ENOENT);
    fails!(open(link.c_str(), O_RDONLY), ENOENT);
    Ok(())
}

fn pipes() -> Outcome {
    let (from, to) = good!(pipe(0));
    let link = PathText::new(format_args!("/proc/self/fd/{from}"));
    let mut buffer = [0; 64];
    check!(good!(readlink(link.c_str(), &mut buffer)).starts_with(b"pipe:["));
    equal!(good!(lstat(link.c_str())).mode, 0o120_500);
    equal!(write(to, b"xyz"), Ok(3));
    good!(close(to));
    // No writer is left: whoever opens the pipe again does not wait for one.
    let again = good!(open(link.c_str(), O_RDONLY));
    equal!(read(again, &mut buffer), Ok(3));
    equal!(read(again, &mut buffer), Ok(0));
    good!(close(again));
    good!(close(from));
    Ok(())
}

/// What is open of a process tells that the process is gone.
fn gone() -> Outcome {
    let child = good!(rt::process::spawn(|| {
        rt::time::sleep_ns(50_000_000);
        0
    }));
    let path = PathText::new(format_args!("/proc/{child}/stat"));
    let directory = PathText::new(format_args!("/proc/{child}"));
    let stat = good!(open(path.c_str(), O_RDONLY));
    let directory = good!(open(directory.c_str(), O_RDONLY));
    equal!(good!(rt::process::wait_for(child)), rt::process::Ended::Exited(0));
    fails!(open(path.c_str(), O_RDONLY), ENOENT);
    fails!(read(stat, &mut [0; 64]), ESRCH);
    let relative = c"stat".as_ptr() as usize;
    // Linux finds the name if it is remembered, and then nobody behind it.
    let opened = call(rt::sys::raw::__NR_openat, [directory, relative, O_RDONLY as usize, 0]);
    check!(matches!(opened, Err(Errno::ENOENT | Errno::ESRCH)), "{opened:?}");
    good!(close(stat));
    good!(close(directory));
    equal!(child::run(|| 5), Ok(rt::process::Ended::Exited(5)));
    Ok(())
}
