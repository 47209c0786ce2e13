//! Counters. Names as in Linux's /proc/vmstat where it has them.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of the whole system; each only grows, apart from the `nr_` ones.
        #[derive(Default)]
        pub struct Stats {
            $($(#[$doc])* pub $name: AtomicU64,)*
        }

        impl Stats {
            /// Name and value of each counter, in a fixed order.
            pub fn for_each(&self, mut f: impl FnMut(&'static str, u64)) {
                $(f(stringify!($name), self.$name.load(Relaxed));)*
            }
        }
    };
}

counters! {
    /// Kernel pages in folios and tables.
    nr_used,
    /// Kernel pages in page tables, Linux and native.
    nr_page_table_pages,
    /// Kernel pages in the page cache.
    nr_file_pages,
    /// Of these, the ones of files that live in memory.
    nr_shmem,
    /// Kernel pages of folios of the page cache that somebody has mapped.
    nr_mapped,
    /// Faults that were handled, spurious ones included.
    pgfault,
    /// Of these, the ones that waited for a device.
    pgmajfault,
    /// Faults that found nothing to do but a stale TLB entry.
    pgfault_spurious,
    /// Faults that found nothing to do but a native entry to make.
    native_refill,
    /// Anonymous folios allocated by faults.
    anon_fault_alloc,
    /// Pages copied on write.
    cow_copy,
    /// Pages reused by a write after the other sharers were gone.
    cow_reuse,
    /// Calls of `set_ptes`.
    set_ptes,
    /// Entries that these wrote into Linux tables.
    linux_entries,
    /// Entries written into native tables.
    native_entries,
    /// Blocks of entries that got the Contiguous bit.
    contpte_fold,
    /// Blocks that lost it while they were mapped.
    contpte_unfold,
    /// Native tables given up as a cache, in kernel pages.
    native_tables_dropped,
    /// Address spaces that went back to a native table.
    native_return,
    /// TLB invalidations issued, of any kind.
    tlbi,
    /// Batches that reached the TLB.
    tlb_flush,
    /// ASID generations begun.
    asid_rollover,
    /// Requests sent to devices for file data.
    read_requests,
    /// Kernel pages asked from devices.
    pgpgin,
    /// Processes killed because memory had run out.
    oom_kill,
    /// Folios given up by reclaim, in kernel pages.
    pgsteal,
    /// Folios of files made of smaller ones, for a process with larger pages.
    file_folios_converted,
    /// Native tables given up because the CPU lacks the granule.
    native_fallback_no_granule,
    /// ... because no physically contiguous memory was to be had.
    native_fallback_no_contig_memory,
    /// ... because a device mapping is not aligned.
    native_fallback_unaligned_pfn,
    /// ... because the small folios of a file could not be replaced.
    native_fallback_mapping_busy,
    /// ... because an operation could not be expressed: a bug, tests assert zero.
    native_fallback_untranslatable,
}

impl Stats {
    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Relaxed);
    }

    pub(crate) fn nr_free_to_used(&self, nr_kernel_pages: u64) {
        self.nr_used.fetch_add(nr_kernel_pages, Relaxed);
    }

    pub(crate) fn nr_used_to_free(&self, nr_kernel_pages: u64) {
        self.nr_used.fetch_sub(nr_kernel_pages, Relaxed);
    }
}
