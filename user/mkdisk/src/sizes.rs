//! Programs that fit some page sizes and not others. Each exits with its page size in units of 4K: 1, 4 or 16.
//!
//! They lie in `/tests/data/sizes/LARGEST-REASON`: the largest size at which the program fits, and what is wrong with it
//! at the next one.

use crate::elf::{Elf, PT_INTERP, PT_LOAD, R, Segment, W, X};

/// Looks for AT_PAGESZ behind the environment.
const EXIT_WITH_PAGE_SIZE: [u32; 11] = [
    0xf940_03e0, // ldr  x0, [sp]
    0x9100_43e1, // add  x1, sp, #16
    0x8b00_0c21, // add  x1, x1, x0, lsl #3
    0xf840_8422, // ldr  x2, [x1], #8
    0xb5ff_ffe2, // cbnz x2, back by one
    0xa8c1_0c22, // ldp  x2, x3, [x1], #16
    0xf100_185f, // cmp  x2, #6
    0x54ff_ffc1, // b.ne back by two
    0xd34c_fc60, // lsr  x0, x3, #12
    0xd280_0bc8, // mov  x8, #94
    0xd400_0001, // svc  #0
];

const BASE: u64 = 0x40_0000;
/// The program that has an interpreter lies elsewhere.
const UNDER_INTERPRETER: u64 = 0x80_0000;
/// Where the interpreter of one of them is found.
const INTERPRETER: &str = "tests/data/sizes/4K-not-congruent";

/// A writable segment of eight bytes.
const fn data(vaddr: u64, offset: u64, memsz: u64) -> Segment {
    Segment { kind: PT_LOAD, flags: R | W, offset, vaddr, filesz: 8, memsz, align: 4096 }
}

/// The program with `more` segments; its file reaches behind the last of them.
fn program(base: u64, more: &[Segment]) -> Elf {
    let start = Elf::body_offset(1 + more.len());
    let mut body: Vec<u8> = EXIT_WITH_PAGE_SIZE.iter().flat_map(|word| word.to_le_bytes()).collect();
    let len = start + body.len() as u64;
    let end = more.iter().map(|segment| segment.offset + segment.filesz).fold(len, u64::max);
    body.resize((end - start) as usize, 0);
    let text =
        Segment { kind: PT_LOAD, flags: R | X, offset: 0, vaddr: base, filesz: len, memsz: len, align: 4096 };
    let segments = [&[text], more].concat();
    Elf::new(base + start, segments, body)
}

fn interpreted() -> Elf {
    let mut path = format!("/{INTERPRETER}").into_bytes();
    path.push(0);
    let offset = 0x1000;
    let len = path.len() as u64;
    let interpreter =
        Segment { kind: PT_INTERP, flags: R, offset, vaddr: 0, filesz: len, memsz: len, align: 1 };
    let mut elf = program(UNDER_INTERPRETER, &[interpreter]);
    let at = elf.body.len() - path.len();
    elf.body[at..].copy_from_slice(&path);
    elf
}

/// Path and content of each.
pub fn programs() -> Vec<(String, Vec<u8>)> {
    let named = [
        ("64K", program(BASE, &[data(BASE + 0x1_0000, 0x1_0000, 0x1_2345)])),
        ("4K-not-congruent", program(BASE, &[data(BASE + 0x2_2000, 0x1000, 8)])),
        ("4K-other-permissions", program(BASE, &[data(BASE + 0x1000, 0x1000, 8)])),
        ("4K-in-the-interpreter", interpreted()),
        ("16K-not-congruent", program(BASE, &[data(BASE + 0x2_4000, 0x8000, 8)])),
        ("16K-other-permissions", program(BASE, &[data(BASE + 0x4000, 0x4000, 8)])),
        (
            "16K-other-file-pages",
            program(BASE, &[data(BASE + 0x2_0000, 0x1_0000, 8), data(BASE + 0x2_4000, 0x2_4000, 8)]),
        ),
        (
            "16K-bss-over-a-neighbour",
            program(BASE, &[data(BASE + 0x2_0000, 0x2_0000, 0x1000), data(BASE + 0x2_8000, 0x2_8000, 8)]),
        ),
    ];
    named.into_iter().map(|(name, elf)| (format!("tests/data/sizes/{name}"), elf.bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_a_size_and_the_interpreter_is_among_them() {
        let programs = programs();
        assert!(programs.iter().any(|(path, _)| path == INTERPRETER));
        for (path, bytes) in programs {
            let size = path.rsplit('/').next().and_then(|name| name.split('-').next()).map(str::to_owned);
            assert!(["4K", "16K", "64K"].contains(&size.expect("a name").as_str()));
            assert!(bytes.starts_with(b"\x7fELF"));
        }
    }
}
