//! What the property tests share: the seam to the simulated machine, a naive model of a process, and a world in which
//! both are driven by the same operations.
// Each test binary uses its own part of this.
#![allow(dead_code)]

mod check;
pub mod hw;
pub mod model;
pub mod op;
pub mod world;
