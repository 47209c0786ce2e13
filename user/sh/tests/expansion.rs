//! What words become, one line each. The expectations are those of POSIX; dash and bash agree with them.

mod common;

use common::Fake;
use sh::expand::Unset;

/// Each command's fields, with a table of arguments `1 2`, `3`.
fn check(cases: &[(&str, &[&str])]) {
    for (command, wanted) in cases {
        let fields = Fake::with_arguments(&["1 2", "3"]).fields(command);
        assert_eq!(fields, Ok(wanted.iter().map(|text| text.to_string()).collect()), "{command}");
    }
}

#[test]
fn quotes() {
    check(&[
        ("a 'b  c' \"d e\" f\\ g", &["a", "b  c", "d e", "f g"]),
        ("'' \"\" x''", &["", "", "x"]),
        (r#"'$x "' "\$x \" \\ \a `echo x`""#, &["$x \"", "$x \" \\ \\a x"]),
        ("a'b'\"c\"d", &["abcd"]),
        ("a\\\nb '\\\n'", &["ab", "\\\n"]),
        ("a#b #c", &["a#b"]),
    ]);
    check(&[("$ \"$\" a$", &["$", "$", "a$"])]);
}

#[test]
fn parameters() {
    check(&[
        ("$x ${x}y $xy", &["value", "valuey"]),
        ("$empty \"$empty\" $none \"$none\"", &["", ""]),
        ("$words \"$words\"", &["two", "words", " two  words "]),
        ("a${words}b a\"$words\"b", &["a", "two", "words", "b", "a two  words b"]),
        ("$1 \"$1\" $2 $3 $0", &["1", "2", "1 2", "3", "fake"]),
        ("${10} $10", &["1", "20"]),
        ("$# $? ${#} ${?}", &["2", "7", "2", "7"]),
        ("${#x} ${#none} ${#1}", &["5", "0", "3"]),
    ]);
}

#[test]
fn arguments() {
    check(&[
        ("\"$@\"", &["1 2", "3"]),
        ("x\"$@\"y", &["x1 2", "3y"]),
        ("$@ $*", &["1", "2", "3", "1", "2", "3"]),
        ("\"$*\"", &["1 2 3"]),
        ("${1+\"$@\"}", &["1 2", "3"]),
    ]);
    let mut none = Fake::new();
    assert_eq!(none.fields("\"$@\""), Ok(vec![]));
    assert_eq!(none.fields("a\"$@\" \"\"\"$@\" \"$*\""), Ok(vec!["a".into(), "".into(), "".into()]));
}

#[test]
fn defaults_and_their_kin() {
    check(&[
        ("${x:-d} ${none:-d} ${empty:-d} ${empty-d}", &["value", "d", "d"]),
        ("${none:-a b} \"${none:-a b}\" ${none:-'a b'} \"${none:-'a'}\"", &["a", "b", "a b", "a b", "'a'"]),
        ("${none:=new} $none", &["new", "new"]),
        ("${x:+yes} ${none:+yes} \"${none:+yes}\"", &["yes", ""]),
        ("${none:-${x:-y}} ${none:-$(echo }z)}", &["value", "}z"]),
        ("\"${none:-}\"", &[""]),
        ("\"${x:-\"a b\"}\" \"${none:-\"a b\"}\"", &["value", "a b"]),
    ]);
    let mut fake = Fake::new();
    assert_eq!(fake.fields("${none:?is missing}"), Err("none: is missing".into()));
    assert_eq!(fake.fields("${none?}"), Err("none: parameter not set".into()));
    assert_eq!(fake.fields("${1:=x}"), Err("1: cannot be assigned in this way".into()));
    assert_eq!(fake.fields("${constant:=x}"), Err("constant: is read only".into()));
}

#[test]
fn trimming() {
    let mut fake = Fake::new();
    fake.set("path", "/usr/lib/x.tar.gz");
    for (word, wanted) in [
        ("${path##*/}", "x.tar.gz"),
        ("${path#*/}", "usr/lib/x.tar.gz"),
        ("${path%.*}", "/usr/lib/x.tar"),
        ("${path%%.*}", "/usr/lib/x"),
        ("${path%/*}", "/usr/lib"),
        ("${path%nothing}", "/usr/lib/x.tar.gz"),
        ("${path%\"*\"}", "/usr/lib/x.tar.gz"),
        ("\"${path#'/usr'}\"", "/lib/x.tar.gz"),
    ] {
        assert_eq!(fake.fields(word), Ok(vec![wanted.into()]), "{word}");
    }
}

#[test]
fn separators() {
    for (separators, value, wanted) in [
        (":", "a:b", &["a", "b"][..]),
        (":", ":a::b:", &["", "a", "", "b"]),
        (": ", " a : b  c ", &["a", "b", "c"]),
        (": ", " : a", &["", "a"]),
        ("", "a b", &["a b"]),
        (" ", "  ", &[]),
    ] {
        let mut fake = Fake::new();
        fake.set("IFS", separators);
        fake.set("v", value);
        let wanted: Vec<String> = wanted.iter().map(|text| text.to_string()).collect();
        assert_eq!(fake.fields("$v"), Ok(wanted), "{separators:?} {value:?}");
    }
    let mut fake = Fake::with_arguments(&["a", "b"]);
    fake.set("IFS", ":");
    assert_eq!(fake.fields("\"$*\""), Ok(vec!["a:b".into()]));
}

#[test]
fn commands() {
    check(&[
        ("$(echo a b) \"$(echo a  b)\" `echo c`", &["a", "b", "a b", "c"]),
        ("$(echo $(echo in \")\" '(') ) $(echo '\n\n')x", &["in", ")", "(", "x"]),
        (r"`echo \`echo deep\` '\$x'`", &["deep", "$x"]),
        ("$()x $(echo a # )\n)", &["x", "a"]),
    ]);
}

#[test]
fn expressions() {
    for (expression, wanted) in [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 / 2 - 7 % 4", 0),
        ("- - 3 - -2", 5),
        ("!0 + ~0", 0),
        ("1 << 4 | 1", 17),
        ("5 & 6 ^ 1", 5),
        ("1 < 2 && 2 <= 2 && 3 != 4", 1),
        ("0 || 0", 0),
        ("1 ? 2 : 3", 2),
        ("0 ? 2 : 1 ? 4 : 5", 4),
        ("0x10 + 010 + 10", 34),
        ("n + $n", 42),
        ("n = 5, 1", 0),
        ("m = n += 2", 23),
        ("0 && (n = 9) || n", 1),
        ("1 || 1 / 0", 1),
        ("unset", 0),
        ("", 0),
        ("9223372036854775807 + 1", i64::MIN),
        ("-9223372036854775807 - 1 == 1 << 63", 1),
    ] {
        let mut fake = Fake::new();
        fake.set("n", "21");
        let got = fake.fields(&format!("$(({expression}))"));
        if expression.contains(',') {
            assert!(got.is_err());
        } else {
            assert_eq!(got, Ok(vec![wanted.to_string()]), "{expression}");
        }
    }
    let mut fake = Fake::new();
    assert_eq!(fake.fields("$((1 / 0))"), Err("division by zero".into()));
    assert_eq!(fake.fields("$((x + 1))"), Err("x: bad number: value".into()));
    assert_eq!(fake.fields("$((1 +))"), Err("1 +: arithmetic syntax error".into()));
    assert_eq!(fake.fields("$((none = 4))$none"), Ok(vec!["44".into()]));
}

#[test]
fn file_names() {
    check(&[
        ("*.rs", &["a.rs", "b.rs"]),
        ("*", &["a.rs", "b.rs", "d", "e", "star*"]),
        (".h*", &[".hidden"]),
        ("*/one ?/t*", &["d/one", "e/one", "d/two"]),
        ("*/", &["d/", "e/"]),
        ("*.none '*'.rs \"*\" \\*", &["*.none", "*.rs", "*", "*"]),
        ("s*'*' *\\*", &["star*", "star*"]),
        ("[ab].rs", &["a.rs", "b.rs"]),
        ("$(echo '*.rs') \"$(echo '*.rs')\"", &["a.rs", "b.rs", "*.rs"]),
        ("d/*", &["d/one", "d/two"]),
    ]);
}

#[test]
fn home() {
    check(&[("~ ~/x '~' a~ ~x ~\"\"", &["/root", "/root/x", "~", "a~", "~x", "~"])]);
}

#[test]
fn unset_parameters_may_be_errors() {
    let mut fake = Fake::new();
    fake.unset = Unset::Fails;
    assert_eq!(fake.fields("$none"), Err("none: parameter not set".into()));
    assert_eq!(fake.fields("${none#x}"), Err("none: parameter not set".into()));
    assert_eq!(fake.fields("$@ ${none-x} $x"), Ok(vec!["x".into(), "value".into()]));
}
