//! The order in which memory comes to life: RAM from the device tree, linear map, frame metadata, heap, frames.

use crate::arch::kmap::{self, Protection};
use crate::arch::phys;
use crate::{frames, heap};
use boot::layout::{self, PAGE_SIZE};
use mm::folio::FrameMeta;
use mm::memblock::Memblock;
use mm::types::{Pfn, PhysAddr};
use spin::Once;

/// The first frame of RAM, and the metadata from there to the last.
static FRAME_METADATA: Once<(Pfn, &'static [FrameMeta])> = Once::new();

/// Brings up the linear map, the heap and the frame allocator, from what `memblock` says is there.
pub fn init(mut memblock: Memblock) -> Option<()> {
    kmap::map_linear(&memblock, &phys::constant_ranges()).ok()?;
    let metadata = map_frame_metadata(&mut memblock)?;
    FRAME_METADATA.call_once(|| metadata);
    heap::init(&mut memblock)?;
    for range in memblock.free_ranges() {
        frames::add_range(range);
    }
    log::info!(
        "memory: {} MiB, {} MiB free",
        memblock.total() >> 20,
        (frames::free_count() * PAGE_SIZE) >> 20
    );
    Some(())
}

/// The metadata of all frames, and the frame that the first entry describes. Panics before [`init`].
pub fn frame_metadata() -> (Pfn, &'static [FrameMeta]) {
    *FRAME_METADATA.get().expect("memory::init has run")
}

/// One zeroed entry for each frame from the first to the last of RAM; holes have entries that nobody looks at.
fn map_frame_metadata(memblock: &mut Memblock) -> Option<(Pfn, &'static [FrameMeta])> {
    const BLOCK: u64 = 2 << 20;
    let start = memblock.memory().next()?.start;
    let end = memblock.memory().next_back()?.end;
    let count = ((end - start) / PAGE_SIZE) as usize;
    let size = ((count * size_of::<FrameMeta>()) as u64).next_multiple_of(PAGE_SIZE);
    let pa = memblock.alloc(size, BLOCK)?;
    kmap::map(layout::VMEMMAP, pa, size, Protection::ReadWrite).ok()?;
    phys::zero(pa, size);
    Some((PhysAddr(start).pfn(), phys::frame_metadata(count)))
}
