//! Patterns: `*`, `?`, `[...]`, as file names, `case` and `${name%pattern}` use them.

use alloc::vec::Vec;

/// A byte of an expanded word. A quoted one stands for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unit {
    /// The byte.
    pub byte: u8,
    /// Whether it was quoted.
    pub quoted: bool,
}

impl Unit {
    /// Whether it is this byte with its meaning.
    fn is(self, byte: u8) -> bool {
        self.byte == byte && !self.quoted
    }
}

/// The bytes of a row of units.
pub fn text(units: &[Unit]) -> Vec<u8> {
    units.iter().map(|unit| unit.byte).collect()
}

/// Whether anything in it means more than itself.
pub fn is_pattern(units: &[Unit]) -> bool {
    units.iter().any(|unit| !unit.quoted && matches!(unit.byte, b'*' | b'?' | b'['))
}

/// Whether the pattern matches the whole of `text`.
pub fn matches(pattern: &[Unit], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // After the last star, and how far its match reaches: one more byte with each failure.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some(unit) if unit.is(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some(_) => text.get(t).and_then(|byte| one(&pattern[p..], *byte)),
            None if t == text.len() => return true,
            None => None,
        };
        match (step, retry) {
            (Some(len), _) => {
                p += len;
                t += 1;
            }
            (None, Some((after, reached))) if reached < text.len() => {
                retry = Some((after, reached + 1));
                p = after;
                t = reached + 1;
            }
            (None, _) => return false,
        }
    }
}

/// How many units match this one byte; `None` if they don't.
fn one(pattern: &[Unit], byte: u8) -> Option<usize> {
    let first = pattern.first()?;
    if first.is(b'?') {
        return Some(1);
    }
    if first.is(b'[')
        && let Some((len, found)) = bracket(pattern, byte)
    {
        return found.then_some(len);
    }
    (first.byte == byte).then_some(1)
}

/// A bracket expression: its length, and whether `byte` is in it. `None` if it isn't closed.
fn bracket(pattern: &[Unit], byte: u8) -> Option<(usize, bool)> {
    let negated = pattern.get(1).is_some_and(|unit| unit.is(b'!') || unit.is(b'^'));
    let start = if negated { 2 } else { 1 };
    let mut at = start;
    let mut found = false;
    loop {
        let unit = *pattern.get(at)?;
        if unit.is(b']') && at > start {
            return Some((at + 1, found != negated));
        }
        if unit.is(b'[')
            && let Some((len, inside)) = class(&pattern[at..], byte)
        {
            found |= inside;
            at += len;
            continue;
        }
        let range_end = pattern.get(at + 1).filter(|dash| dash.is(b'-')).and_then(|_| pattern.get(at + 2));
        match range_end.filter(|end| !end.is(b']')) {
            Some(end) => {
                found |= (unit.byte..=end.byte).contains(&byte);
                at += 3;
            }
            None => {
                found |= unit.byte == byte;
                at += 1;
            }
        }
    }
}

/// A class such as `[:alpha:]`: its length, and whether `byte` is in it.
fn class(pattern: &[Unit], byte: u8) -> Option<(usize, bool)> {
    type Class = (&'static [u8], fn(&u8) -> bool);
    const CLASSES: [Class; 10] = [
        (b"[:alpha:]", u8::is_ascii_alphabetic),
        (b"[:digit:]", u8::is_ascii_digit),
        (b"[:alnum:]", u8::is_ascii_alphanumeric),
        (b"[:upper:]", u8::is_ascii_uppercase),
        (b"[:lower:]", u8::is_ascii_lowercase),
        (b"[:space:]", u8::is_ascii_whitespace),
        (b"[:punct:]", u8::is_ascii_punctuation),
        (b"[:xdigit:]", u8::is_ascii_hexdigit),
        (b"[:graph:]", u8::is_ascii_graphic),
        (b"[:cntrl:]", u8::is_ascii_control),
    ];
    let (name, contains) = CLASSES.iter().find(|(name, _)| {
        pattern.len() >= name.len() && name.iter().zip(pattern).all(|(byte, unit)| unit.is(*byte))
    })?;
    Some((name.len(), contains(&byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &[u8]) -> Vec<Unit> {
        text.iter().map(|byte| Unit { byte: *byte, quoted: false }).collect()
    }

    #[test]
    fn matches_what_posix_says() {
        let yes = [
            ("", ""),
            ("*", ""),
            ("*", "abc"),
            ("a*c", "abbc"),
            ("a*b*c", "aXbYbZc"),
            ("?", "x"),
            ("[a-c]x", "bx"),
            ("[!a-c]", "d"),
            ("[]]", "]"),
            ("[!]]", "a"),
            ("[a-]", "-"),
            ("[", "["),
            ("[[:digit:]a]", "7"),
            ("[[:digit:]a]", "a"),
            ("a[", "a["),
            ("*.rs", "main.rs"),
        ];
        for (pattern, text) in yes {
            assert!(matches(&units(pattern.as_bytes()), text.as_bytes()), "{pattern} {text}");
        }
        let no =
            [("", "a"), ("?", ""), ("a", "b"), ("[a-c]", "d"), ("[!a]", "a"), ("a*c", "ab"), ("*.rs", "rs")];
        for (pattern, text) in no {
            assert!(!matches(&units(pattern.as_bytes()), text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_end_soon() {
        let text = [b'a'; 2000];
        let mut pattern = Vec::new();
        for _ in 0..500 {
            pattern.extend(units(b"*a"));
        }
        assert!(matches(&pattern, &text));
        pattern.extend(units(b"*b"));
        assert!(!matches(&pattern, &text));
    }

    #[test]
    fn quoted_signs_are_text() {
        let star = [Unit { byte: b'*', quoted: true }];
        assert!(matches(&star, b"*") && !matches(&star, b"x"));
        assert!(!is_pattern(&star) && is_pattern(&units(b"a?")));
    }
}
