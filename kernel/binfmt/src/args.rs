//! Arguments and environment of a new program, copied out of the old one, with Linux's limits. Mirrors
//! `copy_strings`, `bprm_stack_limits` and `remove_arg_zero` of `fs/exec.c`.

use crate::script::Script;
use abi::Errno;
use alloc::vec::Vec;

/// Longest single string, its NUL included. Linux says 32 pages; here it is the same at every page size.
pub const MAX_ARG_STRLEN: usize = 131072;

/// Most strings in argv or in envp.
pub const MAX_ARG_STRINGS: usize = 0x7fff_ffff;

/// What is allowed in total even with a small stack limit.
const ARG_MAX: u64 = 131072;

/// Linux's default stack limit, of which at most three quarters are for strings.
const STK_LIM: u64 = 8 << 20;

/// Which list a string belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringKind {
    /// argv.
    Arg,
    /// envp.
    Env,
}

/// Strings with their NULs, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strings {
    pub(crate) bytes: Vec<u8>,
    pub(crate) count: usize,
    /// Bytes of the string that has no NUL yet.
    open: usize,
}

impl Strings {
    fn first(&self) -> &[u8] {
        self.bytes.split_inclusive(|&byte| byte == 0).next().unwrap_or(&[])
    }
}

/// What `execve` copies from the old program: file name, argv, envp.
///
/// A string comes in one piece ([`Arguments::push`]) or, when it is read page by page from user memory,
/// in several ([`Arguments::extend`], then [`Arguments::end`]). It must not contain a NUL. As soon as
/// the total is beyond the limit the answer is E2BIG, so that nobody copies more than that.
#[derive(Clone, Debug)]
pub struct Arguments {
    pub(crate) execfn: Vec<u8>,
    pub(crate) argv: Strings,
    pub(crate) envp: Strings,
    limit: u64,
}

impl Arguments {
    /// Begins with the path given to `execve` and the soft RLIMIT_STACK.
    pub fn new(execfn: &[u8], rlimit_stack: u64) -> Result<Arguments, Errno> {
        let mut args = Arguments {
            execfn: Vec::new(),
            argv: Strings::default(),
            envp: Strings::default(),
            limit: (rlimit_stack / 4).clamp(ARG_MAX, STK_LIM / 4 * 3),
        };
        check_len(execfn.len())?;
        args.execfn.try_reserve_exact(execfn.len() + 1).map_err(|_| Errno::ENOMEM)?;
        args.execfn.extend_from_slice(execfn);
        args.execfn.push(0);
        args.check_total()?;
        Ok(args)
    }

    /// Adds a whole string.
    pub fn push(&mut self, kind: StringKind, string: &[u8]) -> Result<(), Errno> {
        self.extend(kind, string)?;
        self.end(kind)
    }

    /// Adds a part of a string.
    pub fn extend(&mut self, kind: StringKind, part: &[u8]) -> Result<(), Errno> {
        debug_assert!(!part.contains(&0));
        let strings = self.strings(kind);
        check_len(strings.open.saturating_add(part.len()))?;
        strings.bytes.try_reserve(part.len() + 1).map_err(|_| Errno::ENOMEM)?;
        strings.bytes.extend_from_slice(part);
        strings.open += part.len();
        self.check_total()
    }

    /// Ends the string begun, or an empty one.
    pub fn end(&mut self, kind: StringKind) -> Result<(), Errno> {
        let strings = self.strings(kind);
        if strings.count == MAX_ARG_STRINGS {
            return Err(Errno::E2BIG);
        }
        strings.bytes.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        strings.bytes.push(0);
        strings.count += 1;
        strings.open = 0;
        self.check_total()
    }

    /// Starts a script's interpreter instead: `argv[0]` is replaced by the interpreter, its argument and
    /// the script's own path. AT_EXECFN stays what was given to `execve`, as on Linux.
    pub fn splice_script(&mut self, script: &Script<'_>, script_path: &[u8]) -> Result<(), Errno> {
        let head = [Some(script.interpreter), script.argument, Some(script_path)];
        let rest = &self.argv.bytes[self.argv.first().len()..];
        let mut spliced = Strings { count: self.argv.count.saturating_sub(1), ..Strings::default() };
        let head_len: usize = head.iter().flatten().map(|string| string.len() + 1).sum();
        spliced.bytes.try_reserve(head_len + rest.len()).map_err(|_| Errno::ENOMEM)?;
        for string in head.into_iter().flatten() {
            check_len(string.len())?;
            spliced.bytes.extend_from_slice(string);
            spliced.bytes.push(0);
            spliced.count += 1;
        }
        spliced.bytes.extend_from_slice(rest);
        self.argv = spliced;
        self.check_total()
    }

    /// How many strings argv has. The stack image has one, empty, when there is none: programs take
    /// `argv[0]` for granted.
    pub fn argc(&self) -> usize {
        self.argv.count
    }

    fn strings(&mut self, kind: StringKind) -> &mut Strings {
        match kind {
            StringKind::Arg => &mut self.argv,
            StringKind::Env => &mut self.envp,
        }
    }

    /// Strings and pointers to them share the limit.
    fn check_total(&self) -> Result<(), Errno> {
        let pointers = (self.argv.count.max(1) + self.envp.count) as u64 * 8;
        let bytes = (self.execfn.len() + self.argv.bytes.len() + self.envp.bytes.len()) as u64;
        if bytes.saturating_add(pointers) > self.limit { Err(Errno::E2BIG) } else { Ok(()) }
    }
}

fn check_len(len_without_nul: usize) -> Result<(), Errno> {
    if len_without_nul >= MAX_ARG_STRLEN { Err(Errno::E2BIG) } else { Ok(()) }
}
