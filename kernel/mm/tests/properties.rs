//! Random operations on processes of each page size, on a machine that punishes what hardware would. The letters are
//! those of the invariants in DESIGN.md.
//!
//! `PROPERTY_SEED` and `PROPERTY_CASES` choose others than the default run; a failure prints the shrunk sequence, for which
//! `PROPERTY_SHRINK` steps are taken at most.

mod common;

use common::hw::Setup;
use common::op::{Kind, Op};
use common::world::{SLOTS, World};
use mm::arm64::NativeMode;
use mm::arm64::geometry::Geometry;
use mm::types::PageSize;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Anon),
        1 => Just(Kind::SharedAnon),
        2 => (0usize..2).prop_map(Kind::File),
        1 => (0usize..2).prop_map(Kind::SharedFile),
        2 => Just(Kind::Memory),
    ]
}

/// Operations on few pages near the table's edge, and on whole blocks, which begin there: two pages from the start.
fn op(block: u64) -> impl Strategy<Value = Op> {
    let slot = prop_oneof![8 => 0..SLOTS, 1 => Just(2), 1 => 0..block + SLOTS];
    let pages = prop_oneof![12 => 0u64..3, 3 => 0u64..SLOTS, 1 => 0..block + SLOTS, 2 => Just(block - 1)];
    let prot = || prop_oneof![2 => Just(3u32), 1 => 0u32..8];
    let sub = 0u64..16;
    prop_oneof![
        3 => (slot.clone(), pages.clone(), prot(), kind(), 0u64..4)
            .prop_map(|(slot, pages, prot, kind, offset)| Op::Map { slot, pages, prot, kind, offset }),
        1 => (slot.clone(), pages.clone()).prop_map(|(slot, pages)| Op::Unmap { slot, pages }),
        3 => (slot.clone(), pages.clone(), prot())
            .prop_map(|(slot, pages, prot)| Op::Protect { slot, pages, prot }),
        1 => (slot.clone(), pages.clone()).prop_map(|(slot, pages)| Op::Discard { slot, pages }),
        1 => (slot.clone(), pages.clone(), slot.clone(), pages.clone())
            .prop_map(|(slot, pages, to, new_pages)| Op::Remap { slot, pages, to, new_pages }),
        8 => (slot.clone(), sub.clone(), any::<u64>())
            .prop_map(|(slot, sub, value)| Op::Write { slot, sub, value }),
        5 => (slot.clone(), sub.clone()).prop_map(|(slot, sub)| Op::Read { slot, sub }),
        2 => (slot, sub).prop_map(|(slot, sub)| Op::Fetch { slot, sub }),
        1 => Just(Op::Fork),
        1 => Just(Op::Exit),
        2 => (0usize..3, 0usize..2).prop_map(|(proc, cpu)| Op::Switch { proc, cpu }),
        1 => Just(Op::Reclaim),
        1 => any::<bool>().prop_map(|on| Op::Fragment { on }),
        1 => Just(Op::DropNative),
        1 => Just(Op::Return),
        1 => (0u64..80).prop_map(|halves| Op::Truncate { halves }),
        1 => (0usize..3, 0u64..40).prop_map(|(file, page)| Op::Pin { file, page }),
        1 => Just(Op::Unpin),
        1 => (0usize..3).prop_map(|size| Op::Spawn { size }),
        1 => (0u64..6, any::<bool>()).prop_map(|(after, all)| Op::NextAllocFails { after, all }),
    ]
}

/// Puts memory for a whole block before `ops`, so that there is often one.
fn begin(block: u64, ops: Vec<Op>) -> Vec<Op> {
    let map = Op::Map { slot: 0, pages: block + SLOTS - 1, prot: 3, kind: Kind::Anon, offset: 0 };
    [map, Op::Write { slot: 3, sub: 0, value: 7 }].into_iter().chain(ops).collect()
}

fn setup(mode: NativeMode) -> impl Strategy<Value = Setup> {
    // Base pages only, all sizes, or the one that fills a block of 4K or of the larger granules.
    let orders = prop_oneof![2 => Just(0u32), 1 => Just(u32::MAX), 2 => Just(1 << 4), 2 => Just(1 << 9)];
    (any::<u64>(), any::<bool>(), any::<bool>(), prop_oneof![3 => Just(false), 1 => Just(true)], orders)
        .prop_map(move |(seed, hafdbs, tlbi_range, high, orders)| Setup {
            seed,
            hafdbs,
            tlbi_range,
            nr_frames: 8192,
            asid_bits: 16,
            high,
            mode,
            orders,
        })
}

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// (a) to (g) over random operations.
fn run(page: PageSize, mode: NativeMode) {
    let seed = from_env("PROPERTY_SEED", 1);
    let cases = from_env("PROPERTY_CASES", 500) as u32;
    // Around the capture of the test's output: which numbers a run has seen should be known when it passes, too.
    let _ = writeln!(
        std::io::stderr(),
        "PROPERTY_SEED={seed} PROPERTY_CASES={cases}, about {} operations on {page:?}, {mode:?}",
        cases * 75
    );
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: from_env("PROPERTY_SHRINK", 4000) as u32,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let block = Geometry::of(page).cont_ptes;
    let ops = (any::<bool>(), proptest::collection::vec(op(block), 1..150));
    let strategy =
        (setup(mode), ops.prop_map(move |(begun, ops)| if begun { begin(block, ops) } else { ops }));
    let counted = RefCell::new(BTreeMap::<&str, u64>::new());
    let result = runner.run(&strategy, |(setup, ops)| {
        let mut world = World::new(page, setup);
        for (i, op) in ops.iter().enumerate() {
            world.step(op);
            if i % 8 == 0 {
                world.check_tables();
            }
        }
        world.mem.stats.for_each(|name, count| *counted.borrow_mut().entry(name).or_insert(0) += count);
        world.finish();
        Ok(())
    });
    if let Err(failure) = result {
        panic!("seed {seed}: {failure}");
    }
    let counted = counted.into_inner();
    println!("{counted:?}");
    // Operations that never happened prove nothing.
    let everywhere = ["contpte_fold", "contpte_unfold", "cow_copy", "cow_reuse", "tlbi", "pgmajfault"];
    let larger_pages =
        ["native_refill", "native_tables_dropped", "native_fallback_no_contig_memory", "native_return"];
    let larger_pages = larger_pages.iter().filter(|_| page != PageSize::Size4K);
    for name in everywhere.iter().chain(larger_pages) {
        assert_ne!(counted[name], 0, "{name} never happened");
    }
}

#[test]
fn processes_with_4k_pages() {
    run(PageSize::Size4K, NativeMode::Eager);
}

#[test]
fn processes_with_16k_pages() {
    run(PageSize::Size16K, NativeMode::Eager);
}

#[test]
fn processes_with_64k_pages() {
    run(PageSize::Size64K, NativeMode::Eager);
}

#[test]
fn processes_with_16k_pages_and_lazy_native_tables() {
    run(PageSize::Size16K, NativeMode::Lazy);
}

#[test]
fn processes_with_64k_pages_and_lazy_native_tables() {
    run(PageSize::Size64K, NativeMode::Lazy);
}
