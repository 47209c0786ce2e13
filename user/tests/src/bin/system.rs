//! uname, sysinfo, getrandom, ioctl: what the system says about itself.
#![no_std]
#![no_main]

use rt::sys::raw::{
    __NR_getrandom, __NR_ioctl, __NR_sched_yield, __NR_sysinfo, GRND_INSECURE, GRND_RANDOM, O_RDONLY,
};
use tests::{Outcome, anonymous, call, check, equal, fails, good, open, raw};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    let name = rt::rustix::system::uname();
    equal!(name.sysname(), c"Linux");
    equal!(name.machine(), c"aarch64");
    // C libraries want a number, a dot, a number.
    let release = name.release().to_bytes();
    check!(release.first().is_some_and(|&digit| (b'3'..=b'9').contains(&digit)) && release.contains(&b'.'));

    let info = good!(anonymous(4096));
    good!(call(__NR_sysinfo, [info]));
    let (total, free) = (raw::peek64(info + 32), raw::peek64(info + 40));
    check!(total > 64 << 20 && free > 0 && free < total, "{free} of {total} bytes");

    let buffer = good!(anonymous(8192));
    equal!(call(__NR_getrandom, [buffer, 256, 0]), Ok(256));
    equal!(call(__NR_getrandom, [buffer + 256, 256, 0]), Ok(256));
    check!(raw::bytes(buffer, 256) != raw::bytes(buffer + 256, 256));
    let ones: u32 = raw::bytes(buffer, 512).iter().map(|byte| byte.count_ones()).sum();
    check!((1700..2400).contains(&ones), "{ones} of 4096 bits are ones");
    fails!(call(__NR_getrandom, [8, 16, 0]), EFAULT);
    fails!(call(__NR_getrandom, [buffer, 16, 1 << 20]), EINVAL);
    fails!(call(__NR_getrandom, [buffer, 16, (GRND_RANDOM | GRND_INSECURE) as usize]), EINVAL);

    const TCGETS: usize = 0x5401;
    let file = good!(open(c"/etc/motd", O_RDONLY));
    fails!(call(__NR_ioctl, [file, TCGETS, buffer]), ENOTTY);
    fails!(call(__NR_ioctl, [900, TCGETS, buffer]), EBADF);
    equal!(call(__NR_sched_yield, []), Ok(0));
    Ok(())
}
