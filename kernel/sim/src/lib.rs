//! A simulated arm64 machine for host tests: what QEMU forgives, this does not.
//!
//! Physical memory, frames, several CPUs with TTBR0 walks in three granules, TLBs and instruction caches
//! that go stale, store buffers, a disk. It is written from the Arm Architecture Reference Manual and
//! shares no code with the kernel: an oracle that imports the kernel's geometry or descriptors would share
//! its mistakes. `mm`'s tests drive it through an implementation of `mm`'s hardware trait around
//! [`Machine`].
//!
//! What breaks a rule of the architecture is recorded as a [`Violation`] and the machine goes on;
//! [`Machine::assert_clean`] fails a test that caused any. All chance comes from one seed.
//!
//! Not here: TTBR1 walks, stage 2, 52-bit addresses, the level bits of FEAT_BBM, memory types in caches,
//! instructions. CPUs take turns operation by operation; what the hardware of the others does meanwhile is
//! played by speculative walks and by stores that walkers see late.

#![forbid(unsafe_code)]

pub mod cpu;
mod data;
pub mod desc;
pub mod disk;
pub mod fetch;
pub mod frames;
pub mod granule;
pub mod icache;
pub mod inspect;
pub mod machine;
mod maintain;
mod memory;
pub mod phys;
pub mod rng;
mod stores;
mod tables;
pub mod tlb;
pub mod tlbi;
pub mod violation;
pub mod walk;

pub use cpu::{Tcr, ttbr};
pub use disk::{Completion, Direction, DiskCounters, IoError, RequestId, Segment};
pub use fetch::Fetched;
pub use frames::FrameCounters;
pub use granule::Granule;
pub use icache::Ctr;
pub use inspect::{Leaf, TableAt, Tree};
pub use machine::{Config, Counters, Machine};
pub use maintain::Dsb;
pub use phys::{FRAME_SIZE, POISON};
pub use tlbi::{Scope, Tlbi, TlbiOp};
pub use violation::{Violation, ViolationKind};
pub use walk::{Access, El, Fault, FaultKind, Translation};
