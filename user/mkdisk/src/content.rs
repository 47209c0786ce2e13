//! What every disk has besides programs: a few files of `/etc`, and the places where file systems are
//! mounted.

use crate::Error;
use crate::tree::{Node, Tree};

const MOTD: &str = "\
Every file here lies on an EROFS image behind a virtio disk. Programs are not loaded:
they are mapped, and each page is read when it is first touched.
";

/// Adds the files that don't depend on what was built.
pub fn add(tree: &mut Tree) -> Result<(), Error> {
    for mount_point in ["dev", "proc", "run", "sys"] {
        tree.add(mount_point, Node::Directory, 0o755)?;
    }
    tree.add("root", Node::Directory, 0o700)?;
    tree.add("tmp", Node::Directory, 0o1777)?;
    tree.file("etc/group", "root:x:0:\nnogroup:x:65534:\n")?;
    tree.file("etc/hostname", "granule\n")?;
    tree.file("etc/motd", MOTD)?;
    tree.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
}
