//! From a file to a process image: the half of `execve(2)` that only computes.
//!
//! The kernel's `execve` does the I/O and the mapping; everything that can be decided from bytes and
//! numbers is decided here, where a host can test it. Nothing here trusts the file or the caller of
//! the system call: all arithmetic is checked, all that a program can make grow is allocated fallibly
//! (ENOMEM) and limited (E2BIG), and no input panics.
//!
//! In the order in which `execve` uses them, all before the point of no return:
//!
//! 1. [`read_prefix`] and [`script::parse`]: is it a `#!` script? Then [`Arguments::splice_script`]
//!    and start again with the interpreter it names, at most [`script::MAX_DEPTH`] times.
//! 2. [`elf::parse`] the program; if [`Headers::interpreter`] names a file, parse that with
//!    [`Role::Interpreter`] too.
//! 3. [`fits::largest_fitting`]: the page size that the process gets. A 4K process skips this.
//! 4. [`MmapLayout::pick`]: stack top and mmap base of the new address space.
//! 5. [`plan`]: where each byte of the images goes, as an [`ExecPlan`].
//! 6. [`stack::build`]: the initial stack as bytes.
//!
//! What remains for the kernel after the point of no return: map each [`Image`]'s mappings from its file,
//! zero their tails ([`Source::File`]), set brk to `start_brk`, map and fill the stack, and start at
//! `entry` with SP at the stack image's `sp`.
//!
//! A page size is a parameter in bytes everywhere: it is the one of the new process, whatever the
//! kernel's own is. The mirrored Linux files are `fs/binfmt_elf.c`, `fs/binfmt_script.c`, `fs/exec.c`
//! and `mm/util.c` (`arch_pick_mmap_layout`).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod args;
mod auxv;
pub mod elf;
pub mod fits;
mod layout;
mod mapping;
mod mmap_layout;
mod pages;
mod read_at;
pub mod script;
pub mod stack;

pub use args::{Arguments, MAX_ARG_STRINGS, MAX_ARG_STRLEN, StringKind};
pub use auxv::{Credentials, ProcessInfo, Rseq};
pub use elf::{Headers, Kind, Role, Segment, StackFlags};
pub use layout::{ExecPlan, Image, plan};
pub use mapping::{Mapping, Source};
pub use mmap_layout::{Aslr, Entropy, LayoutRequest, MmapLayout, RLIM_INFINITY, Search};
pub use read_at::{BINPRM_BUF_SIZE, ReadAt, read_prefix};
