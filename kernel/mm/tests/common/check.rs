//! What must hold of all tables of a world at any moment: against the model, and against each other.

use super::world::{World, readable};
use abi::Prot;
use mm::arm64::NativeMode;
use mm::arm64::fallback::Fallback;
use mm::arm64::geometry::Geometry;
use mm::arm64::pte::Pte;
use mm::types::{PageSize, PhysAddr};
use mm::vma::VmFlags;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

impl World {
    /// The tables against the model and against each other.
    pub fn check_tables(&self) {
        let machine = self.mem.hw.machine();
        let mut table_pages = 0;
        let mut looks = Vec::new();
        for proc in &self.procs {
            let mm = proc.mm.lock();
            let tables = mm.tables();
            let linux_tcr = self.tcr(0, 16);
            let linux = machine.tree(tables.linux_root().0, linux_tcr);
            assert!(linux.errors.is_empty(), "Linux table: {:?}", linux.errors);
            let live_tcr = self.tcr(tables.live().tcr_tg0, tables.context.live().t0sz);
            let live = machine.tree(tables.root().0, live_tcr);
            assert!(live.errors.is_empty(), "native table: {:?}", live.errors);
            let native = tables.root() != tables.linux_root();
            let tables_of =
                |tree: &sim::Tree| tree.tables.iter().map(|table| table.bytes.div_ceil(4096)).sum::<u64>();
            table_pages += tables_of(&linux) + if native { tables_of(&live) } else { 0 };
            let by_page: BTreeMap<u64, sim::Leaf> =
                linux.leaves.iter().map(|leaf| (leaf.va >> 12, *leaf)).collect();
            let mut covered = 0;
            for leaf in &live.leaves {
                for i in 0..leaf.size / 4096 {
                    let at = (leaf.va >> 12) + i;
                    let under = by_page
                        .get(&at)
                        .unwrap_or_else(|| panic!("native entry for {at:#x} has no Linux entry"));
                    assert_eq!(under.pa, leaf.pa + i * 4096, "frame of page {at:#x}");
                    assert_eq!(
                        Pte(under.desc).permissions(),
                        Pte(leaf.desc).permissions(),
                        "rights of page {at:#x}"
                    );
                    covered += 1;
                }
            }
            if native && self.setup.mode == NativeMode::Eager && !proc.dropped {
                assert_eq!(covered, linux.leaves.len(), "Linux entries without a native one");
            }
            self.check_runs(&live);
            if native {
                assert!(
                    linux.leaves.iter().all(|leaf| !Pte(leaf.desc).cont()),
                    "a run outside the live table"
                );
            }
            for leaf in &linux.leaves {
                let at = leaf.va >> 12;
                let page = proc
                    .pages
                    .get(&at)
                    .unwrap_or_else(|| panic!("page {at:#x} is mapped, the model has none"));
                let pte = Pte(leaf.desc);
                assert!(readable(page.prot), "page {at:#x} of a PROT_NONE area is valid");
                assert!(!pte.write() || page.prot.contains(Prot::WRITE), "page {at:#x} is writable");
                assert!(!pte.user_exec() || page.prot.contains(Prot::EXEC), "page {at:#x} is executable");
            }
            assert_ne!(tables.fallback(), Some(Fallback::Untranslatable));
            looks.push((proc, linux.leaves.len()));
        }
        drop(machine);
        assert_eq!(self.mem.stats.nr_page_table_pages.load(Relaxed), table_pages);
        for (proc, _) in looks {
            let areas: u64 = proc.mm.lock().vmas().iter().map(|vma| vma.len()).sum();
            assert_eq!(areas, proc.mm.lock().counters().total_vm);
            assert_eq!(areas >> 12, proc.pages.len() as u64, "areas and model differ");
            assert!(proc.mm.lock().vmas().iter().all(|vma| !vma.flags.contains(VmFlags::GROWSDOWN)));
        }
    }

    /// Runs of entries with the Contiguous bit: whole aligned blocks of one folio, all alike.
    fn check_runs(&self, live: &sim::Tree) {
        let size = live.leaves.first().map_or(4096, |leaf| leaf.size);
        let nr = PageSize::ALL
            .into_iter()
            .find(|page| page.bytes() == size)
            .map(|page| Geometry::of(page).cont_ptes);
        let nr = nr.expect("leaves are pages");
        let runs: Vec<&sim::Leaf> = live.leaves.iter().filter(|leaf| Pte(leaf.desc).cont()).collect();
        assert!(runs.len().is_multiple_of(nr as usize), "a run is not whole");
        for run in runs.chunks(nr as usize) {
            let (va, pa) = (run[0].va, run[0].pa);
            assert!(
                va.is_multiple_of(nr * size) && pa.is_multiple_of(nr * size),
                "a run at {va:#x} is not aligned"
            );
            let folio = self.mem.folio_of(PhysAddr(pa).pfn());
            for (i, leaf) in run.iter().enumerate() {
                assert_eq!((leaf.va, leaf.pa), (va + i as u64 * size, pa + i as u64 * size));
                assert_eq!(
                    self.mem.folio_of(PhysAddr(leaf.pa).pfn()),
                    folio,
                    "a run over the border of a folio"
                );
                assert_eq!(
                    Pte(leaf.desc).permissions(),
                    Pte(run[0].desc).permissions(),
                    "rights in a run differ"
                );
            }
        }
    }
}
