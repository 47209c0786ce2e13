//! `init`: the first process.
//!
//! Its arguments are a command: it runs that as its child, prints how it ended as the last line, and
//! ends the machine with the same status. Without arguments it shows what there is to see, then runs
//! what is typed, a program and its words a line, until the input ends.
//!
//! As process 1 it also collects the orphans that other programs leave. Started as an ordinary
//! program it does all the same, but ends only itself.
#![no_std]
#![no_main]

mod command;
mod demo;
mod power;
mod prompt;
mod words;

use rt::Arg;
use words::{WORDS_MAX, Words};

rt::main!(main);

fn main(args: rt::Args) -> i32 {
    let status = if args.len() > 1 {
        run_words(args)
    } else {
        demo::show(args.envp());
        prompt::serve(args.envp());
        0
    };
    rt::println!("exit status {status}");
    power::end(status)
}

/// Runs the arguments as a command. Those of process 1 come from the kernel's command line.
fn run_words(args: rt::Args) -> i32 {
    if rt::process::getpid() != 1 {
        return command::run(args.tail(1), args.envp());
    }
    let Some(words) = Words::decode(args.from(1)) else {
        rt::eprintln!("init: the command is too long");
        return command::NOT_EXECUTABLE;
    };
    let mut argv = [Arg::END; WORDS_MAX + 1];
    words.list(&mut argv);
    command::run(&argv, args.envp())
}
