//! fork: both sides see what was there before, and nothing of what the other writes after.
#![no_std]
#![no_main]

use tests::{Outcome, anonymous, equal, good, in_child, munmap, raw};

tests::program!(run);

const PAGES: usize = 1000;

fn fill(base: usize, seed: u64) {
    let page = rt::page_size();
    for index in 0..PAGES {
        raw::poke64(base + index * page, seed + index as u64);
    }
}

fn verify(base: usize, seed: u64) -> Outcome {
    let page = rt::page_size();
    for index in 0..PAGES {
        equal!(raw::peek64(base + index * page), seed + index as u64);
        equal!(raw::peek64(base + index * page + page - 8), 0);
    }
    Ok(())
}

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let base = good!(anonymous(PAGES * page));
    fill(base, 1000);

    // The child writes; then the parent does, after the child is gone; then both again.
    in_child!(|| {
        verify(base, 1000)?;
        fill(base, 2000);
        verify(base, 2000)
    });
    verify(base, 1000)?;
    fill(base, 3000);
    verify(base, 3000)?;

    // Three generations: a page shared by all, then by some.
    in_child!(|| {
        in_child!(|| {
            in_child!(|| {
                verify(base, 3000)?;
                fill(base, 4000);
                verify(base, 4000)
            });
            verify(base, 3000)?;
            fill(base, 5000);
            verify(base, 5000)
        });
        verify(base, 3000)
    });
    verify(base, 3000)?;

    // The parent writes while the child lives.
    let child = good!(rt::process::spawn(|| {
        rt::time::sleep_ns(20_000_000);
        tests::child::outcome(verify(base, 3000))
    }));
    fill(base, 6000);
    equal!(rt::process::wait_for(child), Ok(rt::process::Ended::Exited(0)));
    verify(base, 6000)?;

    // What one side unmaps, the other keeps.
    in_child!(|| {
        good!(munmap(base, PAGES * page));
        Ok(())
    });
    verify(base, 6000)
}
