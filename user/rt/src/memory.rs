//! The functions that compiled Rust calls behind the programmer's back.
//!
//! A prebuilt musl target leaves them to musl's libc, which these programs don't link. Written in
//! assembly, because a compiler would turn a loop in `memcpy` into a call of `memcpy`.

use core::arch::naked_asm;

/// Copies `n` bytes between places that don't overlap.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    naked_asm!(
        "mov x3, x0",
        "b 2f",
        "1: ldp x4, x5, [x1], #16",
        "stp x4, x5, [x3], #16",
        "2: subs x2, x2, #16",
        "b.hs 1b",
        "adds x2, x2, #16",
        "b.eq 4f",
        "3: ldrb w4, [x1], #1",
        "strb w4, [x3], #1",
        "subs x2, x2, #1",
        "b.ne 3b",
        "4: ret",
    )
}

/// Copies `n` bytes between places that may overlap.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    naked_asm!(
        "sub x3, x0, x1",
        "cmp x3, x2",
        "b.hs {memcpy}", // the end of `from` isn't overwritten before it is read
        "add x1, x1, x2",
        "add x3, x0, x2",
        "1: cbz x2, 2f",
        "ldrb w4, [x1, #-1]!",
        "strb w4, [x3, #-1]!",
        "sub x2, x2, #1",
        "b 1b",
        "2: ret",
        memcpy = sym memcpy,
    )
}

/// Fills `n` bytes.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, n: usize) -> *mut u8 {
    naked_asm!(
        "and x1, x1, #0xff",
        "mov x3, #0x0101010101010101",
        "mul x1, x1, x3",
        "mov x3, x0",
        "b 2f",
        "1: stp x1, x1, [x3], #16",
        "2: subs x2, x2, #16",
        "b.hs 1b",
        "adds x2, x2, #16",
        "b.eq 4f",
        "3: strb w1, [x3], #1",
        "subs x2, x2, #1",
        "b.ne 3b",
        "4: ret",
    )
}

/// Compares `n` bytes.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    naked_asm!(
        "1: cbz x2, 2f",
        "ldrb w3, [x0], #1",
        "ldrb w4, [x1], #1",
        "sub x2, x2, #1",
        "subs w3, w3, w4",
        "b.eq 1b",
        "mov w0, w3",
        "ret",
        "2: mov w0, #0",
        "ret",
    )
}

/// Whether `n` bytes differ.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    naked_asm!("b {memcmp}", memcmp = sym memcmp)
}

/// Counts the bytes before the first zero.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    naked_asm!("mov x1, x0", "1: ldrb w2, [x1], #1", "cbnz w2, 1b", "sub x0, x1, x0", "sub x0, x0, #1", "ret",)
}
