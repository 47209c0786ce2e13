//! What a byte between two processes costs.

use crate::meter::Meter;
use rt::Args;
use rt::descriptor::{close, pipe};
use rt::io::fd;
use rt::process;
use rt::rustix::io::{read, write};
use rt::sys::{Errno, errno};

const ROUNDS: usize = 1000;

/// There and back: two pipes, one byte.
pub fn round_trip(meter: &Meter, name: &str, _: Args) -> Result<(), Errno> {
    let (here, out) = pipe()?;
    let (there, back) = pipe()?;
    let child = process::spawn(|| {
        close(back);
        let mut byte = [0];
        while let Ok(1) = read(fd(there), &mut byte) {
            if write(fd(out), &byte).is_err() {
                return 1;
            }
        }
        0
    })?;
    close(there);
    close(out);
    let round = |_| {
        let mut byte = [7];
        write(fd(back), &byte).map_err(errno)?;
        read(fd(here), &mut byte).map_err(errno).map(drop)
    };
    let all = || (0..ROUNDS).try_for_each(round);
    all()?;
    let (result, took) = meter.count(all);
    meter.print(name, took, ROUNDS);
    close(back);
    close(here);
    process::wait_for(child)?;
    result
}
