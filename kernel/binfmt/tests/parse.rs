//! Which files are programs, and what is read from them.

mod common;

use abi::{Errno, Personality, Prot};
use binfmt::{Headers, Kind, ReadAt, Role, StackFlags, elf};
use common::*;

fn parse(elf: &Elf) -> Result<Headers, Errno> {
    elf::parse(elf.bytes().as_slice(), Role::Program)
}

fn one_load() -> Elf {
    Elf::new(ET_EXEC, &[load(R | X, 0, 0x40_0000, 0x1000, 0x1000)])
}

#[test]
fn a_static_pie() {
    let headers = parse(&static_pie()).unwrap();
    assert_eq!(headers.kind, Kind::Dyn);
    assert_eq!((headers.entry, headers.phoff, headers.phnum), (0x104a8, 64, 5));
    assert_eq!(headers.stack, StackFlags::NotExecutable);
    assert_eq!(headers.interpreter, None);
    assert_eq!(headers.segments.len(), 4);
    let data = headers.segments[3];
    assert_eq!(
        (data.index, data.offset, data.vaddr, data.filesz, data.memsz),
        (3, 0x3000, 0x33000, 0x123, 0x2468)
    );
    assert_eq!(data.prot, Prot::READ | Prot::WRITE);
    assert_eq!(headers.segments[1].prot, Prot::READ | Prot::EXEC);
}

/// Each row spoils a good file in one way.
#[test]
fn wrong_headers_are_enoexec() {
    type Spoil = fn(&mut Elf);
    let rows: &[(&str, Spoil)] = &[
        ("x86-64", |elf| elf.machine = 62),
        ("relocatable", |elf| elf.e_type = 1),
        ("core", |elf| elf.e_type = 4),
        ("no program headers", |elf| elf.phnum = Some(0)),
        ("more than 64K of program headers", |elf| elf.phnum = Some(1171)),
        ("32-bit program headers", |elf| elf.phentsize = 32),
        ("long program headers", |elf| elf.phentsize = 64),
        ("program headers beyond the end", |elf| elf.phnum = Some(2)),
        ("program headers at the end of numbers", |elf| elf.phoff = u64::MAX),
        ("program headers far away", |elf| elf.phoff = 1 << 40),
        ("no PT_LOAD", |elf| elf.phdrs[0].p_type = 0x6000_0000),
        ("only an empty PT_LOAD", |elf| (elf.phdrs[0].filesz, elf.phdrs[0].memsz) = (0, 0)),
        ("more in the file than in memory", |elf| elf.phdrs[0].memsz = 0xfff),
        ("memory wraps", |elf| (elf.phdrs[0].vaddr, elf.phdrs[0].memsz) = (0u64.wrapping_sub(4096), 4097)),
        ("all of memory", |elf| (elf.phdrs[0].vaddr, elf.phdrs[0].memsz) = (0x1000, u64::MAX)),
        ("file range wraps", |elf| elf.phdrs[0].offset = 0u64.wrapping_sub(4096)),
        ("negative offset", |elf| elf.phdrs[0].offset = 1 << 63),
        ("not congruent modulo 4K", |elf| elf.phdrs[0].offset = 0x800),
    ];
    parse(&one_load()).expect("the unspoilt file");
    for (name, spoil) in rows {
        let mut elf = one_load();
        spoil(&mut elf);
        assert_eq!(parse(&elf), Err(Errno::ENOEXEC), "{name}");
        let as_interpreter = elf::parse(elf.bytes().as_slice(), Role::Interpreter);
        assert_eq!(as_interpreter, Err(Errno::ELIBBAD), "{name} as interpreter");
    }
}

#[test]
fn wrong_ident_is_enoexec() {
    for (offset, byte) in [(0, 0), (1, b'e'), (3, b'G'), (4, 1), (4, 0), (5, 2), (5, 0)] {
        let mut bytes = one_load().bytes();
        bytes[offset] = byte;
        assert_eq!(elf::parse(bytes.as_slice(), Role::Program), Err(Errno::ENOEXEC), "byte {offset}");
    }
}

#[test]
fn every_truncation_is_enoexec() {
    let bytes = one_load().bytes();
    for len in 0..bytes.len() {
        assert_eq!(elf::parse(&bytes[..len], Role::Program), Err(Errno::ENOEXEC), "{len} bytes");
    }
}

/// What Linux does not look at must not matter.
#[test]
fn tolerated_as_on_linux() {
    let mut bytes = one_load().bytes();
    bytes[6] = 0; // EI_VERSION
    bytes[7] = 97; // EI_OSABI
    bytes[20] = 9; // e_version
    bytes[52] = 0; // e_ehsize
    elf::parse(bytes.as_slice(), Role::Program).unwrap();

    let mut elf = one_load();
    elf.phdrs[0].align = 3;
    elf.phdrs.push(load(R | W, 0x123, 0x50_0000, 0, 0x10));
    parse(&elf).expect("pure bss needs no congruent offset");

    elf.phdrs.resize(1170, load(0, 0, 0, 0, 0));
    assert_eq!(parse(&elf).expect("64K of program headers").phnum, 1170);
}

#[test]
fn program_headers_may_be_anywhere() {
    let mut elf = one_load();
    elf.phoff = 0x1234;
    assert_eq!(parse(&elf).unwrap().phoff, 0x1234);
}

#[test]
fn interpreter_path() {
    let with = |path: &[u8]| parse(&one_load().with_interpreter(path)).map(|headers| headers.interpreter);
    assert_eq!(with(b"/lib/ld.so\0"), Ok(Some(b"/lib/ld.so".to_vec())));
    assert_eq!(with(b"/lib\0/ld.so\0"), Ok(Some(b"/lib".to_vec())));
    assert_eq!(with(b"\0\0"), Ok(Some(Vec::new())));
    assert_eq!(with(b"/lib/ld.so"), Err(Errno::ENOEXEC), "no NUL");
    assert_eq!(with(b"\0"), Err(Errno::ENOEXEC), "too short");
    assert_eq!(with(&[0; 4097]), Err(Errno::ENOEXEC), "too long");
    with(&[0; 4096]).expect("the longest");

    let mut elf = one_load().with_interpreter(b"/first\0");
    let mut beyond = elf.phdrs[1];
    beyond.offset = 1 << 32;
    elf.phdrs.push(beyond);
    assert_eq!(parse(&elf).unwrap().interpreter.as_deref(), Some(&b"/first"[..]), "the first counts");
    elf.phdrs.swap(1, 2);
    assert_eq!(parse(&elf), Err(Errno::EIO), "path beyond the end of the file");
    let as_interpreter = elf::parse(elf.bytes().as_slice(), Role::Interpreter).unwrap();
    assert_eq!(as_interpreter.interpreter, None, "an interpreter's own does not count");
}

#[test]
fn stack_flags() {
    let rw = Prot::READ | Prot::WRITE;
    let none = parse(&one_load()).unwrap().stack;
    assert_eq!(none, StackFlags::Default);
    assert_eq!(none.prot(Personality::empty()), rw);
    assert_eq!(none.prot(Personality::READ_IMPLIES_EXEC), rw | Prot::EXEC);
    let yes = parse(&one_load().with_stack(R | W | X)).unwrap().stack;
    assert_eq!(yes.prot(Personality::empty()), rw | Prot::EXEC);
    let no = parse(&one_load().with_stack(R | W | X).with_stack(R | W)).unwrap().stack;
    assert_eq!(no, StackFlags::NotExecutable, "the last counts");
    assert_eq!(no.prot(Personality::READ_IMPLIES_EXEC), rw);
}

#[test]
fn device_errors_are_reported() {
    struct Broken(u64);
    impl ReadAt for Broken {
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
            if offset >= self.0 { Err(Errno::EIO) } else { one_load().bytes().read_at(offset, buf) }
        }
    }
    for broken_from in [0, 64] {
        assert_eq!(elf::parse(&Broken(broken_from), Role::Program), Err(Errno::EIO));
        assert_eq!(elf::parse(&Broken(broken_from), Role::Interpreter), Err(Errno::EIO));
    }
}
