//! Users and groups: who may become whom, and what the file system takes for it.
#![no_std]
#![no_main]

use rt::sys::raw::{
    __NR_getegid, __NR_geteuid, __NR_getgid, __NR_getgroups, __NR_getresuid, __NR_getuid, __NR_setfsgid,
    __NR_setfsuid, __NR_setgid, __NR_setgroups, __NR_setregid, __NR_setreuid, __NR_setuid,
};
use tests::ids::{KEEP, become_user, gids, setgroups, setresgid, setresuid, uids};
use tests::{Outcome, call, equal, fails, good, in_child};

tests::program!(run);

fn run(_: rt::Args) -> Outcome {
    equal!(uids(), [0; 3]);
    for number in [__NR_getuid, __NR_geteuid, __NR_getgid, __NR_getegid] {
        equal!(call(number, []), Ok(0));
    }
    fails!(call(__NR_getresuid, [0, 0, 0]), EFAULT);
    fails!(call(__NR_setuid, [KEEP]), EINVAL);
    fails!(call(__NR_setgid, [KEEP]), EINVAL);
    in_child!(set_user);
    in_child!(set_real_and_effective);
    in_child!(set_three);
    in_child!(set_groups_ids);
    in_child!(file_system_ids);
    in_child!(further_groups);
    // Nothing of that came back here.
    equal!((uids(), gids()), ([0; 3], [0; 3]));
    Ok(())
}

fn set_user() -> Outcome {
    in_child!(|| {
        // Root gives all three away, for good.
        good!(call(__NR_setuid, [1000]));
        equal!(uids(), [1000; 3]);
        equal!(call(__NR_geteuid, []), Ok(1000));
        fails!(call(__NR_setuid, [0]), EPERM);
        fails!(call(__NR_setuid, [1001]), EPERM);
        equal!(call(__NR_setuid, [1000]), Ok(0));
        Ok(())
    });
    // A program that is somebody else's goes back and forth.
    good!(setresuid(1000, 1001, 1002));
    good!(call(__NR_setuid, [1002]));
    equal!(uids(), [1000, 1002, 1002]);
    good!(call(__NR_setuid, [1000]));
    equal!(uids(), [1000, 1000, 1002]);
    fails!(call(__NR_setuid, [1001]), EPERM);
    Ok(())
}

fn set_real_and_effective() -> Outcome {
    good!(call(__NR_setreuid, [KEEP, 1000]));
    // An effective id other than the real one is saved.
    equal!(uids(), [0, 1000, 1000]);
    good!(call(__NR_setreuid, [1000, 0]));
    equal!(uids(), [1000, 0, 0]);
    good!(call(__NR_setreuid, [1000, 1001]));
    equal!(uids(), [1000, 1001, 1001]);
    good!(call(__NR_setreuid, [1001, 1000]));
    equal!(uids(), [1001, 1000, 1000]);
    fails!(call(__NR_setreuid, [1002, KEEP]), EPERM);
    fails!(call(__NR_setreuid, [KEEP, 1002]), EPERM);
    fails!(call(__NR_setreuid, [KEEP, 0]), EPERM);
    equal!(call(__NR_setreuid, [KEEP, KEEP]), Ok(0));
    equal!(uids(), [1001, 1000, 1000]);
    Ok(())
}

fn set_three() -> Outcome {
    good!(setresuid(KEEP, KEEP, 7));
    equal!(uids(), [0, 0, 7]);
    good!(setresuid(5, 6, KEEP));
    equal!(uids(), [5, 6, 7]);
    good!(setresuid(7, 5, 6));
    equal!(uids(), [7, 5, 6]);
    fails!(setresuid(8, KEEP, KEEP), EPERM);
    fails!(setresuid(KEEP, KEEP, 8), EPERM);
    fails!(setresuid(5, 0, 5), EPERM);
    equal!(uids(), [7, 5, 6]);
    Ok(())
}

fn set_groups_ids() -> Outcome {
    good!(call(__NR_setregid, [5, KEEP]));
    equal!(gids(), [5, 0, 0]);
    good!(call(__NR_setregid, [KEEP, 6]));
    equal!(gids(), [5, 6, 6]);
    good!(setresgid(1, 2, 3));
    // A user that is not root changes groups by the same rules.
    good!(setresuid(1000, 1000, 1000));
    equal!(gids(), [1, 2, 3]);
    good!(call(__NR_setgid, [3]));
    equal!(gids(), [1, 3, 3]);
    fails!(call(__NR_setgid, [2]), EPERM);
    fails!(setresgid(2, KEEP, KEEP), EPERM);
    fails!(call(__NR_setregid, [4, 1]), EPERM);
    good!(call(__NR_setregid, [3, 1]));
    equal!(gids(), [3, 1, 1]);
    Ok(())
}

fn file_system_ids() -> Outcome {
    equal!(call(__NR_setfsuid, [1000]), Ok(0));
    equal!(call(__NR_setfsuid, [KEEP]), Ok(1000));
    equal!(call(__NR_setfsgid, [1000]), Ok(0));
    equal!(call(__NR_setfsgid, [KEEP]), Ok(1000));
    // It follows the effective one.
    good!(setresuid(1, 2, 3));
    equal!(call(__NR_setfsuid, [KEEP]), Ok(2));
    equal!(call(__NR_setfsuid, [3]), Ok(2));
    // What is not allowed changes nothing, and is no error.
    equal!(call(__NR_setfsuid, [4]), Ok(3));
    equal!(call(__NR_setfsuid, [KEEP]), Ok(3));
    Ok(())
}

fn further_groups() -> Outcome {
    let mut groups = [0u32; 4];
    let at = groups.as_mut_ptr() as usize;
    good!(setgroups(&[30, 10, 20]));
    equal!(call(__NR_getgroups, [0, 0]), Ok(3));
    equal!(call(__NR_getgroups, [4, at]), Ok(3));
    equal!(core::hint::black_box(groups), [10, 20, 30, 0]);
    fails!(call(__NR_getgroups, [2, at]), EINVAL);
    fails!(call(__NR_getgroups, [usize::MAX, at]), EINVAL);
    fails!(call(__NR_getgroups, [3, 0]), EFAULT);
    fails!(call(__NR_setgroups, [65537, at]), EINVAL);
    fails!(call(__NR_setgroups, [1, 0]), EFAULT);
    good!(become_user(1000, 1000));
    equal!(call(__NR_getgroups, [0, 0]), Ok(0));
    fails!(setgroups(&[10]), EPERM);
    Ok(())
}
