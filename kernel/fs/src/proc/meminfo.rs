//! `/proc/meminfo` (Linux: `fs/proc/meminfo.c`).

use crate::pseudo::Text;
use abi::Errno;

/// Where memory is, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemInfo {
    /// All that the kernel manages.
    pub total: u64,
    /// What nobody uses.
    pub free: u64,
    /// What could be had without hurting anybody.
    pub available: u64,
    /// Page cache of disks.
    pub buffers: u64,
    /// Page cache of files, those in memory included.
    pub cached: u64,
    /// Anonymous memory.
    pub anon: u64,
    /// Page cache that processes have mapped.
    pub mapped: u64,
    /// Files in memory, and shared memory.
    pub shmem: u64,
    /// The kernel's heap.
    pub slab: u64,
    /// Kernel stacks.
    pub kernel_stack: u64,
    /// Page tables.
    pub page_tables: u64,
    /// What would be needed if all that is mapped were used.
    pub committed: u64,
}

impl MemInfo {
    /// Writes the file.
    pub fn show(&self, out: &mut Text) -> Result<(), Errno> {
        // Nothing is ever swapped, and reclaim keeps no lists: file pages count as inactive, the others as active.
        let file = (self.cached + self.buffers).saturating_sub(self.shmem);
        let anon = self.anon + self.shmem;
        for (name, bytes) in [
            ("MemTotal", self.total),
            ("MemFree", self.free),
            ("MemAvailable", self.available),
            ("Buffers", self.buffers),
            ("Cached", self.cached),
            ("SwapCached", 0),
            ("Active", anon),
            ("Inactive", file),
            ("Active(anon)", anon),
            ("Inactive(anon)", 0),
            ("Active(file)", 0),
            ("Inactive(file)", file),
            ("Unevictable", 0),
            ("Mlocked", 0),
            ("SwapTotal", 0),
            ("SwapFree", 0),
            ("Dirty", 0),
            ("Writeback", 0),
            ("AnonPages", self.anon),
            ("Mapped", self.mapped),
            ("Shmem", self.shmem),
            ("KReclaimable", 0),
            ("Slab", self.slab),
            ("SReclaimable", 0),
            ("SUnreclaim", self.slab),
            ("KernelStack", self.kernel_stack),
            ("PageTables", self.page_tables),
            ("SecPageTables", 0),
            ("NFS_Unstable", 0),
            ("Bounce", 0),
            ("WritebackTmp", 0),
            ("CommitLimit", self.total / 2),
            ("Committed_AS", self.committed),
            ("VmallocTotal", 0),
            ("VmallocUsed", 0),
            ("VmallocChunk", 0),
            ("Percpu", 0),
        ] {
            let from = out.len();
            out.print(format_args!("{name}:"))?;
            out.pad(from, 16)?;
            out.print(format_args!("{:>8} kB\n", bytes >> 10))?;
        }
        // There is no pool of huge pages; their size is told all the same.
        for (name, number) in
            [("HugePages_Total", 0), ("HugePages_Free", 0), ("HugePages_Rsvd", 0), ("HugePages_Surp", 0)]
        {
            out.print(format_args!("{name}:   {number:>5}\n"))?;
        }
        out.push(b"Hugepagesize:       2048 kB\nHugetlb:               0 kB\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_those_of_linux() {
        let mut text = Text::new();
        MemInfo { total: 1 << 30, free: 12345 << 10, ..MemInfo::default() }.show(&mut text).unwrap();
        let text = String::from_utf8(text.to_vec().unwrap()).unwrap();
        assert!(text.starts_with("MemTotal:        1048576 kB\nMemFree:           12345 kB\n"), "{text}");
        assert!(text.contains("\nHugePages_Total:       0\n"), "{text}");
        assert!(text.lines().all(|line| line.len() >= 20));
    }
}
