//! Which texts are commands, and which are not.

mod common;

use common::parse;
use sh::parser::{Parser, Text};

#[test]
fn takes_what_people_write() {
    for text in [
        "",
        "# only a comment",
        "echo a; echo b & echo c\n\n\necho d",
        "a && b || c &&\n d | e |\n f",
        "! a | b",
        "( a; b ) >x 2>&1 <y",
        "{ a; b; } >>x",
        "if a; then b; elif c; then d; else e; fi | f",
        "while a; do b; done\nuntil a\ndo\nb\ndone",
        "for i in a b \"$c\"; do echo $i; done; for i do x; done; for i; do x; done\nfor i in\ndo x; done",
        "case $x in a|b) c;; (d) ;; *) e; f\nesac; case x in esac",
        "f() { echo \"$@\"; }; g()\n( a )",
        "a=1 b= c=$x d e=f",
        "cat <<A <<-'B' && c\none $x\nA\n\ttwo $x\n\tB\nmore",
        "echo $(cat <<X\ntext\nX\n) ok",
        "$((echo a) | cat)",
        "echo if then { } ! case",
        ">file <&- 2>&1",
        "a 2>x 3<y 22>z",
    ] {
        parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    }
}

#[test]
fn refuses_in_one_line() {
    for (text, wanted) in [
        (")", "line 1: syntax error: unexpected \")\""),
        ("a\n;", "line 2: syntax error: unexpected \";\""),
        ("a | | b", "line 1: syntax error: unexpected \"|\""),
        ("a ;; b", "line 1: syntax error: unexpected \";;\""),
        ("fi", "line 1: syntax error: unexpected \"fi\""),
        ("if a; then fi", "line 1: syntax error: unexpected \"fi\""),
        ("a > ; b", "line 1: syntax error: unexpected \";\""),
        ("( a", "line 1: syntax error: a closing \")\" is missing at the end"),
        ("it's", "line 1: syntax error: a closing \"'\" is missing at the end"),
        ("echo ${x!}", "line 1: bad substitution"),
        ("a (b)", "line 1: syntax error: unexpected \"b\""),
    ] {
        let got = parse(text.as_bytes()).map(drop).map_err(|error| error.to_string());
        assert_eq!(got, Err(wanted.into()), "{text:?}");
    }
}

/// At a prompt these ask for another line; at the end of a script they are errors, or end there.
#[test]
fn knows_what_is_unfinished() {
    for text in [
        "'a",
        "\"a",
        "`a",
        "$(a",
        "${a",
        "$((1",
        "a |\n",
        "a &&\n",
        "( a\n",
        "{ a\n",
        "if a\n",
        "if a; then b\n",
        "while a; do b\n",
        "for i in a\n",
        "case a in\n",
        "case a in b) c\n",
        "f()\n",
        "cat <<X\nline\n",
        "a \\",
        "cat <<X",
        "a b\\\n",
        "a \\\n",
    ] {
        let error = Parser::new(text.as_bytes(), Text::Growing).next_line().expect_err(text);
        assert!(error.is_unfinished(), "{text:?}: {error}");
    }
}

#[test]
fn nests_only_so_deep() {
    for (open, close) in
        [("(", ")"), ("$(", ")"), ("$((", "))"), ("${x:-", "}"), ("{ ", "}"), ("\"$(", ")\"")]
    {
        let text = open.repeat(100_000) + "a" + &close.repeat(100_000);
        parse(text.as_bytes()).expect_err(open);
    }
    let text = "if a; then ".repeat(100_000);
    parse(text.as_bytes()).expect_err("if");
}

#[test]
fn reads_a_line_at_a_time() {
    let mut parser = Parser::new(b"a; b\nc <<X\ntext\nX\n)", Text::Whole);
    let mut items = || parser.next_line().map(|list| list.map(|list| list.0.len()));
    assert_eq!((items(), items()), (Ok(Some(2)), Ok(Some(1))));
    assert!(items().is_err());
}
