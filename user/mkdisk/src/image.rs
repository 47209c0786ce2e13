//! From tree to image: `mkfs.erofs`, only when something has changed.

use crate::Error;
use crate::tree::Tree;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Time stamps, owners and the file system's name are fixed, so the same tree gives the same image.
/// No inline data: a file's last bytes then lie in a page of their own, which can be mapped.
const MKFS_OPTIONS: [&str; 6] =
    ["--quiet", "-T0", "--all-root", "-Enoinline_data", "-U", "6772616e-756c-4572-8f73-726f6f746673"];

/// What [`make`] did.
#[derive(Debug, PartialEq, Eq)]
pub enum Made {
    /// The image was written.
    New {
        /// Its size.
        bytes: u64,
    },
    /// It was there already.
    UpToDate,
}

/// Makes `output` from `tree`. The old image stays whole until the new one is.
pub fn make(tree: &Tree, output: &Path) -> Result<Made, Error> {
    let stamp_file = beside(output, ".stamp");
    let stamp = format!("{:016x} {}\n", tree.fingerprint()?, MKFS_OPTIONS.join(" "));
    if output.is_file() && fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        return Ok(Made::UpToDate);
    }

    let staging = beside(output, ".tree");
    let fresh = beside(output, ".new");
    remove_tree(&staging)?;
    let context = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    fs::create_dir_all(&staging).map_err(|e| context(&staging, e))?;
    tree.write_to(&staging)?;
    mkfs(&staging, &fresh)?;
    remove_tree(&staging)?;
    let bytes = fs::metadata(&fresh).map_err(|e| context(&fresh, e))?.len();
    fs::rename(&fresh, output).map_err(|e| context(output, e))?;
    fs::write(&stamp_file, stamp).map_err(|e| context(&stamp_file, e))?;
    Ok(Made::New { bytes })
}

fn mkfs(staging: &Path, image: &Path) -> Result<(), Error> {
    let result = Command::new("mkfs.erofs").args(MKFS_OPTIONS).arg(image).arg(staging).output();
    let output = result.map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => "mkfs.erofs not found: install the package erofs-utils".to_owned(),
        _ => format!("mkfs.erofs: {e}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no message");
    Err(format!("mkfs.erofs failed ({}): {last}", output.status))
}

/// A path beside the image, with `suffix` after its whole name.
fn beside(output: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(output);
    name.push(suffix);
    name.into()
}

/// Removes what an interrupted run may have left.
fn remove_tree(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {e}", folder.display())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test's own; `None`, with a word, on a machine without mkfs.erofs.
    fn scratch(name: &str) -> Option<PathBuf> {
        if Command::new("mkfs.erofs").arg("--help").output().is_err() {
            println!("no mkfs.erofs: not tested");
            return None;
        }
        let folder = std::env::temp_dir().join(format!("mkdisk-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a scratch folder");
        Some(folder)
    }

    fn tree(text: &str) -> Tree {
        let mut tree = Tree::new();
        // More than a directory block, so that an order of the host's folder would show.
        for number in 0..300 {
            tree.file(format!("folder/{}", number * 7919 % 300), text).expect("added");
        }
        tree.symlink("link", "folder/1").expect("added");
        tree
    }

    #[test]
    fn the_same_tree_gives_the_same_image() {
        let Some(folder) = scratch("same") else { return };
        let images = ["one", "two"].map(|name| {
            let image = folder.join(name);
            assert!(matches!(make(&tree("text"), &image), Ok(Made::New { .. })));
            fs::read(image).expect("readable")
        });
        assert!(images[0] == images[1]);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn an_image_is_made_again_only_when_its_tree_changes() {
        let Some(folder) = scratch("again") else { return };
        let image = folder.join("image");
        for (text, made) in [("a", true), ("a", false), ("b", true), ("a", true), ("a", false)] {
            assert_eq!(make(&tree(text), &image).map(|made| made != Made::UpToDate), Ok(made));
        }
        fs::remove_file(&image).expect("removed");
        assert!(matches!(make(&tree("a"), &image), Ok(Made::New { .. })));
        assert!(!folder.join("image.tree").exists() && !folder.join("image.new").exists());
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_failure_keeps_the_old_image() {
        let Some(folder) = scratch("failure") else { return };
        let image = folder.join("image");
        make(&tree("a"), &image).expect("made");
        let old = fs::read(&image).expect("readable");
        fs::create_dir(folder.join("image.new")).expect("in the way of the new one");
        let message = make(&tree("b"), &image).expect_err("nowhere to write");
        assert!(!message.contains('\n'), "{message}");
        assert!(fs::read(&image).expect("readable") == old);
        fs::remove_dir_all(folder).expect("removed");
    }
}
