//! What a terminal does with what is typed and shown: `struct termios`, Linux's `asm-generic/termbits.h`.

use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes};

bitflags! {
    /// `c_iflag`: what input becomes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct InputFlags: u32 {
        /// The eighth bit is dropped.
        const ISTRIP = 0o40;
        /// NL becomes CR.
        const INLCR = 0o100;
        /// CR is dropped.
        const IGNCR = 0o200;
        /// CR becomes NL.
        const ICRNL = 0o400;
        /// STOP and START stop output and let it go on.
        const IXON = 0o2000;
        /// Any character lets it go on.
        const IXANY = 0o4000;
        /// Characters may be several bytes of UTF-8.
        const IUTF8 = 0o4_0000;
    }

    /// `c_oflag`: what output becomes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct OutputFlags: u32 {
        /// The others count.
        const OPOST = 0o1;
        /// NL becomes CR NL.
        const ONLCR = 0o4;
        /// CR becomes NL.
        const OCRNL = 0o10;
    }

    /// `c_lflag`: how lines are edited.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LocalFlags: u32 {
        /// INTR, QUIT and SUSP send signals.
        const ISIG = 0o1;
        /// Input comes in lines that can be edited.
        const ICANON = 0o2;
        /// What is typed is shown.
        const ECHO = 0o10;
        /// ERASE wipes the character from the screen.
        const ECHOE = 0o20;
        /// KILL begins a new line on the screen.
        const ECHOK = 0o40;
        /// NL is shown, whatever ECHO says.
        const ECHONL = 0o100;
        /// Signals leave what was typed alone.
        const NOFLSH = 0o200;
        /// Output of a process in the background stops it.
        const TOSTOP = 0o400;
        /// Control characters are shown as `^X`.
        const ECHOCTL = 0o1000;
        /// KILL wipes the line from the screen.
        const ECHOKE = 0o4000;
        /// WERASE, LNEXT and REPRINT mean something.
        const IEXTEN = 0o10_0000;
    }
}

/// Indices of `c_cc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Control {
    /// Sends SIGINT.
    Intr = 0,
    /// Sends SIGQUIT.
    Quit = 1,
    /// Takes the last character back.
    Erase = 2,
    /// Takes the line back.
    Kill = 3,
    /// Ends the input.
    Eof = 4,
    /// Tenths of a second that a read waits, without ICANON.
    Time = 5,
    /// Bytes for which a read waits, without ICANON.
    Min = 6,
    /// Lets output go on.
    Start = 8,
    /// Stops output.
    Stop = 9,
    /// Sends SIGTSTP.
    Susp = 10,
    /// Ends a line, besides NL.
    Eol = 11,
    /// Shows the line again.
    Reprint = 12,
    /// Takes the last word back.
    Werase = 14,
    /// The next character means itself.
    Lnext = 15,
    /// Ends a line, too.
    Eol2 = 16,
}

/// `struct termios` as TCGETS has it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct Termios {
    iflag: u32,
    oflag: u32,
    cflag: u32,
    lflag: u32,
    line: u8,
    cc: [u8; 19],
}

impl Termios {
    /// What a serial line begins with on Linux: lines are edited and shown, 115200 baud, 8 bits.
    pub const STANDARD: Termios = {
        const CLOCAL_HUPCL_CREAD_CS8_B115200: u32 = 0o4000 | 0o2000 | 0o200 | 0o60 | 0o1_0002;
        let mut cc = [0; 19];
        let set: [(Control, u8); 14] = [
            (Control::Intr, 3),
            (Control::Quit, 28),
            (Control::Erase, 127),
            (Control::Kill, 21),
            (Control::Eof, 4),
            (Control::Min, 1),
            (Control::Start, 17),
            (Control::Stop, 19),
            (Control::Susp, 26),
            (Control::Reprint, 18),
            (Control::Werase, 23),
            (Control::Lnext, 22),
            (Control::Eol, 0),
            (Control::Eol2, 0),
        ];
        let mut at = 0;
        while at < set.len() {
            cc[set[at].0 as usize] = set[at].1;
            at += 1;
        }
        // VDISCARD, which nothing heeds.
        cc[13] = 15;
        Termios {
            iflag: InputFlags::ICRNL.union(InputFlags::IXON).bits(),
            oflag: OutputFlags::OPOST.union(OutputFlags::ONLCR).bits(),
            cflag: CLOCAL_HUPCL_CREAD_CS8_B115200,
            lflag: LocalFlags::ISIG
                .union(LocalFlags::ICANON)
                .union(LocalFlags::ECHO)
                .union(LocalFlags::ECHOE)
                .union(LocalFlags::ECHOK)
                .union(LocalFlags::ECHOCTL)
                .union(LocalFlags::ECHOKE)
                .union(LocalFlags::IEXTEN)
                .bits(),
            line: 0,
            cc,
        }
    };

    /// What input becomes.
    pub const fn input(&self) -> InputFlags {
        InputFlags::from_bits_truncate(self.iflag)
    }

    /// What output becomes.
    pub const fn output(&self) -> OutputFlags {
        OutputFlags::from_bits_truncate(self.oflag)
    }

    /// How lines are edited.
    pub const fn local(&self) -> LocalFlags {
        LocalFlags::from_bits_truncate(self.lflag)
    }

    /// A control character, or a number that has its place.
    pub const fn control(&self, which: Control) -> u8 {
        self.cc[which as usize]
    }

    /// Whether `byte` is this control character; 0 switches one off.
    pub const fn is(&self, which: Control, byte: u8) -> bool {
        byte != 0 && self.cc[which as usize] == byte
    }

    /// Replaces how lines are edited.
    pub const fn with_local(self, local: LocalFlags) -> Termios {
        Termios { lflag: local.bits(), ..self }
    }

    /// Replaces what input becomes.
    pub const fn with_input(self, input: InputFlags) -> Termios {
        Termios { iflag: input.bits(), ..self }
    }

    /// Replaces a control character.
    pub const fn with_control(mut self, which: Control, value: u8) -> Termios {
        self.cc[which as usize] = value;
        self
    }
}

/// `struct termios2` as TCGETS2 has it: the same with speeds as numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct Termios2 {
    /// What both have.
    pub termios: Termios,
    /// Bits a second of input.
    pub ispeed: u32,
    /// Bits a second of output.
    pub ospeed: u32,
}

/// `struct winsize`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
pub struct Winsize {
    /// Lines.
    pub rows: u16,
    /// Characters of a line.
    pub columns: u16,
    /// Width, unused.
    pub xpixel: u16,
    /// Height, unused.
    pub ypixel: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_settings_are_linux_s() {
        assert_eq!(size_of::<Termios>(), 36);
        let bytes = Termios::STANDARD.as_bytes();
        assert_eq!(bytes[0..4], 0x500_u32.to_le_bytes());
        assert_eq!(bytes[4..8], 5_u32.to_le_bytes());
        assert_eq!(bytes[8..12], 0x1cb2_u32.to_le_bytes());
        assert_eq!(bytes[12..16], 0x8a3b_u32.to_le_bytes());
        assert_eq!(bytes[17..34], [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0]);
    }
}
