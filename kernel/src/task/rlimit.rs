//! Resource limits, in bytes or pieces, Linux's defaults. A child inherits its parent's.

use abi::{Errno, raw};

/// No limit.
pub const RLIM_INFINITY: u64 = u64::MAX;

/// Most descriptors that RLIMIT_NOFILE can allow, Linux's default of `fs.nr_open`.
pub const NR_OPEN: u64 = 1 << 20;

/// Number of resources.
pub const NR_RLIMITS: usize = raw::RLIM_NLIMITS as usize;

/// A soft limit, which counts, and the hard one up to which it may be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rlimit {
    /// Soft.
    pub cur: u64,
    /// Hard.
    pub max: u64,
}

/// The limits of one task.
pub type Rlimits = [Rlimit; NR_RLIMITS];

/// Real-time signals that may wait for one process; Linux makes it depend on the memory.
const SIGPENDING_MAX: u64 = 4096;

const fn same(limit: u64) -> Rlimit {
    Rlimit { cur: limit, max: limit }
}

/// What init begins with: Linux's `INIT_RLIMITS`.
pub const DEFAULT: Rlimits = {
    let mut limits = [same(RLIM_INFINITY); NR_RLIMITS];
    limits[raw::RLIMIT_STACK as usize].cur = 8 << 20;
    limits[raw::RLIMIT_CORE as usize].cur = 0;
    limits[raw::RLIMIT_NOFILE as usize] = Rlimit { cur: 1024, max: 4096 };
    limits[raw::RLIMIT_MEMLOCK as usize] = same(8 << 20);
    limits[raw::RLIMIT_SIGPENDING as usize] = same(SIGPENDING_MAX);
    limits[raw::RLIMIT_MSGQUEUE as usize] = same(819_200);
    limits[raw::RLIMIT_NICE as usize] = same(0);
    limits[raw::RLIMIT_RTPRIO as usize] = same(0);
    limits
};

/// A resource number from a program, as an index.
pub fn index(resource: u64) -> Result<usize, Errno> {
    let index = resource as u32 as usize;
    if index < NR_RLIMITS { Ok(index) } else { Err(Errno::EINVAL) }
}
