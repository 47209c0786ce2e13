//! Random operations on processes of each page size, on a machine that punishes what hardware would. The letters are
//! those of the invariants in DESIGN.md.
//!
//! `PROPERTY_SEED` and `PROPERTY_CASES` choose others than the default run; a failure prints the shrunk sequence.

mod common;

use common::hw::Setup;
use common::world::{Kind, Op, SLOTS, World};
use mm::types::PageSize;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Anon),
        1 => Just(Kind::SharedAnon),
        2 => (0usize..2).prop_map(Kind::File),
        1 => (0usize..2).prop_map(Kind::SharedFile),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let slot = 0..SLOTS;
    let pages = prop_oneof![3 => 0u64..3, 1 => 0u64..SLOTS];
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
        1 => (0u64..6, any::<bool>()).prop_map(|(after, all)| Op::NextAllocFails { after, all }),
    ]
}

fn setup() -> impl Strategy<Value = Setup> {
    (any::<u64>(), any::<bool>(), any::<bool>()).prop_map(|(seed, hafdbs, tlbi_range)| Setup {
        seed,
        hafdbs,
        tlbi_range,
        nr_frames: 2048,
        asid_bits: 16,
    })
}

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// (a) to (g) over random operations.
fn run(page: PageSize) {
    let seed = from_env("PROPERTY_SEED", 1);
    let cases = from_env("PROPERTY_CASES", 500) as u32;
    println!("PROPERTY_SEED={seed} PROPERTY_CASES={cases}, about {} operations", cases * 75);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4000, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let strategy = (setup(), proptest::collection::vec(op(), 1..150));
    let result = runner.run(&strategy, |(setup, ops)| {
        let mut world = World::new(page, setup);
        for (i, op) in ops.iter().enumerate() {
            world.step(op);
            if i % 8 == 0 {
                world.check_tables();
            }
        }
        world.finish();
        Ok(())
    });
    if let Err(failure) = result {
        panic!("seed {seed}: {failure}");
    }
}

#[test]
fn processes_with_4k_pages() {
    run(PageSize::Size4K);
}

#[test]
fn processes_with_16k_pages() {
    run(PageSize::Size16K);
}

#[test]
fn processes_with_64k_pages() {
    run(PageSize::Size64K);
}
