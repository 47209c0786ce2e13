//! `mkimage ELF OUT`: turns the kernel's ELF file into the raw arm64 Image that QEMU loads, with the symbols behind
//! it for backtraces. See [`image`] for the flattening and [`symbols`] for the table.

mod image;
mod symbols;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [elf, out] = args.as_slice() else {
        eprintln!("usage: mkimage ELF OUT");
        return ExitCode::from(2);
    };
    match run(elf, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mkimage: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(elf: &str, out: &str) -> Result<(), String> {
    let file = std::fs::read(elf).map_err(|e| format!("{elf}: {e}"))?;
    let image = image::build(&file).map_err(|e| format!("{elf}: {e}"))?;
    std::fs::write(out, image).map_err(|e| format!("{out}: {e}"))
}
