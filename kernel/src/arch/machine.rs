//! The machine as `mm` sees it: the kernel's implementation of [`Hw`]. Frames come from the buddy allocator, reads
//! go to the block layer, waiters sleep.

use super::{barrier, cache, cpu, mmu_context, phys, tlbflush};
use crate::block::{self, Bio, BioOp, EndIo};
use crate::sync::WaitQueue;
use crate::task::user_mm;
use crate::{frames, memory};
use abi::Errno;
use core::sync::atomic::{AtomicU64, Ordering};
use mm::arm64::asid::Context;
use mm::arm64::geometry::Granules;
use mm::arm64::tlb::Tlbi;
use mm::folio::Flags;
use mm::hw::{CpuFeatures, Hw};
use mm::types::{PAGE_SIZE, Pfn, PhysAddr, PhysSeg};

/// Queues for waiters of folios; folios share them by number.
const NR_FOLIO_QUEUES: usize = 64;

/// The one machine that the kernel runs on.
pub struct Machine {
    features: CpuFeatures,
    /// Frames that `mm` has from the buddy allocator, used or on its own lists.
    held_frames: AtomicU64,
    folio_queues: [WaitQueue; NR_FOLIO_QUEUES],
}

impl Machine {
    /// The machine, with what the boot CPU can do.
    pub fn new() -> Machine {
        let features = cpu::features();
        Machine {
            features: CpuFeatures {
                granules: Granules {
                    g4k: features.granule_4k,
                    g16k: features.granule_16k,
                    g64k: features.granule_64k,
                },
                hw_access_flag: features.hardware_flags != cpu::HardwareFlags::None,
                hw_dirty: features.hardware_flags == cpu::HardwareFlags::AccessDirty,
                tlbi_range: features.tlb_range,
                asid_bits: features.asid_bits,
                idc: features.idc,
                dic: features.dic,
            },
            held_frames: AtomicU64::new(0),
            folio_queues: [const { WaitQueue::new() }; NR_FOLIO_QUEUES],
        }
    }

    /// Frames that `mm` has from the buddy allocator, used or not.
    pub fn held_frames(&self) -> u64 {
        self.held_frames.load(Ordering::Relaxed)
    }

    fn folio_queue(&self, head: Pfn) -> &WaitQueue {
        &self.folio_queues[head.0 as usize % NR_FOLIO_QUEUES]
    }
}

impl Hw for Machine {
    fn features(&self) -> &CpuFeatures {
        &self.features
    }

    fn read_desc(&self, at: PhysAddr) -> u64 {
        phys::descriptor(at.0).load(Ordering::Relaxed)
    }

    fn write_desc(&self, at: PhysAddr, desc: u64) {
        phys::descriptor(at.0).store(desc, Ordering::Release);
    }

    fn swap_desc(&self, at: PhysAddr, desc: u64) -> u64 {
        phys::descriptor(at.0).swap(desc, Ordering::AcqRel)
    }

    fn cas_desc(&self, at: PhysAddr, old: u64, new: u64) -> Result<(), u64> {
        let descriptor = phys::descriptor(at.0);
        descriptor.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed).map(|_| ())
    }

    fn zero_frames(&self, pfn: Pfn, order: u8) {
        phys::zero(pfn.addr().0, PAGE_SIZE << order);
    }

    fn copy_frames(&self, dst: Pfn, src: Pfn, order: u8) {
        phys::copy(dst.addr().0, src.addr().0, PAGE_SIZE << order);
    }

    fn zero_bytes(&self, at: PhysAddr, len: u64) {
        phys::zero(at.0, len);
    }

    fn write_bytes(&self, at: PhysAddr, bytes: &[u8]) {
        phys::write_bytes(at.0, bytes);
    }

    fn read_bytes(&self, at: PhysAddr, bytes: &mut [u8]) {
        phys::read_bytes(at.0, bytes);
    }

    fn alloc_frames(&self, order: u8) -> Option<Pfn> {
        let pa = frames::alloc(order.into())?;
        self.held_frames.fetch_add(1 << order, Ordering::Relaxed);
        Some(PhysAddr(pa).pfn())
    }

    fn free_frames(&self, pfn: Pfn, order: u8) {
        self.held_frames.fetch_sub(1 << order, Ordering::Relaxed);
        frames::free(pfn.addr().0, order.into());
    }

    fn dsb_ishst(&self) {
        barrier::dsb_ishst();
        barrier::isb();
    }

    fn tlbi(&self, op: Tlbi) {
        match op {
            Tlbi::Va { asid, va, last_level } => tlbflush::flush_va(asid, va, last_level),
            Tlbi::Range { asid, va, tg, scale, num, last_level } => {
                tlbflush::flush_range(asid, tlbflush::Range { va, tg, scale, num }, last_level);
            }
            Tlbi::Asid(asid) => tlbflush::flush_asid(asid),
            Tlbi::All => tlbflush::flush_all(),
        }
    }

    fn dsb_ish(&self) {
        barrier::dsb_ish();
    }

    fn leave_tables(&self, root: PhysAddr) {
        mmu_context::leave(root);
    }

    fn join_tables(&self, context: &Context) {
        user_mm::join(context);
    }

    fn sync_icache(&self, at: PhysAddr, len: u64) {
        cache::sync_icache(phys::linear(at.0) as u64, len);
    }

    fn wait_folio(&self, head: Pfn) {
        let memory = memory::get();
        let unlocked = || !memory.folio_test(memory.folio_of(head), Flags::LOCKED);
        self.folio_queue(head).wait_until(|| unlocked().then_some(()));
    }

    fn wake_folio(&self, head: Pfn) {
        self.folio_queue(head).wake_all();
    }

    fn submit_read(&self, dev: u32, offset: u64, segs: &[PhysSeg]) -> Result<(), Errno> {
        let end_io = EndIo::Call { function: end_read, token: 0 };
        block::submit(dev, Bio::new(BioOp::Read, offset, segs, end_io)?)
    }
}

/// The block layer's call at the end of a read, in interrupt context.
fn end_read(bio: &Bio, _token: u64, result: Result<(), Errno>) {
    memory::get().end_read(bio.segs(), result);
}
