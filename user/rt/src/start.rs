//! The first instructions of a program: relocation of a static-PIE, then `main`.
//!
//! The kernel enters at `_start` with nothing but the stack that exec(2) describes: argc, argv, envp and
//! auxv from sp upwards. There is no dynamic linker (`--no-dynamic-linker`), so the program applies its
//! own relative relocations, in both formats that the linker may write: RELA, and the packed RELR.

use crate::args::Args;
use core::arch::naked_asm;

/// Where the kernel enters.
///
/// # Safety
/// Only the kernel calls it, once, with the stack of a new program.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn _start() -> ! {
    naked_asm!(
        "mov x29, #0", // the outermost frame, for backtraces
        "mov x30, #0",
        "mov x0, sp",
        "adrp x1, __ehdr_start",
        "add x1, x1, :lo12:__ehdr_start",
        "adrp x2, _DYNAMIC",
        "add x2, x2, :lo12:_DYNAMIC",
        "b {enter}",
        enter = sym enter,
    )
}

/// # Safety
/// As [`_start`], with the initial stack, the load address and the dynamic section.
unsafe extern "C" fn enter(stack: *const usize, base: usize, dynamic: *const [usize; 2]) -> ! {
    unsafe extern "Rust" {
        fn rt_program_main(args: Args) -> i32;
    }
    // SAFETY: nothing has run yet; base and dynamic are this program's own.
    unsafe { relocate(base, dynamic) };
    // SAFETY: the kernel put argc, argv, envp and auxv there, for as long as the program lives.
    let args = unsafe { Args::from_stack(stack) };
    // SAFETY: `rt::main!` defines it with this type.
    let status = unsafe { rt_program_main(args) };
    crate::process::exit(status)
}

const DT_RELA: usize = 7;
const DT_RELASZ: usize = 8;
const DT_RELRSZ: usize = 35;
const DT_RELR: usize = 36;
const R_AARCH64_RELATIVE: usize = 1027;

/// Adds the load address to every word that the linker marked. Until it returns, no data that holds
/// an address may be read: so only plain arithmetic here, nothing that can panic.
///
/// # Safety
/// `base` is where the program's first byte lies, `dynamic` its dynamic section, both unrelocated.
#[inline(always)]
unsafe fn relocate(base: usize, mut dynamic: *const [usize; 2]) {
    let (mut rela, mut rela_size, mut relr, mut relr_size) = (0usize, 0usize, 0usize, 0usize);
    // SAFETY: the dynamic section ends with a DT_NULL entry.
    unsafe {
        while (*dynamic)[0] != 0 {
            let value = (*dynamic)[1];
            match (*dynamic)[0] {
                DT_RELA => rela = value,
                DT_RELASZ => rela_size = value,
                DT_RELR => relr = value,
                DT_RELRSZ => relr_size = value,
                _ => {}
            }
            dynamic = dynamic.add(1);
        }
    }

    let mut entry = base.wrapping_add(rela) as *const [usize; 3];
    let end = entry.wrapping_byte_add(rela_size);
    while entry < end {
        // SAFETY: the linker made this table; a relative entry names a writable word of this program.
        unsafe {
            let [offset, info, addend] = *entry;
            if info == R_AARCH64_RELATIVE {
                *(base.wrapping_add(offset) as *mut usize) = base.wrapping_add(addend);
            }
            entry = entry.add(1);
        }
    }

    // RELR: an even entry is the address of a word; an odd one is a bit map of the 63 words after it.
    let mut entry = base.wrapping_add(relr) as *const usize;
    let end = entry.wrapping_byte_add(relr_size);
    let mut word = base as *mut usize;
    while entry < end {
        // SAFETY: as above.
        unsafe {
            let mut bits = *entry;
            if bits & 1 == 0 {
                word = base.wrapping_add(bits) as *mut usize;
                *word = (*word).wrapping_add(base);
                word = word.wrapping_add(1);
            } else {
                bits >>= 1;
                let mut at = word;
                while bits != 0 {
                    if bits & 1 != 0 {
                        *at = (*at).wrapping_add(base);
                    }
                    bits >>= 1;
                    at = at.wrapping_add(1);
                }
                word = word.wrapping_add(63);
            }
            entry = entry.add(1);
        }
    }
}
