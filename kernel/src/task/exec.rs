//! Becoming another program. The new address space is built beside the old one, so that everything that can fail
//! fails while the old program still can be told. Mirrors Linux's `fs/exec.c` and `fs/binfmt_elf.c`; what can be
//! decided without the machine is in the crate `binfmt`.

use super::cred::{self, ExecCred};
use super::current;
use super::page_size::{self, ProgramImage};
use super::remote::Program;
use super::rlimit::Rlimits;
use super::rseq;
use super::signal::AltStack;
use super::user_mm::{self, UserMm};
use crate::arch::machine::Machine;
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::{UserPtr, strncpy_from_user};
use crate::arch::{hwcap, switch};
use crate::file::{FsView, PageCache, vfs};
use crate::{cmdline, heap, memory, random};
use ::mm::Mm;
use ::mm::mm::{MMAP_MIN_ADDR, MmLayout, MmLimits};
use ::mm::mmap::MmapRequest;
use ::mm::page_abi::MmapArgs;
use ::mm::types::{PAGE_SHIFT, PageSize};
use abi::{Errno, MapFlags, Personality, Prot, raw};
use alloc::sync::Arc;
use alloc::vec::Vec;
use arrayvec::ArrayVec;
use binfmt::elf::{self, Headers, Role, StackFlags};
use binfmt::stack::{self, StackImage};
use binfmt::{
    Arguments, Aslr, Credentials, Entropy, ExecPlan, Image, LayoutRequest, MAX_ARG_STRLEN, MmapLayout,
    ProcessInfo, ReadAt, Rseq, Search, Source, StringKind, script,
};
use core::sync::atomic::{AtomicU8, Ordering};
use fs::vfs::{File, FileKind, MmapTarget, Sharing};
use spin::Once;

/// The stack area is made larger than what lies on it by this much, so that a new program does not begin with
/// faults that grow it (Linux: `stack_expand` in `setup_arg_pages`).
const STACK_EXPAND: u64 = 128 << 10;

/// `kernel.randomize_va_space`: 0 places nothing at random, 1 all but the heap, 2 that, too.
pub static RANDOMIZE: AtomicU8 = AtomicU8::new(2);

/// A program file as `binfmt` reads it.
struct ProgramFile(Arc<File>);

impl ReadAt for ProgramFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        match self.0.kind() {
            FileKind::PageCache(mapping) => PageCache::read_kernel(mapping, offset, buf),
            _ => Err(Errno::EACCES),
        }
    }
}

/// Copies the arguments of `execve(2)` out of the program.
pub fn user_arguments(path: &[u8], argv: u64, envp: u64) -> Result<Arguments, Errno> {
    let mut arguments = Arguments::new(path, stack_limit(&current().rlimits.lock()))?;
    for (list, kind) in [(argv, StringKind::Arg), (envp, StringKind::Env)] {
        let list = UserPtr::<u64>::new(list);
        if list.is_null() {
            continue;
        }
        for index in 0.. {
            match list.at(index)?.read()? {
                0 => break,
                string => arguments.push(kind, &strncpy_from_user(string, MAX_ARG_STRLEN, Errno::E2BIG)?)?,
            }
        }
    }
    Ok(arguments)
}

/// Makes the current task run the program at `path`; the frame with which it begins. On an error nothing has
/// changed.
pub fn execve(path: &[u8], mut arguments: Arguments) -> Result<TrapFrame, Errno> {
    heap::reserve()?;
    let task = current();
    let fs = task.fs()?;
    task.check_late_process_limit(fs.cred())?;
    let file = find_program(&fs, path, &mut arguments)?;
    let program = elf::parse(&file, Role::Program)?;
    let interpreter = match &program.interpreter {
        Some(path) => {
            let file = open(&fs, path)?;
            let headers = elf::parse(&file, Role::Interpreter)?;
            Some((file, headers))
        }
        None => None,
    };

    let identity = cred::at_exec(fs.cred(), &file.0.stat()?, file.0.path().mount.flags.nosuid);
    let personality = Personality::from_bits_retain(task.personality()) - identity.clear;
    let limits = *task.rlimits.lock();
    let page_size =
        choose_page_size(personality, path, &program, interpreter.as_ref().map(|(_, headers)| headers))?;
    let mut mm = Mm::new(memory::get().clone(), page_size)?;
    let layout = MmapLayout::pick(&LayoutRequest {
        page_size: page_size.bytes(),
        va_bits: mm.map_window().trailing_zeros(),
        rlimit_stack: stack_limit(&limits),
        mmap_min_addr: MMAP_MIN_ADDR,
        search: Search::TopDown,
        aslr: aslr(personality),
    });
    let plan = binfmt::plan(&program, interpreter.as_ref().map(|(_, headers)| headers), &layout)?;
    let image = stack::build(&arguments, &process_info(&identity), &plan, &layout)?;

    mm.limits = mm_limits(&limits);
    mm.layout = mm_layout(&layout, &plan, &image);
    map_image(&mut mm, &plan.program, &file)?;
    if let (Some(image), Some((file, _))) = (&plan.interpreter, &interpreter) {
        map_image(&mut mm, image, file)?;
    }
    map_stack(&mut mm, &layout, &image, program_stack_prot(&program, personality))?;
    let program_info = Arc::new(Program::new(file.0.path(), image.auxv(), &plan)?);
    let files = task.files()?;
    let files = if Arc::strong_count(&files) > 1 { Arc::new(files.fork()?) } else { files };

    let user_mm = UserMm::new(mm, program_info)?;

    // The point of no return.
    task.release_user_words();
    user_mm::install(user_mm);
    files.close_on_exec();
    *task.files.lock() = Some(files);
    task.set_comm(path.rsplit(|&byte| byte == b'/').next().unwrap_or(path));
    task.forget_rseq();
    task.set_personality(personality.bits());
    if !Arc::ptr_eq(&identity.cred, fs.cred()) {
        task.install_cred(identity.cred);
    }
    task.reset_attributes_at_exec(identity.secure);
    task.process.note_exec();
    *task.signals.altstack.lock() = AltStack::default();
    switch::flush_user_state();
    Ok(TrapFrame::user(plan.entry, image.sp))
}

fn choose_page_size(
    personality: Personality,
    path: &[u8],
    program: &Headers,
    interpreter: Option<&Headers>,
) -> Result<PageSize, Errno> {
    let asked = page_size::asked(personality);
    let mut images = ArrayVec::<ProgramImage<'_>, 2>::new();
    images.push(ProgramImage { path, headers: program });
    if let (Some(headers), Some(path)) = (interpreter, &program.interpreter) {
        images.push(ProgramImage { path, headers });
    }
    page_size::choose(asked, &images)
}

/// Opens the program, or the interpreter of the script that `path` names, and puts the script among the
/// arguments.
fn find_program(fs: &FsView, path: &[u8], arguments: &mut Arguments) -> Result<ProgramFile, Errno> {
    let mut path = Vec::from(path);
    for _ in 0..=script::MAX_DEPTH {
        let file = open(fs, &path)?;
        let prefix = binfmt::read_prefix(&file)?;
        let Some(script) = script::parse(&prefix)? else { return Ok(file) };
        arguments.splice_script(&script, &path)?;
        path = Vec::from(script.interpreter);
    }
    Err(Errno::ELOOP)
}

fn open(fs: &FsView, path: &[u8]) -> Result<ProgramFile, Errno> {
    vfs().open_exec(fs.context(), &fs.cwd(), path).map(ProgramFile)
}

/// Maps what the plan says of one file. The kernel's own writes here (the beginning of bss) copy file pages.
fn map_image(mm: &mut Mm<Machine>, image: &Image, file: &ProgramFile) -> Result<(), Errno> {
    for mapping in &image.mappings {
        let mut flags = MapFlags::PRIVATE | MapFlags::FIXED;
        let (offset, mapped) = match mapping.source {
            Source::File { offset, .. } => match file.0.mmap_target(mapping.prot, Sharing::Private)? {
                MmapTarget::File(mapped) => (offset, Some(mapped)),
                MmapTarget::Anonymous => return Err(Errno::ENOEXEC),
            },
            Source::Anonymous => {
                flags |= MapFlags::ANONYMOUS;
                (0, None)
            }
        };
        let args = MmapArgs { addr: mapping.start, len: mapping.len(), pgoff: offset >> PAGE_SHIFT };
        let may = Prot::READ | Prot::WRITE | Prot::EXEC;
        mm.mmap(MmapRequest { args, prot: mapping.prot, flags, file: mapped, may })?;
        if let Source::File { zero_from: Some(from), .. } = mapping.source {
            mm.clear_user(from, mapping.end - from)?;
        }
    }
    Ok(())
}

fn map_stack(mm: &mut Mm<Machine>, layout: &MmapLayout, image: &StackImage, prot: Prot) -> Result<(), Errno> {
    let low = image.sp.saturating_sub(STACK_EXPAND.min(mm.limits.stack / 2));
    mm.map_stack(mm.page_size().align_down(low), layout.stack_top, prot)?;
    mm.write_user(image.sp, &image.bytes)
}

fn program_stack_prot(program: &Headers, personality: Personality) -> Prot {
    let flags: StackFlags = program.stack;
    flags.prot(personality)
}

fn stack_limit(limits: &Rlimits) -> u64 {
    limits[raw::RLIMIT_STACK as usize].cur
}

/// What the limits of a task mean for its memory.
pub(super) fn mm_limits(limits: &Rlimits) -> MmLimits {
    MmLimits {
        stack: stack_limit(limits),
        data: limits[raw::RLIMIT_DATA as usize].cur,
        address_space: limits[raw::RLIMIT_AS as usize].cur,
        memlock: limits[raw::RLIMIT_MEMLOCK as usize].cur,
    }
}

fn mm_layout(layout: &MmapLayout, plan: &ExecPlan, image: &StackImage) -> MmLayout {
    MmLayout {
        mmap_base: layout.mmap_base,
        start_brk: plan.start_brk,
        brk: plan.start_brk,
        start_stack: image.sp,
        arg_start: image.args.start,
        arg_end: image.args.end,
        env_start: image.env.start,
        env_end: image.env.end,
        sigtramp: 0,
    }
}

fn aslr(personality: Personality) -> Aslr {
    /// Whether the command line forbids it: looked for once.
    static NO_RANDOM_MAPS: Once<bool> = Once::new();
    let forbidden = *NO_RANDOM_MAPS.call_once(|| cmdline::flag("norandmaps"));
    let mode = RANDOMIZE.load(Ordering::Relaxed);
    if mode == 0 || forbidden || personality.contains(Personality::ADDR_NO_RANDOMIZE) {
        return Aslr::Off;
    }
    let [stack, stack_offset, mmap, image, brk] = core::array::from_fn(|_| random::next_u64());
    let brk = if mode == 1 { 0 } else { brk };
    Aslr::On(Entropy { stack, stack_offset, mmap, image, brk })
}

fn process_info(identity: &ExecCred) -> ProcessInfo {
    let mut bytes = [0; 16];
    random::fill(&mut bytes);
    let (hwcap, hwcap2) = hwcap::hwcaps();
    let cred = &identity.cred;
    ProcessInfo {
        hwcap,
        hwcap2,
        credentials: Credentials {
            uid: cred.uid,
            euid: cred.euid,
            gid: cred.gid,
            egid: cred.egid,
            secure: identity.secure,
        },
        random: bytes,
        rseq: Some(Rseq { feature_size: rseq::FEATURE_SIZE, align: rseq::ALIGN }),
        minsigstksz: abi::signal::MIN_STACK as u64,
        ..ProcessInfo::default()
    }
}
