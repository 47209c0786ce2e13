//! The first line of a script.

use abi::Errno;
use binfmt::{BINPRM_BUF_SIZE, read_prefix, script};

fn parse(file: &[u8]) -> Result<Option<(String, Option<String>)>, Errno> {
    let prefix = read_prefix(file).unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ok(script::parse(&prefix)?.map(|script| (text(script.interpreter), script.argument.map(text))))
}

fn script(interpreter: &str, argument: Option<&str>) -> Result<Option<(String, Option<String>)>, Errno> {
    Ok(Some((interpreter.into(), argument.map(Into::into))))
}

#[test]
fn first_lines() {
    assert_eq!(parse(b""), Ok(None));
    assert_eq!(parse(b"#"), Ok(None));
    assert_eq!(parse(b" #!/bin/sh\n"), Ok(None));
    assert_eq!(parse(b"\x7fELF"), Ok(None));
    assert_eq!(parse(b"#!/bin/sh\n"), script("/bin/sh", None));
    assert_eq!(parse(b"#!/bin/sh"), script("/bin/sh", None));
    assert_eq!(parse(b"#! \t/bin/sh \t\nexit"), script("/bin/sh", None));
    assert_eq!(parse(b"#!/bin/sh -e\n"), script("/bin/sh", Some("-e")));
    assert_eq!(parse(b"#!/usr/bin/env\t -S a  b \t\n"), script("/usr/bin/env", Some("-S a  b")));
    assert_eq!(parse(b"#!/bin/sh -e"), script("/bin/sh", Some("-e")));
    assert_eq!(parse(b"#!/bin/sh\r\n"), script("/bin/sh\r", None));
    assert_eq!(parse(b"#!/bin/sh\0 -e\n"), script("/bin/sh", None));
    assert_eq!(parse(b"#!/bin/sh -e\0 -x\n"), script("/bin/sh", Some("-e")));
    assert_eq!(parse(b"#!sh\n"), script("sh", None));
}

#[test]
fn no_interpreter() {
    assert_eq!(parse(b"#!\n"), Err(Errno::ENOEXEC));
    assert_eq!(parse(b"#! \t \n/bin/sh"), Err(Errno::ENOEXEC));
    assert_eq!(parse(&[b"#!".as_slice(), &[b' '; 300]].concat()), Err(Errno::ENOEXEC));
    assert_eq!(parse(b"#!"), script("", None), "opening it says ENOENT");
}

#[test]
fn long_lines() {
    let line = |len: usize, rest: &str| {
        let mut line = b"#!/".to_vec();
        line.resize(len, b'a');
        line.extend(rest.as_bytes());
        line
    };
    let path = |len: usize| format!("/{}", "a".repeat(len - 3));
    assert_eq!(parse(&line(BINPRM_BUF_SIZE - 1, "\n")), script(&path(BINPRM_BUF_SIZE - 1), None));
    assert_eq!(parse(&line(BINPRM_BUF_SIZE, "\n")), Err(Errno::ENOEXEC), "the path may go on");
    assert_eq!(parse(&line(BINPRM_BUF_SIZE - 1, " x\n")), script(&path(BINPRM_BUF_SIZE - 1), None));
    // A cut argument: the last byte of the prefix does not count.
    let cut = "b".repeat(BINPRM_BUF_SIZE - 101 - 1);
    assert_eq!(parse(&line(100, &format!(" {}\n", "b".repeat(300)))), script(&path(100), Some(&cut)));
}
