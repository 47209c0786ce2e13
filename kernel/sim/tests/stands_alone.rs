//! The oracle shares nothing with what it judges.

use std::process::Command;

/// `cargo tree` of this crate, all kinds of dependencies, names no other crate at all.
#[test]
fn sim_depends_on_no_crate() {
    let out = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", "sim", "--edges", "all", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).expect("names are text");
    let crates: Vec<&str> = text.lines().filter(|l| !l.is_empty()).collect();
    assert_eq!(crates.len(), 1, "{text}");
    assert!(crates[0].starts_with("sim v"), "{text}");
}
