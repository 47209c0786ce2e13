//! Filled in by the next commits.
#![cfg_attr(not(test), no_std)]
