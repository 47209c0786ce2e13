//! The walker against what the manual says: levels, blocks, reserved encodings, permissions, flags.

mod common;

use common::{ASID, Kernel, RO, RW, RX, order_of};
use sim::desc::{
    AF, AP_READ_ONLY, AP_TABLE_NO_EL0, AP_TABLE_READ_ONLY, CONTIGUOUS, DBM, TABLE_OR_PAGE, UXN, UXN_TABLE,
};
use sim::{Access, Dsb, El, Fault, FaultKind, Granule, Tcr, ViolationKind};

fn fault(k: &mut Kernel, va: u64, access: Access) -> (FaultKind, u8) {
    match k.m.access(0, va, access, El::El0) {
        Err(Fault { kind, level, va: at }) => {
            assert_eq!(at, va);
            (kind, level)
        }
        Ok(pa) => panic!("{va:#x} gave {pa:#x}"),
    }
}

#[test]
fn start_levels_follow_t0sz() {
    let level = |g: Granule, bits| g.start_level(bits);
    assert_eq!([48, 39, 38, 30].map(|b| level(Granule::K4, b)), [0, 1, 1, 2]);
    assert_eq!([48, 47, 36, 25].map(|b| level(Granule::K16, b)), [0, 1, 2, 3]);
    assert_eq!([48, 42, 29].map(|b| level(Granule::K64, b)), [1, 2, 3]);
}

#[test]
fn pages_translate_in_each_granule_and_size_of_address() {
    for granule in Granule::ALL {
        for t0sz in [16, 17, 22, 25, 28, 39] {
            let mut k = Kernel::new(granule);
            k.t0sz = t0sz;
            k.root = k.new_block(granule.size());
            k.m.dsb(0, Dsb::Stores);
            k.load(0, 9);
            let top = (1u64 << (64 - t0sz)) - granule.size();
            for va in [0, granule.size() * 5, top] {
                let pa = k.new_page();
                k.map(va, pa, RW);
                assert_eq!(k.m.access(0, va + 0x123, Access::Read, El::El0), Ok(pa + 0x123));
            }
            assert_eq!(fault(&mut k, 1 << (64 - t0sz), Access::Read), (FaultKind::Translation, 0));
            assert_eq!(fault(&mut k, granule.size(), Access::Read), (FaultKind::Translation, 3));
            k.m.assert_clean();
        }
    }
}

#[test]
fn the_top_byte_is_ignored_only_with_tbi() {
    let mut k = Kernel::new(Granule::K4);
    let pa = k.new_page();
    k.map(0x1000, pa, RW);
    let tagged = 0x5a00_0000_0000_1000;
    assert_eq!(fault(&mut k, tagged, Access::Read), (FaultKind::Translation, 0));
    let tcr = Tcr { tbi0: true, ..k.tcr() };
    let root = k.root;
    k.load_as(0, tcr, root, ASID);
    assert_eq!(k.m.access(0, tagged, Access::Read, El::El0), Ok(pa));
    assert_eq!(fault(&mut k, 0xffff_0000_0000_1000, Access::Read), (FaultKind::Translation, 0));
    k.m.assert_clean();
}

#[test]
fn blocks_exist_only_where_the_manual_has_them() {
    let cases = [
        (Granule::K4, 0, false),
        (Granule::K4, 1, true),
        (Granule::K4, 2, true),
        (Granule::K16, 1, false),
        (Granule::K16, 2, true),
        (Granule::K64, 2, true),
    ];
    for (granule, level, works) in cases {
        let mut k = Kernel::new(granule);
        let va = granule.level_size(level);
        k.map_block(va, 0, RW, level);
        if works {
            assert_eq!(k.m.access(0, va + 0x4567, Access::Read, El::El0), Ok(0x4567), "{granule:?} {level}");
        } else {
            assert_eq!(fault(&mut k, va, Access::Read), (FaultKind::Translation, level), "{granule:?}");
        }
        k.m.assert_clean();
    }
    let mut k = Kernel::new(Granule::K64);
    k.t0sz = 16;
    k.load(0, 3);
    k.map_block(0, 0, RW, 1);
    assert_eq!(fault(&mut k, 0, Access::Read), (FaultKind::Translation, 1));
}

#[test]
fn a_page_descriptor_without_bit_1_is_reserved() {
    let mut k = Kernel::new(Granule::K16);
    let slot = k.slot(0, 3);
    let pa = k.new_page();
    k.m.write_u64(slot, pa | RW);
    k.m.dsb(0, Dsb::Stores);
    assert_eq!(fault(&mut k, 0, Access::Read), (FaultKind::Translation, 3));
    k.m.assert_clean();
}

#[test]
fn output_bits_below_the_granule_are_noticed() {
    for granule in [Granule::K16, Granule::K64] {
        let mut k = Kernel::new(granule);
        let pa = k.new_page();
        k.map(0, pa | 0x1000, RW);
        assert_eq!(k.m.access(0, 0, Access::Read, El::El0), Ok(pa));
        k.expect(ViolationKind::Descriptor);
    }
    for granule in Granule::ALL {
        let mut k = Kernel::new(granule);
        k.map_block(0, granule.size(), RW, 2);
        let _ = k.m.access(0, 0, Access::Read, El::El0);
        k.expect(ViolationKind::Descriptor);
    }
}

/// An access, by whom, and whether it is allowed.
type Case = (Access, El, bool);

#[test]
fn permissions_are_those_of_stage_1() {
    use Access::{Fetch, Read, Write};
    use El::{El0, El1};
    let kernel_only = RW & !sim::desc::AP_EL0;
    let execute_only = (RO & !sim::desc::AP_EL0) & !UXN;
    let allowed: [(u64, [Case; 5]); 5] = [
        (
            RW,
            [
                (Read, El0, true),
                (Write, El0, true),
                (Fetch, El0, false),
                (Write, El1, true),
                (Fetch, El1, false),
            ],
        ),
        (
            RO,
            [
                (Read, El0, true),
                (Write, El0, false),
                (Fetch, El0, false),
                (Write, El1, false),
                (Read, El1, true),
            ],
        ),
        (
            RX,
            [
                (Read, El0, true),
                (Write, El0, false),
                (Fetch, El0, true),
                (Fetch, El1, false),
                (Read, El1, true),
            ],
        ),
        (
            kernel_only,
            [
                (Read, El0, false),
                (Write, El0, false),
                (Fetch, El0, false),
                (Write, El1, true),
                (Read, El1, true),
            ],
        ),
        (
            execute_only,
            [
                (Read, El0, false),
                (Write, El0, false),
                (Fetch, El0, true),
                (Read, El1, true),
                (Write, El1, false),
            ],
        ),
    ];
    for granule in Granule::ALL {
        let mut k = Kernel::new(granule);
        for (i, (bits, cases)) in allowed.iter().enumerate() {
            let va = i as u64 * granule.size();
            let pa = k.new_page();
            k.map(va, pa, *bits);
            for &(access, el, ok) in cases {
                let want = if ok { Ok(pa) } else { Err(Fault { kind: FaultKind::Permission, level: 3, va }) };
                assert_eq!(k.m.access(0, va, access, el), want, "{bits:#x} {access:?} {el:?}");
            }
        }
        k.m.assert_clean();
    }
}

#[test]
fn what_el0_can_write_el1_never_executes() {
    let mut k = Kernel::new(Granule::K4);
    let pa = k.new_page();
    k.map(0, pa, RW & !sim::desc::PXN);
    let got = k.m.access(0, 0, Access::Fetch, El::El1).map_err(|f| f.kind);
    assert_eq!(got, Err(FaultKind::Permission));
}

#[test]
fn table_descriptors_restrict_what_is_below() {
    let cases =
        [(AP_TABLE_READ_ONLY, Access::Write), (AP_TABLE_NO_EL0, Access::Read), (UXN_TABLE, Access::Fetch)];
    for (limit, access) in cases {
        let mut k = Kernel::new(Granule::K4);
        let pa = k.new_page();
        k.map(0, pa, RW & !UXN);
        assert_eq!(k.m.access(0, 0, access, El::El0), Ok(pa));
        let slot = k.slot(0, 1);
        let raw = k.m.read_u64(slot);
        k.m.write_u64(slot, raw | limit);
        k.m.dsb(0, Dsb::Stores);
        k.flush(sim::Tlbi::Asid(ASID));
        assert_eq!(fault(&mut k, 0, access), (FaultKind::Permission, 3));
        let (tcr, root) = (Tcr { hpd0: true, ..k.tcr() }, k.root);
        k.load_as(0, tcr, root, ASID);
        k.flush(sim::Tlbi::Asid(ASID));
        assert_eq!(k.m.access(0, 0, access, El::El0), Ok(pa));
        k.m.assert_clean();
    }
}

#[test]
fn the_access_flag_faults_or_is_set_by_hardware() {
    let mut k = Kernel::new(Granule::K64);
    let pa = k.new_page();
    k.map(0, pa, RW & !AF);
    assert_eq!(fault(&mut k, 0, Access::Read), (FaultKind::AccessFlag, 3));
    let (tcr, root) = (Tcr { ha: true, ..k.tcr() }, k.root);
    k.load_as(0, tcr, root, ASID);
    assert_eq!(k.m.access(0, 0, Access::Read, El::El0), Ok(pa));
    let slot = k.slot(0, 3);
    assert_ne!(k.m.read_u64(slot) & AF, 0);
    k.m.assert_clean();
}

#[test]
fn dirty_state_is_managed_only_with_hd() {
    let mut k = Kernel::new(Granule::K4);
    let pa = k.new_page();
    k.map(0, pa, RO | DBM);
    assert_eq!(fault(&mut k, 0, Access::Write), (FaultKind::Permission, 3));
    let (tcr, root) = (Tcr { ha: true, hd: true, ..k.tcr() }, k.root);
    k.load_as(0, tcr, root, ASID);
    let slot = k.slot(0, 3);
    assert_eq!(k.m.access(0, 0, Access::Read, El::El0), Ok(pa));
    assert_ne!(k.m.read_u64(slot) & AP_READ_ONLY, 0, "a read leaves it clean");
    assert_eq!(k.m.access(0, 0, Access::Write, El::El0), Ok(pa));
    assert_eq!(k.m.read_u64(slot) & AP_READ_ONLY, 0, "a write makes it dirty");
    k.m.assert_clean();
}

#[test]
fn a_stale_clean_entry_does_not_dirty_a_new_descriptor() {
    let mut k = Kernel::new(Granule::K4);
    let (tcr, root) = (Tcr { ha: true, hd: true, ..k.tcr() }, k.root);
    k.load_as(0, tcr, root, ASID);
    let pa = k.new_page();
    k.map(0, pa, RO | DBM);
    assert_eq!(k.m.access(0, 0, Access::Read, El::El0), Ok(pa));
    k.map(0, pa, RO);
    assert_eq!(fault(&mut k, 0, Access::Write), (FaultKind::Permission, 3));
    let slot = k.slot(0, 3);
    assert_ne!(k.m.read_u64(slot) & AP_READ_ONLY, 0);
}

/// Map one whole contiguous set of pages.
fn contiguous(k: &mut Kernel, va: u64, bits: u64) -> (u64, u64) {
    let count = k.granule.contiguous_entries(3) as u64;
    let size = k.granule.size();
    let pa = k.new_block(size * count);
    for i in 0..count {
        let slot = k.slot(va + i * size, 3);
        k.m.write_u64(slot, (pa + i * size) | bits | TABLE_OR_PAGE | CONTIGUOUS);
    }
    k.m.dsb(0, Dsb::Stores);
    (pa, count)
}

#[test]
fn contiguous_sets_translate_and_may_differ_in_dirty_state() {
    for granule in Granule::ALL {
        let mut k = Kernel::new(granule);
        let (tcr, root) = (Tcr { ha: true, hd: true, ..k.tcr() }, k.root);
        k.load_as(0, tcr, root, ASID);
        let va = granule.size() * 1024;
        let (pa, count) = contiguous(&mut k, va, RO | DBM);
        for i in 0..count {
            let at = va + i * granule.size();
            assert_eq!(k.m.access(0, at, Access::Write, El::El0), Ok(pa + i * granule.size()));
            k.flush(sim::Tlbi::va(ASID, at, true));
        }
        k.m.assert_clean();
    }
}

/// Spoils the entry at an address.
type Mistake = &'static dyn Fn(&mut Kernel, u64);

#[test]
fn contiguous_misuse_is_noticed() {
    for granule in Granule::ALL {
        let mistakes: [Mistake; 3] = [
            &|k, slot| k.m.write_u64(slot, 0),
            &|k, slot| {
                let raw = k.m.read_u64(slot);
                k.m.write_u64(slot, raw ^ UXN);
            },
            &|k, slot| {
                let (raw, size) = (k.m.read_u64(slot), k.granule.size());
                k.m.write_u64(slot, raw ^ (size << 7));
            },
        ];
        for mistake in mistakes {
            let mut k = Kernel::new(granule);
            contiguous(&mut k, 0, RW);
            let slot = k.slot(granule.size(), 3);
            mistake(&mut k, slot);
            k.m.dsb(0, Dsb::Stores);
            let _ = k.m.access(0, 0, Access::Read, El::El0);
            k.expect(ViolationKind::Contiguous);
            let (root, tcr) = (k.root, k.tcr());
            assert!(!k.m.tree(root, tcr).errors.is_empty());
        }
        // A whole set, but its output begins in the middle of an aligned one.
        let mut k = Kernel::new(granule);
        let (pa, count) = contiguous(&mut k, 0, RW);
        let va = count * granule.size();
        for i in 0..count {
            let slot = k.slot(va + i * granule.size(), 3);
            k.m.write_u64(slot, (pa + (i + 1) * granule.size()) | RW | TABLE_OR_PAGE | CONTIGUOUS);
        }
        k.m.dsb(0, Dsb::Stores);
        let _ = k.m.access(0, va, Access::Read, El::El0);
        k.expect(ViolationKind::Contiguous);
    }
}

#[test]
fn a_walk_through_memory_that_is_not_there_is_noticed() {
    let mut k = Kernel::new(Granule::K4);
    let slot = k.slot(0, 2);
    k.m.write_u64(slot, 0x10_0000 | 3);
    k.m.dsb(0, Dsb::Stores);
    assert_eq!(fault(&mut k, 0, Access::Read).0, FaultKind::Translation);
    k.expect(ViolationKind::OutOfRange);
}

#[test]
fn the_tree_seen_from_outside_is_the_one_that_is_walked() {
    for granule in Granule::ALL {
        let mut k = Kernel::new(granule);
        let mut want = Vec::new();
        for i in [0, 3, 700, 5000] {
            let va = i * granule.size();
            let pa = k.new_page();
            k.map(va, pa, RW);
            want.push((va, pa));
        }
        let (root, tcr) = (k.root, k.tcr());
        let tree = k.m.tree(root, tcr);
        assert_eq!(tree.errors, Vec::<String>::new());
        assert_eq!(tree.leaves.iter().map(|l| (l.va, l.pa)).collect::<Vec<_>>(), want);
        for (va, pa) in want {
            let leaf = k.m.leaf_at(root, tcr, va + 1).expect("mapped");
            assert_eq!((leaf.va, leaf.pa), (va, pa));
            assert!(leaf.permits(Access::Write, El::El0, tcr) && !leaf.permits(Access::Fetch, El::El0, tcr));
        }
        let bytes: u64 = tree.tables.iter().map(|t| t.bytes).sum();
        assert!(bytes >= granule.size() * 2 && order_of(granule.size()) <= 4);
    }
}
