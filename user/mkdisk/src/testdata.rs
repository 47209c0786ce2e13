//! What the programs of `user/tests` find on the disk: files of known content, long directories, links,
//! and broken programs.

use crate::Error;
use crate::elf::{self, Elf, PT_INTERP, PT_LOAD, R, Segment, W, X};
use crate::sizes;
use crate::tree::{LONGEST_NAME, Tree};

/// Length of the patterned file: some megabytes, and not a whole number of pages of any size.
const PATTERN_LEN: usize = (3 << 20) + 1234;

/// Files in the long directory: several blocks of any file system.
const LONG_DIRECTORY: usize = 1000;

/// Links in a row. Linux follows 40.
const CHAIN: usize = 41;

/// Mutated copies of a good program.
const MUTANTS: usize = 64;

/// Adds `/tests/data` and the small programs that tests and benchmarks start.
pub fn add(tree: &mut Tree) -> Result<(), Error> {
    tree.file("tests/data/pattern", pattern(PATTERN_LEN))?;
    tree.file("tests/data/page", pattern(4096))?;
    tree.file("tests/data/small", "a small file\n")?;
    tree.file("tests/data/empty", "")?;
    for number in 0..LONG_DIRECTORY {
        tree.file(format!("tests/data/long/entry-{number:04}"), format!("{number}\n"))?;
    }
    tree.file(format!("tests/data/long/{}", "n".repeat(LONGEST_NAME)), "the longest name\n")?;
    links(tree)?;
    programs(tree)
}

/// Word `i` (little endian) is `i` times an odd constant: every page differs, and a program can tell
/// each byte from its offset. `user/tests/src/pattern.rs` has the other half.
fn pattern(len: usize) -> Vec<u8> {
    (0..len.div_ceil(8) as u64)
        .flat_map(|word| word.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
        .take(len)
        .collect()
}

fn links(tree: &mut Tree) -> Result<(), Error> {
    tree.symlink("tests/data/to-small", "small")?;
    tree.symlink("tests/data/to-long", "/tests/data/long")?;
    tree.symlink("tests/data/upwards", "long/../small")?;
    tree.symlink("tests/data/dangling", "nowhere")?;
    tree.symlink("tests/data/loop-a", "loop-b")?;
    tree.symlink("tests/data/loop-b", "loop-a")?;
    tree.symlink("tests/data/chain/1", "../small")?;
    for number in 2..=CHAIN {
        tree.symlink(format!("tests/data/chain/{number}"), (number - 1).to_string())?;
    }
    Ok(())
}

/// `mov x0, #0; mov x8, #94; svc #0`: exit_group(0).
const EXIT: [u32; 3] = [0xd280_0000, 0xd280_0bc8, 0xd400_0001];

/// Adds the data word at 0x410200 to a bss word that must be zero, stores and reloads another one, and
/// exits with the sum.
const EXIT_WITH_DATA: [u32; 11] = [
    0xd2a0_0821, // mov  x1, #0x410000
    0xf280_4001, // movk x1, #0x200
    0xf940_0022, // ldr  x2, [x1]
    0xd290_0003, // mov  x3, #0x8000
    0x8b03_0023, // add  x3, x1, x3
    0xf940_0064, // ldr  x4, [x3]
    0xf900_0062, // str  x2, [x3]
    0xf940_0065, // ldr  x5, [x3]
    0x8b05_0080, // add  x0, x4, x5
    0xd280_0bc8, // mov  x8, #94
    0xd400_0001, // svc  #0
];

const BASE: u64 = 0x40_0000;
const DATA_OFFSET: usize = 0x200;
const KERNEL_HALF: u64 = 0xffff_0000_0000_0000;

fn code(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A readable, executable segment over a whole file of one segment.
fn text(filesz: u64) -> Segment {
    Segment { kind: PT_LOAD, flags: R | X, offset: 0, vaddr: BASE, filesz, memsz: filesz, align: 0x1_0000 }
}

/// A good fixed-address program, one segment, that exits with 0.
fn exits(len: usize) -> Elf {
    let start = Elf::body_offset(1);
    let mut body = code(&EXIT);
    body.resize(len - start as usize, 0);
    Elf::new(BASE + start, vec![text(len as u64)], body)
}

/// A good fixed-address program with data and bss, that exits with 42.
fn exits_with_data() -> Elf {
    let start = Elf::body_offset(2);
    let mut body = code(&EXIT_WITH_DATA);
    body.resize(DATA_OFFSET - start as usize, 0);
    body.extend(42u64.to_le_bytes());
    let data = Segment {
        kind: PT_LOAD,
        flags: R | W,
        offset: DATA_OFFSET as u64,
        vaddr: BASE + 0x1_0000 + DATA_OFFSET as u64,
        filesz: 8,
        memsz: 0x2_0000,
        align: 0x1_0000,
    };
    Elf::new(BASE + start, vec![text(DATA_OFFSET as u64), data], body)
}

fn programs(tree: &mut Tree) -> Result<(), Error> {
    // The program of the fork+exec figure: 1 KB that exits.
    tree.program("bench/exit", exits(1024).bytes())?;
    tree.program("tests/data/exec-fixed", exits_with_data().bytes())?;
    tree.file("tests/data/not-executable", exits(256).bytes())?;
    for (name, bytes) in refused() {
        tree.program(format!("tests/data/refused/{name}"), bytes)?;
    }
    for (name, elf) in deadly() {
        tree.program(format!("tests/data/deadly/{name}"), elf.bytes())?;
    }
    for (path, bytes) in sizes::programs() {
        tree.program(path, bytes)?;
    }
    for number in 0..MUTANTS {
        tree.program(format!("tests/data/mutants/{number:02}"), mutant(number as u64))?;
    }
    Ok(())
}

/// Files that execve must refuse with ENOEXEC.
fn refused() -> Vec<(&'static str, Vec<u8>)> {
    let whole = exits(256).bytes();
    let with = |change: fn(&mut Elf)| {
        let mut elf = exits(256);
        change(&mut elf);
        elf.bytes()
    };
    let interpreter = |path: &[u8], filesz: u64| {
        let mut elf = exits(256);
        let offset = elf.bytes().len() as u64 + 56;
        elf.body.extend(path);
        elf.segments.push(Segment {
            kind: PT_INTERP,
            flags: R,
            offset,
            filesz,
            memsz: filesz,
            align: 1,
            vaddr: 0,
        });
        elf.phnum = 2;
        elf.bytes()
    };
    vec![
        ("empty", vec![]),
        ("one-byte", vec![0x7f]),
        ("text", b"this is no program\n".to_vec()),
        ("zeros", vec![0; 4096]),
        ("magic-only", whole[..4].to_vec()),
        ("half-a-header", whole[..32].to_vec()),
        ("header-only", whole[..64].to_vec()),
        ("half-a-program-header", whole[..90].to_vec()),
        ("wrong-machine", with(|elf| elf.machine = elf::EM_X86_64)),
        ("big-endian-machine", with(|elf| elf.machine = elf::EM_AARCH64.swap_bytes())),
        ("object-file", with(|elf| elf.kind = elf::ET_REL)),
        ("core-file", with(|elf| elf.kind = elf::ET_CORE)),
        ("no-program-headers", with(|elf| elf.phnum = 0)),
        ("too-many-program-headers", with(|elf| elf.phnum = u16::MAX)),
        ("small-program-headers", with(|elf| elf.phentsize = 32)),
        ("large-program-headers", with(|elf| elf.phentsize = 57)),
        ("program-headers-beyond-the-end", with(|elf| elf.phoff = 1 << 40)),
        ("program-headers-beyond-everything", with(|elf| elf.phoff = u64::MAX - 7)),
        ("interpreter-without-an-end", interpreter(b"/bin/hello", 10)),
        ("interpreter-without-a-name", interpreter(b"\0", 1)),
        ("interpreter-with-a-huge-name", interpreter(b"/\0", 4097)),
    ]
}

/// Files that Linux notices too late, or not at all: execve may refuse them, or the program dies.
fn deadly() -> Vec<(&'static str, Elf)> {
    let with = |change: fn(&mut Elf)| {
        let mut elf = exits_with_data();
        change(&mut elf);
        elf
    };
    vec![
        ("nothing-to-load", with(|elf| elf.segments.iter_mut().for_each(|s| s.kind = 4))),
        ("file-larger-than-memory", with(|elf| elf.segments[1].memsz = 4)),
        ("in-the-kernel", with(|elf| elf.segments[1].vaddr = KERNEL_HALF)),
        (
            "all-in-the-kernel",
            with(|elf| {
                elf.segments.iter_mut().for_each(|s| s.vaddr += KERNEL_HALF);
                elf.entry += KERNEL_HALF;
            }),
        ),
        (
            "past-the-end-of-addresses",
            with(|elf| elf.segments[1].vaddr = u64::MAX - 0xffff + DATA_OFFSET as u64),
        ),
        ("memory-overflows", with(|elf| elf.segments[1].memsz = u64::MAX - 0x1000)),
        ("memory-larger-than-the-machine", with(|elf| elf.segments[1].memsz = 1 << 47)),
        ("offset-beyond-the-end", with(|elf| elf.segments[1].offset = (1 << 30) + DATA_OFFSET as u64)),
        ("offset-overflows", with(|elf| elf.segments[1].offset = u64::MAX - 0xfff + DATA_OFFSET as u64)),
        ("offset-of-another-page-remainder", with(|elf| elf.segments[1].vaddr += 8)),
        ("text-beyond-the-end", with(|elf| elf.body.clear())),
        ("entry-nowhere", with(|elf| elf.entry = 0x1000_0000)),
        ("entry-in-the-kernel", with(|elf| elf.entry = KERNEL_HALF + 0x1000)),
        ("entry-unaligned", with(|elf| elf.entry += 2)),
        ("entry-in-data", with(|elf| elf.entry = elf.segments[1].vaddr)),
        ("text-not-executable", with(|elf| elf.segments[0].flags = R)),
    ]
}

/// A good program with some bytes of its headers changed. Anything may come of it but harm to others.
fn mutant(seed: u64) -> Vec<u8> {
    let mut bytes = exits_with_data().bytes();
    let headers = Elf::body_offset(2);
    let mut random = seed.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for _ in 0..1 + seed % 6 {
        // Not the magic and the class: those are tried above, and would hide the rest.
        let at = 16 + next() % (headers - 16);
        bytes[at as usize] = next() as u8;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_the_pattern_differs() {
        let bytes = pattern(PATTERN_LEN);
        assert_eq!(bytes.len(), PATTERN_LEN);
        assert_eq!(bytes[..4], [0x15, 0x7c, 0x4a, 0x7f]);
        let mut pages: Vec<_> = bytes.chunks(4096).collect();
        pages.sort();
        pages.dedup();
        assert_eq!(pages.len(), PATTERN_LEN.div_ceil(4096));
    }

    #[test]
    fn good_programs_are_good() {
        for elf in [exits(1024), exits_with_data()] {
            let bytes = elf.bytes();
            assert_eq!(elf::loaded_part(&bytes).map(|kept| kept == bytes), Ok(true));
        }
        assert_eq!(exits(1024).bytes().len(), 1024);
    }

    #[test]
    fn mutants_differ_from_the_original() {
        let original = exits_with_data().bytes();
        let mutants: Vec<_> = (0..MUTANTS as u64).map(mutant).collect();
        assert!(mutants.iter().all(|mutant| mutant.len() == original.len()));
        assert!(mutants.iter().filter(|mutant| **mutant != original).count() > MUTANTS * 9 / 10);
    }

    #[test]
    fn names_do_not_collide() {
        let mut tree = Tree::new();
        add(&mut tree).expect("added");
        assert!(tree.get("tests/data/refused/wrong-machine").is_some());
    }
}
