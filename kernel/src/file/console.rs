//! The terminal's device files: `/dev/console`, `/dev/ttyAMA0`, which is the same, and `/dev/tty`, which is whatever terminal
//! controls the caller; and what programs ask a terminal by `ioctl`. Mirrors `tty_ioctl.c`.

use crate::arch::uaccess::UserPtr;
use crate::drivers::tty::control::{self, Access, Steal};
use crate::drivers::tty::{self, Typed};
use crate::task::{Pid, current};
use abi::signal::Signal;
use abi::termios::{Termios, Termios2, Winsize};
use abi::{Errno, OpenFlags};
use fs::io::{CharDevice, PollEvents, PollKeys, ReadSink, Wait, WriteSource};

/// `ioctl` numbers, `asm-generic/ioctls.h`.
mod request {
    pub const TCGETS: u32 = 0x5401;
    pub const TCSETS: u32 = 0x5402;
    pub const TCSETSW: u32 = 0x5403;
    pub const TCSETSF: u32 = 0x5404;
    pub const TCSBRK: u32 = 0x5409;
    pub const TCXONC: u32 = 0x540a;
    pub const TCFLSH: u32 = 0x540b;
    pub const TIOCSCTTY: u32 = 0x540e;
    pub const TIOCGPGRP: u32 = 0x540f;
    pub const TIOCSPGRP: u32 = 0x5410;
    pub const TIOCOUTQ: u32 = 0x5411;
    pub const TIOCGWINSZ: u32 = 0x5413;
    pub const TIOCSWINSZ: u32 = 0x5414;
    pub const TIOCINQ: u32 = 0x541b;
    pub const TIOCNOTTY: u32 = 0x5422;
    pub const TCSBRKP: u32 = 0x5425;
    pub const TIOCGSID: u32 = 0x5429;
    pub const TCGETS2: u32 = 0x802c_542a;
    pub const TCSETS2: u32 = 0x402c_542b;
    pub const TCSETSW2: u32 = 0x402c_542c;
    pub const TCSETSF2: u32 = 0x402c_542d;
}

/// Bits a second, as far as anybody asks: QEMU's line is as fast as it is.
const SPEED: u32 = 115_200;

/// One of the device files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// `/dev/console`: whatever the kernel talks to.
    System,
    /// `/dev/ttyAMA0`: the serial line by its own name.
    Serial,
    /// `/dev/tty`: the caller's terminal.
    Controlling,
}

impl Console {
    fn access(self) -> Access {
        if self == Console::System { Access::Console } else { Access::Terminal }
    }
}

impl CharDevice for Console {
    fn open(&self, flags: OpenFlags) -> Result<(), Errno> {
        match self {
            Console::Controlling if !current().process.has_tty() => Err(Errno::ENXIO),
            Console::Serial if !flags.contains(OpenFlags::NOCTTY) => {
                control::acquire_at_open();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn read(&self, sink: &mut dyn ReadSink, wait: Wait) -> Result<usize, Errno> {
        tty::read(self.access(), sink, wait)
    }

    fn write(&self, source: &mut dyn WriteSource, wait: Wait) -> Result<usize, Errno> {
        tty::write(self.access(), source, wait)
    }

    fn poll(&self, keys: &mut PollKeys) -> PollEvents {
        tty::poll(keys)
    }

    fn ioctl(&self, cmd: u32, arg: u64) -> Result<u64, Errno> {
        use request::*;
        match cmd {
            TCGETS => UserPtr::new(arg).write(tty::termios())?,
            TCSETS | TCSETSW | TCSETSF => {
                control::check_change(Signal::SIGTTOU)?;
                let typed = if cmd == TCSETSF { Typed::Flush } else { Typed::Keep };
                tty::set_termios(UserPtr::<Termios>::new(arg).read()?, typed);
            }
            TCGETS2 => {
                let (ispeed, ospeed) = (SPEED, SPEED);
                UserPtr::new(arg).write(Termios2 { termios: tty::termios(), ispeed, ospeed })?;
            }
            TCSETS2 | TCSETSW2 | TCSETSF2 => {
                control::check_change(Signal::SIGTTOU)?;
                let typed = if cmd == TCSETSF2 { Typed::Flush } else { Typed::Keep };
                tty::set_termios(UserPtr::<Termios2>::new(arg).read()?.termios, typed);
            }
            // Output is on the line when `write` returns, and a break means nothing to QEMU.
            TCSBRK | TCSBRKP => control::check_change(Signal::SIGTTOU)?,
            TCXONC => stop_or_start(arg)?,
            TCFLSH => flush(arg)?,
            TIOCOUTQ => UserPtr::new(arg).write(0u32)?,
            TIOCINQ => UserPtr::new(arg).write(tty::available() as u32)?,
            TIOCGWINSZ => UserPtr::new(arg).write(control::size())?,
            TIOCSWINSZ => control::set_size(UserPtr::<Winsize>::new(arg).read()?),
            TIOCSCTTY => control::acquire(if arg == 1 { Steal::Yes } else { Steal::No })?,
            TIOCNOTTY => control::release()?,
            TIOCGPGRP => UserPtr::new(arg).write(control::foreground()?)?,
            TIOCGSID => UserPtr::new(arg).write(control::session()?)?,
            TIOCSPGRP => set_foreground(arg)?,
            _ => return Err(Errno::ENOTTY),
        }
        Ok(0)
    }
}

fn set_foreground(arg: u64) -> Result<(), Errno> {
    control::check_change(Signal::SIGTTOU).map_err(|error| match error {
        Errno::EIO => Errno::ENOTTY,
        error => error,
    })?;
    let pgrp = UserPtr::<i32>::new(arg).read()?;
    control::set_foreground(Pid::try_from(pgrp).map_err(|_| Errno::EINVAL)?)
}

/// `TCXONC`. Stopping the other side's output (TCIOFF, TCION) means nothing on this line.
fn stop_or_start(arg: u64) -> Result<(), Errno> {
    const TCOOFF: u64 = 0;
    const TCION: u64 = 3;
    control::check_change(Signal::SIGTTOU)?;
    match arg {
        TCOOFF => tty::set_stopped(true),
        1 => tty::set_stopped(false),
        2..=TCION => {}
        _ => return Err(Errno::EINVAL),
    }
    Ok(())
}

/// `TCFLSH`. There is never output that has not been sent.
fn flush(arg: u64) -> Result<(), Errno> {
    const TCIFLUSH: u64 = 0;
    const TCOFLUSH: u64 = 1;
    const TCIOFLUSH: u64 = 2;
    control::check_change(Signal::SIGTTOU)?;
    match arg {
        TCIFLUSH | TCIOFLUSH => tty::flush_input(),
        TCOFLUSH => {}
        _ => return Err(Errno::EINVAL),
    }
    Ok(())
}
