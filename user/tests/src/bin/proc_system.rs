//! The files of `/proc` about the machine: meminfo, stat, uptime, loadavg, mounts and their like.
#![no_std]
#![no_main]

use rt::sys::raw::{__NR_lseek, O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR, SEEK_END, SEEK_SET};
use tests::files::{lseek, lstat, mkdir};
use tests::text::Text;
use tests::{Outcome, anonymous, call, check, close, equal, fails, good, munmap, open, raw, read};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    meminfo()?;
    stat()?;
    uptime()?;
    small_files()?;
    mounts()?;
    positions()?;
    nothing_can_be_made()
}

fn meminfo() -> Outcome {
    const SIZE: usize = 16 << 20;
    let read = || Text::<4096>::read(c"/proc/meminfo");
    let before = good!(read());
    for name in ["MemTotal:", "MemFree:", "MemAvailable:", "PageTables:", "KernelStack:"] {
        check!(before.number(name) > Some(0), "{name} {:?}", before.field(name));
        check!(before.field(name).is_some_and(|field| field.ends_with(" kB")), "{name}");
    }
    for name in ["Buffers:", "Cached:", "SwapTotal:", "Dirty:", "AnonPages:", "Shmem:", "HugePages_Total:"] {
        check!(before.number(name).is_some(), "{name}");
    }
    check!(before.number("MemFree:") <= before.number("MemTotal:"));
    let memory = good!(anonymous(SIZE));
    (memory..memory + SIZE).step_by(4096).for_each(|addr| raw::poke(addr, 1));
    let after = good!(read());
    let fell = before.number("MemFree:").unwrap_or(0).saturating_sub(after.number("MemFree:").unwrap_or(0));
    // On Linux, memory that other tests used may become free meanwhile.
    check!(fell > SIZE as u64 / 1024 / 2 || !tests::on_granule(), "{fell} kB");
    good!(munmap(memory, SIZE));
    Ok(())
}

fn stat() -> Outcome {
    let text = good!(Text::<8192>::read(c"/proc/stat"));
    let cpu = text.field("cpu ").unwrap_or("");
    equal!(cpu.split_whitespace().count(), 10);
    check!(text.field("cpu0 ").is_some());
    let before = text.number("processes ");
    good!(tests::child::run(|| 0));
    let after = good!(Text::<8192>::read(c"/proc/stat")).number("processes ");
    check!(before.is_some() && after > before, "{before:?} {after:?}");
    check!(text.number("procs_running ") >= Some(1));
    check!(text.number("btime ") > Some(0));
    check!(text.number("ctxt ") > Some(0));
    Ok(())
}

/// In hundredths of a second.
fn uptime_now() -> Option<u64> {
    let text = Text::<64>::read(c"/proc/uptime").ok()?;
    let (seconds, rest) = text.str().split_once('.')?;
    Some(seconds.parse::<u64>().ok()? * 100 + rest.get(..2)?.parse::<u64>().ok()?)
}

fn uptime() -> Outcome {
    let before = uptime_now();
    rt::time::sleep_ns(30_000_000);
    let after = uptime_now();
    check!(before.is_some() && after > before, "{before:?} {after:?}");
    Ok(())
}

fn small_files() -> Outcome {
    let loadavg = good!(Text::<128>::read(c"/proc/loadavg"));
    equal!(loadavg.str().trim().split(' ').count(), 5);
    check!(good!(Text::<512>::read(c"/proc/version")).str().starts_with("Linux version "));
    check!(good!(Text::<4096>::read(c"/proc/filesystems")).str().contains("nodev\tproc\n"));
    check!(good!(Text::<16384>::read(c"/proc/cpuinfo")).field("processor").is_some());
    check!(good!(Text::<4096>::read(c"/proc/cmdline")).str().ends_with('\n'));
    Ok(())
}

fn mounts() -> Outcome {
    let text = good!(Text::<8192>::read(c"/proc/mounts"));
    let proc = text.str().lines().find(|line| line.split(' ').nth(1) == Some("/proc"));
    let mut words = proc.unwrap_or("").split(' ').skip(2);
    equal!(words.next(), Some("proc"));
    check!(words.next().is_some_and(|options| options.starts_with("rw")));
    equal!((words.next(), words.next(), words.next()), (Some("0"), Some("0"), None));
    let info = good!(Text::<8192>::read(c"/proc/self/mountinfo"));
    equal!(info.str().lines().count(), text.str().lines().count());
    check!(info.str().lines().all(|line| line.contains(" - ")), "{}", info.str());
    Ok(())
}

/// Reading from the beginning tells anew; there is no end to seek to.
fn positions() -> Outcome {
    let fd = good!(open(c"/proc/uptime", O_RDONLY));
    let mut first = [0; 64];
    let len = good!(read(fd, &mut first));
    equal!(read(fd, &mut [0; 64]), Ok(0));
    rt::time::sleep_ns(30_000_000);
    equal!(lseek(fd, 0, SEEK_SET), Ok(0));
    let mut second = [0; 64];
    let again = good!(read(fd, &mut second));
    check!(first[..len] != second[..again], "the same after a while");
    equal!(tests::pread(fd, &mut second, 1), Ok(again - 1));
    good!(close(fd));
    let fd = good!(open(c"/proc/self/maps", O_RDONLY));
    fails!(call(__NR_lseek, [fd, 0, SEEK_END as usize]), EINVAL);
    fails!(tests::mmap(0, 4096, tests::READ, tests::PRIVATE, fd, 0), ENODEV);
    fails!(call(rt::sys::raw::__NR_read, [fd, 8, 100]), EFAULT);
    good!(close(fd));
    equal!(good!(lstat(c"/proc/meminfo")).size, 0);
    equal!(good!(lstat(c"/proc/meminfo")).mode, 0o100_444);
    Ok(())
}

fn nothing_can_be_made() -> Outcome {
    // The error depends on the directory and on the version, but it is one.
    check!(tests::files::create(c"/proc/new", O_CREAT | O_RDWR, 0o600).is_err());
    check!(mkdir(c"/proc/new", 0o700).is_err());
    check!(tests::files::unlink(c"/proc/meminfo").is_err());
    let directory = good!(open(c"/proc", O_RDONLY | O_DIRECTORY));
    fails!(read(directory, &mut [0; 8]), EISDIR);
    good!(close(directory));
    Ok(())
}
