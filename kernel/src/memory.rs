//! The order in which memory comes to life: RAM from the device tree, linear map, frame metadata, heap, frames.

use crate::arch::{kmap, phys};
use crate::memblock::Memblock;
use crate::{frames, heap};
use boot::layout::{self, PAGE_SIZE};

/// Brings up the linear map, the heap and the frame allocator, from what `memblock` says is there.
pub fn init(mut memblock: Memblock) -> Option<()> {
    kmap::map_linear(&memblock, &phys::constant_ranges()).ok()?;
    heap::init(&mut memblock)?;
    for range in memblock.free_ranges() {
        frames::add_range(range);
    }
    log::info!(
        "memory: {} MiB, {} MiB free",
        memblock.total() >> 20,
        (frames::free_count() * PAGE_SIZE) >> 20
    );
    debug_assert!(memblock.memory().all(|r| r.end <= layout::LINEAR_SIZE));
    Some(())
}
