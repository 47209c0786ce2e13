//! Frames, memory, instruction cache and disk: what they do, and that misuse is noticed.

mod common;

use std::collections::HashSet;

use common::{Kernel, RX};
use sim::{
    Access, Config, Ctr, Direction, Dsb, El, FRAME_SIZE, Granule, IoError, Machine, POISON, Scope, Segment,
    ViolationKind,
};

fn small() -> Machine {
    Machine::new(Config { nr_frames: 64, ..Config::default() })
}

#[track_caller]
fn expect(m: &mut Machine, kind: ViolationKind) {
    let seen = m.take_violations();
    assert!(seen.iter().any(|v| v.kind == kind), "no {kind:?} in {seen:#?}");
}

#[test]
fn blocks_are_aligned_disjoint_and_merge_again() {
    for base in [0x4000_0000, 0x4000_3000] {
        let mut m = Machine::new(Config { base, nr_frames: 100, seed: base, ..Config::default() });
        let mut held = Vec::new();
        let mut owned = HashSet::new();
        for i in 0..1000u32 {
            let order = i * 7 % 4;
            if let Some(pa) = m.alloc(order) {
                assert!(pa.is_multiple_of(FRAME_SIZE << order));
                for f in 0..1u64 << order {
                    assert!(owned.insert(pa / FRAME_SIZE + f), "frame given twice");
                }
                held.push((pa, order));
            }
            if held.len() > 20 {
                let (pa, order) = held.swap_remove((i * 13) as usize % held.len());
                for f in 0..1u64 << order {
                    owned.remove(&(pa / FRAME_SIZE + f));
                }
                m.free(pa, order);
            }
            assert_eq!(m.frames().counters().allocated, owned.len());
        }
        for (pa, order) in held {
            m.free(pa, order);
        }
        assert_eq!(m.frames().allocated().count(), 0);
        assert!((0..6).all(|_| m.alloc(4).is_some()) || base != 0x4000_0000, "all merged again");
        m.assert_clean();
    }
}

#[test]
fn a_block_may_be_freed_in_pieces_but_only_once() {
    let mut m = small();
    let pa = m.alloc(3).expect("memory");
    for i in 0..8 {
        m.free(pa + i * FRAME_SIZE, 0);
    }
    m.assert_clean();
    m.free(pa, 0);
    expect(&mut m, ViolationKind::DoubleFree);
    let pa = m.alloc(1).expect("memory");
    m.free(pa + FRAME_SIZE, 1);
    expect(&mut m, ViolationKind::BadFree);
    m.free(0x1000, 0);
    expect(&mut m, ViolationKind::BadFree);
}

#[test]
fn frames_are_junk_when_new_and_watched_when_free() {
    let mut m = small();
    let pa = m.alloc(0).expect("memory");
    assert_eq!(m.read_u64(pa + 8), POISON);
    m.zero(pa, FRAME_SIZE);
    m.write_u64(pa, 1);
    m.free(pa, 0);
    m.assert_clean();
    assert_eq!(m.read_u64(pa), POISON);
    expect(&mut m, ViolationKind::UseAfterFree);
    m.write_bytes(pa + 9, b"late");
    expect(&mut m, ViolationKind::UseAfterFree);
    m.zero(pa, FRAME_SIZE);
    expect(&mut m, ViolationKind::UseAfterFree);
}

#[test]
fn accesses_outside_or_across_words_are_noticed() {
    let mut m = small();
    let pa = m.alloc(0).expect("memory");
    m.read_u64(0x1000);
    expect(&mut m, ViolationKind::OutOfRange);
    m.write_u64(u64::MAX - 7, 0);
    expect(&mut m, ViolationKind::OutOfRange);
    m.write_u64(pa + 4, 1);
    expect(&mut m, ViolationKind::Misaligned);
}

#[test]
fn bytes_words_and_exchanges_agree() {
    let mut m = small();
    let (a, b) = (m.alloc(0).expect("memory"), m.alloc(0).expect("memory"));
    m.zero(a, FRAME_SIZE);
    m.write_bytes(a + 5, &[1, 2, 3, 4, 5, 6]);
    assert_eq!(m.read_u64(a), 0x0302_0100_0000_0000);
    assert_eq!(m.compare_exchange_u64(a, 1, 2), Err(0x0302_0100_0000_0000));
    assert_eq!(m.compare_exchange_u32(a + 8, 0x0006_0504, 9), Ok(0x0006_0504));
    assert_eq!(m.swap_u64(a + 8, 7), 9);
    m.copy(b, a, FRAME_SIZE);
    m.copy(b + 101, a + 5, 3);
    let mut out = [0; 3];
    m.read_bytes(b + 101, &mut out);
    assert_eq!(out, [1, 2, 3]);
    m.zero(b + 102, 1);
    m.read_bytes(b + 101, &mut out);
    assert_eq!(out, [1, 0, 3]);
    m.assert_clean();
}

#[test]
fn data_goes_through_the_mmu_across_pages() {
    for granule in Granule::ALL {
        let mut k = Kernel::new(granule);
        let size = granule.size();
        for page in 0..2 {
            let pa = k.new_page();
            k.map(page * size, pa, common::RW);
        }
        let data: Vec<u8> = (0..100).collect();
        assert_eq!(k.m.store(0, size - 50, &data, El::El0), Ok(()));
        let mut back = vec![0; 100];
        assert_eq!(k.m.load(0, size - 50, &mut back, El::El0), Ok(()));
        assert_eq!(back, data);
        let fault = k.m.store(0, 2 * size - 10, &data, El::El0).expect_err("runs off the mapping");
        assert_eq!(fault.va, 2 * size);
        assert_eq!(k.m.load(0, 2 * size - 10, &mut back[..10], El::El0), Ok(()));
        assert_eq!(back[..10], data[..10], "what fits was stored");
        let counters = k.m.counters();
        assert!(counters.walks >= 3 && counters.tlb_hits > 0 && counters.tlbis == 0 && counters.dsbs > 0);
        k.m.assert_clean();
    }
}

#[test]
fn allocations_fail_on_request() {
    let mut m = small();
    m.frames_mut().fail_after(2);
    let got: Vec<bool> = (0..5).map(|_| m.alloc(0).is_some()).collect();
    assert_eq!(got, [true, true, false, true, true]);
    m.frames_mut().fail_all_after(1);
    let got: Vec<bool> = (0..4).map(|_| m.alloc(0).is_some()).collect();
    assert_eq!(got, [true, false, false, false]);
    m.frames_mut().never_fail();
    assert!(m.alloc(0).is_some());
    let counters = m.frames().counters();
    assert_eq!((counters.attempts, counters.injected, counters.allocated), (10, 4, 6));
}

/// Map an executable page with a word in it, properly synchronised.
fn code(config: Config) -> (Kernel, u64) {
    let mut k = Kernel::with(Granule::K4, config);
    let pa = k.new_page();
    write_code(&mut k, pa, 0x1111_1111, Skip::Nothing);
    k.map(0, pa, RX);
    (k, pa)
}

#[derive(Clone, Copy, PartialEq)]
enum Skip {
    Nothing,
    Clean,
    DsbAfterClean,
    Invalidate,
    DsbAfterInvalidate,
    Isb,
}

/// Change an instruction by the book, but for one step.
fn write_code(k: &mut Kernel, pa: u64, word: u32, skip: Skip) {
    k.m.write_bytes(pa, &word.to_le_bytes());
    if skip != Skip::Clean {
        k.m.dc_cvau(0, pa);
    }
    if skip != Skip::DsbAfterClean {
        k.m.dsb(0, Dsb::InnerShareable);
    }
    if skip != Skip::Invalidate {
        k.m.ic_ivau(0, pa);
    }
    if skip != Skip::DsbAfterInvalidate {
        k.m.dsb(0, Dsb::InnerShareable);
    }
    if skip != Skip::Isb {
        k.m.isb(0);
    }
}

#[test]
fn code_changes_by_the_book_are_fetched() {
    let (mut k, pa) = code(Config { nr_cpus: 2, ..Config::default() });
    k.load(1, common::ASID);
    for word in 1..50 {
        write_code(&mut k, pa, word, Skip::Nothing);
        assert_eq!([0, 1].map(|cpu| k.m.fetch(cpu, 0, El::El0)), [Ok(word), Ok(word)]);
    }
    k.m.assert_clean();
}

#[test]
fn each_step_left_out_of_a_code_change_is_noticed() {
    use Skip::*;
    let cases = [
        (Clean, ViolationKind::StaleFetch),
        (DsbAfterClean, ViolationKind::MissingBarrier),
        (Invalidate, ViolationKind::StaleFetch),
        (DsbAfterInvalidate, ViolationKind::StaleFetch),
        (Isb, ViolationKind::MissingBarrier),
    ];
    for (skip, kind) in cases {
        let (mut k, pa) = code(Config::default());
        assert_eq!(k.m.fetch(0, 0, El::El0), Ok(0x1111_1111));
        write_code(&mut k, pa, 0x2222_2222, skip);
        let word = k.m.fetch(0, 0, El::El0).expect("mapped");
        assert_eq!(word == 0x2222_2222, kind != ViolationKind::StaleFetch);
        k.expect(kind);
    }
}

#[test]
fn a_quiet_fetch_leaves_the_verdict_to_the_test() {
    let (mut k, pa) = code(Config::default());
    k.m.write_bytes(pa, &[9, 9, 9, 9]);
    let fetched = k.m.fetch_quietly(0, 0, El::El0).expect("mapped");
    assert!(fetched.is_stale() && fetched.memory == 0x0909_0909 && fetched.pa == pa);
    assert!(k.m.fetch(0, 2, El::El0).is_err(), "not aligned");
    assert!(k.m.fetch(0, 0x1000, El::El0).is_err(), "not mapped");
    k.m.assert_clean();
}

#[test]
fn a_reused_frame_keeps_its_old_lines() {
    let (mut k, pa) = code(Config::default());
    assert_eq!(k.m.fetch(0, 0, El::El0), Ok(0x1111_1111));
    k.unmap(0, 3);
    k.m.free(pa, 0);
    let again = std::iter::repeat_with(|| k.m.alloc(0)).flatten().find(|p| *p == pa).expect("comes again");
    // Cleaned to the PoU, but not invalidated, as if it were the frame's first life.
    write_code(&mut k, again, 0x3333_3333, Skip::Invalidate);
    k.map(0x1000, again, RX);
    let _ = k.m.fetch(0, 0x1000, El::El0);
    k.expect(ViolationKind::StaleFetch);
}

#[test]
fn the_whole_cache_is_invalidated_here_or_everywhere() {
    for (scope, stale) in [(Scope::Local, true), (Scope::InnerShareable, false)] {
        let (mut k, pa) = code(Config { nr_cpus: 2, ..Config::default() });
        k.load(1, common::ASID);
        for cpu in [0, 1] {
            assert_eq!(k.m.fetch(cpu, 0, El::El0), Ok(0x1111_1111));
        }
        k.m.write_bytes(pa, &[7; 4]);
        k.m.dc_cvau(0, pa);
        k.m.dsb(0, Dsb::InnerShareable);
        k.m.ic_iallu(0, scope);
        k.m.dsb(0, Dsb::InnerShareable);
        k.m.isb(0);
        assert_eq!(k.m.fetch(0, 0, El::El0), Ok(0x0707_0707));
        assert_eq!(k.m.fetch_quietly(1, 0, El::El0).map(|f| f.is_stale()), Ok(stale));
        k.m.assert_clean();
    }
}

#[test]
fn ctr_says_what_may_be_left_out() {
    for (idc, dic) in [(false, false), (true, false), (false, true), (true, true)] {
        let (mut k, pa) = code(Config { ctr: Ctr { idc, dic }, ..Config::default() });
        let _ = k.m.fetch(0, 0, El::El0);
        write_code(&mut k, pa, 5, Skip::Clean);
        assert_eq!(k.m.fetch_quietly(0, 0, El::El0).map(|f| f.is_stale()), Ok(!idc));
        write_code(&mut k, pa, 6, Skip::Nothing);
        let _ = k.m.fetch(0, 0, El::El0);
        write_code(&mut k, pa, 7, Skip::Invalidate);
        assert_eq!(k.m.fetch_quietly(0, 0, El::El0).map(|f| f.is_stale()), Ok(!dic));
        k.m.assert_clean();
    }
}

fn with_disk() -> (Machine, u64) {
    let mut m = small();
    m.disk_mut().load((0..8 * 4096u32).map(|i| (i / 512) as u8).collect());
    let pa = m.alloc(3).expect("memory");
    m.zero(pa, 8 * FRAME_SIZE);
    (m, pa)
}

#[test]
fn one_request_scatters_over_memory() {
    let (mut m, pa) = with_disk();
    let segments = [Segment { pa: pa + 4096, len: 1024 }, Segment { pa, len: 512 }];
    let id = m.disk_submit(Direction::Read, 1024, &segments);
    assert_eq!(m.read_u64(pa), 0, "nothing moves before completion");
    let done = m.disk_complete().expect("queued");
    assert_eq!((done.id, done.result), (id, Ok(())));
    assert_eq!([0, 4096, 4608].map(|o| m.read_u64(pa + o) as u8), [4, 2, 3]);
    assert_eq!(m.disk_complete(), None);
    let counters = m.disk().counters();
    assert_eq!((counters.reads, counters.segments, counters.read_bytes), (1, 2, 1536));
    m.assert_clean();
}

#[test]
fn writes_are_stored() {
    let (mut m, pa) = with_disk();
    m.write_bytes(pa, &[0xee; 512]);
    m.disk_submit(Direction::Write, 512, &[Segment { pa, len: 512 }]);
    assert_eq!(m.disk_complete().map(|c| c.result), Some(Ok(())));
    assert_eq!(m.disk().bytes()[511..514], [0, 0xee, 0xee]);
    m.assert_clean();
}

#[test]
fn requests_complete_in_any_order_but_the_same_for_a_seed() {
    let order = || {
        let (mut m, pa) = with_disk();
        for i in 0..8 {
            m.disk_submit(Direction::Read, i * 4096, &[Segment { pa: pa + i * 4096, len: 4096 }]);
        }
        assert_eq!(m.disk().in_flight(), 8);
        let order: Vec<u64> = std::iter::from_fn(|| m.disk_complete()).map(|c| c.id.0).collect();
        assert!((0..8).all(|i| m.read_u64(pa + i * 4096) as u8 == (i * 8) as u8));
        order
    };
    assert_eq!(order(), order());
    assert!(!order().is_sorted(), "out of order");
}

#[test]
fn errors_come_when_asked_for_and_beyond_the_end() {
    let (mut m, pa) = with_disk();
    m.disk_mut().fail_after(1);
    let results: Vec<_> = (0..3)
        .map(|_| {
            m.disk_submit(Direction::Read, 0, &[Segment { pa, len: 512 }]);
            m.disk_complete().expect("queued").result
        })
        .collect();
    assert_eq!(results, [Ok(()), Err(IoError), Ok(())]);
    m.disk_submit(Direction::Read, 7 * 4096, &[Segment { pa, len: 8192 }]);
    assert_eq!(m.disk_complete().expect("queued").result, Err(IoError));
    assert_eq!(m.disk().counters().failed, 2);
    m.assert_clean();
}

#[test]
fn dma_into_frames_that_were_freed_is_noticed() {
    let (mut m, pa) = with_disk();
    m.disk_submit(Direction::Read, 0, &[Segment { pa, len: 512 }]);
    m.free(pa, 3);
    expect(&mut m, ViolationKind::FreedWhileInUse);
    m.disk_complete();
    expect(&mut m, ViolationKind::UseAfterFree);
    let pa = m.alloc(0).expect("memory");
    m.disk_submit(Direction::Read, 0, &[Segment { pa, len: 100 }]);
    expect(&mut m, ViolationKind::BadRequest);
}

#[test]
fn code_that_a_disk_brought_is_as_stale_as_any() {
    let (mut k, pa) = code(Config::default());
    k.m.disk_mut().load(vec![0xab; 4096]);
    k.m.disk_submit(Direction::Read, 0, &[Segment { pa, len: 4096 }]);
    k.m.disk_complete();
    assert!(k.m.access(0, 0, Access::Fetch, El::El0).is_ok());
    let _ = k.m.fetch(0, 0, El::El0);
    k.expect(ViolationKind::StaleFetch);
}
