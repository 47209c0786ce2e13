//! sethostname and setdomainname: what uname says afterwards, and who may.
#![no_std]
#![no_main]

use rt::rustix::system::uname;
use rt::sys::raw::{__NR_setdomainname, __NR_sethostname};
use tests::{Outcome, call, check, fails, good, in_child};

tests::program!(run);

fn set(number: u32, name: &[u8]) -> rt::sys::Result {
    call(number, [name.as_ptr() as usize, name.len()])
}

fn run(_: rt::Args) -> Outcome {
    let before = uname();
    for number in [__NR_sethostname, __NR_setdomainname] {
        fails!(call(number, [8, 4]), EFAULT);
        fails!(call(number, [8, 65]), EINVAL);
        fails!(call(number, [8, usize::MAX]), EINVAL);
    }
    let long = [b'x'; 64];
    good!(set(__NR_sethostname, &long));
    check!(uname().nodename().to_bytes() == long);
    good!(set(__NR_sethostname, b"somebody"));
    check!(uname().nodename() == c"somebody");
    good!(set(__NR_setdomainname, b"else"));
    check!(uname().machine() == c"aarch64" && uname().sysname() == c"Linux");
    in_child!(|| {
        good!(tests::ids::become_user(1000, 1000));
        fails!(set(__NR_sethostname, b"nobody"), EPERM);
        fails!(set(__NR_setdomainname, b"nobody"), EPERM);
        Ok(())
    });
    check!(uname().nodename() == c"somebody");
    good!(set(__NR_sethostname, before.nodename().to_bytes()));
    good!(set(__NR_setdomainname, b"(none)"));
    check!(uname().nodename() == before.nodename());
    Ok(())
}
