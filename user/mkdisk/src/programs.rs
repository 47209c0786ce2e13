//! The built programs, each to its place. Which there are, the source folders say, so a file that an
//! earlier build left behind never gets on the disk.

use crate::Error;
use crate::elf;
use crate::tree::Tree;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Source folders, and where their programs go.
const FOLDERS: [(&str, &str); 3] = [("programs", "bin"), ("tests", "tests"), ("bench", "bench")];

/// The program that the kernel starts.
const INIT: &str = "init";

/// Adds every program that has a source in `user`, from its built file in `built`.
pub fn add(tree: &mut Tree, user: &Path, built: &Path) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for (folder, place) in FOLDERS {
        let sources = user.join(folder).join("src/bin");
        for name in names(&sources)? {
            // All are built into one folder, where the later one would replace the other.
            if !seen.insert(name.clone()) {
                return Err(format!("{}: another program has this name", sources.join(name).display()));
            }
            let file = built.join(&name);
            let bytes = fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            let loaded = elf::loaded_part(&bytes).map_err(|why| format!("{}: {why}", file.display()))?;
            let place = if name == INIT { "sbin" } else { place };
            tree.program(Path::new(place).join(&name), loaded)?;
        }
    }
    Ok(())
}

/// The programs of one source folder: `NAME.rs`, or a folder `NAME`.
fn names(sources: &Path) -> Result<Vec<String>, Error> {
    let context = |e: std::io::Error| format!("{}: {e}", sources.display());
    let mut names = Vec::new();
    if !sources.exists() {
        return Ok(names);
    }
    for entry in fs::read_dir(sources).map_err(context)? {
        let entry = entry.map_err(context)?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| format!("{}: not UTF-8", entry.path().display()))?;
        match name.strip_suffix(".rs") {
            Some(stem) => names.push(stem.to_owned()),
            None if entry.path().is_dir() => names.push(name.to_owned()),
            None => {
                return Err(format!("{}: neither a program's file nor its folder", entry.path().display()));
            }
        }
    }
    names.sort();
    Ok(names)
}
