//! pselect6.
#![no_std]
#![no_main]

use rt::sys::Result;
use rt::sys::raw::{__NR_pselect6, F_DUPFD};
use tests::files::{fcntl, pipe, write};
use tests::{Outcome, call, check, close, equal, fails, good, read};

tests::program!(run);

fn select(count: usize, sets: [Option<&mut [u64]>; 3], timeout: Option<&mut [i64; 2]>) -> Result {
    let address = |set: Option<&mut [u64]>| set.map_or(0, |set| set.as_mut_ptr() as usize);
    let [read, write, except] = sets.map(address);
    let timeout = timeout.map_or(0, |timeout| timeout.as_mut_ptr() as usize);
    call(__NR_pselect6, [count, read, write, except, timeout, 0])
}

fn run(_: rt::Args) -> Outcome {
    let (reader, writer) = good!(pipe(0));
    let (mut read_set, mut write_set) = ([1u64 << reader | 1 << writer], [1u64 << writer]);
    equal!(select(writer + 1, [Some(&mut read_set), Some(&mut write_set), None], None), Ok(1));
    equal!((read_set, write_set), ([0], [1 << writer]));

    // Nothing to read: the time passes, the set is emptied and the time left is none.
    let mut set = [1 << reader];
    let mut timeout = [0, 2_000_000];
    equal!(select(reader + 1, [Some(&mut set), None, None], Some(&mut timeout)), Ok(0));
    equal!((set, timeout), ([0], [0, 0]));
    equal!(select(0, [None, None, None], Some(&mut [0, 1000])), Ok(0));

    equal!(write(writer, b"x"), Ok(1));
    let mut set = [1 << reader];
    let mut timeout = [10, 0];
    equal!(select(reader + 1, [Some(&mut set), None, None], Some(&mut timeout)), Ok(1));
    equal!(set, [1 << reader]);
    check!(timeout[0] >= 8);
    // One beyond the first word.
    let high = good!(fcntl(reader, F_DUPFD, 70));
    let mut sets = [[0, 1 << (high - 64)], [0, 0]];
    let [first, second] = &mut sets;
    equal!(select(high + 1, [Some(first), None, Some(second)], None), Ok(1));
    equal!(sets, [[0, 1 << (high - 64)], [0, 0]]);
    // What lies at the count or above is not looked at.
    let mut set = [0, 1 << (high - 64)];
    equal!(select(high, [Some(&mut set), None, None], Some(&mut [0, 0])), Ok(0));

    equal!(read(reader, &mut [0]), Ok(1));
    good!(close(writer));
    // At the end of a pipe reading does not wait.
    let mut set = [1 << reader];
    equal!(select(reader + 1, [Some(&mut set), None, None], None), Ok(1));
    let mut set = [1 << writer];
    fails!(select(writer + 1, [Some(&mut set), None, None], None), EBADF);
    fails!(select(usize::MAX, [None, None, None], None), EINVAL);
    fails!(select(0, [None, None, None], Some(&mut [0, 1_000_000_000])), EINVAL);
    fails!(select(0, [None, None, None], Some(&mut [-1, 0])), EINVAL);
    fails!(call(__NR_pselect6, [reader + 1, 8, 0, 0, 0, 0]), EFAULT);
    good!(close(high));
    good!(close(reader));
    Ok(())
}
