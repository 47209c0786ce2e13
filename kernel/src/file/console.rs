//! `/dev/console`: the terminal, and what programs ask about it.

use crate::arch::uaccess::UserPtr;
use crate::cmdline;
use crate::drivers::tty;
use abi::Errno;
use fs::io::{CharDevice, PollEvents, PollKeys, ReadSink, Wait, WriteSource};
use zerocopy::{Immutable, IntoBytes};

/// `ioctl` numbers, `asm-generic/ioctls.h`.
const TCGETS: u32 = 0x5401;
const TIOCGWINSZ: u32 = 0x5413;

/// The terminal as a file.
pub struct Console;

/// `struct winsize`.
#[repr(C)]
#[derive(IntoBytes, Immutable)]
struct Winsize {
    rows: u16,
    columns: u16,
    xpixel: u16,
    ypixel: u16,
}

/// `struct termios` as TCGETS has it.
#[repr(C)]
#[derive(IntoBytes, Immutable)]
struct Termios {
    iflag: u32,
    oflag: u32,
    cflag: u32,
    lflag: u32,
    line: u8,
    cc: [u8; 19],
}

impl CharDevice for Console {
    fn read(&self, sink: &mut dyn ReadSink, wait: Wait) -> Result<usize, Errno> {
        tty::Console.read(sink, wait)
    }

    fn write(&self, source: &mut dyn WriteSource, wait: Wait) -> Result<usize, Errno> {
        tty::Console.write(source, wait)
    }

    fn poll(&self, keys: &mut PollKeys) -> PollEvents {
        tty::Console.poll(keys)
    }

    fn ioctl(&self, cmd: u32, arg: u64) -> Result<u64, Errno> {
        match cmd {
            TCGETS => UserPtr::new(arg).write(termios())?,
            TIOCGWINSZ => {
                let size = |name| cmdline::get(name).and_then(|value| value.parse().ok()).unwrap_or(0);
                let (rows, columns) = (size("console_rows"), size("console_cols"));
                UserPtr::new(arg).write(Winsize { rows, columns, xpixel: 0, ypixel: 0 })?;
            }
            _ => return Err(Errno::ENOTTY),
        }
        Ok(0)
    }
}

/// What the terminal does and cannot be told to do otherwise yet: lines are edited and echoed. Linux's
/// `tty_std_termios`.
fn termios() -> Termios {
    const ICRNL_IXON: u32 = 0o400 | 0o2000;
    const B38400_CS8_CREAD_HUPCL: u32 = 0o17 | 0o60 | 0o200 | 0o2000;
    const ISIG_ICANON_ECHO_ECHOE_ECHOK_ECHOCTL_ECHOKE_IEXTEN: u32 =
        0o1 | 0o2 | 0o10 | 0o20 | 0o40 | 0o1000 | 0o4000 | 0o10_0000;
    let mut cc = [0; 19];
    // INTR, QUIT, ERASE, KILL, EOF, -, MIN, -, START, STOP, SUSP, -, REPRINT, DISCARD, WERASE, LNEXT.
    cc[..16].copy_from_slice(&[3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22]);
    Termios {
        iflag: ICRNL_IXON,
        oflag: 0,
        cflag: B38400_CS8_CREAD_HUPCL,
        lflag: ISIG_ICANON_ECHO_ECHOE_ECHOK_ECHOCTL_ECHOKE_IEXTEN,
        line: 0,
        cc,
    }
}
