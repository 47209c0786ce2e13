//! exec of programs with set-id bits: whom they run as, and where the bits do not count.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::process::{self, Ended};
use rt::sys::raw::{__NR_mount, __NR_umount2};
use rt::{Arg, Args, auxv};
use tests::ids::{KEEP, become_user, capget, chmod, chown, copy_file, gids, prctl, setresuid, uids};
use tests::{Outcome, call, check, equal, fails, good};

tests::program!(run);

const SELF: &CStr = c"/tests/set_id_programs";
const COPY: &CStr = c"/tmp/set_id_program";
const AT_UID: u32 = 11;
const AT_SECURE: u32 = 23;
const PR_SET_NO_NEW_PRIVS: usize = 38;
const MS_NOSUID: usize = 2;

fn run(args: Args) -> Outcome {
    if let Some(case) = args.get(1) {
        process::exit(tests::child::outcome(started(case)));
    }
    good!(copy_file(SELF, COPY, 0o755));
    // `case` says what the program expects to be; `before` what happens ahead of it.
    let starts = |line: u32, path: &CStr, case: &CStr, before: &dyn Fn() -> bool| -> Outcome {
        let child = process::spawn(|| {
            if !before() {
                return 99;
            }
            let argv = [Arg::new(path), Arg::new(case), Arg::END];
            process::execve(path, &argv, args.envp()).raw().into()
        });
        let ended = process::wait_for(good!(child));
        check!(ended == Ok(Ended::Exited(0)), "from line {line}: {ended:?}");
        Ok(())
    };
    let user = || become_user(1000, 1000).is_ok();

    starts(line!(), COPY, c"root", &|| true)?;
    starts(line!(), COPY, c"user", &user)?;
    // Capabilities do not pass an exec by themselves, whatever was kept.
    starts(line!(), COPY, c"user", &|| {
        const PR_SET_KEEPCAPS: usize = 8;
        prctl(PR_SET_KEEPCAPS, [1, 0, 0, 0]).is_ok() && user()
    })?;
    // An effective user that is not the real one, and saved ids.
    starts(line!(), COPY, c"effective", &|| setresuid(1000, 1001, 1002).is_ok())?;

    good!(chmod(COPY, 0o4755));
    starts(line!(), COPY, c"set-user root", &user)?;
    starts(line!(), COPY, c"root", &|| true)?;
    starts(line!(), COPY, c"user", &|| user() && prctl(PR_SET_NO_NEW_PRIVS, [1, 0, 0, 0]).is_ok())?;
    good!(chown(COPY, 1001, KEEP));
    good!(chmod(COPY, 0o4755));
    starts(line!(), COPY, c"set-user 1001", &user)?;
    good!(chown(COPY, 0, 1001));
    // Without group execution the bit is no set-group-id.
    good!(chmod(COPY, 0o2745));
    starts(line!(), COPY, c"user", &user)?;
    good!(chmod(COPY, 0o2755));
    starts(line!(), COPY, c"set-group 1001", &user)?;

    // Whoever may not execute it gets nowhere.
    good!(chown(COPY, 0, 0));
    good!(chmod(COPY, 0o4750));
    let refused = tests::child::run(|| {
        user();
        process::execve(COPY, &[Arg::new(COPY), Arg::END], args.envp()).raw().into()
    });
    equal!(refused, Ok(Ended::Exited(rt::sys::Errno::EACCES.raw().into())));

    // A mount may be without them.
    good!(tests::files::mkdir(c"/tmp/nosuid", 0o755));
    let [none, at, kind] = [c"none", c"/tmp/nosuid", c"tmpfs"].map(|text| text.as_ptr() as usize);
    good!(call(__NR_mount, [none, at, kind, MS_NOSUID, 0]));
    let there = c"/tmp/nosuid/program";
    good!(copy_file(SELF, there, 0o4755));
    starts(line!(), there, c"user", &user)?;
    good!(tests::files::unlink(there));
    good!(call(__NR_umount2, [at, 0]));
    good!(tests::files::rmdir(c"/tmp/nosuid"));
    good!(tests::files::unlink(COPY));
    fails!(tests::files::unlink(COPY), ENOENT);
    Ok(())
}

/// The new program: is it whom it should be?
fn started(case: &CStr) -> Outcome {
    let (users, groups) = (uids(), gids());
    let caps = good!(capget());
    let secure = auxv().value(AT_SECURE);
    let told: [Option<usize>; 4] = [0, 1, 2, 3].map(|index| auxv().value(AT_UID + index));
    equal!(told, [users[0], users[1], groups[0], groups[1]].map(|id| Some(id as usize)));
    let all = caps.effective & 0xffff_ffff == 0xffff_ffff;
    let expected = match case.to_bytes() {
        b"root" => ([0; 3], [0; 3], true, 0),
        b"user" => ([1000; 3], [1000; 3], false, 0),
        b"effective" => ([1000, 1001, 1001], [0; 3], false, 1),
        b"set-user root" => ([1000, 0, 0], [1000; 3], true, 1),
        b"set-user 1001" => ([1000, 1001, 1001], [1000; 3], false, 1),
        _ => ([1000; 3], [1000, 1001, 1001], false, 1),
    };
    equal!((users, groups, all, secure), (expected.0, expected.1, expected.2, Some(expected.3)));
    check!(all || caps.permitted == 0, "{caps:?}");
    Ok(())
}
