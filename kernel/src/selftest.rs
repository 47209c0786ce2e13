//! What can only be checked inside the running kernel, on the command line's `selftest=1`: one line for each check,
//! `ok NAME` or `not ok NAME: why`, and a line with the totals. The host's tests read them. Other values make a mistake
//! on purpose, to see the kernel's last words: `panic`, `wild-read`, `write-to-text`, `overflow-stack`.
//!
//! The checks of disks run when there is a disk that `tools/pattern-disk` made.

mod block;
mod sched;
mod time;

use crate::arch::barrier;
use crate::arch::kmap_check::{self, Leaf, Probe};
use crate::arch::{phys, provoke};
use crate::kstack::{KSTACK_SIZE, KernelStack};
use crate::{frames, platform};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use boot::layout::{self, PAGE_SIZE};
use core::hint::black_box;

type Check = fn() -> Result<(), String>;

const CHECKS: [(&str, Check); 12] = [
    ("no kernel page is writable and executable", write_xor_execute),
    ("only the kernel's text is executable", only_text_executes),
    ("text and constants are read-only at every address", constants_are_read_only),
    ("EL0 reaches nothing in the kernel's half", nothing_for_user),
    ("kernel stacks have guards", stacks_have_guards),
    ("many kernel stacks can be had, and given back", many_stacks),
    ("devices are mapped as devices", devices),
    ("frames are distinct and come back", frames_come_back),
    ("free memory in many pieces is no trouble", fragmentation),
    ("heap objects do not touch", heap_objects),
    ("copies and fills of all lengths and overlaps", copies),
    ("out of memory is an error, and passes", out_of_memory),
];

/// Does what the command line's `selftest=what` asks. Called by a task, with drivers up and the tick running.
pub fn run(what: &str) {
    match what {
        "1" => run_checks(),
        "panic" => panic!("asked for by selftest=panic"),
        "wild-read" => log::info!("selftest: read {:#x}", provoke::wild_read()),
        "write-to-text" => provoke::write_to_text(),
        "overflow-stack" => log::info!("selftest: {}", provoke::overflow_stack(0)),
        _ => log::warn!("selftest={what} is not known"),
    }
}

fn run_checks() {
    let mut failed = 0;
    let mut passed = 0;
    let mut report = |name: &str, result: Result<(), String>| match result {
        Ok(()) => {
            passed += 1;
            log::info!("selftest: ok {name}");
        }
        Err(why) => {
            failed += 1;
            log::error!("selftest: not ok {name}: {why}");
        }
    };
    for (name, check) in CHECKS {
        let flags = barrier::irq_save();
        let result = check();
        barrier::irq_restore(flags);
        report(name, result);
    }
    let disk = block::pattern_disk();
    let disk_checks = if disk.is_some() { block::CHECKS } else { &[] };
    for (name, check) in time::CHECKS.iter().chain(sched::CHECKS).chain(disk_checks) {
        report(name, check());
    }
    log::info!("selftest: {passed} passed, {failed} failed");
    assert!(failed == 0, "selftest failed");
}

/// Fails a check with its reason unless the condition holds.
fn expect(condition: bool, reason: &str) -> Result<(), String> {
    if condition { Ok(()) } else { Err(reason.into()) }
}

/// The first leaf that `wrong` says is wrong.
fn no_leaf(mut wrong: impl FnMut(&Leaf) -> bool) -> Result<(), String> {
    let mut found = None;
    kmap_check::for_each_leaf(&mut |leaf| {
        if found.is_none() && wrong(&leaf) {
            found = Some(leaf);
        }
    });
    found.map_or(Ok(()), |leaf| Err(format!("{leaf:x?}")))
}

fn write_xor_execute() -> Result<(), String> {
    no_leaf(|leaf| leaf.writable() && leaf.executable())
}

fn only_text_executes() -> Result<(), String> {
    let text = layout::IMAGE..layout::IMAGE + phys::text_size();
    no_leaf(|leaf| leaf.executable() != (text.contains(&leaf.va) && leaf.size == PAGE_SIZE))
}

fn constants_are_read_only() -> Result<(), String> {
    let constants = phys::constant_ranges();
    no_leaf(|leaf| {
        let overlaps = constants.iter().any(|c| leaf.pa < c.end && c.start < leaf.pa + leaf.size);
        leaf.writable() && overlaps
    })?;
    for range in constants.iter().filter(|range| !range.is_empty()) {
        if kmap_check::allows(layout::LINEAR + range.start, Probe::Write) {
            return Err(format!("the hardware lets us write to {:#x}", range.start));
        }
    }
    if kmap_check::allows(layout::IMAGE, Probe::Write) {
        return Err("the hardware lets us write to the text".into());
    }
    Ok(())
}

fn nothing_for_user() -> Result<(), String> {
    no_leaf(Leaf::user)?;
    if kmap_check::allows(layout::IMAGE, Probe::UserRead) {
        return Err("the hardware lets EL0 read the text".into());
    }
    Ok(())
}

fn stacks_have_guards() -> Result<(), String> {
    let guard = |va: u64| {
        if kmap_check::allows(va, Probe::Read) { Err(format!("{va:#x} is mapped")) } else { Ok(()) }
    };
    let boot_low = phys::boot_stack_low();
    guard(boot_low - 8)?;
    let stacks: Vec<KernelStack> = (0..20).filter_map(|_| KernelStack::new().ok()).collect();
    for stack in &stacks {
        let (low, top) = (stack.low() as u64, stack.top() as u64);
        if !kmap_check::allows(low, Probe::Write) || !kmap_check::allows(top - 8, Probe::Write) {
            return Err(format!("the stack at {low:#x} cannot be used"));
        }
        guard(low - 8)?;
        guard(low - KSTACK_SIZE as u64)?;
        guard(top)?;
    }
    // Some are unmapped when given back, the rest are kept; whatever happens, nothing but stacks is mapped there.
    drop(stacks);
    no_leaf(|leaf| {
        let window = layout::STACKS..layout::HEAP;
        window.contains(&leaf.va) && !((leaf.va - layout::STACKS) / KSTACK_SIZE as u64).is_multiple_of(2)
    })
}

/// More than the tables in the image's bss can map: these tables come from the frame allocator.
fn many_stacks() -> Result<(), String> {
    const STACKS: usize = 1500;
    let before = frames::free_count();
    let stacks: Vec<KernelStack> = (0..STACKS).map_while(|_| KernelStack::new().ok()).collect();
    let count = stacks.len();
    drop(stacks);
    let kept = before.saturating_sub(frames::free_count());
    match (count, kept) {
        (STACKS, ..=1000) => Ok(()),
        _ => Err(format!("{count} stacks, {kept} frames did not come back")),
    }
}

fn devices() -> Result<(), String> {
    let window = layout::MMIO..layout::VMEMMAP;
    no_leaf(|leaf| leaf.device() != window.contains(&leaf.va))?;
    match platform::get().uart {
        Some(uart) => no_leaf(|leaf| leaf.pa == uart.registers.pa && !leaf.device()),
        None => Ok(()),
    }
}

fn frames_come_back() -> Result<(), String> {
    let before = frames::free_count();
    let mut taken: Vec<(u64, u32)> =
        (0..10).filter_map(|order| Some((frames::alloc(order)?, order))).collect();
    taken.sort_unstable();
    let overlap = taken.windows(2).any(|pair| pair[0].0 + (PAGE_SIZE << pair[0].1) > pair[1].0);
    let unaligned = taken.iter().any(|&(pa, order)| !pa.is_multiple_of(PAGE_SIZE << order));
    for &(pa, order) in &taken {
        frames::free(pa, order);
    }
    if overlap || unaligned {
        return Err(format!("{taken:x?}"));
    }
    // The heap may have grown for the list of them; it never shrinks.
    if frames::free_count() > before { Err("more frames than before".into()) } else { Ok(()) }
}

/// Every second frame of a few thousand is given back: each is a node of its own in the frame allocator's lists, which
/// must find room for it without the heap.
fn fragmentation() -> Result<(), String> {
    const FRAMES: usize = 20_000;
    let mut taken = Vec::new();
    taken.try_reserve_exact(FRAMES).map_err(|e| format!("{e}"))?;
    let before = frames::free_count();
    taken.extend((0..FRAMES).map_while(|_| frames::alloc(0)));
    if taken.len() != FRAMES {
        return Err(format!("only {} frames", taken.len()));
    }
    for odd in [1, 0] {
        for &pa in taken.iter().filter(|&&pa| pa / PAGE_SIZE % 2 == odd) {
            frames::free(pa, 0);
        }
    }
    // What is missing now are the pages of the lists themselves.
    let kept = before - frames::free_count();
    if kept < FRAMES as u64 / 10 { Ok(()) } else { Err(format!("{kept} frames did not come back")) }
}

/// Objects of many sizes, filled with their number, grown, shrunk and freed in another order.
fn heap_objects() -> Result<(), String> {
    let size = |i: usize| 1 + (i * 37) % 3000;
    let filled = |i: usize, n: usize| core::iter::repeat_n(i as u8, n);
    let mut objects: Vec<Vec<u8>> = (0..1000).map(|i| filled(i, size(i)).collect()).collect();
    for (i, object) in objects.iter_mut().enumerate().filter(|(i, _)| i % 3 == 0) {
        object.extend(filled(i, 100));
        object.shrink_to_fit();
    }
    for (i, object) in objects.iter().enumerate() {
        if object.iter().any(|&byte| byte != i as u8) {
            return Err(format!("object {i} of {} bytes was overwritten", object.len()));
        }
    }
    let (used, mapped) = crate::heap::usage();
    if used > mapped { Err(format!("{used} bytes used of {mapped}")) } else { Ok(()) }
}

/// Takes every frame, large blocks first; then stacks and large objects are refused; then gives all back.
fn out_of_memory() -> Result<(), String> {
    let mut taken = Vec::new();
    taken.try_reserve_exact(100_000).map_err(|e| format!("{e}"))?;
    let before = frames::free_count();
    for order in [10, 4, 0] {
        while let Some(pa) = frames::alloc(order) {
            taken.push((pa, order));
        }
    }
    let left = frames::free_count();
    // Fifteen may still be kept mapped from before.
    let stacks: Vec<KernelStack> = (0..64).map_while(|_| KernelStack::new().ok()).collect();
    let mut large = Vec::<u8>::new();
    let refused = large.try_reserve_exact(64 << 20).is_err();
    // Small objects still come, from what is reserved for them.
    let small: Vec<Vec<u8>> = (0..150)
        .map_while(|_| {
            let mut object = Vec::new();
            object.try_reserve_exact(1000).ok().map(|()| object)
        })
        .collect();
    // In an order that joins nothing for as long as possible.
    for turn in [0, 1] {
        for &(pa, order) in taken.iter().skip(turn).step_by(2) {
            frames::free(pa, order);
        }
    }
    if left > frames::reserved() || stacks.len() > 32 || small.len() != 150 || !refused {
        return Err(format!(
            "{left} frames left, {} stacks, {} small objects, large object refused: {refused}",
            stacks.len(),
            small.len()
        ));
    }
    drop(stacks);
    let kept = before.saturating_sub(frames::free_count());
    if kept < 1000 { Ok(()) } else { Err(format!("{kept} frames did not come back")) }
}

/// `copy_within` is memmove, `copy_from_slice` memcpy, `fill` memset: against loops, byte by byte.
fn copies() -> Result<(), String> {
    const SIZE: usize = 400;
    let pattern: Vec<u8> = (0..SIZE).map(|i| (i * 7 + i / 256) as u8).collect();
    let (mut bytes, mut wanted) = (pattern.clone(), pattern.clone());
    for len in (0..140).chain([150, 191, 192, 193, 250]) {
        for (from, to) in [(0, 0), (100, 101), (101, 100), (90, 100), (100, 69), (32, 64), (64, 31), (0, 150)]
        {
            bytes.copy_from_slice(&pattern);
            bytes.copy_within(from..from + len, to);
            wanted.copy_from_slice(&pattern);
            for i in 0..len {
                // Opaque, or the compiler makes this loop what it is to check.
                wanted[to + i] = black_box(pattern[from + i]);
            }
            if bytes != wanted {
                return Err(format!("{len} bytes from {from} to {to}"));
            }
        }
        let start = len % 17;
        bytes[start..start + len].fill(0xa5);
        let unlike = |(i, &byte): (usize, &u8)| {
            byte != if (start..start + len).contains(&i) { 0xa5 } else { wanted[i] }
        };
        if bytes.iter().enumerate().any(unlike) {
            return Err(format!("fill of {len} bytes at {start}"));
        }
    }
    Ok(())
}
