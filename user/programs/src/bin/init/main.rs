//! `init`: the first process.
//!
//! Its arguments are a command for the shell: it runs that as its child, prints how it ended as the last
//! line, and ends the machine with the same status. Without arguments it shows what there is to see, then
//! does the same with a shell that reads the console.
//!
//! As process 1 it also collects the orphans that other programs leave. Started as an ordinary
//! program it does all the same, but ends only itself.
#![no_std]
#![no_main]

mod demo;
mod power;
mod shell;
mod text;

use shell::Shell;
use text::Text;

rt::main!(main);

fn main(args: rt::Args) -> i32 {
    let status = match Shell::with_environment(args.envp()) {
        Some(shell) => run(args, &shell),
        None => {
            rt::eprintln!("init: the environment is too large");
            shell::NOT_EXECUTABLE
        }
    };
    rt::println!("exit status {status}");
    power::end(status)
}

fn run(args: rt::Args, shell: &Shell<'_>) -> i32 {
    if args.len() == 1 {
        demo::show(shell);
        rt::println!("\nNow a shell. Its input's end (Ctrl-D) or \"poweroff\" ends the machine.");
        return shell.run(None);
    }
    // The kernel's command line can't carry every byte, so what comes from there is encoded.
    let coding = if rt::process::getpid() == 1 { text::Coding::Percent } else { text::Coding::None };
    match Text::joined(args.from(1), coding) {
        Some(text) => shell.run(Some(text.get())),
        None => {
            rt::eprintln!("init: the command is too long");
            shell::NOT_EXECUTABLE
        }
    }
}
