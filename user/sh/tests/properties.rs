//! What holds for any text.

mod common;

use common::{Fake, parse};
use proptest::prelude::*;
use sh::expand::{self, Failure};
use sh::parser::{Parser, Text};
use sh::syntax::{Item, Kind, List};

/// Pieces of the language, in any order.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "x",
        "1",
        " ",
        " ",
        " ",
        "\n",
        "\t",
        ";",
        "&",
        "&&",
        "|",
        "||",
        "(",
        ")",
        "{ ",
        " }",
        "<",
        ">",
        ">>",
        "<<X",
        "<<-'X'\n",
        "\nX\n",
        "2>&1",
        "'",
        "'",
        "\"",
        "\"",
        "\\",
        "`",
        "$",
        "$(",
        "$((",
        "))",
        "${x",
        "${#",
        ":-",
        "%",
        "##",
        "}",
        "=",
        "x=",
        "*",
        "?",
        "[a-",
        "]",
        "~",
        "#",
        "!",
        "if ",
        "then ",
        "elif ",
        "else ",
        "fi",
        "while ",
        "until ",
        "do ",
        "done",
        "for i in ",
        "case x in ",
        ";;",
        "esac",
        "f()",
        "$@",
        "\"$@\"",
        "$*",
        "+",
        "<<",
        "é",
        "\0",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

/// Expands every word that a list shows at its top.
fn expand_all(list: &List) -> Result<(), Failure> {
    let mut fake = Fake::with_arguments(&["one", "t w o", ""]);
    let commands = |item: &Item| item.first.commands.clone();
    for command in list.0.iter().flat_map(commands) {
        if let Kind::Simple { words, assignments } = command.kind {
            expand::fields(&mut fake, &words)?;
            for assignment in assignments {
                expand::text(&mut fake, &assignment.value)?;
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn no_text_is_too_much(text in text()) {
        if let Ok(list) = parse(text.as_bytes()) {
            let _ = expand_all(&list);
        }
        let mut growing = Parser::new(text.as_bytes(), Text::Growing);
        while let Ok(Some(_)) = growing.next_line() {}
    }

    #[test]
    fn no_bytes_are_too_much(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = parse(&bytes);
        let _ = Fake::new().fields(&format!("$(({}))", String::from_utf8_lossy(&bytes)));
    }

    /// A text that may grow is finished exactly when the whole text is a command, and is the same then.
    #[test]
    fn growing_texts_agree_with_whole_ones(text in text()) {
        let growing = Parser::new(text.as_bytes(), Text::Growing).next_line();
        let whole = Parser::new(text.as_bytes(), Text::Whole).next_line();
        match growing {
            Err(error) if error.is_unfinished() => {}
            growing => prop_assert_eq!(growing, whole),
        }
    }

    /// Quoted bytes come back as they were: one field, neither split nor a pattern.
    #[test]
    fn quotes_keep_all_bytes(text in "[ -~\n\t]*") {
        let single = format!("'{}'", text.replace('\'', "'\\''"));
        prop_assert_eq!(Fake::new().fields(&single), Ok(vec![text.clone()]));
        let special = ['\\', '"', '$', '`'];
        let double: String =
            text.chars().flat_map(|c| special.contains(&c).then_some('\\').into_iter().chain([c])).collect();
        prop_assert_eq!(Fake::new().fields(&format!("\"{double}\"")), Ok(vec![text.clone()]));
        let mut fake = Fake::new();
        fake.set("v", &text);
        prop_assert_eq!(fake.fields("\"$v\""), Ok(vec![text.clone()]));
        prop_assert_eq!(Fake::with_arguments(&[&text, "b"]).fields("\"$@\""), Ok(vec![text, "b".into()]));
    }
}
