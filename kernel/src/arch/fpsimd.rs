//! FP/SIMD registers of programs. The kernel never uses them (soft-float target), so they are saved
//! only when another program gets the CPU. Mirrors Linux's arm64 `fpsimd.c`, without the laziness.
#![allow(unsafe_code)] // Calls assembly.

use core::arch::global_asm;

use aarch64_cpu::registers::CPACR_EL1;
use tock_registers::interfaces::{ReadWriteable, Writeable};

global_asm!(include_str!("fpsimd.S"));

unsafe extern "C" {
    fn fpsimd_save(state: *mut FpState);
    fn fpsimd_load(state: *const FpState);
}

/// V0 to V31, FPSR and FPCR. The layout is known to `fpsimd.S`, and is that of Linux's
/// `user_fpsimd_state`.
#[repr(C, align(16))]
#[derive(Clone, Default)]
pub struct FpState {
    /// V0 to V31.
    pub vregs: [u128; 32],
    /// FPSR.
    pub fpsr: u32,
    /// FPCR.
    pub fpcr: u32,
}

/// Lets EL0 (and the two routines here) use the registers; SVE and SME stay trapped.
pub fn init() {
    CPACR_EL1.set(0);
    CPACR_EL1.modify(CPACR_EL1::FPEN::TrapNothing);
    aarch64_cpu::asm::barrier::isb(aarch64_cpu::asm::barrier::SY);
}

/// Stores the live registers.
pub fn save(state: &mut FpState) {
    // SAFETY: the layout is the one the routine writes.
    unsafe { fpsimd_save(state) };
}

/// Replaces the live registers, which the kernel does not use.
pub fn load(state: &FpState) {
    // SAFETY: the layout is the one the routine reads.
    unsafe { fpsimd_load(state) };
}
