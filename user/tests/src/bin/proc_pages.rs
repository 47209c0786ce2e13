//! `/proc/self/pagemap`, `mem`, and our own `pagetables`: pages as the kernel has them.
#![no_std]
#![no_main]

use rt::sys::raw::{O_RDONLY, O_RDWR};
use tests::files::pwrite;
use tests::text::Text;
use tests::{
    ANONYMOUS, Outcome, PRIVATE, READ, READ_WRITE, anonymous, check, close, equal, fails, good, in_child,
    mmap, mprotect, munmap, open, pread, raw,
};

tests::program!(run);

const PRESENT: u64 = 1 << 63;
const FILE: u64 = 1 << 61;
const EXCLUSIVE: u64 = 1 << 56;
const PFN: u64 = (1 << 55) - 1;

fn run(_: rt::Args) -> Outcome {
    pagemap()?;
    memory()?;
    if tests::on_granule() { pagetables() } else { Ok(()) }
}

/// The entries of the pages from `addr` on.
fn entries<const N: usize>(fd: usize, addr: usize) -> Result<[u64; N], tests::Errno> {
    let mut words = [0u64; N];
    let into = words.as_mut_ptr() as usize;
    let offset = addr / rt::page_size() * 8;
    let count = tests::call(rt::sys::raw::__NR_pread64, [fd, into, 8 * N, offset])?;
    if count == 8 * N { Ok(words) } else { Err(tests::Errno::EIO) }
}

fn pagemap() -> Outcome {
    let page = rt::page_size();
    let fd = good!(open(c"/proc/self/pagemap", O_RDONLY));
    let memory = good!(anonymous(8 * page));
    equal!(good!(entries::<8>(fd, memory)), [0; 8]);
    raw::poke(memory + 2 * page, 1);
    raw::poke(memory + 5 * page, 1);
    let now = good!(entries::<8>(fd, memory));
    for (index, entry) in now.iter().enumerate() {
        let touched = index == 2 || index == 5;
        // Linux may have given the neighbours a page too, if it likes larger folios.
        check!(entry & PRESENT != 0 || !touched, "page {index}: {entry:#x}");
        if touched {
            check!(
                entry & EXCLUSIVE != 0 && entry & FILE == 0 && entry & PFN != 0,
                "page {index}: {entry:#x}"
            );
        }
    }
    check!(now[2] & PFN != now[5] & PFN);
    // A child shares the page until one of them writes.
    in_child!(|| {
        let fd = good!(open(c"/proc/self/pagemap", O_RDONLY));
        let [shared] = good!(entries::<1>(fd, memory + 2 * page));
        equal!((shared & PFN, shared & EXCLUSIVE), (now[2] & PFN, 0));
        raw::poke(memory + 2 * page, 2);
        let [own] = good!(entries::<1>(fd, memory + 2 * page));
        check!(own & PFN != now[2] & PFN && own & EXCLUSIVE != 0, "{own:#x}");
        Ok(())
    });
    good!(munmap(memory, 8 * page));
    equal!(good!(entries::<8>(fd, memory)), [0; 8]);

    let file = good!(open(c"/proc/self/exe", O_RDONLY));
    let mapped = good!(mmap(0, page, READ, PRIVATE, file, 0));
    equal!(raw::peek(mapped), 0x7f);
    let [entry] = good!(entries::<1>(fd, mapped));
    check!(entry & PRESENT != 0 && entry & FILE != 0, "{entry:#x}");
    good!(munmap(mapped, page));
    good!(close(file));

    let mut odd = [0; 12];
    fails!(pread(fd, &mut odd, 0), EINVAL);
    fails!(pread(fd, &mut odd[..8], 4), EINVAL);
    equal!(pread(fd, &mut odd[..8], 1 << 44), Ok(0));
    good!(close(fd));
    Ok(())
}

fn memory() -> Outcome {
    let page = rt::page_size();
    let fd = good!(open(c"/proc/self/mem", O_RDWR));
    let memory = good!(mmap(0, 4 * page, READ_WRITE, ANONYMOUS, usize::MAX, 0));
    raw::poke(memory + page - 1, 0x11);
    raw::poke(memory + page, 0x22);
    let mut bytes = [0; 4];
    equal!(pread(fd, &mut bytes, memory + page - 2), Ok(4));
    equal!(bytes, [0, 0x11, 0x22, 0]);
    equal!(pwrite(fd, &[0x33, 0x44], memory + 2 * page - 1), Ok(2));
    equal!((raw::peek(memory + 2 * page - 1), raw::peek(memory + 2 * page)), (0x33, 0x44));
    // What ends in a hole ends short; what begins in one is an error.
    good!(munmap(memory + 3 * page, page));
    equal!(pread(fd, &mut bytes, memory + 3 * page - 2), Ok(2));
    fails!(pread(fd, &mut bytes, memory + 3 * page), EIO);
    fails!(pwrite(fd, &bytes, memory + 3 * page), EIO);
    good!(mprotect(memory, page, READ));
    equal!(pread(fd, &mut bytes, memory + page - 1), Ok(4));
    equal!(bytes[..2], [0x11, 0x22]);
    good!(munmap(memory, 3 * page));
    good!(close(fd));
    Ok(())
}

/// Each touched page is in the Linux table, where it was mapped.
fn pagetables() -> Outcome {
    let page = rt::page_size();
    let memory = good!(anonymous(4 * page));
    raw::poke(memory, 1);
    let text = good!(Text::<65536>::read(c"/proc/self/pagetables"));
    let mut lines = text.str().lines();
    check!(lines.next().is_some_and(|line| line.starts_with("Linux table, granule 4K, root 0x")));
    let mut tables = 0;
    let mut found = false;
    for line in lines {
        let mut words = line.split_whitespace();
        let (Some(level), Some(range)) = (words.next(), words.next()) else { break };
        if level == "Native" || level == "No" {
            break;
        }
        tables += u32::from(words.next() == Some("table"));
        let Some((start, end)) = range.split_once('-') else { break };
        let (Some(start), Some(end)) = (tests::text::hex(start), tests::text::hex(end)) else { break };
        let holds = (start..=end).contains(&(memory as u64));
        found |= level == "L3" && holds && line.contains(" rw- young dirty");
    }
    check!(found, "the page is not there");
    check!(tables >= 3, "{tables} tables");
    // In small steps it says the same, but for pages of the stack that this reader touches.
    let slow = good!(Text::<65536>::read_in_steps(c"/proc/self/pagetables", 11));
    let (slow, fast) = (slow.str().lines().count(), text.str().lines().count());
    check!(slow >= fast && slow < 2 * fast, "{slow} lines, not {fast}");
    good!(munmap(memory, 4 * page));
    Ok(())
}
