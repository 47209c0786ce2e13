//! Properties of load plans: every byte is where a naive loader puts it, and nothing that a file may
//! contain makes the parser or the planner panic or leave the address space.

mod common;

use abi::Prot;
use binfmt::fits::{self, fits};
use binfmt::{ExecPlan, Headers, Image, Kind, MmapLayout, Role, Segment, Source, elf, plan};
use common::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A byte of memory: from the file, at an offset, or zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Byte {
    File(u64),
    Zero,
}

/// Pages by address.
#[derive(Default, PartialEq, Debug)]
struct Memory(BTreeMap<u64, (Prot, Vec<Byte>)>);

impl Memory {
    /// What `mmap` with MAP_FIXED does.
    fn map(&mut self, start: u64, end: u64, page_size: u64, prot: Prot, file: Option<u64>) {
        for page in (start..end).step_by(page_size as usize) {
            let byte = |i| file.map_or(Byte::Zero, |offset| Byte::File(offset + (page - start) + i));
            self.0.insert(page, (prot, (0..page_size).map(byte).collect()));
        }
    }

    fn zero(&mut self, start: u64, end: u64, page_size: u64) {
        for address in start..end {
            let page = address - address % page_size;
            self.0.get_mut(&page).unwrap().1[(address - page) as usize] = Byte::Zero;
        }
    }

    /// A loader without cleverness: one segment after the other, page by page.
    fn load(headers: &Headers, bias: u64, page_size: u64) -> Memory {
        let mut memory = Memory::default();
        let down = |address: u64| address / page_size * page_size;
        let up = |address: u64| address.div_ceil(page_size) * page_size;
        for segment in &headers.segments {
            let vaddr = segment.vaddr.wrapping_add(bias);
            let file_end = vaddr + segment.filesz;
            let mut mapped_to = down(vaddr);
            if segment.filesz > 0 {
                mapped_to = up(file_end);
                memory.map(down(vaddr), mapped_to, page_size, segment.prot, Some(down(segment.offset)));
                if segment.memsz > segment.filesz && segment.prot.contains(Prot::WRITE) {
                    memory.zero(file_end, mapped_to, page_size);
                }
            }
            if segment.memsz > segment.filesz {
                let prot = Prot::READ | Prot::WRITE | (segment.prot & Prot::EXEC);
                memory.map(mapped_to, up(vaddr + segment.memsz).max(mapped_to), page_size, prot, None);
            }
        }
        memory
    }

    /// What the kernel does with an image.
    fn carry_out(image: &Image, page_size: u64) -> Memory {
        let mut memory = Memory::default();
        for mapping in &image.mappings {
            match mapping.source {
                Source::File { offset, zero_from } => {
                    memory.map(mapping.start, mapping.end, page_size, mapping.prot, Some(offset));
                    memory.zero(zero_from.unwrap_or(mapping.end), mapping.end, page_size);
                }
                Source::Anonymous => memory.map(mapping.start, mapping.end, page_size, mapping.prot, None),
            }
        }
        memory
    }

    fn at(&self, address: u64, page_size: u64) -> Option<(Prot, Byte)> {
        let page = address - address % page_size;
        self.0.get(&page).map(|(prot, bytes)| (*prot, bytes[(address - page) as usize]))
    }
}

/// What holds for every plan, whatever the file.
fn check_plan(plan: &ExecPlan, layout: &MmapLayout) {
    let images = || core::iter::once(&plan.program).chain(&plan.interpreter);
    for image in images() {
        check_image(image, layout);
    }
    if let Some(interpreter) = &plan.interpreter {
        let (a, b) = (&interpreter.span, &plan.program.span);
        assert!(a.end <= b.start || b.end <= a.start);
    }
    assert!(plan.entry < layout.task_size && plan.program_entry < layout.task_size);
    assert!(plan.start_brk <= layout.task_size);
    assert_eq!(plan.start_brk % layout.page_size, 0);
}

fn check_image(image: &Image, layout: &MmapLayout) {
    assert!(image.span.start >= layout.mmap_min_addr && image.span.end <= layout.task_size);
    assert!(image.span.end <= layout.stack_area().start || image.span.start >= layout.stack_area().end);
    let mut last_end = image.span.start;
    for mapping in &image.mappings {
        assert!(last_end <= mapping.start && mapping.start < mapping.end, "sorted, apart, not empty");
        last_end = mapping.end;
        assert_eq!((mapping.start | mapping.end) % layout.page_size, 0);
        if let Source::File { offset, zero_from } = mapping.source {
            assert_eq!(offset % layout.page_size, 0);
            if let Some(address) = zero_from {
                assert!(mapping.prot.contains(Prot::WRITE));
                assert!(address < mapping.end && mapping.end - address < layout.page_size);
            }
        }
    }
    assert!(last_end <= image.span.end);
}

/// What a program whose headers fit may lean on: each segment's bytes and permissions, all of them.
fn check_segments(headers: &Headers, image: &Image, memory: &Memory, page_size: u64) {
    for segment in headers.segments.iter().filter(|segment| segment.memsz != 0) {
        let vaddr = segment.vaddr.wrapping_add(image.bias);
        for i in 0..segment.filesz {
            let expected = Some((segment.prot, Byte::File(segment.offset + i)));
            assert_eq!(memory.at(vaddr + i, page_size), expected);
        }
        // Linux does not clear the last page from the file of a read-only segment.
        let bss = if segment.prot.contains(Prot::WRITE) { segment.filesz } else { segment.memsz };
        for i in bss..segment.memsz {
            assert_eq!(memory.at(vaddr + i, page_size).map(|(_, byte)| byte), Some(Byte::Zero));
        }
    }
}

/// A segment near the others: places and sizes in units that make them share pages often.
fn segment(page_size: u64) -> impl Strategy<Value = Phdr> {
    let place = (0..6u64, prop::sample::select(vec![0, 1, 0x7ff, 0x1000, 0x2345, 0x4000, 0x8010]));
    let sizes = prop::sample::select(vec![0, 1, 0x10, 0x800, 0xfff, 0x1000, 0x1001, 0x5678, 0x1_0000]);
    (place, sizes.clone(), sizes, 0..8u64, 0..8u32).prop_map(move |(place, filesz, bss, file_page, flags)| {
        let vaddr = place.0 * page_size + place.1 % page_size;
        let offset = file_page * page_size + vaddr % page_size;
        load(flags, offset, vaddr, filesz, filesz + bss)
    })
}

fn small_elf() -> impl Strategy<Value = (u64, Elf)> {
    prop::sample::select(PAGE_SIZES.to_vec()).prop_flat_map(|page_size| {
        let segments = prop::collection::vec(segment(page_size), 1..6);
        (segments, any::<bool>()).prop_map(move |(mut phdrs, fixed)| {
            if fixed {
                phdrs.iter_mut().for_each(|phdr| phdr.vaddr += 0x40_0000);
            }
            (page_size, Elf::new(if fixed { ET_EXEC } else { ET_DYN }, &phdrs))
        })
    })
}

/// Numbers at which arithmetic goes wrong.
fn nasty() -> impl Strategy<Value = u64> {
    let edge = prop::sample::select(vec![
        0u64,
        1 << 12,
        1 << 16,
        1 << 31,
        1 << 32,
        1 << 42,
        1 << 47,
        1 << 48,
        1 << 63,
    ]);
    let distance = prop::sample::select(vec![0i64, 1, -1, 0x1000, -0x1000, 0x1_0000, -0x1_0000]);
    prop_oneof![
        (edge, distance).prop_map(|(edge, distance)| edge.wrapping_add_signed(distance)),
        0u64..0x10_0000,
        any::<u64>(),
    ]
}

fn nasty_phdr() -> impl Strategy<Value = Phdr> {
    let p_type = prop::sample::select(vec![PT_LOAD, PT_LOAD, PT_LOAD, PT_INTERP, PT_GNU_STACK, 6]);
    // Most random headers would be refused at the first look: nearly all are made congruent, and sizes small.
    let size = prop_oneof![3 => 0u64..0x2_0000, 1 => nasty()];
    (p_type, 0..8u32, nasty(), nasty(), size.clone(), size, nasty(), prop::bool::weighted(0.95)).prop_map(
        |(p_type, flags, offset, vaddr, filesz, bss, align, congruent)| {
            let offset = if congruent { offset & !0xffff | vaddr & 0xffff } else { offset };
            let memsz = if congruent { filesz.wrapping_add(bss) } else { bss };
            Phdr { p_type, flags, offset, vaddr, filesz, memsz, align }
        },
    )
}

/// Parses a file and plans it in every way there is.
fn exercise(bytes: &[u8], word: u64) {
    let parsed = [elf::parse(bytes, Role::Program), elf::parse(bytes, Role::Interpreter)];
    let Ok(headers) = &parsed[0] else {
        return;
    };
    check_headers(headers);
    for asked in PAGE_SIZES {
        let fitting = fits::largest_fitting(&[headers], asked);
        assert!(PAGE_SIZES.contains(&fitting.page_size) && fitting.page_size <= asked);
        for layout in [layout(asked), random_layout(asked, word)] {
            for interpreter in [None, parsed[1].as_ref().ok()] {
                if let Ok(plan) = plan(headers, interpreter, &layout) {
                    check_plan(&plan, &layout);
                }
            }
        }
    }
}

fn check_headers(headers: &Headers) {
    assert!(!headers.segments.is_empty());
    for Segment { vaddr, filesz, memsz, offset, .. } in &headers.segments {
        assert!(filesz <= memsz && vaddr.checked_add(*memsz).is_some());
        assert!(offset.checked_add(*filesz).is_some_and(|end| end <= i64::MAX as u64));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_is_where_a_naive_loader_puts_it((page_size, elf) in small_elf(), word: u64) {
        let Ok(headers) = elf::parse(elf.bytes().as_slice(), Role::Program) else {
            // Nothing but empty segments.
            prop_assert!(elf.phdrs.iter().all(|phdr| phdr.memsz == 0));
            return Ok(());
        };
        let layout = random_layout(page_size, word);
        let plan = plan(&headers, None, &layout).unwrap();
        check_plan(&plan, &layout);
        prop_assert_eq!(headers.kind == Kind::Exec, plan.program.bias == 0);
        let memory = Memory::carry_out(&plan.program, page_size);
        prop_assert!(memory == Memory::load(&headers, plan.program.bias, page_size));
        if fits(&headers, page_size).is_ok() {
            check_segments(&headers, &plan.program, &memory, page_size);
        }
    }

    /// A size that fits is one at which the image is what it is at 4K.
    #[test]
    fn a_fitting_size_changes_no_byte((_, elf) in small_elf()) {
        if let Ok(headers) = elf::parse(elf.bytes().as_slice(), Role::Program) {
            let page_size = fits::largest_fitting(&[&headers], 65536).page_size;
            if fits(&headers, page_size).is_ok() {
                let plan = plan(&headers, None, &layout(page_size)).unwrap();
                check_segments(&headers, &plan.program, &Memory::carry_out(&plan.program, page_size), page_size);
            } else {
                prop_assert_eq!(page_size, 4096);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn mad_program_headers(
        phdrs in prop::collection::vec(nasty_phdr(), 0..6),
        e_type in ET_EXEC..=ET_DYN,
        entry in nasty(),
        word: u64,
    ) {
        let mut elf = Elf::new(e_type, &phdrs);
        elf.entry = entry;
        exercise(&elf.bytes(), word);
    }

    #[test]
    fn a_spoilt_file(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), word: u64) {
        let mut bytes = static_pie().with_interpreter(b"/lib/ld.so\0").bytes();
        // Not the magic, which would end the matter at once.
        for (index, byte) in changes {
            let index = 4 + index.index(64 + 6 * 56 - 4);
            bytes[index] = byte;
        }
        exercise(&bytes, word);
    }
}
