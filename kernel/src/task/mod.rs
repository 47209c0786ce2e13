//! Tasks: what the scheduler runs. A task is a program's only thread, or a thread of the kernel.
//!
//! What other tasks may look at is atomic or behind a lock; what belongs to the architecture is in
//! [`ThreadState`]. Mirrors Linux's `struct task_struct`.

pub mod attributes;
pub mod clock;
pub mod cred;
pub mod exec;
pub mod exit;
pub mod fork;
pub mod futex;
pub mod init;
mod inspect;
pub mod jobs;
pub mod kthread;
pub mod load;
pub mod oom;
pub mod page_size;
mod populate;
pub mod process;
pub mod remote;
pub mod rlimit;
pub mod robust;
pub mod rseq;
pub mod sched;
pub mod signal;
pub mod table;
pub mod timers;
pub mod user;
pub mod user_mm;
pub mod wait;

use abi::Errno;
use abi::signal::Signal;
use alloc::sync::Arc;
use core::marker::PhantomData;
use core::ops::Deref;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use crate::arch::percpu;
use crate::arch::switch::ThreadState;
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::drivers::timer;
use crate::file::{Files, FsInfo, FsView};
use crate::kstack::KernelStack;
use crate::sync::{Completion, IrqMutex, WaitQueue};

use attributes::Attributes;
use cred::Cred;
use exit::Usage;
use process::Process;
use rlimit::Rlimits;
use signal::ThreadSignals;
use user_mm::UserMm;

/// A process or thread number.
pub type Pid = u32;

/// Bit of [`Task::work`]: call the scheduler before leaving for EL0.
pub const NEED_RESCHED: u32 = 1 << 0;
/// Bit of [`Task::work`]: a signal is to be delivered.
pub const SIGPENDING: u32 = 1 << 1;
/// Bit of [`Task::work`]: a signal has interrupted the system call from which the task returns.
pub const SYSCALL_RESTART: u32 = 1 << 2;
/// Bit of [`Task::work`]: a restartable sequence may have been interrupted.
pub const RSEQ: u32 = 1 << 3;

/// Bytes of a task's name with its NUL, Linux's TASK_COMM_LEN.
pub const COMM_LEN: usize = 16;

/// Bits of the map of unknown system calls that were logged. The last one stands for all numbers beyond.
const NR_LOGGED: usize = 512;

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RunState {
    /// Runs or wants to.
    Running,
    /// Waits for a wake-up.
    Blocked,
    /// Waits for SIGCONT.
    Stopped,
    /// Has exited; its parent has not asked yet.
    Zombie,
}

/// One task.
pub struct Task {
    /// What is to be done before the next return to EL0. The exit path tests it against zero.
    pub work: AtomicU32,
    state: AtomicU8,
    on_cpu: AtomicBool,
    kind: Kind,
    pid: Pid,
    ppid: AtomicU32,
    /// Registers while the task does not run.
    pub thread: ThreadState,
    stack: Option<KernelStack>,
    comm: IrqMutex<[u8; COMM_LEN]>,
    mm: IrqMutex<Option<Arc<UserMm>>>,
    is_user: AtomicBool,
    task_size: AtomicU64,
    /// What its process shares.
    pub process: Arc<Process>,
    /// Signals of this thread.
    pub signals: ThreadSignals,
    files: IrqMutex<Option<Arc<Files>>>,
    fs: IrqMutex<Option<Arc<FsInfo>>>,
    cred: IrqMutex<Arc<Cred>>,
    /// What `prctl` and its like keep.
    pub attributes: Attributes,
    personality: AtomicU32,
    /// Limits on what the task may use.
    pub rlimits: IrqMutex<Rlimits>,
    /// Where a new child stores its number in its own memory, or 0.
    set_child_tid: u64,
    clear_child_tid: AtomicU64,
    /// Where the list of locks is that the thread holds, or 0.
    robust_list: AtomicU64,
    rseq: rseq::Rseq,
    /// Whether there is one: what each switch asks.
    has_rseq: AtomicBool,
    nr_children: AtomicU32,
    /// `wait4`'s status word, once the task is a zombie.
    exit_status: AtomicU32,
    /// Faults that needed no device.
    min_flt: AtomicU64,
    /// Faults that did.
    maj_flt: AtomicU64,
    /// What the children used for which it has waited, with theirs.
    pub children_usage: IrqMutex<Usage>,
    /// Woken when a child ends, stops or goes on.
    child_event: WaitQueue,
    /// What a parent in `vfork` waits for: this task no longer uses its memory.
    vfork_done: IrqMutex<Option<Arc<Completion>>>,
    logged_syscalls: [AtomicU64; NR_LOGGED / 64],
    /// Nanoseconds that the task has run before its present turn.
    run_time: AtomicU64,
    /// When its present turn began.
    turn_start: AtomicU64,
    /// Most bytes that it had in memory at a time, in what it has given up.
    max_rss: AtomicU64,
    /// When it was made, in nanoseconds since boot.
    start_time: u64,
    /// How often it gave up the CPU, and how often that was taken from it.
    switches: [AtomicU64; 2],
}

/// What a task was made as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Runs when nothing else wants to.
    Idle,
    /// Everything that is scheduled.
    Normal,
}

/// The task that runs the caller. It stays so as long as the caller runs, so this cannot be sent
/// elsewhere.
#[derive(Clone, Copy)]
pub struct Current {
    task: &'static Task,
    not_send: PhantomData<*const ()>,
}

/// The task that runs the caller. There is one from [`sched::init`] on.
pub fn current() -> Current {
    Current { task: percpu::current_task(), not_send: PhantomData }
}

impl Deref for Current {
    type Target = Task;

    fn deref(&self) -> &Task {
        self.task
    }
}

impl Current {
    /// A reference that may outlive the caller's turn.
    pub fn arc(&self) -> Arc<Task> {
        percpu::current_arc()
    }

    /// Makes the current thread of the kernel leave for EL0 with the registers in `frame` when its function returns.
    pub fn become_user(&self, frame: &TrapFrame) {
        if let Some(stack) = &self.stack {
            frame.place_at_top_of(stack);
        }
    }

    /// The memory of the program that runs, or EFAULT in a thread of the kernel.
    pub fn user_mm(&self) -> Result<Arc<UserMm>, Errno> {
        self.mm.lock().clone().ok_or(Errno::EFAULT)
    }

    /// The table of open files.
    pub fn files(&self) -> Result<Arc<Files>, Errno> {
        self.files.lock().clone().ok_or(Errno::EBADF)
    }

    /// Root and working directory.
    pub fn fs_info(&self) -> Result<Arc<FsInfo>, Errno> {
        self.fs.lock().clone().ok_or(Errno::ENOENT)
    }

    /// Root and working directory, and in whose name a call on names is made.
    pub fn fs(&self) -> Result<FsView, Errno> {
        Ok(FsView::new(self.fs_info()?, self.cred()))
    }
}

impl Task {
    fn new(
        kind: Kind,
        pid: Pid,
        stack: Option<KernelStack>,
        comm: &[u8],
        cred: Arc<Cred>,
        process: Arc<Process>,
    ) -> Task {
        cred.user.charge();
        let task = Task {
            work: AtomicU32::new(0),
            state: AtomicU8::new(RunState::Blocked as u8),
            on_cpu: AtomicBool::new(false),
            kind,
            pid,
            ppid: AtomicU32::new(0),
            thread: ThreadState::default(),
            stack,
            comm: IrqMutex::new([0; COMM_LEN]),
            mm: IrqMutex::new(None),
            is_user: AtomicBool::new(false),
            task_size: AtomicU64::new(0),
            process,
            signals: ThreadSignals::new(),
            files: IrqMutex::new(None),
            fs: IrqMutex::new(None),
            cred: IrqMutex::new(cred),
            attributes: Attributes::first(),
            personality: AtomicU32::new(0),
            rlimits: IrqMutex::new(rlimit::DEFAULT),
            set_child_tid: 0,
            clear_child_tid: AtomicU64::new(0),
            robust_list: AtomicU64::new(0),
            rseq: IrqMutex::new(None),
            has_rseq: AtomicBool::new(false),
            nr_children: AtomicU32::new(0),
            exit_status: AtomicU32::new(0),
            min_flt: AtomicU64::new(0),
            maj_flt: AtomicU64::new(0),
            children_usage: IrqMutex::new(Usage::default()),
            child_event: WaitQueue::new(),
            vfork_done: IrqMutex::new(None),
            logged_syscalls: [const { AtomicU64::new(0) }; NR_LOGGED / 64],
            run_time: AtomicU64::new(0),
            turn_start: AtomicU64::new(0),
            max_rss: AtomicU64::new(0),
            start_time: timer::now(),
            switches: [const { AtomicU64::new(0) }; 2],
        };
        task.set_comm(comm);
        task
    }

    /// The task that the boot context becomes.
    fn new_idle() -> Arc<Task> {
        let process = Arc::new(Process::new());
        let idle = Task::new(Kind::Idle, 0, None, b"swapper", cred::root(), process);
        idle.set_state(RunState::Running);
        idle.begin_turn(0);
        Arc::new(idle)
    }

    /// The task's number; there is one thread in each process.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The parent's number; 0 for a task of the kernel.
    pub fn ppid(&self) -> Pid {
        self.ppid.load(Ordering::Relaxed)
    }

    fn is_idle(&self) -> bool {
        self.kind == Kind::Idle
    }

    /// Whether this is a program: it has memory below TASK_SIZE and a frame at the top of its stack.
    pub fn is_user(&self) -> bool {
        self.is_user.load(Ordering::Relaxed)
    }

    /// End of the addresses that the program may name; 0 in a thread of the kernel.
    pub fn task_size(&self) -> u64 {
        self.task_size.load(Ordering::Relaxed)
    }

    /// Lets the task, which has not run as a program yet, leave for EL0 with the registers in `frame`.
    fn set_user_frame(&mut self, frame: &TrapFrame) {
        if let Some(stack) = &self.stack {
            self.thread.prepare(frame.place_at_top_of(stack), None);
        }
    }

    /// Lowest address of the kernel stack.
    pub fn stack_low(&self) -> usize {
        self.stack.as_ref().map_or_else(percpu::boot_stack_low, KernelStack::low)
    }

    /// Nanoseconds that the task has run, user and kernel together.
    pub fn cpu_time(&self) -> u64 {
        let turn = if self.on_cpu() { timer::now() - self.turn_start.load(Ordering::Relaxed) } else { 0 };
        self.run_time.load(Ordering::Relaxed) + turn
    }

    fn begin_turn(&self, now: u64) {
        self.turn_start.store(now, Ordering::Relaxed);
        self.on_cpu.store(true, Ordering::Release);
    }

    fn end_turn(&self, now: u64) {
        let turn = now - self.turn_start.load(Ordering::Relaxed);
        self.run_time.fetch_add(turn, Ordering::Relaxed);
        self.on_cpu.store(false, Ordering::Release);
    }

    /// What it is doing.
    pub fn state(&self) -> RunState {
        match self.state.load(Ordering::Acquire) {
            0 => RunState::Running,
            1 => RunState::Blocked,
            2 => RunState::Stopped,
            _ => RunState::Zombie,
        }
    }

    fn set_state(&self, state: RunState) {
        self.state.store(state as u8, Ordering::SeqCst);
    }

    fn on_cpu(&self) -> bool {
        self.on_cpu.load(Ordering::Acquire)
    }

    /// The name, without the NUL.
    pub fn comm(&self) -> ([u8; COMM_LEN], usize) {
        let comm = *self.comm.lock();
        (comm, comm.iter().position(|&byte| byte == 0).unwrap_or(COMM_LEN))
    }

    /// Sets the name, cut to what fits.
    pub fn set_comm(&self, name: &[u8]) {
        let mut comm = [0; COMM_LEN];
        let len = name.len().min(COMM_LEN - 1);
        comm[..len].copy_from_slice(&name[..len]);
        *self.comm.lock() = comm;
    }

    /// The execution domain and its flags, as `personality(2)` has them.
    pub fn personality(&self) -> u32 {
        self.personality.load(Ordering::Relaxed)
    }

    /// Replaces the personality.
    pub fn set_personality(&self, personality: u32) {
        self.personality.store(personality, Ordering::Relaxed);
    }

    /// Where to write 0 when the thread goes, or 0.
    pub fn set_clear_child_tid(&self, addr: u64) {
        self.clear_child_tid.store(addr, Ordering::Relaxed);
    }

    /// That address.
    pub fn clear_child_tid(&self) -> u64 {
        self.clear_child_tid.load(Ordering::Relaxed)
    }

    /// Notes that system call `nr` is unknown; true the first time.
    pub fn note_unknown_syscall(&self, nr: usize) -> bool {
        let nr = nr.min(NR_LOGGED - 1);
        let bit = 1 << (nr % 64);
        self.logged_syscalls[nr / 64].fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.cred.get_mut().user.uncharge();
    }
}

/// What a child does before it sees EL0 for the first time.
pub fn first_turn() {
    let task = current();
    if task.set_child_tid != 0 {
        // A bad address is the program's own business, as in Linux.
        let _ = UserPtr::new(task.set_child_tid).write(task.pid);
    }
}

/// What was asked of the task while it was in the kernel.
pub fn exit_to_user_work(frame: &mut TrapFrame) {
    let task = current();
    let work = task.work.load(Ordering::Relaxed);
    if work & NEED_RESCHED != 0 {
        sched::schedule();
    }
    if work & RSEQ != 0 && task.handle_rseq(frame).is_err() {
        signal::force_sigsegv(frame, Signal::SIGSEGV);
    }
    if work & (SIGPENDING | SYSCALL_RESTART) != 0 {
        signal::do_signal(frame);
    }
}
