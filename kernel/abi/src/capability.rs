//! Capabilities, Linux's `uapi/linux/capability.h`.

use bitflags::bitflags;

bitflags! {
    /// A set of capabilities: bit n stands for the one numbered n.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct CapSet: u64 {
        /// Change owners of files at will.
        const CHOWN = 1 << 0;
        /// Pass all permission bits of files, but for executing what nobody may.
        const DAC_OVERRIDE = 1 << 1;
        /// Read all files, pass through all directories.
        const DAC_READ_SEARCH = 1 << 2;
        /// Act as the owner of any file.
        const FOWNER = 1 << 3;
        /// Keep set-id bits when a file changes.
        const FSETID = 1 << 4;
        /// Signal any process.
        const KILL = 1 << 5;
        /// Take any group.
        const SETGID = 1 << 6;
        /// Take any user.
        const SETUID = 1 << 7;
        /// Change the capability sets and the secure bits.
        const SETPCAP = 1 << 8;
        /// Change immutable files.
        const LINUX_IMMUTABLE = 1 << 9;
        /// Low ports.
        const NET_BIND_SERVICE = 1 << 10;
        /// Broadcasts.
        const NET_BROADCAST = 1 << 11;
        /// Network configuration.
        const NET_ADMIN = 1 << 12;
        /// Raw sockets.
        const NET_RAW = 1 << 13;
        /// Lock memory.
        const IPC_LOCK = 1 << 14;
        /// Act as the owner of any IPC object.
        const IPC_OWNER = 1 << 15;
        /// Kernel modules.
        const SYS_MODULE = 1 << 16;
        /// I/O ports.
        const SYS_RAWIO = 1 << 17;
        /// Change the root directory.
        const SYS_CHROOT = 1 << 18;
        /// Trace any process.
        const SYS_PTRACE = 1 << 19;
        /// Process accounting.
        const SYS_PACCT = 1 << 20;
        /// Mounts, names of the machine, and what else belongs to an administrator.
        const SYS_ADMIN = 1 << 21;
        /// Reboot.
        const SYS_BOOT = 1 << 22;
        /// Raise priorities, real-time policies.
        const SYS_NICE = 1 << 23;
        /// Pass limits.
        const SYS_RESOURCE = 1 << 24;
        /// Set the clock.
        const SYS_TIME = 1 << 25;
        /// Configure terminals, hang up.
        const SYS_TTY_CONFIG = 1 << 26;
        /// Make device nodes.
        const MKNOD = 1 << 27;
        /// Leases.
        const LEASE = 1 << 28;
        /// Audit records.
        const AUDIT_WRITE = 1 << 29;
        /// Audit rules.
        const AUDIT_CONTROL = 1 << 30;
        /// Capabilities of files.
        const SETFCAP = 1 << 31;
        /// Pass a mandatory policy.
        const MAC_OVERRIDE = 1 << 32;
        /// Change it.
        const MAC_ADMIN = 1 << 33;
        /// Read and clear the kernel's log.
        const SYSLOG = 1 << 34;
        /// Timers that wake a sleeping machine.
        const WAKE_ALARM = 1 << 35;
        /// Keep it awake.
        const BLOCK_SUSPEND = 1 << 36;
        /// Read the audit log.
        const AUDIT_READ = 1 << 37;
        /// Performance counters.
        const PERFMON = 1 << 38;
        /// BPF.
        const BPF = 1 << 39;
        /// Checkpoint and restore.
        const CHECKPOINT_RESTORE = 1 << 40;
    }
}

impl CapSet {
    /// One past the largest number.
    pub const COUNT: u32 = 41;

    /// What leaves the effective set with the file system user id 0, Linux's `CAP_FS_SET`.
    pub const FILES: CapSet = CapSet::CHOWN
        .union(CapSet::MKNOD)
        .union(CapSet::DAC_OVERRIDE)
        .union(CapSet::DAC_READ_SEARCH)
        .union(CapSet::FOWNER)
        .union(CapSet::FSETID)
        .union(CapSet::LINUX_IMMUTABLE)
        .union(CapSet::MAC_OVERRIDE);

    /// The capability with this number, if there is one.
    pub fn from_number(number: u64) -> Option<CapSet> {
        (number < CapSet::COUNT.into()).then(|| CapSet::from_bits_retain(1 << number))
    }
}
