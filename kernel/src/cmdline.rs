//! The kernel's command line: words separated by spaces, `name` or `name=value`; what follows ` -- ` belongs to
//! init. A later word wins over an earlier one, as in Linux.

use crate::platform;

/// The words for the kernel.
fn words(cmdline: &'static str) -> impl Iterator<Item = &'static str> {
    cmdline.split_ascii_whitespace().take_while(|&word| word != "--")
}

/// The value of `name=value`, or an empty one for a bare `name`.
pub fn get(name: &str) -> Option<&'static str> {
    let value_of = |word: &'static str| {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        (key == name).then_some(value)
    };
    words(platform::get().cmdline).filter_map(value_of).last()
}

/// Names and values of the words `PREFIXname=value`, in their order.
pub fn with_prefix(prefix: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    words(platform::get().cmdline).filter_map(move |word| word.strip_prefix(prefix)?.split_once('='))
}

/// Whether `name` is given, and not as `name=0`.
pub fn flag(name: &str) -> bool {
    get(name).is_some_and(|value| value != "0")
}

/// The words after ` -- `: init's arguments.
pub fn init_args() -> impl Iterator<Item = &'static str> {
    platform::get().cmdline.split_ascii_whitespace().skip_while(|&word| word != "--").skip(1)
}
