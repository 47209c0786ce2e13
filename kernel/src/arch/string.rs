//! The copying and filling that the compiler calls by name, in assembly: system calls copy small structures all day,
//! and the versions that come with the compiler take four times as many instructions.

core::arch::global_asm!(include_str!("string.S"));
