//! Sequences that once went wrong, as small as they could be made.

mod common;

use common::hw::Setup;
use common::op::{Kind, Op};
use common::world::World;
use mm::arm64::NativeMode;
use mm::types::PageSize;

const RW: u32 = 3;

/// A machine without hardware access flag and dirty state, one of the two kinds that there are.
const PLAIN: Setup = Setup {
    seed: 0,
    hafdbs: false,
    tlbi_range: false,
    nr_frames: 2048,
    asid_bits: 16,
    high: false,
    mode: NativeMode::Eager,
    orders: 0,
};

fn run(page: PageSize, ops: &[Op]) {
    let mut world = World::new(page, PLAIN);
    for op in ops {
        world.step(op);
        world.check_tables();
    }
    world.finish();
}

fn map(slot: u64, pages: u64, kind: Kind) -> Op {
    Op::Map { slot, pages: pages - 1, prot: RW, kind, offset: 0 }
}

fn write(slot: u64) -> Op {
    Op::Write { slot, sub: 0, value: 1 }
}

fn read(slot: u64) -> Op {
    Op::Read { slot, sub: 0 }
}

/// A new root was loaded before its zeroes were sure to be seen by a walk.
#[test]
fn first_access_of_an_empty_address_space() {
    for page in PageSize::ALL {
        run(page, &[read(0)]);
    }
}

/// Two areas that share a table: neither freed it at exit.
#[test]
fn areas_that_share_a_table() {
    for page in PageSize::ALL {
        run(page, &[map(6, 1, Kind::Anon), map(4, 1, Kind::Anon), write(6), write(4)]);
    }
}

/// An offset given with MAP_SHARED | MAP_ANONYMOUS counted, and the end of the memory gave SIGBUS.
#[test]
fn shared_anonymous_memory_ignores_its_offset() {
    for page in PageSize::ALL {
        let shared = Op::Map { slot: 2, pages: 4, prot: RW, kind: Kind::SharedAnon, offset: 1 };
        run(page, &[shared, write(6), read(6)]);
    }
}

/// A fallback freed the native root while a CPU had it loaded.
#[test]
fn fallback_leaves_the_native_table_first() {
    for page in [PageSize::Size16K, PageSize::Size64K] {
        let ops = [map(0, 2, Kind::Anon), write(0), Op::Fragment { on: true }, write(1), write(0), read(1)];
        run(page, &ops);
    }
}

/// A process page of a file from single frames: reading one made reclaim drop the one before, for ever.
#[test]
fn file_pages_of_scattered_memory_end() {
    for page in [PageSize::Size16K, PageSize::Size64K] {
        let ops = [
            map(0, 3, Kind::File(1)),
            Op::Fragment { on: true },
            write(0),
            Op::Reclaim,
            write(1),
            Op::Reclaim,
            read(2),
        ];
        run(page, &ops);
    }
}

/// The child of a process that had fallen back began with a native table, which its small folios don't fit.
#[test]
fn fork_inherits_a_fallback() {
    for page in [PageSize::Size16K, PageSize::Size64K] {
        let ops = [
            map(0, 1, Kind::Anon),
            Op::Fragment { on: true },
            write(0),
            Op::Fragment { on: false },
            Op::Fork,
            Op::Switch { proc: 1, cpu: 1 },
            write(0),
            Op::Switch { proc: 0, cpu: 0 },
            read(0),
        ];
        run(page, &ops);
    }
}

/// Rights that came back with mprotect after fork would have written through to the other process.
#[test]
fn mprotect_keeps_copy_on_write() {
    for page in PageSize::ALL {
        let ops = [
            map(0, 1, Kind::Anon),
            write(0),
            Op::Fork,
            Op::Protect { slot: 0, pages: 0, prot: 1 },
            Op::Protect { slot: 0, pages: 0, prot: RW },
            Op::Write { slot: 0, sub: 0, value: 2 },
            Op::Switch { proc: 1, cpu: 0 },
            read(0),
        ];
        run(page, &ops);
    }
}

/// The native table of a program with 64K pages that used addresses beyond 42 bits kept its first root at exit.
#[test]
fn a_native_table_that_has_grown_goes() {
    for mode in [NativeMode::Eager, NativeMode::Lazy] {
        let mut world = World::new(PageSize::Size64K, Setup { high: true, mode, ..PLAIN });
        for op in [map(5, 1, Kind::Anon), write(5)] {
            world.step(&op);
            world.check_tables();
        }
        world.finish();
    }
}

/// Truncation zeroed the tail of a page that a process could run, behind the instruction cache's back.
#[test]
fn zeroes_behind_a_new_end_reach_instruction_fetches() {
    for page in PageSize::ALL {
        let code = Op::Map { slot: 0, pages: 5, prot: 6, kind: Kind::Memory, offset: 0 };
        let truncate = |halves| Op::Truncate { halves };
        let fetch = Op::Fetch { slot: 5, sub: 0 };
        run(page, &[code, write(5), truncate(9), truncate(11), fetch]);
    }
}
