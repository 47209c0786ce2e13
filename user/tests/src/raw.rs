//! The room of the tests that may use `unsafe`: accesses to any address, and calls with any argument.
//!
//! These functions are not `unsafe`, although they can do anything: a test program exists to do what
//! programs shouldn't, in memory that it has mapped for that, mostly in a child that may die of it. All
//! accesses are assembly that the compiler can't see into, so it assumes nothing about them; Rust's own
//! values are never their target.
#![allow(unsafe_code)]

use core::arch::asm;

/// System call `number` with these arguments.
#[inline(always)]
pub fn call<const N: usize>(number: u32, args: [usize; N]) -> rt::sys::Result {
    // SAFETY: see above.
    unsafe { rt::sys::syscall(number, args) }
}

/// Reads the byte at `addr`.
pub fn peek(addr: usize) -> u8 {
    let value: u64;
    // SAFETY: see above.
    unsafe { asm!("ldrb {1:w}, [{0}]", in(reg) addr, out(reg) value, options(nostack)) };
    value as u8
}

/// Writes the byte at `addr`.
pub fn poke(addr: usize, value: u8) {
    // SAFETY: see above.
    unsafe { asm!("strb {1:w}, [{0}]", in(reg) addr, in(reg) u64::from(value), options(nostack)) };
}

/// Reads the word at `addr`.
pub fn peek64(addr: usize) -> u64 {
    let value;
    // SAFETY: see above.
    unsafe { asm!("ldr {1}, [{0}]", in(reg) addr, out(reg) value, options(nostack)) };
    value
}

/// Writes the word at `addr`.
pub fn poke64(addr: usize, value: u64) {
    // SAFETY: see above.
    unsafe { asm!("str {1}, [{0}]", in(reg) addr, in(reg) value, options(nostack)) };
}

/// Writes an instruction, and makes it visible to instruction fetches as a program must: clean the data
/// cache, invalidate the instruction cache, synchronise.
pub fn poke_instruction(addr: usize, instruction: u32) {
    // SAFETY: see above.
    unsafe {
        asm!(
            "str {1:w}, [{0}]",
            "dc cvau, {0}",
            "dsb ish",
            "ic ivau, {0}",
            "dsb ish",
            "isb",
            in(reg) addr,
            in(reg) instruction,
            options(nostack)
        );
    }
}

/// Calls the code at `addr`, which returns a number and keeps to the procedure call standard.
pub fn execute(addr: usize) -> u64 {
    // SAFETY: see above.
    let code = unsafe { core::mem::transmute::<usize, extern "C" fn() -> u64>(addr) };
    code()
}

/// Bytes that this program mapped itself.
pub fn bytes(addr: usize, len: usize) -> &'static [u8] {
    // SAFETY: see above; the tests don't unmap what they still look at.
    unsafe { core::slice::from_raw_parts(addr as *const u8, len) }
}

/// The stack pointer.
pub fn stack_pointer() -> usize {
    let sp;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) sp, options(nomem, nostack)) };
    sp
}

/// An instruction that no CPU has.
pub fn illegal_instruction() {
    // SAFETY: see above.
    unsafe { asm!("udf #7") };
}

/// A breakpoint instruction.
pub fn breakpoint() {
    // SAFETY: see above.
    unsafe { asm!("brk #3") };
}

/// A register that programs may not read.
pub fn privileged_register() -> u64 {
    let value;
    // SAFETY: see above.
    unsafe { asm!("mrs {}, sctlr_el1", out(reg) value) };
    value
}

/// An instruction that only kernels may use.
pub fn privileged_instruction() {
    // SAFETY: see above.
    unsafe { asm!("tlbi vmalle1") };
}

/// A call to a hypervisor.
pub fn hypervisor_call() {
    // SAFETY: see above.
    unsafe { asm!("hvc #0") };
}

/// Zeroes the block of the data cache that `addr` lies in.
pub fn zero_block(addr: usize) {
    // SAFETY: see above.
    unsafe { asm!("dc zva, {}", in(reg) addr, options(nostack)) };
}

/// Sets and reads the thread pointer.
pub fn set_thread_pointer(value: u64) {
    // SAFETY: these programs have no thread-local data.
    unsafe { asm!("msr tpidr_el0, {}", in(reg) value, options(nomem, nostack)) };
}

/// The thread pointer.
pub fn thread_pointer() -> u64 {
    let value;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, tpidr_el0", out(reg) value, options(nomem, nostack)) };
    value
}

/// Fills the 32 vector registers from `from`, spins `rounds` times, stores them to `to`.
pub fn vectors_through_a_loop(from: &[u128; 32], rounds: u64, to: &mut [u128; 32]) {
    // SAFETY: the arrays have the size of the registers; all registers that change are named.
    unsafe {
        asm!(
            "ldp q0, q1, [{0}]", "ldp q2, q3, [{0}, #32]", "ldp q4, q5, [{0}, #64]",
            "ldp q6, q7, [{0}, #96]", "ldp q8, q9, [{0}, #128]", "ldp q10, q11, [{0}, #160]",
            "ldp q12, q13, [{0}, #192]", "ldp q14, q15, [{0}, #224]", "ldp q16, q17, [{0}, #256]",
            "ldp q18, q19, [{0}, #288]", "ldp q20, q21, [{0}, #320]", "ldp q22, q23, [{0}, #352]",
            "ldp q24, q25, [{0}, #384]", "ldp q26, q27, [{0}, #416]", "ldp q28, q29, [{0}, #448]",
            "ldp q30, q31, [{0}, #480]",
            "1: subs {2}, {2}, #1", "b.ne 1b",
            "stp q0, q1, [{1}]", "stp q2, q3, [{1}, #32]", "stp q4, q5, [{1}, #64]",
            "stp q6, q7, [{1}, #96]", "stp q8, q9, [{1}, #128]", "stp q10, q11, [{1}, #160]",
            "stp q12, q13, [{1}, #192]", "stp q14, q15, [{1}, #224]", "stp q16, q17, [{1}, #256]",
            "stp q18, q19, [{1}, #288]", "stp q20, q21, [{1}, #320]", "stp q22, q23, [{1}, #352]",
            "stp q24, q25, [{1}, #384]", "stp q26, q27, [{1}, #416]", "stp q28, q29, [{1}, #448]",
            "stp q30, q31, [{1}, #480]",
            in(reg) from,
            in(reg) to,
            inout(reg) rounds => _,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _, out("v6") _,
            out("v7") _, out("v8") _, out("v9") _, out("v10") _, out("v11") _, out("v12") _, out("v13") _,
            out("v14") _, out("v15") _, out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _,
            out("v21") _, out("v22") _, out("v23") _, out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(nostack)
        );
    }
}

/// Sets the rounding mode bits of FPCR (bits 22 and 23) and FPSR's sticky bits.
pub fn set_float_control(fpcr: u64, fpsr: u64) {
    // SAFETY: no code here depends on rounding.
    unsafe { asm!("msr fpcr, {}", "msr fpsr, {}", in(reg) fpcr, in(reg) fpsr, options(nomem, nostack)) };
}

/// FPCR and FPSR.
pub fn float_control() -> (u64, u64) {
    let (fpcr, fpsr);
    // SAFETY: reads registers.
    unsafe { asm!("mrs {}, fpcr", "mrs {}, fpsr", out(reg) fpcr, out(reg) fpsr, options(nomem, nostack)) };
    (fpcr, fpsr)
}

/// Sets x1 to x28 (but x8, x18, x19 and x29) to their numbers, calls getppid, and says whether they are
/// as before: a system call changes x0 only.
pub fn registers_survive_a_call() -> bool {
    let damage: u64;
    // SAFETY: all registers that change are named; getppid touches no memory.
    unsafe {
        asm!(
            "mov x1, #1", "mov x2, #2", "mov x3, #3", "mov x4, #4", "mov x5, #5", "mov x6, #6", "mov x7, #7",
            "mov x9, #9", "mov x10, #10", "mov x11, #11", "mov x12, #12", "mov x13, #13", "mov x14, #14",
            "mov x15, #15", "mov x16, #16", "mov x17, #17", "mov x20, #20", "mov x21, #21", "mov x22, #22",
            "mov x23, #23", "mov x24, #24", "mov x25, #25", "mov x26, #26", "mov x27, #27", "mov x28, #28",
            "mov x8, #173",
            "svc #0",
            // The sum of n * register n: any change shows, but for a conspiracy.
            "mov x0, #0",
            "madd x0, x1, x1, x0", "madd x0, x2, x2, x0", "madd x0, x3, x3, x0", "madd x0, x4, x4, x0",
            "madd x0, x5, x5, x0", "madd x0, x6, x6, x0", "madd x0, x7, x7, x0", "madd x0, x9, x9, x0",
            "madd x0, x10, x10, x0", "madd x0, x11, x11, x0", "madd x0, x12, x12, x0", "madd x0, x13, x13, x0",
            "madd x0, x14, x14, x0", "madd x0, x15, x15, x0", "madd x0, x16, x16, x0", "madd x0, x17, x17, x0",
            "madd x0, x20, x20, x0", "madd x0, x21, x21, x0", "madd x0, x22, x22, x0", "madd x0, x23, x23, x0",
            "madd x0, x24, x24, x0", "madd x0, x25, x25, x0", "madd x0, x26, x26, x0", "madd x0, x27, x27, x0",
            "madd x0, x28, x28, x0",
            out("x0") damage,
            out("x1") _, out("x2") _, out("x3") _, out("x4") _, out("x5") _, out("x6") _, out("x7") _,
            out("x8") _, out("x9") _, out("x10") _, out("x11") _, out("x12") _, out("x13") _, out("x14") _,
            out("x15") _, out("x16") _, out("x17") _, out("x20") _, out("x21") _, out("x22") _, out("x23") _,
            out("x24") _, out("x25") _, out("x26") _, out("x27") _, out("x28") _,
            options(nostack)
        );
    }
    let squares = |from: u64, to: u64| (from..=to).map(|n| n * n).sum::<u64>();
    damage == squares(1, 28) - squares(8, 8) - squares(18, 19)
}

/// Whether the vector registers that no code of a test uses are zero, as a new program finds them.
pub fn vectors_are_zero() -> bool {
    let sum: u64;
    // SAFETY: reads registers.
    unsafe {
        asm!(
            "orr v16.16b, v16.16b, v20.16b",
            "orr v16.16b, v16.16b, v27.16b",
            "orr v16.16b, v16.16b, v31.16b",
            "umaxv b16, v16.16b",
            "umov {0:w}, v16.b[0]",
            out(reg) sum,
            out("v16") _,
            options(nomem, nostack)
        );
    }
    sum == 0
}

/// `clone` with its five arguments; the child runs `work` with `argument` and exits with its result. With
/// shared memory the child needs a stack of its own, or (`CLONE_VFORK`) a parent that waits.
pub fn clone(arguments: [usize; 5], work: extern "C" fn(usize) -> i32, argument: usize) -> rt::sys::Result {
    let [flags, stack, parent_tid, tls, child_tid] = arguments;
    let ret: isize;
    // SAFETY: see above; the parent gets all registers back, and the child never leaves this block.
    unsafe {
        asm!(
            "svc #0",
            "cbnz x0, 1f",
            "mov x0, {argument}",
            "blr {work}",
            "mov x8, #94",
            "svc #0",
            "1:",
            work = in(reg) work,
            argument = in(reg) argument,
            in("x8") rt::sys::raw::__NR_clone as usize,
            inlateout("x0") flags => ret,
            in("x1") stack,
            in("x2") parent_tid,
            in("x3") tls,
            in("x4") child_tid,
        );
    }
    if (-4095..0).contains(&ret) { Err(rt::sys::Errno::from_raw(-ret as u16)) } else { Ok(ret as usize) }
}

/// What stands before the abort handler of [`spin_restartable`].
pub const RSEQ_SIGNATURE: u32 = 0xd428_bc00;

/// Enters a critical section that counts down from `limit`, described in the 32 bytes at `section` and announced in the
/// `struct rseq` at `rseq`. Whether it was aborted.
pub fn spin_restartable(rseq: usize, section: usize, limit: u64) -> bool {
    let aborted: u64;
    // SAFETY: see above.
    unsafe {
        asm!(
            "str xzr, [{section}]",
            "adr {a}, 20f",
            "str {a}, [{section}, #8]",
            "adr {b}, 21f",
            "sub {b}, {b}, {a}",
            "str {b}, [{section}, #16]",
            "adr {a}, 22f",
            "str {a}, [{section}, #24]",
            "str {section}, [{rseq}, #8]",
            "20:",
            "subs {limit}, {limit}, #1",
            "b.ne 20b",
            "21:",
            "mov {aborted}, #0",
            "b 23f",
            ".inst {signature}",
            "22:",
            "mov {aborted}, #1",
            "23:",
            rseq = in(reg) rseq,
            section = in(reg) section,
            limit = inout(reg) limit => _,
            a = out(reg) _,
            b = out(reg) _,
            aborted = out(reg) aborted,
            signature = const RSEQ_SIGNATURE,
            options(nostack)
        );
    }
    aborted != 0
}
