//! System calls that don't exist: ENOSYS.
#![no_std]
#![no_main]

use rt::sys::raw::__NR_personality;
use tests::{Outcome, call, equal, fails, good, on_granule};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    for number in [245, 259, 300, 422, 600, 1000, 4096, 0x7fff_ffff, u32::MAX] {
        fails!(call(number, [1, 2, 3, 4, 5, 6]), ENOSYS);
    }

    // personality: the query, and flags that stay.
    const QUERY: usize = 0xffff_ffff;
    const NO_RANDOMIZE: usize = 0x004_0000;
    let first = good!(call(__NR_personality, [QUERY]));
    equal!(call(__NR_personality, [first | NO_RANDOMIZE]), Ok(first));
    equal!(call(__NR_personality, [QUERY]), Ok(first | NO_RANDOMIZE));
    tests::in_child!(|| {
        equal!(call(__NR_personality, [QUERY]), Ok(first | NO_RANDOMIZE));
        equal!(call(__NR_personality, [first]), Ok(first | NO_RANDOMIZE));
        Ok(())
    });
    equal!(call(__NR_personality, [first]), Ok(first | NO_RANDOMIZE));
    if on_granule() {
        // Two page sizes at once are none.
        fails!(call(__NR_personality, [0x3000_0000]), EINVAL);
        equal!(call(__NR_personality, [QUERY]), Ok(first));
    }
    Ok(())
}
