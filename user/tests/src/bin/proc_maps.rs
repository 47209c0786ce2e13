//! `/proc/self/maps` and `smaps`: the areas that the program knows of, while it changes them.
#![no_std]
#![no_main]

use rt::sys::raw::{__NR_brk, O_RDONLY};
use tests::files::{create, unlink};
use tests::text::{Text, area};
use tests::{
    ANONYMOUS, FIXED, Outcome, PRIVATE, READ, READ_EXEC, READ_WRITE, call, check, close, equal, good, mmap,
    mprotect, munmap, open, raw, read,
};

tests::program!(run);

type Maps = Text<16384>;

fn maps() -> Result<Maps, tests::Errno> {
    Text::read(c"/proc/self/maps")
}

fn run(_: rt::Args) -> Outcome {
    known_areas()?;
    changes()?;
    many_areas()?;
    heap_grows_between_reads()?;
    smaps()
}

fn known_areas() -> Outcome {
    let maps = good!(maps());
    let mut end = 0;
    let (mut code, mut stack) = (false, false);
    let local = 0u8;
    for line in maps.str().lines() {
        let Some(area) = area(line) else { return Err(tests::Failure::new(line!(), format_args!("{line}"))) };
        check!(area.start >= end && area.start < area.end, "{line}");
        end = area.end;
        let holds = |address: usize| (area.start..area.end).contains(&address);
        code |= holds(run as *const () as usize) && area.rights == "r-xp" && area.name == "/tests/proc_maps";
        stack |= holds(&raw const local as usize) && area.rights == "rw-p" && area.name == "[stack]";
    }
    check!(code, "no area of the program's code");
    check!(stack, "no area of the stack");
    // In small steps it says the same.
    let slow = good!(Maps::read_in_steps(c"/proc/self/maps", 7));
    equal!(slow.str().lines().count(), maps.str().lines().count());
    Ok(())
}

/// Whether `maps` has exactly this area; its name.
fn find(maps: &Maps, start: usize, end: usize, rights: &str) -> Option<usize> {
    let found = |line: &str| {
        let area = area(line)?;
        (area.start == start && area.end == end && area.rights == rights).then_some(area.name.len())
    };
    maps.str().lines().find_map(found)
}

fn changes() -> Outcome {
    let page = rt::page_size();
    // A wall on both sides keeps neighbours from joining.
    let base = good!(mmap(0, 8 * page, 0, ANONYMOUS, usize::MAX, 0));
    let at = base + 2 * page;
    good!(mmap(at, 4 * page, READ_WRITE, ANONYMOUS | FIXED, usize::MAX, 0));
    check!(find(&good!(maps()), at, at + 4 * page, "rw-p").is_some(), "a new area");
    good!(mprotect(at + page, page, READ));
    let now = good!(maps());
    check!(find(&now, at, at + page, "rw-p").is_some(), "before the change");
    check!(find(&now, at + page, at + 2 * page, "r--p").is_some(), "the change");
    check!(find(&now, at + 2 * page, at + 4 * page, "rw-p").is_some(), "behind the change");
    good!(mprotect(at + page, page, READ_WRITE));
    check!(find(&good!(maps()), at, at + 4 * page, "rw-p").is_some(), "joined again");
    good!(munmap(at + page, page));
    check!(find(&good!(maps()), at, at + page, "rw-p").is_some(), "a hole");
    good!(munmap(base, 8 * page));
    check!(find(&good!(maps()), at, at + page, "rw-p").is_none(), "gone");

    // Files, with offset and name; shared memory.
    let file = good!(create(c"/tmp/proc maps", rt::sys::raw::O_CREAT | rt::sys::raw::O_RDWR, 0o600));
    good!(tests::files::ftruncate(file, 4 * page));
    let mapped = good!(mmap(0, page, READ_EXEC, PRIVATE, file, 2 * page));
    let now = good!(maps());
    let line = now.str().lines().filter_map(area).find(|area| area.start == mapped);
    let Some(line) = line else { return Err(tests::Failure::new(line!(), format_args!("no file area"))) };
    equal!(
        (line.end, line.rights, line.offset, line.name),
        (mapped + page, "r-xp", 2 * page as u64, "/tmp/proc maps")
    );
    good!(unlink(c"/tmp/proc maps"));
    let now = good!(maps());
    let line = now.str().lines().filter_map(area).find(|area| area.start == mapped);
    equal!(line.map(|line| line.name.len()), Some("/tmp/proc maps (deleted)".len()));
    good!(munmap(mapped, page));
    good!(close(file));
    let shared = rt::sys::raw::MAP_SHARED | rt::sys::raw::MAP_ANONYMOUS;
    let memory = good!(mmap(0, page, READ_WRITE, shared as usize, usize::MAX, 0));
    equal!(find(&good!(maps()), memory, memory + page, "rw-s"), Some("/dev/zero (deleted)".len()));
    good!(munmap(memory, page));
    Ok(())
}

/// More than one piece of text, none twice and none forgotten.
fn many_areas() -> Outcome {
    const MANY: usize = 200;
    let page = rt::page_size();
    let base = good!(mmap(0, 2 * MANY * page, 0, ANONYMOUS, usize::MAX, 0));
    for index in 0..MANY {
        good!(mprotect(base + 2 * index * page, page, READ));
    }
    let maps = good!(Text::<65536>::read_in_steps(c"/proc/self/maps", 1000));
    let mut next = 0;
    for area in maps.str().lines().filter_map(area).filter(|area| area.rights == "r--p") {
        if (base..base + 2 * MANY * page).contains(&area.start) {
            equal!(area.start, base + 2 * next * page);
            next += 1;
        }
    }
    equal!(next, MANY);
    good!(munmap(base, 2 * MANY * page));
    Ok(())
}

/// A reader whose buffer is new memory, and who grows its heap between reads.
fn heap_grows_between_reads() -> Outcome {
    let page = rt::page_size();
    let fd = good!(open(c"/proc/self/maps", O_RDONLY));
    let heap = good!(call(__NR_brk, [0]));
    for step in 1..50 {
        let top = heap + step * page;
        equal!(call(__NR_brk, [top]), Ok(top));
        // The read itself faults on the new page.
        let count = good!(call(rt::sys::raw::__NR_read, [fd, top - page, 100]));
        if count == 0 {
            break;
        }
    }
    let maps = good!(maps());
    check!(maps.str().lines().any(|line| line.ends_with("[heap]")), "no heap");
    equal!(call(__NR_brk, [heap]), Ok(heap));
    good!(close(fd));
    Ok(())
}

fn smaps() -> Outcome {
    let page = rt::page_size();
    let memory = good!(mmap(0, 8 * page, READ_WRITE, ANONYMOUS, usize::MAX, 0));
    // A wall, so that the area is one by itself.
    good!(mprotect(memory, page, 0));
    good!(mprotect(memory + 7 * page, page, 0));
    (1..4).for_each(|index| raw::poke(memory + index * page, 1));
    let text = good!(Text::<65536>::read(c"/proc/self/smaps"));
    let mut inside = false;
    let (mut size, mut rss, mut dirty, mut kernel_page) = (0, 0, 0, 0);
    for line in text.str().lines() {
        if let Some(area) = area(line) {
            inside = area.start == memory + page;
        } else if inside {
            let number = line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
            match line.split(':').next() {
                Some("Size") => size = number,
                Some("Rss") => rss = number,
                Some("Private_Dirty") => dirty = number,
                Some("KernelPageSize") => kernel_page = number,
                _ => {}
            }
        }
    }
    let kb = page / 1024;
    equal!((size, rss, dirty, kernel_page), (6 * kb, 3 * kb, 3 * kb, kb));
    let rollup = good!(Text::<4096>::read(c"/proc/self/smaps_rollup"));
    check!(rollup.number("Rss:") >= Some(rss as u64), "{:?}", rollup.field("Rss:"));
    check!(rollup.str().lines().next().is_some_and(|line| line.ends_with("[rollup]")));
    good!(munmap(memory, 8 * page));
    let mut buffer = [0; 16];
    let fd = good!(open(c"/proc/self/maps", O_RDONLY));
    equal!(read(fd, &mut buffer), Ok(16));
    good!(close(fd));
    Ok(())
}
