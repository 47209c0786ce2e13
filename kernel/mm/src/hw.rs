//! The seam to the machine. The kernel implements [`Hw`] with instructions; mm's tests implement it for a
//! newtype around the simulated machine, which notices what real hardware would punish and QEMU forgives.

use crate::arm64::asid::Context;
use crate::arm64::geometry::Granules;
use crate::arm64::tlb::Tlbi;
use crate::types::{Pfn, PhysAddr, PhysSeg};
use abi::Errno;

/// What the CPUs of this machine can do, as far as mm cares. The same for all CPUs: the intersection.
#[derive(Clone, Copy, Debug)]
pub struct CpuFeatures {
    /// The translation granules of stage 1 (ID_AA64MMFR0_EL1).
    pub granules: Granules,
    /// Hardware sets the access flag (ID_AA64MMFR1_EL1.HAFDBS >= 1).
    pub hw_access_flag: bool,
    /// Hardware sets the dirty state, too (ID_AA64MMFR1_EL1.HAFDBS >= 2).
    pub hw_dirty: bool,
    /// TLBI range instructions exist (ID_AA64ISAR0_EL1.TLB == 2).
    pub tlbi_range: bool,
    /// Width of the ASID: 8 or 16.
    pub asid_bits: u32,
    /// CTR_EL0.IDC: data need not be cleaned to the point of unification.
    pub idc: bool,
    /// CTR_EL0.DIC: the instruction cache need not be invalidated.
    pub dic: bool,
}

/// Physical memory, frames, TLB and cache maintenance, waiting and waking, reading from devices.
///
/// All methods may be called from any CPU. Physical addresses lie in RAM that the caller owns.
pub trait Hw: Send + Sync + 'static {
    /// What the CPUs can do.
    fn features(&self) -> &CpuFeatures;

    /// Reads a descriptor with one single-copy atomic load.
    fn read_desc(&self, at: PhysAddr) -> u64;
    /// Writes a descriptor with one single-copy atomic store. Not yet visible to a table walk:
    /// see [`Hw::dsb_ishst`].
    fn write_desc(&self, at: PhysAddr, desc: u64);
    /// Exchanges a descriptor, so that an access flag or dirty state that hardware sets meanwhile is not lost.
    fn swap_desc(&self, at: PhysAddr, desc: u64) -> u64;
    /// Replaces a descriptor if it still is `old`; otherwise gives what it is.
    fn cas_desc(&self, at: PhysAddr, old: u64, new: u64) -> Result<(), u64>;

    /// Zeroes 2^order frames (DC ZVA in the kernel).
    fn zero_frames(&self, pfn: Pfn, order: u8);
    /// Copies 2^order frames.
    fn copy_frames(&self, dst: Pfn, src: Pfn, order: u8);
    /// Zeroes `len` bytes.
    fn zero_bytes(&self, at: PhysAddr, len: u64);
    /// Copies bytes into physical memory.
    fn write_bytes(&self, at: PhysAddr, bytes: &[u8]);
    /// Copies bytes out of physical memory.
    fn read_bytes(&self, at: PhysAddr, bytes: &mut [u8]);

    /// Takes 2^order naturally aligned frames from the buddy allocator; their content is arbitrary.
    fn alloc_frames(&self, order: u8) -> Option<Pfn>;
    /// Gives back what [`Hw::alloc_frames`] gave. Blocks may come back in other orders than they went.
    fn free_frames(&self, pfn: Pfn, order: u8);

    /// Orders earlier descriptor writes before later table walks (`dsb ishst`, then `isb`).
    fn dsb_ishst(&self);
    /// Issues one TLB invalidation, broadcast in the inner shareable domain. Complete after [`Hw::dsb_ish`].
    fn tlbi(&self, op: Tlbi);
    /// Waits for TLB and cache maintenance to complete on all CPUs (`dsb ish`).
    fn dsb_ish(&self);

    /// Tables with the root `root` are about to be freed while their address space lives on: every CPU that has the root
    /// loaded goes to an empty table before this returns.
    fn leave_tables(&self, root: PhysAddr);
    /// The address space has its new tables: CPUs that [`Hw::leave_tables`] sent away from it load it again before they
    /// run its code.
    fn join_tables(&self, context: &Context);

    /// Makes `len` bytes that were written as data visible to instruction fetches on all CPUs: clean to the
    /// point of unification, invalidate the instruction cache, each as CTR_EL0 asks.
    fn sync_icache(&self, at: PhysAddr, len: u64);

    /// Sleeps until the folio at `head` may have been unlocked. May return early; the caller checks again.
    /// Called with no lock held.
    fn wait_folio(&self, head: Pfn);
    /// Wakes everybody in [`Hw::wait_folio`] for this folio. Called from completion context.
    fn wake_folio(&self, head: Pfn);

    /// Starts reading from byte `offset` of device `dev` straight into `segs` (lengths and offset are multiples
    /// of 512). When done, in whatever context, `Memory::end_read` is called with the same segments, also when
    /// the request was split. An error returned here means that nothing was started for the whole list.
    fn submit_read(&self, dev: u32, offset: u64, segs: &[PhysSeg]) -> Result<(), Errno>;
}
