//! The language of the shell, POSIX's as far as it goes: from text to a syntax tree, and from a word of
//! that tree to the fields that a program is given.
//!
//! No system call is made here: what a variable holds, what a command prints and what a directory has is
//! asked through [`expand::Environment`]. So all of it is tested on the host. The program `sh` of
//! `user/programs` executes the tree.
//!
//! Text is bytes, as file names are.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod arithmetic;
pub mod expand;
mod fields;
mod glob;
pub mod parser;
pub mod pattern;
pub mod syntax;
