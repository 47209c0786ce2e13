//! The initial stack, from SP to the top: what Linux's `create_elf_tables` and `copy_strings` leave.
//!
//! ```text
//! stack_top   8 zero bytes
//!             path given to execve
//!             strings of envp, then (below) strings of argv
//!             random distance within a page
//!             "aarch64", 16 random bytes
//!             auxiliary vector
//!             pointers to envp, NULL; pointers to argv, NULL
//! sp          argc                                             16-byte aligned
//! ```

use crate::args::{Arguments, Strings};
use crate::auxv::{self, ProcessInfo, StackAddresses};
use crate::layout::ExecPlan;
use crate::mmap_layout::{Aslr, MmapLayout};
use crate::pages::align_down;
use abi::Errno;
use alloc::vec::Vec;
use core::ops::Range;

const PLATFORM: &[u8] = b"aarch64\0";
const WORD: u64 = 8;

/// The bytes of a new stack and where things are in it.
#[derive(Clone, Debug)]
pub struct StackImage {
    /// Initial stack pointer; the address of `bytes[0]`. The last byte is just below `stack_top`.
    pub sp: u64,
    /// What to copy to `sp`. At most a little over 6 MiB.
    pub bytes: Vec<u8>,
    /// Strings of argv: `mm->arg_start` to `mm->arg_end`, for `/proc/PID/cmdline`.
    pub args: Range<u64>,
    /// Strings of envp: `mm->env_start` to `mm->env_end`.
    pub env: Range<u64>,
    auxv: Range<usize>,
}

impl StackImage {
    /// The auxiliary vector, for `/proc/PID/auxv`.
    pub fn auxv(&self) -> &[u8] {
        &self.bytes[self.auxv.clone()]
    }

    fn offset(&self, address: u64) -> usize {
        (address - self.sp) as usize
    }

    fn write(&mut self, address: u64, bytes: &[u8]) {
        let offset = self.offset(address);
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}

/// Builds the stack that ends at `layout.stack_top`.
///
/// E2BIG was said when the arguments were collected; ENOMEM is all that can happen here.
pub fn build(
    args: &Arguments,
    process: &ProcessInfo,
    plan: &ExecPlan,
    layout: &MmapLayout,
) -> Result<StackImage, Errno> {
    let argv = List::argv(args);
    let envp = List::of(&args.envp);

    // Downwards from the top. The sizes are bounded by the arguments' limit, 6 MiB, and the top is many
    // times that: nothing underflows.
    let execfn = layout.stack_top - WORD - args.execfn.len() as u64;
    let env_start = execfn - envp.bytes.len() as u64;
    let arg_start = env_start - argv.bytes.len() as u64;
    let platform = align_stack(arg_start, layout) - PLATFORM.len() as u64;
    let random = platform - process.random.len() as u64;
    let entries = auxv::entries(process, plan, layout, &StackAddresses { random, execfn, platform });
    let nr_aux_words = entries.iter().flatten().count() as u64 * 2;
    let nr_words = 1 + (argv.count + 1 + envp.count + 1) as u64;
    let sp = align_down(random - (nr_aux_words + nr_words) * WORD, 16);

    let size = (layout.stack_top - sp) as usize;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(|_| Errno::ENOMEM)?;
    bytes.resize(size, 0);
    let aux_start = (nr_words * WORD) as usize;
    let mut image = StackImage {
        sp,
        bytes,
        args: arg_start..env_start,
        env: env_start..execfn,
        auxv: aux_start..aux_start + (nr_aux_words * WORD) as usize,
    };

    image.write(execfn, &args.execfn);
    image.write(env_start, envp.bytes);
    image.write(arg_start, argv.bytes);
    image.write(platform, PLATFORM);
    image.write(random, &process.random);
    let (places, _) = image.bytes.as_chunks_mut::<{ WORD as usize }>();
    let mut words = Words { places };
    words.put(argv.count as u64);
    argv.put_pointers(arg_start, &mut words);
    envp.put_pointers(env_start, &mut words);
    for &(key, value) in entries.iter().flatten() {
        words.put(key.into());
        words.put(value);
    }
    Ok(image)
}

/// Linux's `arch_align_stack`: programs that share a cache should not all have their hot stack lines at
/// the same offset in a page.
fn align_stack(address: u64, layout: &MmapLayout) -> u64 {
    let distance = match layout.aslr {
        Aslr::Off => 0,
        Aslr::On(entropy) => entropy.stack_offset % layout.page_size,
    };
    align_down(address - distance, 16)
}

/// The words from SP on that are still to be written.
struct Words<'a> {
    places: &'a mut [[u8; WORD as usize]],
}

impl Words<'_> {
    fn put(&mut self, word: u64) {
        if let Some(place) = self.places.split_off_first_mut() {
            *place = word.to_le_bytes();
        }
    }
}

/// Strings, one after the other.
struct List<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> List<'a> {
    fn of(strings: &'a Strings) -> List<'a> {
        List { bytes: &strings.bytes, count: strings.count }
    }

    /// argv, never without an argv[0].
    fn argv(args: &'a Arguments) -> List<'a> {
        if args.argv.count == 0 { List { bytes: &[0], count: 1 } } else { List::of(&args.argv) }
    }

    /// Writes the address of each string when the first one is at `start`, then NULL.
    fn put_pointers(&self, start: u64, words: &mut Words<'_>) {
        let mut address = start;
        for (end, byte) in (start + 1..).zip(self.bytes) {
            if *byte == 0 {
                words.put(address);
                address = end;
            }
        }
        words.put(0);
    }
}
