//! Start-up code and helpers of the userland: what a libc would be, as small as these programs need.
//!
//! A program is `#![no_std]`, `#![no_main]`, and names its entry with [`main!`]. It becomes a static-PIE
//! arm64 Linux program that needs nothing but the system calls, so the same file runs on Granule and
//! on a Linux kernel. Plain system calls go through `rustix`, re-exported here; what rustix leaves out
//! on purpose (fork, arguments that break the rules) goes through [`sys`] and [`process`].
//!
//! This crate is the room of the userland that may use `unsafe`.
#![no_std]
#![allow(unsafe_code)]

mod args;
pub mod counter;
pub mod descriptor;
pub mod heap;
pub mod io;
pub mod map;
mod memory;
mod panic;
pub mod power;
pub mod process;
pub mod signal;
mod start;
pub mod sys;
pub mod terminal;
pub mod time;
pub mod usage;

pub use args::{Arg, Args, Auxv, auxv, page_size};
pub use rustix;

/// Names the function that runs the program: `fn(rt::Args) -> i32`; its result is the exit status.
#[macro_export]
macro_rules! main {
    ($main:ident) => {
        const _: () = {
            // SAFETY: `rt` declares this symbol with this type, and a program has one `rt::main!`.
            #[allow(unsafe_code)]
            #[unsafe(no_mangle)]
            fn rt_program_main(args: $crate::Args) -> i32 {
                let main: fn($crate::Args) -> i32 = $main;
                main(args)
            }
        };
    };
}
