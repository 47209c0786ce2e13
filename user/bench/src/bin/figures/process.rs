//! What processes cost.

use crate::meter::Meter;
use rt::map::Mapping;
use rt::process;
use rt::sys::Errno;
use rt::{Arg, Args};

const DIRTY: usize = 16 << 20;
const PAGE: usize = 4096;
/// 1 KB that exits.
const PROGRAM: &core::ffi::CStr = c"/bench/exit";

/// The mean of `rounds` after as many that aren't counted.
fn mean(
    meter: &Meter,
    name: &str,
    rounds: usize,
    round: impl Fn() -> Result<(), Errno>,
) -> Result<(), Errno> {
    let all = || (0..rounds).try_for_each(|_| round());
    all()?;
    let (result, took) = meter.count(all);
    meter.print(name, took, rounds);
    result
}

/// fork, exit, wait with 16 MiB of dirty memory in the parent.
pub fn fork_exit_wait(meter: &Meter, name: &str, _: Args) -> Result<(), Errno> {
    let mut memory = Mapping::anonymous(DIRTY)?;
    memory.iter_mut().step_by(PAGE).for_each(|byte| *byte = 1);
    let result = mean(meter, name, 20, || process::wait_for(process::spawn(|| 0)?).map(drop));
    core::hint::black_box(&mut memory);
    result
}

/// fork, execve of a tiny program, its exit, wait.
pub fn fork_exec_wait(meter: &Meter, name: &str, args: Args) -> Result<(), Errno> {
    let run = || process::execve(PROGRAM, &[Arg::new(PROGRAM), Arg::END], args.envp()).raw().into();
    mean(meter, name, 50, || match process::wait_for(process::spawn(run)?)?.status() {
        0 => Ok(()),
        errno => Err(Errno::from_raw(errno as u16)),
    })
}
