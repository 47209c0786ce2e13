//! The line discipline, typed at.

use super::*;
use alloc::vec::Vec;

struct Terminal {
    line: LineDiscipline,
    screen: Vec<u8>,
}

impl Terminal {
    fn new() -> Self {
        Self { line: LineDiscipline::new(), screen: Vec::new() }
    }

    fn typed(&mut self, bytes: &[u8]) -> Received {
        let mut last = Received::Nothing;
        for &byte in bytes {
            last = self.line.receive(byte, &mut |echo| self.screen.extend_from_slice(echo));
        }
        last
    }

    /// Without these.
    fn without(mut self, flags: LocalFlags) -> Self {
        let termios = *self.line.termios();
        self.line.set_termios(termios.with_local(termios.local() - flags));
        self
    }

    fn read(&mut self, len: usize) -> Option<Vec<u8>> {
        let mut out = alloc::vec![0; len];
        let part = self.line.read(&mut out)?;
        out.truncate(part.len);
        Some(out)
    }
}

#[test]
fn a_line_is_readable_when_it_is_complete() {
    let mut tty = Terminal::new();
    assert_eq!(tty.typed(b"ls"), Received::Nothing);
    assert_eq!(tty.read(10), None);
    assert_eq!(tty.typed(b"\r"), Received::Input);
    assert_eq!(tty.read(10).unwrap(), b"ls\n");
    assert_eq!(tty.read(10), None);
    assert_eq!(tty.screen, b"ls\r\n");
}

#[test]
fn a_read_takes_one_line_and_a_short_read_leaves_the_rest() {
    let mut tty = Terminal::new();
    tty.typed(b"one\ntwo\n");
    assert_eq!(tty.read(2).unwrap(), b"on");
    assert_eq!(tty.read(10).unwrap(), b"e\n");
    assert_eq!(tty.read(10).unwrap(), b"two\n");
    assert_eq!(tty.read(10), None);
}

#[test]
fn a_part_of_a_line_says_whether_the_line_goes_on() {
    let mut tty = Terminal::new();
    tty.typed(b"abcd\nef\x04");
    let mut out = [0; 4];
    assert_eq!(tty.line.read(&mut out), Some(LinePart { len: 4, goes_on: true }));
    assert_eq!(tty.line.read(&mut out), Some(LinePart { len: 1, goes_on: false }));
    assert_eq!(tty.line.read(&mut out[..2]), Some(LinePart { len: 2, goes_on: false }));
    assert_eq!(tty.line.read(&mut out), None);
}

#[test]
fn erase_kill_and_word_erase_edit_the_line_and_the_screen() {
    let mut tty = Terminal::new();
    tty.typed(b"ab\x7f\x7f\x7f");
    assert_eq!(tty.screen, b"ab\x08 \x08\x08 \x08");
    tty.typed(b"one two  \x17\x17x y\x15cat\n");
    assert_eq!(tty.read(10).unwrap(), b"cat\n");
}

#[test]
fn erasing_does_not_reach_into_a_complete_line() {
    let mut tty = Terminal::new();
    tty.typed(b"a\n\x7f\x15\x17b\n");
    assert_eq!(tty.read(10).unwrap(), b"a\n");
    assert_eq!(tty.read(10).unwrap(), b"b\n");
}

#[test]
fn control_characters_and_tabs_are_erased_at_their_width() {
    let mut tty = Terminal::new();
    tty.line.note_output(b"text\n$ ");
    tty.typed(b"\x01\x7f");
    assert_eq!(tty.screen, b"^A\x08 \x08\x08 \x08");
    tty.screen.clear();
    tty.typed(b"\t\x7f");
    assert_eq!(tty.screen, [b"\t".as_slice(), &b"\x08 \x08".repeat(6)].concat());
}

#[test]
fn end_of_file_alone_reads_as_zero_bytes_once() {
    let mut tty = Terminal::new();
    assert_eq!(tty.typed(b"\x04"), Received::Input);
    assert_eq!(tty.read(10).unwrap(), b"");
    assert_eq!(tty.read(10), None);
}

#[test]
fn end_of_file_after_text_only_pushes_the_text() {
    let mut tty = Terminal::new();
    tty.typed(b"abc\x04def\n\x04");
    assert_eq!(tty.read(3).unwrap(), b"abc", "and the mark goes with the last byte");
    assert_eq!(tty.read(10).unwrap(), b"def\n");
    assert_eq!(tty.read(10).unwrap(), b"");
    assert_eq!(tty.read(10), None);
}

#[test]
fn interrupt_throws_the_input_away() {
    let mut tty = Terminal::new();
    assert_eq!(tty.typed(b"one\n\x04two\x03"), Received::Signal(Signal::SIGINT));
    assert_eq!(tty.read(10), None);
    assert!(tty.screen.ends_with(b"two^C"));
    tty.typed(b"x\n");
    assert_eq!(tty.read(10).unwrap(), b"x\n");
}

#[test]
fn input_is_held_back_while_nobody_reads_and_none_is_lost() {
    let mut tty = Terminal::new();
    let text: Vec<u8> = (0..3000).flat_map(|n| alloc::format!("{n}\n").into_bytes()).collect();
    let (mut fed, mut got) = (0, Vec::new());
    while got.len() < text.len() {
        while fed < text.len() && !tty.line.is_throttled() {
            tty.typed(&text[fed..=fed]);
            fed += 1;
        }
        got.extend(tty.read(7).unwrap());
    }
    assert_eq!(got, text);
}

#[test]
fn an_endless_line_loses_its_surplus_but_not_its_end() {
    let mut tty = Terminal::new();
    tty.typed(&[b'x'; 2 * N_TTY_BUF_SIZE]);
    assert!(!tty.line.is_throttled(), "nothing could be read, so holding back would hang");
    assert_eq!(tty.typed(b"\n"), Received::Input);
    let line = tty.read(2 * N_TTY_BUF_SIZE).unwrap();
    assert_eq!((line.len(), line.last()), (N_TTY_BUF_SIZE, Some(&b'\n')));
}

#[test]
fn without_lines_bytes_come_as_they_are_typed() {
    let mut tty = Terminal::new().without(LocalFlags::ICANON | LocalFlags::ECHO);
    assert_eq!(tty.typed(b"a\x7f\x04"), Received::Input);
    assert!(tty.screen.is_empty());
    assert_eq!(tty.read(2).unwrap(), b"a\x7f");
    assert_eq!(tty.read(2).unwrap(), b"\x04");
    assert_eq!(tty.read(2), None);
    assert_eq!(tty.typed(b"\x03"), Received::Signal(Signal::SIGINT), "ISIG is another flag");
}

#[test]
fn a_read_waits_for_as_many_bytes_as_were_asked_for() {
    let mut tty = Terminal::new().without(LocalFlags::ICANON);
    let termios = tty.line.termios().with_control(Control::Min, 3);
    tty.line.set_termios(termios);
    assert_eq!(tty.line.read_mode(), ReadMode::Raw { min: 3, time: 0 });
    tty.typed(b"ab");
    assert!(!tty.line.is_readable());
    tty.typed(b"c");
    assert!(tty.line.is_readable());
    tty.line.set_termios(termios.with_control(Control::Time, 1));
    assert_eq!(tty.read(2).unwrap(), b"ab");
    assert!(tty.line.is_readable(), "with a time any byte counts");
}

#[test]
fn what_was_typed_outlives_a_change_of_settings() {
    let mut tty = Terminal::new();
    tty.typed(b"one\ntw");
    let lines = *tty.line.termios();
    let mut tty = tty.without(LocalFlags::ICANON);
    assert_eq!(tty.read(5).unwrap(), b"one\nt");
    tty.typed(b"o");
    tty.line.set_termios(lines);
    assert_eq!(tty.read(10).unwrap(), b"wo", "a line of its own");
    tty.typed(b"x\n");
    assert_eq!(tty.read(10).unwrap(), b"x\n");
}

#[test]
fn signals_can_leave_the_input_alone() {
    let mut tty = Terminal::new();
    let termios = *tty.line.termios();
    tty.line.set_termios(termios.with_local(termios.local() | LocalFlags::NOFLSH));
    assert_eq!(tty.typed(b"a\x1c"), Received::Signal(Signal::SIGQUIT));
    assert_eq!(tty.typed(b"b\x1a"), Received::Signal(Signal::SIGTSTP));
    tty.typed(b"\n");
    assert_eq!(tty.read(10).unwrap(), b"ab\n");
    let mut tty = tty.without(LocalFlags::ISIG);
    tty.typed(b"\x03\n");
    assert_eq!(tty.read(10).unwrap(), b"\x03\n");
}

#[test]
fn the_next_character_can_mean_itself() {
    let mut tty = Terminal::new();
    assert_eq!(tty.typed(b"a\x16\x03\x16\x04\x16\nb"), Received::Nothing);
    assert_eq!(tty.screen, b"a^\x08^C^\x08^D^\x08\r\nb");
    tty.typed(b"\n");
    assert_eq!(tty.read(10).unwrap(), b"a\x03\x04\nb\n", "one line, though an NL is in it");
}

#[test]
fn output_can_be_stopped() {
    let mut tty = Terminal::new();
    assert_eq!(tty.typed(b"\x13"), Received::Nothing);
    assert!(tty.line.is_stopped());
    assert_eq!(tty.typed(b"\x11"), Received::Started);
    assert!(!tty.line.is_stopped());
    tty.typed(b"\x13\x03");
    assert!(!tty.line.is_stopped(), "a signal lets it go on");
    assert!(tty.screen == b"^C");
}

#[test]
fn carriage_returns_are_what_the_settings_say() {
    let mut tty = Terminal::new();
    let termios = *tty.line.termios();
    tty.line.set_termios(termios.with_input(InputFlags::INLCR));
    tty.typed(b"\n\r\x04");
    assert_eq!(tty.read(10).unwrap(), b"\r\r");
    tty.line.set_termios(termios.with_input(InputFlags::IGNCR));
    tty.typed(b"a\rb\n");
    assert_eq!(tty.read(10).unwrap(), b"ab\n");
}

#[test]
fn characters_of_several_bytes_are_erased_as_one() {
    let mut tty = Terminal::new();
    let termios = *tty.line.termios();
    tty.line.set_termios(termios.with_input(termios.input() | InputFlags::IUTF8));
    tty.typed("a\u{e9}".as_bytes());
    tty.screen.clear();
    tty.typed(b"\x7f");
    assert_eq!(tty.screen, b"\x08 \x08");
    tty.typed(b"\n");
    assert_eq!(tty.read(10).unwrap(), b"a\n");
}

#[test]
fn killing_a_line_on_a_terminal_that_cannot_wipe() {
    let mut tty = Terminal::new().without(LocalFlags::ECHOKE);
    tty.typed(b"ab\x15c\n");
    assert_eq!(tty.screen, b"ab^U\r\nc\r\n");
    assert_eq!(tty.read(10).unwrap(), b"c\n");
}

#[test]
fn line_ends_are_made_of_output() {
    let mut tty = Terminal::new();
    let mut shown = Vec::new();
    tty.line.write_out(b"a\n\nb\r\n", &mut |bytes| shown.extend_from_slice(bytes));
    assert_eq!(shown, b"a\r\n\r\nb\r\r\n");
}
