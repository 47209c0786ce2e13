//! Many processes read one file at the same time, by read and by mapping, in different orders: all of
//! them see what is in it, whoever waits for the disk.
#![no_std]
#![no_main]

use rt::process::{self, Ended};
use rt::sys::raw::O_RDONLY;
use tests::{Outcome, PRIVATE, READ, READ_WRITE, equal, good, mmap, open, pattern, pread, raw};

tests::program!(run);

const READERS: usize = 8;
const CHUNK: usize = 4096;

fn run(_: rt::Args) -> Outcome {
    let mut readers = [0; READERS];
    for (number, reader) in readers.iter_mut().enumerate() {
        *reader = good!(process::spawn(|| tests::child::outcome(read_all(number))));
    }
    for reader in readers {
        equal!(process::wait_for(reader), Ok(Ended::Exited(0)));
    }
    Ok(())
}

fn read_all(number: usize) -> Outcome {
    let fd = good!(open(pattern::PATH, O_RDONLY));
    let chunks = pattern::LEN.div_ceil(CHUNK);
    let prot = if number & 2 == 0 { READ } else { READ_WRITE };
    let map = good!(mmap(0, pattern::LEN, prot, PRIVATE, fd, 0));
    // A stride that meets every chunk once: any odd number that shares no factor with their count.
    let stride = [1, chunks - 1, 7, 11, 13, 101, 211, 307][number];
    for step in 0..chunks {
        let offset = step * stride % chunks * CHUNK;
        let len = CHUNK.min(pattern::LEN - offset);
        if number & 1 == 0 {
            equal!(pattern::difference(raw::bytes(map + offset, len), offset), None);
        } else {
            let mut buffer = [0; CHUNK];
            equal!(pread(fd, &mut buffer, offset), Ok(len));
            equal!(pattern::difference(&buffer[..len], offset), None);
        }
        if prot == READ_WRITE {
            raw::poke(map + offset, number as u8);
        }
    }
    Ok(())
}
