//! Capabilities: the sets, how they follow the user ids, and what prctl does to them.
#![no_std]
#![no_main]

use rt::sys::raw::{__NR_capget, __NR_capset, __NR_setfsuid};
use tests::ids::{
    CHOWN, Caps, DAC_OVERRIDE, KEEP, KILL, SETPCAP, SETUID, capget, capset, lower, prctl, setresuid,
};
use tests::{Outcome, call, check, equal, fails, good, in_child};

tests::program!(run);

const PR_GET_KEEPCAPS: usize = 7;
const PR_SET_KEEPCAPS: usize = 8;
const PR_CAPBSET_READ: usize = 23;
const PR_CAPBSET_DROP: usize = 24;
const PR_GET_SECUREBITS: usize = 27;
const PR_SET_SECUREBITS: usize = 28;
const PR_SET_NO_NEW_PRIVS: usize = 38;
const PR_GET_NO_NEW_PRIVS: usize = 39;
const PR_CAP_AMBIENT: usize = 47;

fn run(_: rt::Args) -> Outcome {
    in_child!(headers);
    in_child!(sets);
    in_child!(follow_the_ids);
    in_child!(bounding_set);
    in_child!(secure_bits);
    in_child!(ambient_set);
    in_child!(no_new_privileges);
    Ok(())
}

fn headers() -> Outcome {
    let mut header = [0u32, 0];
    let mut data = [0u32; 6];
    let (at, data_at) = (header.as_mut_ptr() as usize, data.as_mut_ptr() as usize);
    // An unknown version is told the right one; without data that is all the question.
    equal!(call(__NR_capget, [at, 0]), Ok(0));
    equal!(core::hint::black_box(header)[0], 0x2008_0522);
    header[0] = 1;
    fails!(call(__NR_capget, [core::hint::black_box(&mut header).as_mut_ptr() as usize, data_at]), EINVAL);
    header = [0x2008_0522, u32::MAX];
    fails!(call(__NR_capget, [core::hint::black_box(&header).as_ptr() as usize, data_at]), EINVAL);
    header = [0x2008_0522, 0x7fff_fffe];
    fails!(call(__NR_capget, [core::hint::black_box(&header).as_ptr() as usize, data_at]), ESRCH);
    header = [0x2008_0522, 1];
    good!(call(__NR_capget, [core::hint::black_box(&header).as_ptr() as usize, data_at]));
    fails!(call(__NR_capset, [core::hint::black_box(&header).as_ptr() as usize, data_at]), EPERM);
    fails!(call(__NR_capget, [0, data_at]), EFAULT);
    header = [0x2008_0522, 0];
    fails!(call(__NR_capget, [core::hint::black_box(&header).as_ptr() as usize, 8]), EFAULT);
    fails!(call(__NR_capset, [core::hint::black_box(&header).as_ptr() as usize, 8]), EFAULT);
    Ok(())
}

fn sets() -> Outcome {
    let all = good!(capget());
    check!(all.effective == all.permitted && all.effective & 0xffff_ffff == 0xffff_ffff, "{all:?}");
    equal!(all.inheritable, 0);
    let without = all.permitted & !(1 << CHOWN);
    // Effective must be permitted, permitted does not grow, inheritable comes from permitted or the bounding set.
    fails!(capset(Caps { permitted: without, ..all }), EPERM);
    good!(capset(Caps { effective: without, permitted: without, inheritable: 1 << KILL }));
    fails!(capset(all), EPERM);
    equal!(good!(capget()).inheritable, 1 << KILL);
    // A child has its parent's, and what it does stays its own.
    in_child!(|| {
        good!(lower(SETUID));
        fails!(setresuid(1, 1, 1), EPERM);
        Ok(())
    });
    equal!(good!(capget()).effective, without);
    good!(lower(SETPCAP));
    fails!(capset(Caps { inheritable: 1 << CHOWN, ..good!(capget()) }), EPERM);
    Ok(())
}

fn follow_the_ids() -> Outcome {
    let all = good!(capget()).permitted;
    in_child!(|| {
        good!(setresuid(KEEP, 1000, KEEP));
        let caps = good!(capget());
        equal!((caps.effective, caps.permitted), (0, all));
        // The effective id 0 brings them back.
        good!(setresuid(KEEP, 0, KEEP));
        equal!(good!(capget()).effective, all);
        good!(setresuid(1000, 1000, 1000));
        equal!(good!(capget()).permitted, 0);
        Ok(())
    });
    in_child!(|| {
        equal!(prctl(PR_GET_KEEPCAPS, [0; 4]), Ok(0));
        good!(prctl(PR_SET_KEEPCAPS, [1, 0, 0, 0]));
        equal!(prctl(PR_GET_KEEPCAPS, [0; 4]), Ok(1));
        fails!(prctl(PR_SET_KEEPCAPS, [2, 0, 0, 0]), EINVAL);
        good!(setresuid(1000, 1000, 1000));
        let caps = good!(capget());
        equal!((caps.effective, caps.permitted), (0, all));
        Ok(())
    });
    // The file system id takes and gives those that concern files.
    good!(call(__NR_setfsuid, [1000]));
    let caps = good!(capget()).effective;
    check!(caps & (1 << CHOWN | 1 << DAC_OVERRIDE) == 0 && caps & 1 << SETUID != 0, "{caps:x}");
    good!(call(__NR_setfsuid, [0]));
    equal!(good!(capget()).effective, all);
    Ok(())
}

fn bounding_set() -> Outcome {
    let kill = [KILL as usize, 0, 0, 0];
    equal!(prctl(PR_CAPBSET_READ, kill), Ok(1));
    fails!(prctl(PR_CAPBSET_READ, [64, 0, 0, 0]), EINVAL);
    good!(prctl(PR_CAPBSET_DROP, kill));
    equal!(prctl(PR_CAPBSET_READ, kill), Ok(0));
    fails!(prctl(PR_CAPBSET_DROP, [99, 0, 0, 0]), EINVAL);
    good!(lower(SETPCAP));
    fails!(prctl(PR_CAPBSET_DROP, [CHOWN as usize, 0, 0, 0]), EPERM);
    fails!(prctl(PR_CAPBSET_DROP, [99, 0, 0, 0]), EPERM);
    Ok(())
}

fn secure_bits() -> Outcome {
    const NO_SETUID_FIXUP: usize = 1 << 2;
    const ITS_LOCK: usize = 1 << 3;
    equal!(prctl(PR_GET_SECUREBITS, [0; 4]), Ok(0));
    fails!(prctl(PR_SET_SECUREBITS, [1 << 20, 0, 0, 0]), EPERM);
    good!(prctl(PR_SET_SECUREBITS, [NO_SETUID_FIXUP | ITS_LOCK, 0, 0, 0]));
    equal!(prctl(PR_GET_SECUREBITS, [0; 4]), Ok(NO_SETUID_FIXUP | ITS_LOCK));
    fails!(prctl(PR_SET_SECUREBITS, [0, 0, 0, 0]), EPERM);
    let before = good!(capget());
    good!(setresuid(1000, 1000, 1000));
    equal!(good!(capget()), before);
    Ok(())
}

fn ambient_set() -> Outcome {
    const IS_SET: usize = 1;
    const RAISE: usize = 2;
    const LOWER: usize = 3;
    const CLEAR_ALL: usize = 4;
    let kill = KILL as usize;
    equal!(prctl(PR_CAP_AMBIENT, [IS_SET, kill, 0, 0]), Ok(0));
    // What is not inheritable is not ambient.
    fails!(prctl(PR_CAP_AMBIENT, [RAISE, kill, 0, 0]), EPERM);
    good!(capset(Caps { inheritable: 1 << KILL, ..good!(capget()) }));
    good!(prctl(PR_CAP_AMBIENT, [RAISE, kill, 0, 0]));
    equal!(prctl(PR_CAP_AMBIENT, [IS_SET, kill, 0, 0]), Ok(1));
    good!(prctl(PR_CAP_AMBIENT, [LOWER, kill, 0, 0]));
    equal!(prctl(PR_CAP_AMBIENT, [IS_SET, kill, 0, 0]), Ok(0));
    good!(prctl(PR_CAP_AMBIENT, [RAISE, kill, 0, 0]));
    good!(prctl(PR_CAP_AMBIENT, [CLEAR_ALL, 0, 0, 0]));
    equal!(prctl(PR_CAP_AMBIENT, [IS_SET, kill, 0, 0]), Ok(0));
    fails!(prctl(PR_CAP_AMBIENT, [CLEAR_ALL, 1, 0, 0]), EINVAL);
    fails!(prctl(PR_CAP_AMBIENT, [IS_SET, 64, 0, 0]), EINVAL);
    fails!(prctl(PR_CAP_AMBIENT, [9, kill, 0, 0]), EINVAL);
    Ok(())
}

fn no_new_privileges() -> Outcome {
    equal!(prctl(PR_GET_NO_NEW_PRIVS, [0; 4]), Ok(0));
    fails!(prctl(PR_SET_NO_NEW_PRIVS, [0; 4]), EINVAL);
    fails!(prctl(PR_SET_NO_NEW_PRIVS, [1, 1, 0, 0]), EINVAL);
    fails!(prctl(PR_GET_NO_NEW_PRIVS, [1, 0, 0, 0]), EINVAL);
    good!(prctl(PR_SET_NO_NEW_PRIVS, [1, 0, 0, 0]));
    equal!(prctl(PR_GET_NO_NEW_PRIVS, [0; 4]), Ok(1));
    fails!(prctl(PR_SET_NO_NEW_PRIVS, [0; 4]), EINVAL);
    in_child!(|| {
        equal!(prctl(PR_GET_NO_NEW_PRIVS, [0; 4]), Ok(1));
        Ok(())
    });
    Ok(())
}
