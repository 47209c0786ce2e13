//! Where images, stack, heap and mappings go. The addresses without randomisation are the ones that
//! arm64 Linux's rules give with `norandmaps`.

mod common;

use abi::{Errno, Prot};
use binfmt::fits::{self, Fitting, Misfit, Reason};
use binfmt::{
    Aslr, Entropy, ExecPlan, Headers, LayoutRequest, Mapping, MmapLayout, RLIM_INFINITY, Role, Search,
    Source, elf, plan,
};
use common::*;

fn parse(elf: &Elf) -> Headers {
    elf::parse(elf.bytes().as_slice(), Role::Program).unwrap()
}

fn plan_of(elf: &Elf, page_size: u64) -> Result<ExecPlan, Errno> {
    plan(&parse(elf), None, &layout(page_size))
}

fn file(start: u64, end: u64, prot: Prot, offset: u64, zero_from: Option<u64>) -> Mapping {
    Mapping { start, end, prot, source: Source::File { offset, zero_from } }
}

const RO: Prot = Prot::READ;
const RX: Prot = Prot::READ.union(Prot::EXEC);
const RW: Prot = Prot::READ.union(Prot::WRITE);

#[test]
fn a_fixed_program() {
    let mut elf = Elf::new(
        ET_EXEC,
        &[load(R | X, 0, 0x40_0000, 0x1234, 0x1234), load(R | W, 0x1ff0, 0x41_1ff0, 0x20, 0x3000)],
    );
    elf.entry = 0x40_0100;
    let plan = plan_of(&elf, 4096).unwrap();
    assert_eq!(
        plan.program.mappings,
        [
            file(0x40_0000, 0x40_2000, RX, 0, None),
            file(0x41_1000, 0x41_3000, RW, 0x1000, Some(0x41_2010)),
            Mapping { start: 0x41_3000, end: 0x41_5000, prot: RW, source: Source::Anonymous },
        ]
    );
    assert_eq!((plan.entry, plan.program_entry, plan.base), (0x40_0100, 0x40_0100, 0));
    assert_eq!((plan.phdr, plan.phnum), (0x40_0040, 2));
    assert_eq!(plan.start_brk, 0x41_5000);
    assert_eq!((plan.code, plan.data), (0x40_0000..0x40_1234, 0x41_1ff0..0x41_2010));
    assert_eq!(plan.program.mappings[2].len(), 0x2000);
}

#[test]
fn bss_reaches_the_end_of_the_process_page() {
    let elf = Elf::new(
        ET_EXEC,
        &[load(R | X, 0, 0x40_0000, 0x1234, 0x1234), load(R | W, 0x1ff0, 0x41_1ff0, 0x20, 0x30)],
    );
    let plan = plan_of(&elf, 65536).unwrap();
    assert_eq!(
        plan.program.mappings,
        [file(0x40_0000, 0x41_0000, RX, 0, None), file(0x41_0000, 0x42_0000, RW, 0, Some(0x41_2010))]
    );
    assert_eq!(plan.start_brk, 0x42_0000);
}

#[test]
fn a_static_pie_lies_below_the_mmap_base_and_its_heap_elsewhere() {
    let layout = layout(4096);
    assert_eq!(layout.stack_top, 1 << 48);
    assert_eq!(layout.mmap_base, 0xffff_f800_0000);
    let plan = plan(&parse(&static_pie()), None, &layout).unwrap();
    // 0x36000 bytes below the base, then down to 64K.
    assert_eq!(plan.program.bias, 0xffff_f7fc_0000);
    assert_eq!(plan.program.span, 0xffff_f7fc_0000..0xffff_f7ff_6000);
    assert_eq!(plan.entry, 0xffff_f7fd_04a8);
    assert_eq!(plan.phdr, 0xffff_f7fc_0040);
    assert_eq!(plan.start_brk, 0xaaaa_aaaa_b000);
}

#[test]
fn a_program_with_an_interpreter() {
    let program = parse(&static_pie().with_interpreter(b"/lib/ld-linux-aarch64.so.1\0"));
    let mut ld_so = Elf::new(
        ET_DYN,
        &[load(R | X, 0, 0, 0x2a000, 0x2a000), load(R | W, 0x2e000, 0x3e000, 0x100, 0x3000)],
    );
    ld_so.entry = 0x1940;
    let interpreter = elf::parse(ld_so.bytes().as_slice(), Role::Interpreter).unwrap();
    for page_size in PAGE_SIZES {
        let layout = layout(page_size);
        let plan = plan(&program, Some(&interpreter), &layout).unwrap();
        let base = (1u64 << va_bits(page_size)) / 3 * 2;
        assert_eq!(plan.program.bias, base - base % 65536);
        assert_eq!(plan.program_entry, plan.program.bias + 0x104a8);
        let image = plan.interpreter.unwrap();
        assert_eq!((plan.base, plan.entry), (image.bias, image.bias + 0x1940));
        assert_eq!(image.span.start, layout.mmap_base - 0x50000);
        assert_eq!(plan.start_brk, plan.program.span.end);
    }
}

#[test]
fn an_interpreter_avoids_a_fixed_program_in_the_mmap_area() {
    for search in [Search::TopDown, Search::BottomUp] {
        let layout = MmapLayout::pick(&LayoutRequest { search, ..request(4096) });
        let vaddr = layout.mmap_base - 0x10000;
        let program =
            Elf::new(ET_EXEC, &[load(R | X, 0, vaddr, 0x1000, 0x12000)]).with_interpreter(b"/ld.so\0");
        let interpreter = parse(&Elf::new(ET_DYN, &[load(R | X, 0, 0, 0x1000, 0x1000)]));
        let plan = plan(&parse(&program), Some(&interpreter), &layout).unwrap();
        let bias = plan.interpreter.unwrap().bias;
        match search {
            Search::TopDown => assert_eq!(bias, vaddr - 0x10000),
            Search::BottomUp => assert_eq!(bias, vaddr + 0x20000),
        }
    }
}

#[test]
fn images_that_fit_nowhere() {
    let end = 1u64 << 48;
    let exec =
        |vaddr: u64, memsz: u64| plan_of(&Elf::new(ET_EXEC, &[load(R | W, 0, vaddr, 0, memsz)]), 4096).err();
    assert_eq!(exec(0x1_0000, 0x1000), None);
    assert_eq!(exec(0xf000, 0x1000), Some(Errno::ENOEXEC), "below mmap_min_addr");
    assert_eq!(exec(0, 0x20000), Some(Errno::ENOEXEC), "the null page");
    assert_eq!(exec(end, 0x1000), Some(Errno::ENOEXEC), "beyond TASK_SIZE");
    assert_eq!(exec(end - 0x1000, 0x1001), Some(Errno::ENOEXEC), "across TASK_SIZE");
    assert_eq!(exec(end - 0x1000, 0x1000), Some(Errno::ENOEXEC), "on the stack");
    assert_eq!(exec(0x10_0000, end), Some(Errno::ENOEXEC), "everything");
    assert_eq!(exec(u64::MAX - 0xfff, 0xfff), Some(Errno::ENOEXEC), "the end of numbers");

    let dyn_ = |memsz: u64, align: u64| {
        let phdr = Phdr { align, ..load(R | W, 0, 0, 0, memsz) };
        plan_of(&Elf::new(ET_DYN, &[phdr]), 4096).err()
    };
    assert_eq!(dyn_(1 << 40, 4096), None);
    assert_eq!(dyn_(end, 4096), Some(Errno::ENOEXEC), "larger than the address space");
    assert_eq!(dyn_(4096, 1 << 40), None);
    assert_eq!(dyn_(4096, 1 << 48), Some(Errno::ENOEXEC), "an alignment that only 0 has");
    assert_eq!(dyn_(4096, 1 << 63), Some(Errno::ENOEXEC));

    let mut elf = static_pie();
    elf.entry = 1 << 60;
    assert_eq!(plan_of(&elf, 4096).err(), Some(Errno::ENOEXEC), "entry beyond TASK_SIZE");
}

#[test]
fn later_segments_lie_over_earlier_ones() {
    let elf = Elf::new(
        ET_EXEC,
        &[load(R | W, 0x1000, 0x40_0000, 0x2800, 0x4000), load(R, 0x9000, 0x40_1000, 0x800, 0x800)],
    );
    assert_eq!(
        plan_of(&elf, 4096).unwrap().program.mappings,
        [
            file(0x40_0000, 0x40_1000, RW, 0x1000, None),
            file(0x40_1000, 0x40_2000, RO, 0x9000, None),
            file(0x40_2000, 0x40_3000, RW, 0x3000, Some(0x40_2800)),
            Mapping { start: 0x40_3000, end: 0x40_4000, prot: RW, source: Source::Anonymous },
        ]
    );
}

#[test]
fn outlines_hold_at_every_size() {
    let words = [0, 1, u64::MAX, u64::MAX / 2, 0x1234_5678_9abc_def0];
    let limits = [0, 4096, 8 << 20, 1 << 30, 1 << 40, 1 << 46, u64::MAX - 1, RLIM_INFINITY];
    for page_size in PAGE_SIZES {
        for va_bits in [36, 39, 42, 47, 48, 52] {
            for rlimit_stack in limits {
                for search in [Search::TopDown, Search::BottomUp] {
                    let base =
                        LayoutRequest { page_size, va_bits, rlimit_stack, search, ..request(page_size) };
                    check_outline(&base);
                    for word in words {
                        let entropy =
                            Entropy { stack: word, stack_offset: word, mmap: word, image: word, brk: word };
                        check_outline(&LayoutRequest { aslr: Aslr::On(entropy), ..base });
                    }
                }
            }
        }
    }
}

fn check_outline(request: &LayoutRequest) {
    let layout = MmapLayout::pick(request);
    let task_size = 1u64 << request.va_bits;
    let page_size = request.page_size;
    assert_eq!(layout.task_size, task_size);
    for address in [layout.stack_top, layout.mmap_base, layout.mmap_min_addr, layout.stack_area().start] {
        assert_eq!(address % page_size, 0, "{request:?}");
        assert!(address > 0 && address <= task_size);
    }
    assert!(task_size - layout.stack_top < 1 << 30);
    assert!(layout.mmap_base >= task_size / 6 - (1 << 30));
    let infinite = request.rlimit_stack == RLIM_INFINITY;
    assert_eq!(layout.search == Search::BottomUp, infinite || request.search == Search::BottomUp);
    assert!(layout.mmap_base <= layout.stack_area().start, "{request:?}");
    if layout.search == Search::TopDown {
        let gap = request.rlimit_stack.min(task_size / 6 * 5 - (2 << 30));
        assert!(layout.stack_top - layout.mmap_base >= gap, "{request:?}");
    }
}

#[test]
fn randomisation_moves_everything_by_less_than_a_gigabyte() {
    let program = parse(&static_pie());
    for page_size in PAGE_SIZES {
        let fixed = random_layout(page_size, 0);
        let still = plan(&program, None, &fixed).unwrap();
        let moved_layout = random_layout(page_size, 0x0123_4567_89ab_cdef);
        let moved = plan(&program, None, &moved_layout).unwrap();
        let pairs = [
            (moved_layout.stack_top, fixed.stack_top),
            (moved_layout.mmap_base, fixed.mmap_base),
            (moved.program.bias, still.program.bias),
            (still.start_brk, moved.start_brk),
        ];
        for (lower, higher) in pairs {
            assert!(lower < higher && higher - lower < 1 << 30, "{lower:#x} {higher:#x}");
            assert_eq!(lower % page_size, 0);
        }
        assert_eq!(still.start_brk, plan(&program, None, &layout(page_size)).unwrap().start_brk);
    }
}

#[test]
fn a_randomised_heap_leaves_a_gap_after_a_fixed_program() {
    let program = parse(&Elf::new(ET_EXEC, &[load(R | X, 0, 0x40_0000, 0x1000, 0x1000)]));
    let plan = plan(&program, None, &random_layout(4096, 0)).unwrap();
    assert_eq!(plan.start_brk, 0x40_2000);
}

#[test]
fn program_headers_outside_all_segments() {
    let mut elf = Elf::new(ET_EXEC, &[load(R | X, 0x1000, 0x40_0000, 0x1000, 0x1000)]);
    assert_eq!(plan_of(&elf, 4096).unwrap().phdr, 0);
    elf.phoff = 0x1800;
    assert_eq!(plan_of(&elf, 4096).unwrap().phdr, 0x40_0800);
}

/// Rows: what is wrong, the segments, the sizes at which it fits, the reason at 64K.
#[test]
fn which_sizes_fit() {
    let text = load(R | X, 0, 0x40_0000, 0x1000, 0x1000);
    let at = |flags, offset, vaddr, filesz, memsz| vec![text, load(flags, offset, vaddr, filesz, memsz)];
    let rows: &[(&str, Vec<Phdr>, u64, Option<Reason>)] = &[
        ("64K apart", at(R | W, 0x1000, 0x41_1000, 0x100, 0x200), 65536, None),
        (
            "16K apart, congruent",
            at(R | W, 0x4000, 0x40_4000, 0x100, 0x200),
            16384,
            Some(Reason::Permissions { neighbour: 0 }),
        ),
        (
            "4K apart",
            at(R | W, 0x1000, 0x40_1000, 0x100, 0x200),
            4096,
            Some(Reason::Permissions { neighbour: 0 }),
        ),
        (
            "congruent modulo 16K",
            at(R | W, 0x4000, 0x42_0000, 0x100, 0x200),
            16384,
            Some(Reason::NotCongruent),
        ),
        ("congruent modulo 4K", at(R | W, 0x1000, 0x42_0000, 0x100, 0x200), 4096, Some(Reason::NotCongruent)),
        ("same file pages", at(R | X, 0x1000, 0x40_1000, 0x100, 0x100), 65536, None),
        (
            "other file pages",
            at(R | X, 0x1_1000, 0x40_1000, 0x100, 0x100),
            4096,
            Some(Reason::FilePages { neighbour: 0 }),
        ),
        ("bss over text", at(R | X, 0, 0x40_8000, 0, 0x1000), 16384, Some(Reason::Bss { neighbour: 0 })),
        ("an empty segment", at(R | W, 0x123, 0x40_0800, 0, 0), 65536, None),
    ];
    for (name, phdrs, expected, reason) in rows {
        let headers = parse(&Elf::new(ET_EXEC, phdrs));
        let fitting = fits::largest_fitting(&[&headers], 65536);
        let misfit = reason.map(|reason| (0, Misfit { segment: 1, reason }));
        assert_eq!(fitting, Fitting { page_size: *expected, misfit }, "{name}");
        assert_eq!(fits::fits(&headers, *expected), Ok(()), "{name}");
        plan(&headers, None, &layout(*expected)).expect(name);
        for asked in PAGE_SIZES {
            assert_eq!(fits::largest_fitting(&[&headers], asked).page_size, asked.min(*expected), "{name}");
        }
    }
}

#[test]
fn the_interpreter_must_fit_too() {
    let program = parse(&static_pie());
    let interpreter =
        parse(&Elf::new(ET_DYN, &[load(R, 0, 0, 0x1000, 0x1000), load(R | X, 0x1000, 0x1000, 1, 1)]));
    let fitting = fits::largest_fitting(&[&program, &interpreter], 65536);
    let misfit = Misfit { segment: 1, reason: Reason::Permissions { neighbour: 0 } };
    assert_eq!(fitting, Fitting { page_size: 4096, misfit: Some((1, misfit)) });
    assert_eq!(misfit.to_string(), "segment 1 shares a page with segment 0 of other permissions");
}

/// At 4K there is nothing smaller: overlapping segments run as Linux runs them.
#[test]
fn four_kilobytes_always_fit() {
    let headers = parse(&Elf::new(ET_EXEC, &[load(R, 0, 0x40_0000, 9, 9), load(R | W, 0, 0x40_0000, 9, 9)]));
    assert!(fits::fits(&headers, 4096).is_err());
    assert_eq!(fits::largest_fitting(&[&headers], 4096), Fitting { page_size: 4096, misfit: None });
    assert_eq!(fits::largest_fitting(&[&headers], 16384).page_size, 4096);
}
