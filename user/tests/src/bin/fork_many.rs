//! Many processes, one after the other and at the same time, with memory: nothing runs out.
#![no_std]
#![no_main]

use rt::process::{self, Ended};
use tests::{Outcome, anonymous, equal, good, raw};

tests::program!(run);

const ONE_BY_ONE: usize = 200;
const AT_ONCE: usize = 40;

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(256 * page));
    let touch = |value: u8| (0..256).for_each(|index| raw::poke(base + index * page, value));
    touch(1);

    for round in 0..ONE_BY_ONE {
        let pid = good!(process::spawn(|| {
            touch(2);
            round as i32 & 0x7f
        }));
        equal!(process::wait_for(pid), Ok(Ended::Exited(round as i32 & 0x7f)));
    }

    let mut pids = [0; AT_ONCE];
    for (index, pid) in pids.iter_mut().enumerate() {
        *pid = good!(process::spawn(|| {
            touch(index as u8);
            rt::time::sleep_ns(2_000_000);
            let kept = (0..256).all(|page_index| raw::peek(base + page_index * page) == index as u8);
            if kept { index as i32 } else { 127 }
        }));
    }
    for (index, &pid) in pids.iter().enumerate().rev() {
        equal!(process::wait_for(pid), Ok(Ended::Exited(index as i32)));
    }
    equal!(raw::peek(base), 1);
    Ok(())
}
