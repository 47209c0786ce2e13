//! The auxiliary vector: what the kernel tells a program and its libc at start, in Linux's order
//! (arm64's `ARCH_DLINFO` first, then `create_elf_tables`).

use crate::elf::PHDR_SIZE;
use crate::layout::ExecPlan;
use crate::mmap_layout::MmapLayout;
use abi::auxvec::*;

/// Ticks per second of `times(2)`, Linux's `USER_HZ`.
const CLKTCK: u64 = 100;

/// The user and group identities of the new program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials {
    /// AT_UID.
    pub uid: u32,
    /// AT_EUID.
    pub euid: u32,
    /// AT_GID.
    pub gid: u32,
    /// AT_EGID.
    pub egid: u32,
    /// AT_SECURE: the identities changed by this `execve`, so libc should distrust the environment.
    pub secure: bool,
}

/// What the kernel knows of restartable sequences.
#[derive(Clone, Copy, Debug)]
pub struct Rseq {
    /// AT_RSEQ_FEATURE_SIZE.
    pub feature_size: u64,
    /// AT_RSEQ_ALIGN.
    pub align: u64,
}

/// The facts of the auxiliary vector that neither the file nor the address space gives.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessInfo {
    /// AT_SYSINFO_EHDR: where the vDSO is, if there is one.
    pub sysinfo_ehdr: Option<u64>,
    /// AT_MINSIGSTKSZ: what a signal frame takes.
    pub minsigstksz: u64,
    /// AT_HWCAP.
    pub hwcap: u64,
    /// AT_HWCAP2.
    pub hwcap2: u64,
    /// AT_UID and so on.
    pub credentials: Credentials,
    /// The bytes that AT_RANDOM points to.
    pub random: [u8; 16],
    /// AT_RSEQ_*, if the kernel has rseq.
    pub rseq: Option<Rseq>,
}

/// Addresses on the stack that the vector points to.
pub(crate) struct StackAddresses {
    pub(crate) random: u64,
    pub(crate) execfn: u64,
    pub(crate) platform: u64,
}

/// Most entries that [`entries`] gives.
pub(crate) const MAX_ENTRIES: usize = 23;

/// The vector, AT_NULL included; unused places are `None`.
pub(crate) fn entries(
    process: &ProcessInfo,
    plan: &ExecPlan,
    layout: &MmapLayout,
    stack: &StackAddresses,
) -> [Option<(u32, u64)>; MAX_ENTRIES] {
    let credentials = &process.credentials;
    [
        process.sysinfo_ehdr.map(|address| (AT_SYSINFO_EHDR, address)),
        Some((AT_MINSIGSTKSZ, process.minsigstksz)),
        Some((AT_HWCAP, process.hwcap)),
        Some((AT_PAGESZ, layout.page_size)),
        Some((AT_CLKTCK, CLKTCK)),
        Some((AT_PHDR, plan.phdr)),
        Some((AT_PHENT, PHDR_SIZE as u64)),
        Some((AT_PHNUM, u64::from(plan.phnum))),
        Some((AT_BASE, plan.base)),
        Some((AT_FLAGS, 0)),
        Some((AT_ENTRY, plan.program_entry)),
        Some((AT_UID, u64::from(credentials.uid))),
        Some((AT_EUID, u64::from(credentials.euid))),
        Some((AT_GID, u64::from(credentials.gid))),
        Some((AT_EGID, u64::from(credentials.egid))),
        Some((AT_SECURE, u64::from(credentials.secure))),
        Some((AT_RANDOM, stack.random)),
        Some((AT_HWCAP2, process.hwcap2)),
        Some((AT_EXECFN, stack.execfn)),
        Some((AT_PLATFORM, stack.platform)),
        process.rseq.map(|rseq| (AT_RSEQ_FEATURE_SIZE, rseq.feature_size)),
        process.rseq.map(|rseq| (AT_RSEQ_ALIGN, rseq.align)),
        Some((AT_NULL, 0)),
    ]
}
