//! The shell and the small programs: commands, what they print, and how they end. Left out where there are no pipes yet, as
//! the output is read from one.
#![no_std]
#![no_main]

use rt::descriptor::{self, pipe};
use rt::process::{self, Ended};
use rt::rustix::io::read;
use rt::{Arg, io};
use tests::{Errno, Outcome, check, good};

tests::program!(run);

/// Each text, what it prints to either output, and its status.
const CASES: &[(&core::ffi::CStr, &str, i32)] = &[
    (c"echo 'a  b' \"c  d\" e\\ f g  h", "a  b c  d e f g h\n", 0),
    (c"x='1 2'; echo $x \"$x\" '$x' ${x}3 ${#x} ${y:-z}", "1 2 1 2 $x 1 23 3 z\n", 0),
    (c"echo a b | cat | cat", "a b\n", 0),
    (c"false | true; echo $?; true | false; echo $?", "0\n1\n", 0),
    (c"echo $(echo a; echo b)-`echo c`", "a b-c\n", 0),
    (c"x=$(exit 7); echo $?", "7\n", 0),
    (c"true && echo a || echo b; false && echo a || echo b; ! true || echo c", "a\nb\nc\n", 0),
    (c"i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done", "1\n2\n3\n", 0),
    (c"for i in a 'b c'; do case $i in a) echo A;; b*) echo B;; esac; done", "A\nB\n", 0),
    (c"f() { echo $1 $#; return 4; }; f x y; echo $?", "x 2\n4\n", 0),
    (c"if false; then echo a; elif true; then echo b; else echo c; fi", "b\n", 0),
    (c"(x=in; echo $x; exit 3); echo $? $x", "in\n3\n", 0),
    (c"cat <<E\n$((6*7)) \\$x\nE\ncat <<'E'\n$x\nE", "42 $x\n$x\n", 0),
    (c"echo error >&2; echo out 2>&1", "error\nout\n", 0),
    (c"{ echo a; echo b >&2; } 2>/dev/null >&1", "a\n", 0),
    (c"cat </etc/hostname", "granule\n", 0),
    (c"while read a b; do echo $b-$a; done <<E\n1 2 3\n4\nE", "2 3-1\n-4\n", 0),
    (c"true & wait $!; echo $?; (exit 5) & wait $!; echo $?", "0\n5\n", 0),
    (c"echo bg & wait; echo done", "bg\ndone\n", 0),
    (c"A=1 sh -c 'echo $A'; echo ${A-unset}; export A=2; sh -c 'echo $A'", "1\nunset\n2\n", 0),
    (c"set -- 'a b' c; for i; do echo $i; done; shift; echo $# \"$@\"", "a b\nc\n1 c\n", 0),
    (c"cd /etc; pwd; echo m*d; echo *.none", "/etc\nmotd\n*.none\n", 0),
    (c"eval 'x=5; echo $x'; exec echo last; echo never", "5\nlast\n", 0),
    (
        c"nosuch; echo $?; /etc/motd; echo $?; /etc; echo $?",
        "sh: nosuch: not found\n127\nsh: /etc/motd: Permission denied\n126\nsh: /etc: Permission denied\n126\n",
        0,
    ),
    (c"cat </none; echo $?", "sh: can't open /none: no such file\n1\n", 0),
    (c"echo a; )", "sh: line 1: syntax error: unexpected \")\"\n", 2),
    (c"f() { f; }; f; echo never", "sh: commands call each other too deeply\n", 2),
    (c"exit 42", "", 42),
    (c"set -e; false; echo never", "", 1),
    (c"set -u; echo $none; echo never", "sh: none: parameter not set\n", 2),
    // Files that can be written. Other tests use the directory at the same time.
    (
        c"cd /tmp; echo a >sh.f; echo b >>sh.f; cat sh.f; cat <sh.f | cat >sh.g; cat sh.g; echo sh.[fg]",
        "a\nb\na\nb\nsh.f sh.g\n",
        0,
    ),
    (
        c"cd /tmp; { echo out; echo err >&2; } >sh.f 2>&1; cat sh.f; : >sh.f; cat sh.f; exec 3>sh.f; echo 3 >&3; cat sh.f",
        "out\nerr\n3\n",
        0,
    ),
    (
        c"cd /tmp; umask 077; echo x >sh.new; ls -l sh.new; [ -s sh.new ] && [ ! -s /dev/null ] && echo ok",
        "-rw-------          2 sh.new\nok\n",
        0,
    ),
    (
        c"echo a >/etc/f; echo $?; echo a >/none/f; echo $?",
        "sh: can't create /etc/f: Read-only file system\n1\nsh: can't create /none/f: nonexistent directory\n1\n",
        0,
    ),
    // The small programs.
    (c"/bin/true; echo $?; /bin/false; echo $?; /bin/echo -n 'a  b' c", "0\n1\na  b c", 0),
    (
        c"echo 'ABC xyz' | hexdump -C; echo abc | hexdump -s 1 -n 2",
        "00000000  41 42 43 20 78 79 7a 0a                           |ABC xyz.|\n00000008\n0000001 6362\n0000003\n",
        0,
    ),
    (c"sleep 0.01; echo $?; sleep 1x; echo $?", "0\nusage: sleep SECONDS\n2\n", 0),
    (c"uname -sm; uname -q; free >/dev/null", "Linux aarch64\nusage: uname [-amnrsvo]\n", 0),
    (
        c"cat /none; ls /none",
        "cat: /none: No such file or directory\nls: /none: No such file or directory\n",
        1,
    ),
];

fn run(args: rt::Args) -> Outcome {
    if let Err(Errno::ENOSYS) = pipe() {
        rt::println!("# shell: there are no pipes");
        return Ok(());
    }
    for (text, output, status) in CASES {
        case(args, text, output, *status)?;
    }
    Ok(())
}

fn case(args: rt::Args, text: &core::ffi::CStr, wanted: &str, status: i32) -> Outcome {
    let (reader, writer) = good!(pipe());
    let start = || {
        let argv = [Arg::new(c"sh"), Arg::new(c"-c"), Arg::new(text), Arg::END];
        for standard in [1, 2] {
            if descriptor::duplicate(writer, standard, descriptor::Exec::Keeps).is_err() {
                return 126;
            }
        }
        descriptor::close(reader);
        descriptor::close(writer);
        process::execve(c"/bin/sh", &argv, args.envp());
        127
    };
    let child = good!(process::spawn(start));
    descriptor::close(writer);
    let mut buffer = [0; 512];
    let mut len = 0;
    loop {
        match good!(read(io::fd(reader), &mut buffer[len..])) {
            0 => break,
            more => len += more,
        }
    }
    descriptor::close(reader);
    let ended = good!(process::wait_for(child));
    let shown = io::Text(text.to_bytes());
    check!(&buffer[..len] == wanted.as_bytes(), "{shown}: {}", io::Text(&buffer[..len]));
    check!(ended == Ended::Exited(status), "{shown}: {ended}");
    Ok(())
}
