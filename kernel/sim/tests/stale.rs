//! What QEMU forgives and this machine must not: each test leaves out or spoils one step, and sees that it
//! is noticed. Beside them, the same sequences by the book, which must be clean.

mod common;

use common::{ASID, Kernel, RO, RW, RX};
use sim::desc::{CONTIGUOUS, TABLE_OR_PAGE};
use sim::{Access, Config, Dsb, El, Granule, Machine, Scope, Tcr, Tlbi, TlbiOp, ViolationKind, ttbr};

const READ: Access = Access::Read;

fn read(k: &mut Kernel, va: u64) -> Option<u64> {
    k.m.access(0, va, READ, El::El0).ok()
}

/// Map a page and have it in the TLB of both CPUs.
fn mapped(granule: Granule, va: u64) -> (Kernel, u64) {
    let mut k = Kernel::new(granule);
    let pa = k.new_page();
    k.map(va, pa, RW);
    k.load(1, ASID);
    for cpu in [0, 1] {
        assert_eq!(k.m.access(cpu, va, READ, El::El0), Ok(pa));
    }
    (k, pa)
}

/// Clear the page's descriptor, visibly, and without maintenance.
fn clear(k: &mut Kernel, va: u64) {
    let slot = k.slot(va, 3);
    k.m.write_u64(slot, 0);
    k.m.dsb(0, Dsb::Stores);
}

/// Is the page still in a TLB after this operation?
fn survives(granule: Granule, va: u64, op: TlbiOp, operand: u64) -> bool {
    let (mut k, _) = mapped(granule, va);
    clear(&mut k, va);
    k.m.tlbi(0, op, Scope::InnerShareable, operand);
    k.m.dsb(0, Dsb::InnerShareable);
    read(&mut k, va).is_some()
}

fn operand_va(va: u64, ttl: u64) -> u64 {
    u64::from(ASID) << 48 | ttl << 44 | va >> 12
}

fn operand_range(granule: Granule, tg: u64, va: u64, ttl: u64) -> u64 {
    // SCALE 0, NUM 1: four pages.
    u64::from(ASID) << 48 | tg << 46 | 1 << 39 | ttl << 37 | va >> granule.shift()
}

#[test]
fn a_cleared_page_stays_until_its_tlbi_completes() {
    for granule in Granule::ALL {
        let va = granule.size() * 3;
        let (mut k, pa) = mapped(granule, va);
        clear(&mut k, va);
        assert_eq!(read(&mut k, va), Some(pa), "no TLBI: stale");
        k.flush(Tlbi::va(ASID, va, true));
        for cpu in [0, 1] {
            assert!(k.m.access(cpu, va, READ, El::El0).is_err());
        }
        k.m.assert_clean();
    }
}

#[test]
fn a_local_tlbi_leaves_other_cpus_alone() {
    let (mut k, pa) = mapped(Granule::K4, 0x1000);
    clear(&mut k, 0x1000);
    k.m.tlbi_decoded(0, Tlbi::All, Scope::Local);
    k.m.dsb(0, Dsb::NonShareable);
    assert_eq!(read(&mut k, 0x1000), None);
    assert_eq!(k.m.access(1, 0x1000, READ, El::El0), Ok(pa));
}

#[test]
fn every_operation_reaches_what_it_names_and_nothing_else() {
    use TlbiOp::*;
    for granule in Granule::ALL {
        let va = granule.size() * 9;
        let other = va + granule.size() * 64;
        let tg = granule.tlbi_tg();
        for op in [Vae1, Vale1, Vaae1, Vaale1] {
            assert!(!survives(granule, va, op, operand_va(va, 0)), "{granule:?} {op:?}");
            assert!(survives(granule, va, op, operand_va(other, 0)), "{granule:?} {op:?}");
        }
        for op in [Rvae1, Rvale1, Rvaae1, Rvaale1] {
            assert!(!survives(granule, va, op, operand_range(granule, tg, va, 0)), "{granule:?} {op:?}");
            assert!(!survives(granule, va, op, operand_range(granule, tg, va - 3 * granule.size(), 0)));
            assert!(survives(granule, va, op, operand_range(granule, tg, va - 4 * granule.size(), 0)));
            assert!(survives(granule, va, op, operand_range(granule, tg, va + granule.size(), 0)));
        }
        let wrong_asid = u64::from(ASID + 1) << 48;
        assert!(survives(granule, va, Vae1, wrong_asid | va >> 12));
        assert!(!survives(granule, va, Vaae1, wrong_asid | va >> 12));
        assert!(survives(granule, va, Aside1, wrong_asid));
        assert!(!survives(granule, va, Aside1, u64::from(ASID) << 48));
        assert!(!survives(granule, va, Vmalle1, 0));
    }
}

#[test]
fn a_range_of_another_granule_invalidates_nothing() {
    for granule in Granule::ALL {
        for tg in 1..=3 {
            let gone = !survives(granule, 0, TlbiOp::Rvae1, operand_range(granule, tg, 0, 0));
            assert_eq!(gone, tg == granule.tlbi_tg(), "{granule:?} TG {tg}");
        }
    }
    let (mut k, _) = mapped(Granule::K4, 0);
    k.m.tlbi(0, TlbiOp::Rvae1, Scope::InnerShareable, operand_range(Granule::K4, 0, 0, 0));
    k.expect(ViolationKind::BadTlbi);
}

#[test]
fn a_wrong_level_hint_invalidates_nothing() {
    for granule in Granule::ALL {
        let tg = granule.tlbi_tg();
        assert!(!survives(granule, 0, TlbiOp::Vae1, operand_va(0, tg << 2 | 3)));
        assert!(survives(granule, 0, TlbiOp::Vae1, operand_va(0, tg << 2 | 2)));
        let other = if tg == 1 { 2 } else { 1 };
        assert!(survives(granule, 0, TlbiOp::Vae1, operand_va(0, other << 2 | 3)));
        assert!(!survives(granule, 0, TlbiOp::Rvae1, operand_range(granule, tg, 0, 3)));
        assert!(survives(granule, 0, TlbiOp::Rvae1, operand_range(granule, tg, 0, 2)));
    }
}

#[test]
fn last_level_operations_keep_the_walk_cache() {
    for (last_level, stale) in [(true, true), (false, false)] {
        let (mut k, pa) = mapped(Granule::K4, 0);
        let slot = k.slot(0, 2);
        let old_table = k.m.read_u64(slot);
        k.m.write_u64(slot, 0);
        k.m.dsb(0, Dsb::Stores);
        k.flush(Tlbi::va(ASID, 0, last_level));
        assert_eq!(read(&mut k, 0), stale.then_some(pa), "through the old table");
        if stale {
            k.m.free(old_table & !0xfff, 0);
            k.expect(ViolationKind::FreedWhileInUse);
            let _ = read(&mut k, 0x5000);
            k.expect(ViolationKind::UseAfterFree);
        } else {
            k.m.free(old_table & !0xfff, 0);
            k.m.assert_clean();
        }
    }
}

#[test]
fn rights_taken_away_last_until_the_tlbi() {
    let (mut k, pa) = mapped(Granule::K16, 0);
    k.map(0, pa, RO);
    assert!(k.m.access(0, 0, Access::Write, El::El0).is_ok(), "stale rights");
    k.flush(Tlbi::va(ASID, 0, true));
    assert!(k.m.access(0, 0, Access::Write, El::El0).is_err());
    k.m.assert_clean();
}

#[test]
fn output_size_contiguous_and_attributes_need_break_before_make() {
    for granule in Granule::ALL {
        let (mut k, _) = mapped(granule, 0);
        let other = k.new_page();
        k.map(0, other, RW);
        k.expect(ViolationKind::BreakBeforeMake);

        let (mut k, pa) = mapped(granule, 0);
        k.map(0, pa, RW | CONTIGUOUS);
        k.expect(ViolationKind::BreakBeforeMake);

        let (mut k, pa) = mapped(granule, 0);
        k.map(0, pa, RW | 1 << 2);
        k.expect(ViolationKind::BreakBeforeMake);

        let (mut k, _) = mapped(granule, 0);
        k.map_block(0, 0x8000_0000, RW, 2);
        k.expect(ViolationKind::BreakBeforeMake);
    }
}

#[test]
fn permissions_and_flags_may_change_in_place() {
    for granule in Granule::ALL {
        let (mut k, pa) = mapped(granule, 0);
        for bits in [RO, RX, RW, RW | 1 << 55, RW | sim::desc::DBM, RW & !sim::desc::AF] {
            k.map(0, pa, bits);
            k.flush(Tlbi::va(ASID, 0, true));
        }
        k.m.assert_clean();
    }
}

#[test]
fn a_break_without_tlbi_or_without_dsb_is_none() {
    for steps in 0..3 {
        let (mut k, _) = mapped(Granule::K64, 0);
        let other = k.new_page();
        clear(&mut k, 0);
        if steps > 0 {
            k.m.tlbi_decoded(0, Tlbi::va(ASID, 0, true), Scope::InnerShareable);
        }
        if steps > 1 {
            k.m.dsb(0, Dsb::InnerShareable);
        }
        k.map(0, other, RW);
        if steps < 2 {
            k.expect(ViolationKind::BreakBeforeMake);
        } else {
            k.m.assert_clean();
            assert_eq!(read(&mut k, 0), Some(other));
        }
    }
}

#[test]
fn a_break_that_other_cpus_do_not_see_is_none() {
    let (mut k, _) = mapped(Granule::K4, 0);
    let other = k.new_page();
    clear(&mut k, 0);
    k.m.tlbi_decoded(0, Tlbi::va(ASID, 0, true), Scope::Local);
    k.m.dsb(0, Dsb::InnerShareable);
    k.map(0, other, RW);
    k.expect(ViolationKind::BreakBeforeMake);
}

#[test]
fn a_tlbi_before_the_store_is_visible_is_noticed() {
    let (mut k, _) = mapped(Granule::K4, 0);
    let slot = k.slot(0, 3);
    k.m.write_u64(slot, 0);
    k.flush(Tlbi::va(ASID, 0, true));
    k.expect(ViolationKind::MissingBarrier);
}

#[test]
fn a_store_without_dsb_may_or_may_not_be_walked() {
    let mut k = Kernel::new(Granule::K4);
    let mut seen = [0, 0];
    for i in 0..64 {
        let va = i * 0x1000;
        let slot = k.slot(va, 3);
        let pa = k.new_page();
        k.m.dsb(0, Dsb::Stores);
        k.m.write_u64(slot, pa | RW | TABLE_OR_PAGE);
        seen[usize::from(read(&mut k, va).is_some())] += 1;
    }
    assert!(seen[0] > 8 && seen[1] > 8, "{seen:?}");
    k.m.assert_clean();
}

#[test]
fn a_table_linked_before_its_zeros_are_ordered_is_noticed() {
    let mut k = Kernel::new(Granule::K16);
    let slot = k.slot(0, 2);
    let table = k.new_table();
    k.m.write_u64(slot, table | 3);
    for _ in 0..8 {
        let _ = read(&mut k, 0);
    }
    k.expect(ViolationKind::MissingBarrier);
}

#[test]
fn a_contiguous_set_changes_only_whole_and_with_break_before_make() {
    for granule in Granule::ALL {
        let count = granule.contiguous_entries(3) as u64;
        let size = granule.size();
        let set = |k: &mut Kernel, pa: u64, bits: u64| {
            for i in 0..count {
                let slot = k.slot(i * size, 3);
                k.m.write_u64(slot, if bits == 0 { 0 } else { (pa + i * size) | bits | TABLE_OR_PAGE });
            }
            k.m.dsb(0, Dsb::Stores);
        };
        let flush_all = |k: &mut Kernel| k.flush(Tlbi::range(ASID, 0, count * size, granule, true));

        // By the book: fold, unfold, replace.
        let mut k = Kernel::new(granule);
        let pa = k.new_block(count * size);
        for bits in [RW, RW | CONTIGUOUS, RW, RO | CONTIGUOUS] {
            set(&mut k, pa, bits);
            for i in 0..count {
                assert_eq!(read(&mut k, i * size), Some(pa + i * size));
            }
            set(&mut k, 0, 0);
            flush_all(&mut k);
        }
        k.m.assert_clean();

        // One page of the set is flushed and mapped again, its neighbours may be cached as a whole.
        set(&mut k, pa, RW | CONTIGUOUS);
        assert!(read(&mut k, 0).is_some());
        set(&mut k, 0, 0);
        k.flush(Tlbi::va(ASID, 0, true));
        k.map(0, pa, RW);
        k.expect(ViolationKind::BreakBeforeMake);
    }
}

#[test]
fn a_contiguous_entry_is_cached_as_a_whole_sometimes() {
    let mut whole = 0;
    for seed in 0..32 {
        let mut k = Kernel::with(Granule::K64, Config { seed, restlessness: 0, ..Config::default() });
        let size = k.granule.size();
        let pa = k.new_block(32 * size);
        for i in 0..32 {
            let slot = k.slot(i * size, 3);
            k.m.write_u64(slot, (pa + i * size) | RW | TABLE_OR_PAGE | CONTIGUOUS);
        }
        k.m.dsb(0, Dsb::Stores);
        assert_eq!(read(&mut k, 0), Some(pa));
        for i in 0..32 {
            let slot = k.slot(i * size, 3);
            k.m.write_u64(slot, 0);
        }
        k.m.dsb(0, Dsb::Stores);
        whole += u32::from(read(&mut k, 9 * size).is_some());
        k.m.assert_clean();
    }
    assert!((8..=24).contains(&whole), "{whole} of 32");
}

#[test]
fn overlapping_entries_of_two_sizes_conflict() {
    let (mut k, _) = mapped(Granule::K4, 0x5000);
    let slot = k.slot(0, 2);
    k.m.write_u64(slot, 0);
    k.m.dsb(0, Dsb::Stores);
    // Another ASID is flushed, so the page's entry stays.
    k.flush(Tlbi::Asid(ASID + 1));
    let block = k.new_block(2 << 20);
    k.m.write_u64(slot, block | RW);
    k.m.dsb(0, Dsb::Stores);
    k.expect(ViolationKind::BreakBeforeMake);
    k.flush(Tlbi::va(ASID, 0, false));
    let _ = k.m.access(0, 0, READ, El::El0);
    k.expect(ViolationKind::TlbConflict);
}

#[test]
fn an_asid_belongs_to_one_granule_and_one_root() {
    for (granule, other) in [(Granule::K4, Granule::K64), (Granule::K64, Granule::K16)] {
        let (mut k, _) = mapped(granule, 0);
        let root = k.new_block(65536);
        k.m.dsb(0, Dsb::Stores);
        k.load_as(0, Tcr::new(other, 22), root, ASID);
        k.expect(ViolationKind::AsidReuse);
        let _ = read(&mut k, 0);
        k.expect(ViolationKind::AsidReuse);

        // By the book: leave, flush, reuse.
        let (mut k, _) = mapped(granule, 0);
        let root = k.new_block(65536);
        k.m.dsb(0, Dsb::Stores);
        k.park(0);
        k.park(1);
        k.flush(Tlbi::Asid(ASID));
        k.load_as(0, Tcr::new(other, 22), root, ASID);
        assert_eq!(read(&mut k, 0), None);
        k.m.assert_clean();
    }
}

#[test]
fn an_asid_live_on_another_cpu_is_not_free() {
    let (mut k, _) = mapped(Granule::K4, 0);
    k.park(0);
    k.flush(Tlbi::Asid(ASID));
    let root = k.new_table();
    k.m.dsb(0, Dsb::Stores);
    let tcr = k.tcr();
    k.load_as(0, tcr, root, ASID);
    k.expect(ViolationKind::AsidReuse);
}

#[test]
fn a_global_entry_hits_every_asid() {
    let mut k = Kernel::new(Granule::K4);
    let pa = k.new_page();
    k.map(0, pa, RW & !sim::desc::NG);
    assert_eq!(read(&mut k, 0), Some(pa));
    let root = k.new_table();
    k.m.dsb(0, Dsb::Stores);
    let tcr = k.tcr();
    k.load_as(0, tcr, root, ASID + 1);
    assert_eq!(read(&mut k, 0), Some(pa), "mapped in the other table only");
    k.flush(Tlbi::Asid(ASID));
    assert_eq!(read(&mut k, 0), Some(pa), "ASIDE1 leaves global entries");
    k.load_as(0, Tcr::new(Granule::K64, 22), root, ASID + 2);
    let _ = read(&mut k, 0);
    k.expect(ViolationKind::AsidReuse);
}

#[test]
fn a_switch_out_of_order_is_noticed() {
    let (mut k, _) = mapped(Granule::K4, 0);
    k.m.write_tcr(0, Tcr::new(Granule::K64, 22).bits());
    k.expect(ViolationKind::Switch);

    let (mut k, _) = mapped(Granule::K4, 0);
    let root = k.root;
    k.park(0);
    k.m.write_tcr(0, Tcr::new(Granule::K64, 22).bits());
    k.m.write_ttbr0(0, ttbr(root, 9));
    k.expect(ViolationKind::Switch);

    // Without the last ISB the CPU is still where it was.
    let (mut k, _) = mapped(Granule::K4, 0);
    let root = k.root;
    k.park(0);
    k.m.write_ttbr0(0, ttbr(root, ASID));
    assert_eq!(read(&mut k, 0x7000), None);
    k.m.isb(0);
    assert!(read(&mut k, 0).is_some());

    // A CPU that lacks the granule would silently use another.
    let mut m = Machine::new(Config { granules: vec![Granule::K4, Granule::K64], ..Config::default() });
    m.write_tcr(0, Tcr::new(Granule::K16, 17).bits());
    assert_eq!(m.take_violations()[0].kind, ViolationKind::Switch);
}

#[test]
fn frames_are_freed_only_when_nothing_leads_to_them() {
    // A page whose descriptor is cleared, but not flushed.
    let (mut k, pa) = mapped(Granule::K4, 0);
    clear(&mut k, 0);
    k.m.free(pa, 0);
    k.expect(ViolationKind::FreedWhileInUse);

    // A page that is still mapped.
    let (mut k, pa) = mapped(Granule::K4, 0);
    k.flush(Tlbi::All);
    k.m.free(pa, 0);
    let _ = read(&mut k, 0);
    k.expect(ViolationKind::UseAfterFree);

    // A root in use on the other CPU.
    let (mut k, _) = mapped(Granule::K64, 0);
    k.park(0);
    let root = k.root;
    k.m.free(root, 4);
    k.expect(ViolationKind::FreedWhileInUse);

    // By the book, in all granules: clear, flush, free; leave, flush, free the tables.
    for granule in Granule::ALL {
        let (mut k, pa) = mapped(granule, 0);
        k.unmap(0, 3);
        k.m.free(pa, common::order_of(granule.size()));
        let (root, tcr) = (k.root, k.tcr());
        k.park(0);
        k.park(1);
        k.flush(Tlbi::Asid(ASID));
        for table in k.m.tree(root, tcr).tables {
            k.m.free(table.pa, common::order_of(granule.size()));
        }
        assert_eq!(k.m.frames().counters().allocated, 16, "the reserved root");
        k.m.assert_clean();
    }
}

#[test]
fn speculation_fills_the_tlb_unasked() {
    let mut k = Kernel::new(Granule::K4);
    let pa = k.new_page();
    k.map(0, pa, RW);
    k.m.speculate(0, 0);
    clear(&mut k, 0);
    assert_eq!(read(&mut k, 0), Some(pa));
}

#[test]
fn a_run_repeats_by_its_seed() {
    let run = |seed| {
        let mut k = Kernel::with(Granule::K4, Config { seed, ..Config::default() });
        let mut seen = Vec::new();
        for i in 0..200u64 {
            let va = i % 16 * 0x1000;
            let slot = k.slot(va, 3);
            if k.m.read_u64(slot) == 0 {
                let pa = k.new_page();
                k.map(va, pa, RW);
            } else {
                clear(&mut k, va);
            }
            seen.push(read(&mut k, va));
        }
        seen
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}
