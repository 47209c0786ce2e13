//! The order in which memory comes to life: RAM from the device tree, linear map, frame metadata, heap, frames.

use crate::arch::kmap::{self, Protection};
use crate::arch::machine::Machine;
use crate::arch::{mmu_context, percpu, phys};
use crate::{cmdline, frames, heap};
use alloc::sync::Arc;
use boot::layout::{self, PAGE_SIZE};
use core::sync::atomic::Ordering;
use mm::Memory;
use mm::arm64::NativeMode;
use mm::folio::FrameMeta;
use mm::memblock::Memblock;
use mm::types::{Pfn, PhysAddr};
use spin::Once;

static MEMORY: Once<Arc<Memory<Machine>>> = Once::new();

/// The memory of the machine. Panics before [`init`].
pub fn get() -> &'static Arc<Memory<Machine>> {
    MEMORY.get().expect("memory::init has run")
}

/// What there is, in bytes.
pub struct Summary {
    /// Memory that programs and the kernel share.
    pub total: u64,
    /// What nobody uses.
    pub free: u64,
}

/// What there is now.
pub fn summary() -> Summary {
    let memory = get();
    // Counters of a machine at work, read one after the other: close enough.
    let listed = memory.hw.held_frames().saturating_sub(memory.stats.nr_used.load(Ordering::Relaxed));
    Summary { total: frames::total() * PAGE_SIZE, free: (frames::free_count() + listed) * PAGE_SIZE }
}

/// Brings up the linear map, the heap and the frame allocator, from what `memblock` says is there.
pub fn init(mut memblock: Memblock) -> Option<()> {
    kmap::map_linear(&memblock, &phys::constant_ranges()).ok()?;
    let (base, metadata) = map_frame_metadata(&mut memblock)?;
    heap::init(&mut memblock)?;
    mmu_context::init(&mut memblock)?;
    for range in memblock.free_ranges() {
        frames::add_range(range);
    }
    log::info!(
        "memory: {} MiB, {} MiB free",
        memblock.total() >> 20,
        (frames::free_count() * PAGE_SIZE) >> 20
    );
    let memory = Memory::new(Machine::new(), base, metadata, percpu::MAX_CPUS).ok()?;
    match cmdline::get("native_table") {
        None | Some("eager") => {}
        Some("lazy") => memory.set_native_mode(NativeMode::Lazy),
        Some(other) => log::warn!("native_table={other}: must be eager or lazy; it is eager"),
    }
    MEMORY.call_once(|| Arc::new(memory));
    Some(())
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
