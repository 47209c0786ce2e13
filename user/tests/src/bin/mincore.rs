//! mincore: one byte for each page of the process, and what it refuses.
#![no_std]
#![no_main]

use rt::sys::Result;
use rt::sys::raw::{__NR_mincore, MAP_ANONYMOUS, MAP_SHARED, O_RDONLY};
use tests::{
    Outcome, PRIVATE, READ, READ_WRITE, anonymous, call, equal, fails, good, mmap, munmap, open, pattern, raw,
};

tests::program!(run);

fn mincore(addr: usize, len: usize, vector: &mut [u8]) -> Result {
    call(__NR_mincore, [addr, len, vector.as_mut_ptr() as usize])
}

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let mut vector = [7u8; 600];
    let base = good!(anonymous(600 * page));
    fails!(mincore(base + 1, page, &mut vector), EINVAL);
    fails!(mincore(base + page / 2, page, &mut vector), EINVAL);
    fails!(mincore(base, usize::MAX, &mut vector), ENOMEM);
    fails!(mincore(1 << 63, page, &mut vector), ENOMEM);
    fails!(call(__NR_mincore, [base, page, 16]), EFAULT);
    fails!(call(__NR_mincore, [base, page, usize::MAX]), EFAULT);
    equal!(mincore(base, 0, &mut vector), Ok(0));
    equal!(vector[0], 7);

    // Untouched, touched, and a length that ends within a page. Linux may touch more than was asked for.
    raw::poke(base + 3 * page, 1);
    equal!(mincore(base, 3 * page + 1, &mut vector), Ok(0));
    equal!((vector[3] & 1, vector[4]), (1, 7));
    if tests::on_granule() {
        equal!(vector[..3], [0; 3]);
    }
    // More than one look under the kernel's lock.
    (0..600).for_each(|index| raw::poke(base + index * page, 1));
    equal!(mincore(base, 600 * page, &mut vector), Ok(0));
    equal!(vector.iter().all(|byte| byte & 1 == 1), true);

    // A hole ends it with an error, what lies before is said.
    equal!(munmap(base + 2 * page, page), Ok(0));
    vector.fill(7);
    fails!(mincore(base, 4 * page, &mut vector), ENOMEM);
    fails!(mincore(base + 2 * page, page, &mut vector), ENOMEM);

    // Files: in the page cache once read.
    let fd = good!(open(pattern::PATH, O_RDONLY));
    let file = good!(mmap(0, 4 * page, READ, PRIVATE, fd, 0));
    raw::peek(file + page);
    equal!(mincore(file + page, page, &mut vector), Ok(0));
    equal!(vector[0] & 1, 1);
    let shared = good!(mmap(0, 4 * page, READ_WRITE, (MAP_SHARED | MAP_ANONYMOUS) as usize, usize::MAX, 0));
    raw::poke(shared + page, 1);
    equal!(mincore(shared, 2 * page, &mut vector), Ok(0));
    equal!(vector[1] & 1, 1);
    Ok(())
}
