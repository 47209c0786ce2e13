//! The controlling terminal: settings, foreground and background, sessions. Says nothing where there is none.
#![no_std]
#![no_main]

use rt::process::{self, Ended, Pid, getpid, kill};
use rt::sys::raw::{__NR_ioctl, __NR_setpgid, __NR_setsid, __NR_wait4, __NR_write};
use rt::sys::signal::Signal;
use rt::sys::termios::{LocalFlags, Termios, Winsize};
use tests::{Errno, Outcome, call, check, close, equal, fails, good, in_child, open, read, signal};

tests::program!(run);

const TCGETS: u32 = 0x5401;
const TCSETS: u32 = 0x5402;
const TCSETSF: u32 = 0x5404;
const TCSBRK: u32 = 0x5409;
const TCFLSH: u32 = 0x540b;
const TIOCSCTTY: u32 = 0x540e;
const TIOCGPGRP: u32 = 0x540f;
const TIOCSPGRP: u32 = 0x5410;
const TIOCGWINSZ: u32 = 0x5413;
const TIOCSWINSZ: u32 = 0x5414;
const FIONREAD: u32 = 0x541b;
const TIOCNOTTY: u32 = 0x5422;
const TIOCGSID: u32 = 0x5429;
const TCGETS2: u32 = 0x802c_542a;
const TCSETS2: u32 = 0x402c_542b;
const O_RDWR: u32 = 2;
const O_NONBLOCK: u32 = 0o4000;
const UNTRACED: usize = 2;

fn run(_: rt::Args) -> Outcome {
    let tty = match open(c"/dev/tty", O_RDWR | O_NONBLOCK) {
        Err(Errno::ENXIO | Errno::ENOENT) => return Ok(()),
        tty => good!(tty),
    };
    settings(tty)?;
    size(tty)?;
    in_child!(|| raw_reads(tty));
    in_child!(|| foreground(tty));
    in_child!(|| background(tty));
    in_child!(|| sessions(tty));
    good!(close(tty));
    Ok(())
}

fn ask<T>(tty: usize, request: u32, value: &mut T) -> rt::sys::Result {
    call(__NR_ioctl, [tty, request as usize, core::ptr::from_mut(value).addr()])
}

fn tell<T>(tty: usize, request: u32, value: &T) -> rt::sys::Result {
    call(__NR_ioctl, [tty, request as usize, core::ptr::from_ref(value).addr()])
}

fn number(tty: usize, request: u32) -> Result<i32, Errno> {
    let mut number = 0;
    ask(tty, request, &mut number)?;
    Ok(number)
}

fn settings_of(tty: usize) -> Result<Termios, Errno> {
    let mut settings = Termios::STANDARD;
    ask(tty, TCGETS, &mut settings)?;
    Ok(settings)
}

fn settings(tty: usize) -> Outcome {
    let before = good!(settings_of(tty));
    let changed = before.with_local(before.local() - LocalFlags::ECHO);
    good!(tell(tty, TCSETS, &changed));
    equal!(good!(settings_of(tty)), changed);
    good!(tell(tty, TCSETSF, &before));
    equal!(good!(settings_of(tty)), before);
    let mut with_speeds = [0u8; 44];
    good!(ask(tty, TCGETS2, &mut with_speeds));
    good!(tell(tty, TCSETS2, &with_speeds));
    equal!(good!(settings_of(tty)), before);
    for request in
        [TCGETS, TCSETS, TCGETS2, TCSETS2, TIOCGWINSZ, TIOCSWINSZ, FIONREAD, TIOCGPGRP, TIOCSPGRP, TIOCGSID]
    {
        fails!(call(__NR_ioctl, [tty, request as usize, 8]), EFAULT);
    }
    good!(call(__NR_ioctl, [tty, TCSBRK as usize, 1]));
    good!(call(__NR_ioctl, [tty, TCFLSH as usize, 0]));
    fails!(call(__NR_ioctl, [tty, TCFLSH as usize, 3]), EINVAL);
    equal!(number(tty, FIONREAD), Ok(0));
    // What is no terminal has no settings.
    let null = good!(open(c"/dev/null", O_RDWR));
    fails!(settings_of(null), ENOTTY);
    fails!(number(null, TIOCGPGRP), ENOTTY);
    good!(close(null));
    Ok(())
}

fn size(tty: usize) -> Outcome {
    let mut before = Winsize::default();
    good!(ask(tty, TIOCGWINSZ, &mut before));
    good!(signal::handle(Signal::SIGWINCH, signal::SaFlags::empty()));
    let other = Winsize { rows: before.rows + 1, ..before };
    good!(tell(tty, TIOCSWINSZ, &other));
    // The foreground hears of it, and this is there; the same size again is no news.
    equal!(signal::count(), 1);
    good!(tell(tty, TIOCSWINSZ, &other));
    equal!(signal::count(), 1);
    good!(tell(tty, TIOCSWINSZ, &before));
    good!(signal::default(Signal::SIGWINCH));
    Ok(())
}

fn raw_reads(tty: usize) -> Outcome {
    use rt::sys::termios::Control;
    let before = good!(settings_of(tty));
    let mut byte = [0];
    fails!(read(tty, &mut byte), EAGAIN);
    let raw = before.with_local(before.local() - LocalFlags::ICANON - LocalFlags::ECHO);
    let blocking = good!(open(c"/dev/tty", O_RDWR));
    // Without a byte to wait for a read returns at once, or after the time.
    good!(tell(tty, TCSETS, &raw.with_control(Control::Min, 0)));
    let at_once = read(blocking, &mut byte);
    good!(tell(tty, TCSETS, &raw.with_control(Control::Min, 0).with_control(Control::Time, 1)));
    let start = rt::time::monotonic_ns();
    let later = read(blocking, &mut byte);
    let passed = rt::time::monotonic_ns() - start;
    good!(tell(tty, TCSETS, &before));
    equal!((at_once, later), (Ok(0), Ok(0)));
    check!(passed >= 90_000_000, "a tenth of a second took {passed} ns");
    Ok(())
}

/// `wait4` for a stop: the status word.
fn stopped(pid: Pid) -> Result<u32, Errno> {
    let mut status = 0u64;
    call(__NR_wait4, [pid as usize, (&raw mut status).addr(), UNTRACED, 0])?;
    Ok(tests::raw::peek64((&raw const status).addr()) as u32)
}

fn foreground(tty: usize) -> Outcome {
    let mine = good!(call(rt::sys::raw::__NR_getpgid, [0])) as i32;
    equal!(number(tty, TIOCGPGRP), Ok(mine));
    equal!(number(tty, TIOCGSID).map(|sid| sid as usize), call(rt::sys::raw::__NR_getsid, [0]));
    fails!(tell(tty, TIOCSPGRP, &-1), EINVAL);
    fails!(tell(tty, TIOCSPGRP, &32_000), ESRCH);
    fails!(tell(tty, TIOCSPGRP, &1), EPERM);
    // A child's group comes to the foreground; from behind this one can take it back only while it ignores SIGTTOU.
    let child = good!(process::spawn(|| {
        rt::time::sleep_ns(60_000_000_000);
        0
    }));
    good!(call(__NR_setpgid, [child as usize, 0]));
    good!(tell(tty, TIOCSPGRP, &child));
    equal!(number(tty, TIOCGPGRP), Ok(child));
    good!(signal::ignore(Signal::SIGTTOU));
    good!(tell(tty, TIOCSPGRP, &mine));
    good!(signal::default(Signal::SIGTTOU));
    good!(kill(child, 9));
    equal!(process::wait_for(child), Ok(Ended::Killed(9)));
    Ok(())
}

fn background(tty: usize) -> Outcome {
    let behind = |work: &dyn Fn() -> rt::sys::Result| {
        process::spawn(|| {
            let _ = call(__NR_setpgid, [0, 0]);
            match work() {
                Ok(_) => 0,
                Err(Errno::EIO) => 5,
                Err(_) => 1,
            }
        })
    };
    let end = |pid: Pid| {
        good!(kill(pid, 9));
        equal!(process::wait_for(pid), Ok(Ended::Killed(9)));
        Ok(())
    };
    let reads = || read(tty, &mut [0]);
    let child = good!(behind(&reads));
    equal!(stopped(child), Ok(0x157f));
    // It tries again when it goes on, and stops again.
    good!(kill(child, 18));
    equal!(stopped(child), Ok(0x157f));
    end(child)?;
    let child = good!(behind(&|| {
        signal::ignore(Signal::SIGTTIN)?;
        reads()
    }));
    equal!(process::wait_for(child), Ok(Ended::Exited(5)));
    // Settings are changed from the foreground.
    let before = good!(settings_of(tty));
    let child = good!(behind(&|| tell(tty, TCSETS, &before)));
    equal!(stopped(child), Ok(0x167f));
    end(child)?;
    // Writing stops it only where that is asked for.
    let writes = || call(__NR_write, [tty, 0, 0]);
    equal!(process::wait_for(good!(behind(&writes))), Ok(Ended::Exited(0)));
    good!(tell(tty, TCSETS, &before.with_local(before.local() | LocalFlags::TOSTOP)));
    let child = good!(behind(&writes));
    let status = stopped(child);
    good!(tell(tty, TCSETS, &before));
    equal!(status, Ok(0x167f));
    end(child)
}

fn sessions(tty: usize) -> Outcome {
    let owner = good!(number(tty, TIOCGSID));
    good!(call(__NR_setsid, []));
    fails!(number(tty, TIOCGPGRP), ENOTTY);
    fails!(number(tty, TIOCGSID), ENOTTY);
    fails!(tell(tty, TIOCSPGRP, &getpid()), ENOTTY);
    fails!(call(__NR_ioctl, [tty, TIOCNOTTY as usize, 0]), ENOTTY);
    fails!(open(c"/dev/tty", O_RDWR), ENXIO);
    // The terminal is another session's; only the leader of one can ask for it.
    fails!(call(__NR_ioctl, [tty, TIOCSCTTY as usize, 0]), EPERM);
    equal!(
        tests::child::run(|| i32::from(call(__NR_ioctl, [tty, TIOCSCTTY as usize, 1]).is_ok())),
        Ok(Ended::Exited(0))
    );
    check!(owner != getpid());
    Ok(())
}
