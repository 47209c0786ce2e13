//! Three processes of three page sizes pass data round by pipes and by shared memory, while the timer takes the CPU away
//! from each. What comes out is what went in. `three_sizes ROUNDS` does it longer.
#![no_std]
#![no_main]

use core::ffi::CStr;
use rt::process::{self, Ended, personality};
use rt::sys::raw::{__NR_dup3, __NR_memfd_create, MAP_SHARED};
use rt::{Arg, Args};
use tests::{Errno, Outcome, READ_WRITE, call, check, close, equal, files, good, mmap, raw, read};

tests::program!(run);

const SELF: &CStr = c"/tests/three_sizes";
const SIZES: [u32; 3] = [0, 0x1000_0000, 0x2000_0000];
/// Where a process finds the pipe that it reads, the one that it writes, and the memory.
const INPUT: usize = 20;
const OUTPUT: usize = 21;
const MEMORY: usize = 22;
/// Times that the token goes round, each of which is three switches.
const ROUNDS: u64 = 1000;
/// Bytes of the memory, in words that all three write and check.
const SHARED: usize = 1 << 20;
const WORDS: usize = SHARED / 8;
/// Words that one turn changes, far apart.
const STEP: usize = 4099;
const PER_TURN: usize = 16;

fn run(args: Args) -> Outcome {
    if args.get(1) == Some(c"member") {
        let outcome = member(args.get(2).map_or(0, number));
        process::exit(tests::child::outcome(outcome));
    }
    let rounds = args.get(1).map_or(ROUNDS, number);
    let memory = good!(call(__NR_memfd_create, [c"shared".as_ptr() as usize, 0]));
    equal!(files::ftruncate(memory, SHARED), Ok(0));
    let first = good!(files::pipe(0));
    let second = good!(files::pipe(0));
    let third = good!(files::pipe(0));
    let pipes = [first, second, third];
    let mut digits = [0; 24];
    let rounds_text = write_number(&mut digits, rounds);
    let mut children = [0; 3];
    for (index, child) in children.iter_mut().enumerate() {
        let (input, output) = (pipes[index].0, pipes[(index + 1) % 3].1);
        *child = good!(process::spawn(|| {
            let _ = personality(SIZES[index]);
            for (from, to) in [(input, INPUT), (output, OUTPUT), (memory, MEMORY)] {
                let _ = call(__NR_dup3, [from, to, 0]);
            }
            // The ends of a pipe must not outlive the one who is meant to have them.
            pipes.iter().for_each(|(reader, writer)| {
                let _ = (close(*reader), close(*writer));
            });
            let argv = [Arg::new(SELF), Arg::new(c"member"), Arg::new(rounds_text), Arg::END];
            process::execve(SELF, &argv, args.envp()).raw().into()
        }));
    }
    // The token is the number of the turn.
    equal!(files::write(pipes[0].1, &0u64.to_le_bytes()), Ok(8));
    for (reader, writer) in pipes {
        good!(close(reader));
        good!(close(writer));
    }
    for child in children {
        equal!(process::wait_for(child), Ok(Ended::Exited(0)));
    }
    Ok(())
}

/// One of the three: waits for its turn, checks what the one before wrote, writes its own.
fn member(rounds: u64) -> Outcome {
    let memory = good!(mmap(0, SHARED, READ_WRITE, MAP_SHARED as usize, MEMORY, 0));
    loop {
        let mut token = [0; 8];
        match read(INPUT, &mut token) {
            Ok(8) => {}
            // The others are through.
            Ok(0) => return Ok(()),
            other => return Err(tests::Failure::new(line!(), format_args!("the token: {other:?}"))),
        }
        let turn = u64::from_le_bytes(token);
        for place in places(turn.wrapping_sub(1)) {
            let expected = if turn == 0 { 0 } else { checksum(turn - 1, place) };
            let found = raw::peek64(memory + place * 8);
            check!(found == expected, "turn {turn}, word {place}: {found:#x}, not {expected:#x}");
        }
        for place in places(turn) {
            raw::poke64(memory + place * 8, checksum(turn, place));
        }
        // Private memory of this process, which nobody else may have changed.
        let own = good!(tests::anonymous(rt::page_size()));
        raw::poke64(own, turn);
        if turn == 3 * rounds {
            return Ok(());
        }
        match files::write(OUTPUT, &(turn + 1).to_le_bytes()) {
            Ok(8) | Err(Errno::EPIPE) => {}
            other => return Err(tests::Failure::new(line!(), format_args!("the token: {other:?}"))),
        }
        equal!(raw::peek64(own), turn);
        equal!(tests::munmap(own, rt::page_size()), Ok(0));
    }
}

/// The words that a turn writes.
fn places(turn: u64) -> impl Iterator<Item = usize> {
    let first = (turn as usize).wrapping_mul(PER_TURN * STEP) % WORDS;
    (0..PER_TURN).map(move |i| (first + i * STEP) % WORDS)
}

fn checksum(turn: u64, place: usize) -> u64 {
    (turn << 20 | place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn number(text: &CStr) -> u64 {
    text.to_bytes().iter().fold(0, |value, digit| value * 10 + u64::from(digit.wrapping_sub(b'0')))
}

fn write_number(digits: &mut [u8; 24], mut value: u64) -> &CStr {
    let mut at = digits.len() - 1;
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 || at == 0 {
            break;
        }
    }
    CStr::from_bytes_until_nul(&digits[at..]).unwrap_or_default()
}
