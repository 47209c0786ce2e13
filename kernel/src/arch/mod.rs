//! Everything that knows it runs on arm64: system registers, assembly, translation tables of the kernel's own
//! half, traps. The one room of the kernel where `unsafe` is the rule; what it offers outside is safe to call.
#![allow(unsafe_code)]

pub mod backtrace; // chains of frame records
pub mod barrier; // barriers, interrupt masking, the counter
pub mod cache; // instruction cache maintenance
pub mod cpu; // what this CPU can do, and the controls that follow from it
pub mod dtb; // the bytes of the device tree
pub mod exit; // leaving the machine: semihosting, PSCI
pub mod fault; // what a synchronous exception means
pub mod fpsimd; // FP/SIMD registers of programs
pub mod hwcap; // what programs may use of the CPU
pub mod kmap; // the kernel's translation tables
pub mod kmap_check; // the live tables seen from outside
pub mod machine; // the machine as mm sees it
pub mod mmio; // device registers: mapping and typed pointers
pub mod mmu_context; // which user address space is walked
pub mod percpu; // what each CPU has for itself
pub mod phys; // physical memory through the linear map
pub mod pmu; // the performance counters
pub mod provoke; // mistakes made on purpose, for tests
mod string; // memcpy, memmove, memset
pub mod switch; // from one task to another
pub mod tlbflush; // TLB invalidation
pub mod trap; // vectors, trap frames, entry and exit
pub mod uaccess; // user memory
