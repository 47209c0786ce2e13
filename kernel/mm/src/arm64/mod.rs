//! The pure half of the architecture: descriptors, geometry, both page tables behind one door, TLB batches.

pub mod asid;
mod contpte;
pub mod fallback;
pub mod geometry;
pub mod inspect;
mod linux_table;
mod native_table;
pub mod pgtable;
pub mod pte;
pub mod table;
pub mod tlb;

pub use native_table::NativeMode;
