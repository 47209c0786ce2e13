//! `mkdisk`: makes the root disk image, an EROFS file system, from the built programs of `user/`.
//!
//! ```text
//! mkdisk PROGRAMS IMAGE [EXTRA]
//! ```
//!
//! PROGRAMS holds the built files; the source folders of `user/` say which of them are programs and
//! where each goes. EXTRA is a tree that is laid over everything else: how people bring their own
//! programs. The image is made anew only when something in it has changed, and the same input gives the
//! same bytes. Needs `mkfs.erofs` and no root rights.
#![forbid(unsafe_code)]

mod content;
mod elf;
mod image;
mod programs;
mod sizes;
mod testdata;
mod tree;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What went wrong, as the one line that the user sees.
type Error = String;

/// The folder `user/` of the repository that this tool was built in.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// How a wrong call and a wrong input end, and how everything else does.
const BAD_INPUT: u8 = 2;
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) => options,
        Err(message) => return fail(&message, BAD_INPUT),
    };
    let tree = match fill(&options) {
        Ok(tree) => tree,
        Err(message) => return fail(&message, BAD_INPUT),
    };
    match image::make(&tree, &options.output) {
        Ok(image::Made::New { bytes }) => {
            println!("mkdisk: {} files, {} KiB in {}", tree.len(), bytes / 1024, options.output.display());
            ExitCode::SUCCESS
        }
        Ok(image::Made::UpToDate) => ExitCode::SUCCESS,
        Err(message) => fail(&message, FAILED),
    }
}

fn fail(message: &str, status: u8) -> ExitCode {
    eprintln!("mkdisk: {message}");
    ExitCode::from(status)
}

/// Everything that will be on the disk.
fn fill(options: &Options) -> Result<tree::Tree, Error> {
    let mut tree = tree::Tree::new();
    content::add(&mut tree)?;
    programs::add(&mut tree, Path::new(SOURCES), &options.programs)?;
    testdata::add(&mut tree)?;
    if let Some(extra) = &options.extra {
        tree.overlay(extra)?;
    }
    Ok(tree)
}

/// The command line.
#[derive(Debug)]
struct Options {
    programs: PathBuf,
    output: PathBuf,
    extra: Option<PathBuf>,
}

impl Options {
    fn parse(args: impl Iterator<Item = OsString>) -> Result<Options, Error> {
        const USAGE: &str = "usage: mkdisk PROGRAMS IMAGE [EXTRA]";
        let paths: Vec<PathBuf> = args.map(PathBuf::from).collect();
        if paths.iter().any(|path| path.as_os_str().is_empty()) {
            return Err(format!("an empty name; {USAGE}"));
        }
        match &paths[..] {
            [programs, output, extra @ ..] if extra.len() <= 1 => Ok(Options {
                programs: programs.clone(),
                output: output.clone(),
                extra: extra.first().cloned(),
            }),
            _ => Err(USAGE.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Options;
    use std::path::Path;

    fn parse(args: &[&str]) -> Result<Options, String> {
        Options::parse(args.iter().map(Into::into))
    }

    #[test]
    fn the_extra_tree_may_be_missing() {
        let options = parse(&["built", "image"]).expect("valid");
        assert_eq!((options.output.as_path(), options.extra), (Path::new("image"), None));
        let options = parse(&["built", "image", "mine"]).expect("valid");
        assert_eq!(options.extra.as_deref(), Some(Path::new("mine")));
    }

    #[test]
    fn refuses_a_wrong_command_line_in_one_line() {
        for args in [&[][..], &["built"], &["built", ""], &["built", "image", "mine", "yours"]] {
            let message = parse(args).err().unwrap_or_else(|| panic!("{args:?} was taken"));
            assert!(!message.contains('\n'), "{message}");
        }
    }
}
