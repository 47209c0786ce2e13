//! What a program is given at its start: arguments, environment, auxiliary vector.

use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// The auxiliary vector of this program, for code that has no [`Args`] at hand.
static AUXV: AtomicPtr<[usize; 2]> = AtomicPtr::new(ptr::null_mut());

/// A string in a list of strings as execve(2) wants it, or the end of the list.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Arg<'a>(*const c_char, PhantomData<&'a CStr>);

impl<'a> Arg<'a> {
    /// The null pointer that ends a list.
    pub const END: Arg<'static> = Arg(ptr::null(), PhantomData);

    /// A string of the list.
    pub const fn new(text: &'a CStr) -> Arg<'a> {
        Arg(text.as_ptr(), PhantomData)
    }

    /// The string, unless this is the end.
    pub fn text(self) -> Option<&'a CStr> {
        // SAFETY: the pointer came from a string that lives for 'a.
        (!self.0.is_null()).then(|| unsafe { CStr::from_ptr(self.0) })
    }
}

/// The arguments and the environment of this program. They live as long as it does.
#[derive(Clone, Copy)]
pub struct Args {
    argc: usize,
    argv: *const *const c_char,
    envp: *const *const c_char,
}

impl Args {
    /// # Safety
    /// `stack` is the stack pointer with which the kernel started this program.
    pub(crate) unsafe fn from_stack(stack: *const usize) -> Args {
        // SAFETY: the caller's; argc words of argv and a null, then envp and a null, then auxv.
        unsafe {
            let argc = *stack;
            let argv = stack.add(1).cast::<*const c_char>();
            let envp = argv.add(argc + 1);
            let mut auxv = envp;
            while !(*auxv).is_null() {
                auxv = auxv.add(1);
            }
            AUXV.store(auxv.add(1).cast::<[usize; 2]>().cast_mut(), Ordering::Relaxed);
            Args { argc, argv, envp }
        }
    }

    /// The number of arguments, the program's name included.
    pub fn len(&self) -> usize {
        self.argc
    }

    /// Whether there is not even a name.
    pub fn is_empty(&self) -> bool {
        self.argc == 0
    }

    /// Argument `index`, 0 being the name the program was called by.
    pub fn get(&self, index: usize) -> Option<&'static CStr> {
        // SAFETY: the kernel put that many strings there, for the life of the program.
        (index < self.argc).then(|| unsafe { CStr::from_ptr(*self.argv.add(index)) })
    }

    /// The arguments from `first` on.
    pub fn from(&self, first: usize) -> impl Iterator<Item = &'static CStr> + use<> {
        let args = *self;
        (first..args.argc).map_while(move |i| args.get(i))
    }

    /// The arguments from `first` on as execve(2) wants them.
    pub fn tail(&self, first: usize) -> &'static [Arg<'static>] {
        let first = first.min(self.argc);
        // SAFETY: argc pointers and a null lie there for the life of the program, and `Arg` is a pointer.
        unsafe { core::slice::from_raw_parts(self.argv.add(first).cast(), self.argc - first + 1) }
    }

    /// The strings of the environment.
    pub fn environment(&self) -> impl Iterator<Item = &'static CStr> + use<> {
        let envp = self.envp;
        // SAFETY: the kernel ends the list with a null pointer.
        (0..).map_while(move |i| unsafe {
            let entry = *envp.add(i);
            (!entry.is_null()).then(|| CStr::from_ptr(entry))
        })
    }

    /// The environment as execve(2) wants it.
    pub fn envp(&self) -> &'static [Arg<'static>] {
        // SAFETY: as `tail`.
        unsafe { core::slice::from_raw_parts(self.envp.cast(), self.environment().count() + 1) }
    }
}

/// The entries of the auxiliary vector, key and value, without the closing `AT_NULL`.
#[derive(Clone)]
pub struct Auxv(*const [usize; 2]);

impl Iterator for Auxv {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        // SAFETY: the vector ends with AT_NULL, beyond which this never goes.
        let [key, value] = unsafe { *self.0 };
        if key == 0 {
            return None;
        }
        self.0 = self.0.wrapping_add(1);
        Some((key, value))
    }
}

impl Auxv {
    /// The value of `key` (`AT_*`).
    pub fn value(&self, key: u32) -> Option<usize> {
        self.clone().find(|&(k, _)| k == key as usize).map(|(_, value)| value)
    }
}

/// This program's auxiliary vector.
pub fn auxv() -> Auxv {
    Auxv(AUXV.load(Ordering::Relaxed))
}

/// The page size of this process, as its kernel says.
pub fn page_size() -> usize {
    const AT_PAGESZ: u32 = 6;
    auxv().value(AT_PAGESZ).unwrap_or(4096)
}
