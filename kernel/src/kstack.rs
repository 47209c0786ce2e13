//! Kernel stacks in a window of their own, each with unmapped pages around it, so that an overflow faults instead
//! of writing into a neighbour (Linux: `VMAP_STACK`). Stacks that tasks leave behind are kept mapped for the next.

use crate::arch::kmap::{self, Protection};
use crate::frames;
use crate::sync::IrqMutex;
use abi::Errno;
use alloc::vec::Vec;
use arrayvec::ArrayVec;
use boot::layout::{self, PAGE_SIZE};

/// Bytes of a kernel stack. The boot stack in the linker script has the same size.
pub const KSTACK_SIZE: usize = 32 * 1024;
/// From one stack to the next: as much again is never mapped.
const SLOT: u64 = 2 * KSTACK_SIZE as u64;
/// Stacks kept mapped for reuse.
const KEPT: usize = 16;

static SLOTS: IrqMutex<Slots> =
    IrqMutex::new(Slots { kept: ArrayVec::new_const(), free: Vec::new(), used: 0 });

struct Slots {
    /// Mapped, unused.
    kept: ArrayVec<u64, KEPT>,
    /// Not mapped, used before.
    free: Vec<u64>,
    /// Slots ever used: the next fresh one.
    used: u64,
}

/// A kernel stack. Dropping it gives it back, so whoever runs on it must have left it for good.
#[derive(Debug)]
pub struct KernelStack {
    low: u64,
}

impl KernelStack {
    /// A stack with undefined content.
    pub fn new() -> Result<Self, Errno> {
        if let Some(low) = SLOTS.lock().kept.pop() {
            return Ok(Self { low });
        }
        let low = {
            let mut slots = SLOTS.lock();
            // Room for this slot's return, so that giving back never allocates.
            let outstanding = slots.used as usize + 1;
            let missing = outstanding.saturating_sub(slots.free.capacity());
            if missing > 0 {
                let additional = outstanding + 64 - slots.free.len();
                slots.free.try_reserve_exact(additional).map_err(|_| Errno::ENOMEM)?;
            }
            slots.free.pop().unwrap_or_else(|| {
                slots.used += 1;
                layout::STACKS + (slots.used - 1) * SLOT
            })
        };
        if map_stack(low) {
            Ok(Self { low })
        } else {
            SLOTS.lock().free.push(low);
            Err(Errno::ENOMEM)
        }
    }

    /// The lowest address.
    pub fn low(&self) -> usize {
        self.low as usize
    }

    /// One past the highest address: where an empty stack's pointer stands.
    pub fn top(&self) -> usize {
        self.low() + KSTACK_SIZE
    }
}

impl Drop for KernelStack {
    fn drop(&mut self) {
        if SLOTS.lock().kept.try_push(self.low).is_err() {
            unmap_stack(self.low, KSTACK_SIZE as u64);
            SLOTS.lock().free.push(self.low);
        }
    }
}

/// Maps frames for the stack at `low`; all or nothing.
fn map_stack(low: u64) -> bool {
    for offset in (0..KSTACK_SIZE as u64).step_by(PAGE_SIZE as usize) {
        let mapped = frames::alloc(0).is_some_and(|pa| {
            let mapped = kmap::map(low + offset, pa, PAGE_SIZE, Protection::ReadWrite).is_ok();
            if !mapped {
                frames::free(pa, 0);
            }
            mapped
        });
        if !mapped {
            unmap_stack(low, offset);
            return false;
        }
    }
    true
}

/// Unmaps the first `size` bytes of the stack at `low` and frees their frames, after the TLBs forgot them.
fn unmap_stack(low: u64, size: u64) {
    let mut pages = ArrayVec::<u64, { KSTACK_SIZE / PAGE_SIZE as usize }>::new();
    for offset in (0..size).step_by(PAGE_SIZE as usize) {
        if let Some((entry, _)) = kmap::lookup(low + offset) {
            pages.push(entry & boot::desc::ADDRESS);
        }
    }
    kmap::unmap_pages(low, size);
    for pa in pages {
        frames::free(pa, 0);
    }
}
