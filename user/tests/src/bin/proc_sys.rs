//! `/proc/sys`, and what moves when a setting is used: `drop_caches` makes the next read go to the disk, which the
//! counters of `/proc/vmstat`, `/proc/diskstats` and `/sys/block` show.
#![no_std]
#![no_main]

use rt::sys::raw::{O_RDONLY, O_TRUNC, O_WRONLY};
use tests::files::{lstat, write};
use tests::text::Text;
use tests::{Errno, Outcome, anonymous, check, close, equal, fails, good, munmap, open, raw, read};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    texts()?;
    numbers()?;
    drop_caches()?;
    faults_are_counted()?;
    disks()?;
    cpus()
}

fn set(path: &core::ffi::CStr, value: &[u8]) -> Result<(), Errno> {
    let fd = open(path, O_WRONLY | O_TRUNC)?;
    let written = write(fd, value);
    close(fd)?;
    if written? == value.len() { Ok(()) } else { Err(Errno::EIO) }
}

fn says(path: &core::ffi::CStr, text: &[u8]) -> Outcome {
    let read = good!(Text::<256>::read(path));
    equal!(read.bytes(), text);
    Ok(())
}

fn texts() -> Outcome {
    says(c"/proc/sys/kernel/ostype", b"Linux\n")?;
    let release = good!(Text::<256>::read(c"/proc/sys/kernel/osrelease"));
    let uname = rt::rustix::system::uname();
    equal!(release.bytes().strip_suffix(b"\n"), Some(uname.release().to_bytes()));
    let uuid = || Text::<64>::read(c"/proc/sys/kernel/random/uuid");
    let (one, other) = (good!(uuid()), good!(uuid()));
    equal!(one.bytes().len(), 37);
    check!(one.bytes() != other.bytes(), "the same number twice");
    let boot = || Text::<64>::read(c"/proc/sys/kernel/random/boot_id");
    let (one, other) = (good!(boot()), good!(boot()));
    equal!(one.bytes(), other.bytes());
    Ok(())
}

fn numbers() -> Outcome {
    for path in [
        c"/proc/sys/kernel/pid_max",
        c"/proc/sys/vm/max_map_count",
        c"/proc/sys/vm/mmap_min_addr",
        c"/proc/sys/fs/pipe-max-size",
        c"/proc/sys/fs/file-max",
        c"/proc/sys/fs/nr_open",
    ] {
        let text = good!(Text::<64>::read(path));
        check!(text.str().trim().parse::<u64>().is_ok_and(|number| number > 0), "{path:?}: {}", text.str());
    }
    let aslr = c"/proc/sys/kernel/randomize_va_space";
    equal!(good!(lstat(aslr)).mode, 0o100_644);
    good!(set(aslr, b" 1\n"));
    says(aslr, b"1\n")?;
    good!(set(aslr, b"0x2"));
    says(aslr, b"2\n")?;
    fails!(set(aslr, b"much\n"), EINVAL);
    says(aslr, b"2\n")?;
    fails!(open(c"/proc/sys/kernel/no_such_thing", O_RDONLY), ENOENT);
    Ok(())
}

/// Sectors that the root's disk has read: the third number of its statistics.
fn sectors(text: &str) -> Option<u64> {
    text.split_whitespace().nth(2)?.parse().ok()
}

fn drop_caches() -> Outcome {
    let stat = || Text::<256>::read(c"/sys/block/vda/stat");
    let line =
        |text: &str| text.lines().find_map(|line| line.split_once(" vda ")).and_then(|line| sectors(line.1));
    let mut file = [0; 4096];
    let mut read_program = || {
        let fd = open(c"/tests/mappings_random", O_RDONLY)?;
        let count = read(fd, &mut file)?;
        close(fd)?;
        Ok::<_, Errno>(count)
    };
    equal!(read_program(), Ok(4096));
    let warm = good!(stat());
    equal!(warm.str().split_whitespace().count(), 17);
    equal!(read_program(), Ok(4096));
    equal!(sectors(good!(stat()).str()), sectors(warm.str()));
    good!(set(c"/proc/sys/vm/drop_caches", b"3\n"));
    equal!(read_program(), Ok(4096));
    let cold = good!(stat());
    check!(sectors(cold.str()) > sectors(warm.str()), "{} {}", warm.str(), cold.str());
    let diskstats = good!(Text::<8192>::read(c"/proc/diskstats"));
    equal!(line(diskstats.str()), sectors(cold.str()));
    fails!(set(c"/proc/sys/vm/drop_caches", b"9\n"), EINVAL);
    Ok(())
}

fn faults_are_counted() -> Outcome {
    const PAGES: usize = 200;
    let count = || Text::<16384>::read(c"/proc/vmstat").map(|text| text.number("pgfault "));
    let before = good!(count());
    let page = rt::page_size();
    let memory = good!(anonymous(PAGES * page));
    (0..PAGES).for_each(|index| raw::poke(memory + index * page, 1));
    good!(munmap(memory, PAGES * page));
    let after = good!(count());
    let (Some(before), Some(after)) = (before, after) else {
        return Err(tests::Failure::new(line!(), format_args!("no pgfault")));
    };
    check!(after > before, "{before} {after}");
    let vmstat = good!(Text::<16384>::read(c"/proc/vmstat"));
    for name in ["nr_free_pages ", "nr_file_pages ", "pgmajfault ", "pgpgin ", "nr_page_table_pages "] {
        check!(vmstat.number(name).is_some(), "{name}");
    }
    if tests::on_granule() {
        equal!(vmstat.number("native_fallback_untranslatable "), Some(0));
    }
    Ok(())
}

fn disks() -> Outcome {
    let size = good!(Text::<64>::read(c"/sys/block/vda/size"));
    check!(size.str().trim().parse::<u64>().is_ok_and(|number| number > 0), "{}", size.str());
    says(c"/sys/block/vda/queue/logical_block_size", b"512\n")?;
    check!(good!(Text::<64>::read(c"/sys/block/vda/dev")).str().contains(':'));
    check!(good!(Text::<4096>::read(c"/proc/partitions")).str().contains("vda"));
    check!(good!(Text::<4096>::read(c"/proc/devices")).str().contains("\nBlock devices:\n"));
    equal!(good!(lstat(c"/sys/block/vda/size")).mode, 0o100_444);
    Ok(())
}

fn cpus() -> Outcome {
    check!(good!(Text::<64>::read(c"/sys/devices/system/cpu/online")).str().starts_with('0'));
    check!(good!(Text::<64>::read(c"/sys/devices/system/cpu/present")).str().starts_with('0'));
    Ok(())
}
