//! Private file mappings: read from the disk when touched, copied when written, the file never changes.
#![no_std]
#![no_main]

use rt::sys::raw::O_RDONLY;
use tests::{
    Outcome, PRIVATE, READ, READ_WRITE, check, dies, equal, good, in_child, mmap, open, pattern, pread, raw,
};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let fd = good!(open(pattern::PATH, O_RDONLY));
    whole_file(fd)?;

    let mine = good!(mmap(0, 8 * page, READ_WRITE, PRIVATE, fd, 0));
    let other = good!(mmap(0, 8 * page, READ, PRIVATE, fd, 0));
    // Written without being read first, and after being read.
    raw::poke(mine + 10, !pattern::byte(10));
    equal!(raw::peek(mine + page), pattern::byte(page));
    raw::poke(mine + page, !pattern::byte(page));

    equal!(raw::peek(mine + 10), !pattern::byte(10));
    equal!(raw::peek(mine + 11), pattern::byte(11));
    equal!(raw::peek(mine + page), !pattern::byte(page));
    equal!(pattern::difference(raw::bytes(other, 8 * page), 0), None);
    let mut bytes = [0; 64];
    equal!(pread(fd, &mut bytes, 0), Ok(64));
    equal!(pattern::difference(&bytes, 0), None);

    // A child has its own copy of the copy.
    in_child!(|| {
        equal!(raw::peek(mine + 10), !pattern::byte(10));
        raw::poke(mine + 10, 77);
        raw::poke(mine + 5 * page, 78);
        Ok(())
    });
    equal!(raw::peek(mine + 10), !pattern::byte(10));
    equal!(raw::peek(mine + 5 * page), pattern::byte(5 * page));
    Ok(())
}

/// All of it, and its end: zeroes to the end of the page, then SIGBUS.
fn whole_file(fd: usize) -> Outcome {
    let page = rt::page_size();
    let end = pattern::LEN.next_multiple_of(page);
    let map = good!(mmap(0, end + 2 * page, READ_WRITE, PRIVATE, fd, 0));

    // Backwards, so that nothing is in memory ahead of time.
    let mut start = end - page;
    loop {
        let len = page.min(pattern::LEN - start);
        equal!(pattern::difference(raw::bytes(map + start, len), start), None);
        if start == 0 {
            break;
        }
        start -= page;
    }
    check!(raw::bytes(map + pattern::LEN, end - pattern::LEN).iter().all(|&byte| byte == 0));
    raw::poke(map + end - 1, 1);
    dies!(SIGBUS, raw::peek(map + end));
    dies!(SIGBUS, raw::poke(map + end + page, 1));

    // What was written behind the end is not in the file.
    let again = good!(mmap(0, end, READ, PRIVATE, fd, 0));
    equal!(raw::peek(again + end - 1), 0);
    Ok(())
}
