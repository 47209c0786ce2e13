//! Patterns in the names of files.

use crate::expand::Environment;
use crate::pattern::{Unit, is_pattern, matches, text};
use alloc::vec::Vec;

/// The names that the pattern matches, in order.
pub(crate) fn expand(environment: &mut dyn Environment, pattern: &[Unit]) -> Vec<Vec<u8>> {
    let mut found = Vec::from([Vec::new()]);
    let mut checked = true;
    for (index, component) in pattern.split(|unit| unit.byte == b'/').enumerate() {
        if index > 0 {
            found.iter_mut().for_each(|path| path.push(b'/'));
        }
        if component.is_empty() {
            // `name/` is a name of directories only.
            checked = false;
            continue;
        }
        checked = is_pattern(component);
        if checked {
            found = found.into_iter().flat_map(|path| below(environment, &path, component)).collect();
        } else {
            found.iter_mut().for_each(|path| path.extend(text(component)));
        }
    }
    if !checked {
        found.retain(|path| environment.exists(path));
    }
    found.sort();
    found
}

/// The entries of directory `path` that match.
fn below(environment: &mut dyn Environment, path: &[u8], component: &[Unit]) -> Vec<Vec<u8>> {
    let directory = if path.is_empty() { b"." } else { path };
    // A leading dot is matched by a dot only.
    let hidden = component[0].byte == b'.';
    let wanted = |name: &Vec<u8>| name.starts_with(b".") == hidden && matches(component, name);
    let names = environment.entries(directory).into_iter().filter(wanted);
    names.map(|name| [path, &name].concat()).collect()
}
