//! The initial stack, read back as a program's start code reads it.

mod common;

use abi::{Errno, auxvec::*};
use binfmt::stack::{self, StackImage};
use binfmt::{
    Arguments, Credentials, ExecPlan, MAX_ARG_STRLEN, MmapLayout, ProcessInfo, RLIM_INFINITY, Role, Rseq,
    StringKind, elf, plan, script,
};
use common::*;
use proptest::prelude::*;

const RLIMIT: u64 = 8 << 20;

fn exec_plan(layout: &MmapLayout) -> ExecPlan {
    let headers = elf::parse(static_pie().bytes().as_slice(), Role::Program).unwrap();
    plan(&headers, None, layout).unwrap()
}

fn process() -> ProcessInfo {
    ProcessInfo {
        sysinfo_ehdr: Some(0x7000_0000),
        minsigstksz: 4720,
        hwcap: 0xff,
        hwcap2: 0xee,
        credentials: Credentials { uid: 1, euid: 2, gid: 3, egid: 4, secure: true },
        random: *b"0123456789abcdef",
        rseq: Some(Rseq { feature_size: 28, align: 32 }),
    }
}

fn arguments(argv: &[&[u8]], envp: &[&[u8]]) -> Result<Arguments, Errno> {
    let mut args = Arguments::new(b"/bin/hello", RLIMIT)?;
    argv.iter().try_for_each(|arg| args.push(StringKind::Arg, arg))?;
    envp.iter().try_for_each(|env| args.push(StringKind::Env, env))?;
    Ok(args)
}

type Strings = Vec<Vec<u8>>;

/// A stack in memory.
struct Reader<'a>(&'a StackImage);

impl Reader<'_> {
    fn word(&self, address: u64) -> u64 {
        let offset = (address - self.0.sp) as usize;
        u64::from_le_bytes(self.0.bytes[offset..offset + 8].try_into().unwrap())
    }

    fn string(&self, address: u64) -> &[u8] {
        let rest = &self.0.bytes[(address - self.0.sp) as usize..];
        &rest[..rest.iter().position(|&byte| byte == 0).unwrap()]
    }

    fn list(&self, address: &mut u64) -> Strings {
        let mut strings = Vec::new();
        loop {
            let pointer = self.word(*address);
            *address += 8;
            if pointer == 0 {
                return strings;
            }
            strings.push(self.string(pointer).to_vec());
        }
    }

    /// argv, envp and the auxiliary vector without AT_NULL.
    fn read(&self) -> (Strings, Strings, Vec<(u32, u64)>) {
        let mut address = self.0.sp;
        let argc = self.word(address);
        address += 8;
        let argv = self.list(&mut address);
        assert_eq!(argc, argv.len() as u64);
        let envp = self.list(&mut address);
        let aux_start = address;
        let mut auxv = Vec::new();
        loop {
            let entry = (self.word(address) as u32, self.word(address + 8));
            address += 16;
            if entry.0 == AT_NULL {
                break;
            }
            auxv.push(entry);
        }
        let offset = |address: u64| (address - self.0.sp) as usize;
        assert_eq!(self.0.auxv(), &self.0.bytes[offset(aux_start)..offset(address)]);
        (argv, envp, auxv)
    }
}

#[test]
fn as_a_program_sees_it() {
    for page_size in PAGE_SIZES {
        let layout = layout(page_size);
        let plan = exec_plan(&layout);
        let args = arguments(&[b"hello", b"", b"world"], &[b"A=1", b"PATH=/bin"]).unwrap();
        let image = stack::build(&args, &process(), &plan, &layout).unwrap();
        assert_eq!(image.sp % 16, 0);
        assert_eq!(image.sp + image.bytes.len() as u64, layout.stack_top);
        let reader = Reader(&image);
        let (argv, envp, auxv) = reader.read();
        assert_eq!(argv, [b"hello".to_vec(), b"".to_vec(), b"world".to_vec()]);
        assert_eq!(envp, [b"A=1".to_vec(), b"PATH=/bin".to_vec()]);
        let expected = [
            (AT_SYSINFO_EHDR, 0x7000_0000),
            (AT_MINSIGSTKSZ, 4720),
            (AT_HWCAP, 0xff),
            (AT_PAGESZ, page_size),
            (AT_CLKTCK, 100),
            (AT_PHDR, plan.phdr),
            (AT_PHENT, 56),
            (AT_PHNUM, 5),
            (AT_BASE, 0),
            (AT_FLAGS, 0),
            (AT_ENTRY, plan.program_entry),
            (AT_UID, 1),
            (AT_EUID, 2),
            (AT_GID, 3),
            (AT_EGID, 4),
            (AT_SECURE, 1),
            (AT_RANDOM, auxv[16].1),
            (AT_HWCAP2, 0xee),
            (AT_EXECFN, auxv[18].1),
            (AT_PLATFORM, auxv[19].1),
            (AT_RSEQ_FEATURE_SIZE, 28),
            (AT_RSEQ_ALIGN, 32),
        ];
        assert_eq!(auxv, expected);
        assert_eq!(reader.string(auxv[16].1)[..16], *b"0123456789abcdef");
        assert_eq!(reader.string(auxv[18].1), b"/bin/hello");
        assert_eq!(reader.string(auxv[19].1), b"aarch64");
        // What /proc/PID/cmdline and environ show, and Linux's order at the top.
        assert_eq!(auxv[18].1, image.env.end);
        assert_eq!(image.env.start, image.args.end);
        let tail = b"hello\0\0world\0A=1\0PATH=/bin\0/bin/hello\0\0\0\0\0\0\0\0\0";
        assert!(image.bytes.ends_with(tail));
        assert_eq!(image.args.end - image.args.start, 13);
    }
}

#[test]
fn entries_that_may_be_missing() {
    let layout = layout(4096);
    let process = ProcessInfo { sysinfo_ehdr: None, rseq: None, ..process() };
    let image =
        stack::build(&arguments(&[b"x"], &[]).unwrap(), &process, &exec_plan(&layout), &layout).unwrap();
    let (_, _, auxv) = Reader(&image).read();
    assert_eq!(auxv.first().unwrap().0, AT_MINSIGSTKSZ);
    assert_eq!(auxv.last().unwrap().0, AT_PLATFORM);
}

#[test]
fn there_is_always_an_argv0() {
    let layout = layout(4096);
    let image =
        stack::build(&arguments(&[], &[b"A=1"]).unwrap(), &process(), &exec_plan(&layout), &layout).unwrap();
    let (argv, envp, _) = Reader(&image).read();
    assert_eq!((argv, envp), (vec![Vec::new()], vec![b"A=1".to_vec()]));
}

#[test]
fn the_contents_move_within_a_page() {
    let mut offsets = std::collections::BTreeSet::new();
    for word in 0..64u64 {
        let layout = random_layout(65536, word.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let args = arguments(&[b"x"], &[]).unwrap();
        let image = stack::build(&args, &process(), &exec_plan(&layout), &layout).unwrap();
        assert!(layout.stack_top - image.sp < 65536 + 1024);
        offsets.insert(layout.stack_top - image.sp);
        assert_eq!(image.sp % 16, 0);
    }
    assert!(offsets.len() > 50);
}

#[test]
fn limits() {
    let long = vec![b'x'; MAX_ARG_STRLEN - 1];
    let longer = vec![b'x'; MAX_ARG_STRLEN];
    arguments(&[&long], &[&long]).expect("the longest strings");
    assert_eq!(arguments(&[&longer], &[]).err(), Some(Errno::E2BIG));
    assert_eq!(arguments(&[b"x"], &[&longer]).err(), Some(Errno::E2BIG));
    assert_eq!(Arguments::new(&longer, RLIMIT).err(), Some(Errno::E2BIG));

    // In pieces, as from user pages.
    let mut args = Arguments::new(b"x", RLIMIT).unwrap();
    for _ in 0..31 {
        args.extend(StringKind::Arg, &[b'y'; 4096]).unwrap();
    }
    args.extend(StringKind::Arg, &[b'y'; 4095]).unwrap();
    assert_eq!(args.clone().extend(StringKind::Arg, b"y"), Err(Errno::E2BIG));
    args.end(StringKind::Arg).unwrap();
    args.extend(StringKind::Arg, &long).expect("each string counts by itself");
}

/// Strings and pointers together, against the stack limit.
#[test]
fn total_size() {
    let total = |rlimit: u64| {
        let mut args = Arguments::new(b"", rlimit).unwrap();
        let mut used = 1 + 8;
        loop {
            match args.push(StringKind::Env, &[b'x'; 1000]) {
                Ok(()) => used += 1001 + 8,
                Err(error) => {
                    assert_eq!(error, Errno::E2BIG);
                    return used;
                }
            }
        }
    };
    for (rlimit, limit) in
        [(0, 131072), (256 << 10, 131072), (1 << 20, 1 << 18), (8 << 20, 2 << 20), (RLIM_INFINITY, 6 << 20)]
    {
        let used = total(rlimit);
        assert!(used <= limit && used + 1009 > limit, "{rlimit}: {used}");
    }
    // To the byte: the path's NUL, two pointers, a string and its NUL. One pointer is for argv[0].
    let exact = |len: usize| Arguments::new(b"", 0).unwrap().push(StringKind::Env, &vec![b'x'; len]);
    assert_eq!(exact(131072 - 1 - 16 - 1), Ok(()));
    assert_eq!(exact(131072 - 1 - 16), Err(Errno::E2BIG));
    // Many empty strings: pointers count.
    let mut args = Arguments::new(b"x", 0).unwrap();
    let pushed = (0..).take_while(|_| args.push(StringKind::Arg, b"").is_ok()).count();
    assert_eq!(pushed, (131072 - 2) / 9);
}

#[test]
fn a_script_replaces_argv0() {
    let mut prefix = [0; 256];
    prefix[..14].copy_from_slice(b"#!/bin/sh -e \n");
    let script = script::parse(&prefix).unwrap().unwrap();
    let layout = layout(4096);
    for (argv, expected) in [
        (&[b"script".as_slice(), b"a", b"b"][..], &[b"/bin/sh".as_slice(), b"-e", b"./s", b"a", b"b"][..]),
        (&[], &[b"/bin/sh", b"-e", b"./s"]),
    ] {
        let mut args = arguments(argv, &[b"A=1"]).unwrap();
        args.splice_script(&script, b"./s").unwrap();
        assert_eq!(args.argc(), expected.len());
        let image = stack::build(&args, &process(), &exec_plan(&layout), &layout).unwrap();
        let (argv, envp, auxv) = Reader(&image).read();
        assert_eq!(argv, expected);
        assert_eq!(envp, [b"A=1"]);
        assert_eq!(Reader(&image).string(auxv[18].1), b"/bin/hello", "AT_EXECFN is the script");
    }
}

fn strings() -> impl Strategy<Value = Strings> {
    prop::collection::vec(prop::collection::vec(1u8.., 0..40), 0..20)
}

proptest! {
    #[test]
    fn any_strings_come_back(argv in strings(), envp in strings(), word: u64, size in 0usize..3) {
        let layout = random_layout(PAGE_SIZES[size], word);
        let mut args = Arguments::new(b"f", RLIMIT).unwrap();
        for arg in &argv {
            let (head, tail) = arg.split_at(arg.len() / 2);
            args.extend(StringKind::Arg, head).unwrap();
            args.extend(StringKind::Arg, tail).unwrap();
            args.end(StringKind::Arg).unwrap();
        }
        for env in &envp {
            args.push(StringKind::Env, env).unwrap();
        }
        let image = stack::build(&args, &process(), &exec_plan(&layout), &layout).unwrap();
        let (seen_argv, seen_envp, _) = Reader(&image).read();
        let expected = if argv.is_empty() { vec![Vec::new()] } else { argv };
        prop_assert_eq!(seen_argv, expected);
        prop_assert_eq!(seen_envp, envp);
        prop_assert_eq!(image.sp % 16, 0);
        prop_assert_eq!(image.sp + image.bytes.len() as u64, layout.stack_top);
    }
}
