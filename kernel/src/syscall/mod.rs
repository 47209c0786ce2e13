//! System calls: one row for each, in the table; the functions are in one file for each domain.
//!
//! Entered from `arch/trap` with interrupts enabled. A function gets the caller's registers and gives
//! what x0 shall be. Errors become `-errno` here and nowhere else. Mirrors Linux's arm64 `syscall.c`.

mod caps;
mod cred;
mod file;
mod futex;
mod info;
mod jobs;
mod layout;
mod mm;
mod prctl;
mod priority;
mod process;
mod rseq;
mod sched;
mod signal;
mod time;
mod timers;
mod wait;

pub use info::{RELEASE, VERSION};
pub use mm::trace::TRACE as PAGE_SIZE_TRACE;

use abi::{Errno, raw};

use crate::arch::trap::TrapFrame;
use crate::task::current;

/// What a system call gives.
pub type SysResult = Result<u64, Errno>;

type Handler = fn(&mut TrapFrame) -> SysResult;

/// One past the largest number in the table.
const NR_SYSCALLS: usize = 512;

macro_rules! table {
    ($($number:ident => $handler:path,)*) => {{
        let mut table = [unknown as Handler; NR_SYSCALLS];
        $(table[raw::$number as usize] = $handler;)*
        table
    }};
}

static TABLE: [Handler; NR_SYSCALLS] = table! {
    // Processes.
    __NR_exit => process::exit,
    __NR_exit_group => process::exit,
    __NR_getpid => process::getpid,
    __NR_gettid => process::getpid,
    __NR_getppid => process::getppid,
    __NR_clone => process::clone,
    __NR_execve => process::execve,
    __NR_wait4 => wait::wait4,
    __NR_waitid => wait::waitid,
    __NR_setpgid => jobs::setpgid,
    __NR_getpgid => jobs::getpgid,
    __NR_setsid => jobs::setsid,
    __NR_getsid => jobs::getsid,
    __NR_vhangup => jobs::vhangup,
    __NR_set_tid_address => process::set_tid_address,
    __NR_futex => futex::futex,
    __NR_set_robust_list => futex::set_robust_list,
    __NR_get_robust_list => futex::get_robust_list,
    __NR_rseq => rseq::rseq,
    __NR_getrusage => process::getrusage,
    __NR_personality => process::personality,
    __NR_prlimit64 => process::prlimit64,
    __NR_prctl => prctl::prctl,
    // Identity.
    __NR_getuid => cred::getuid,
    __NR_geteuid => cred::geteuid,
    __NR_getgid => cred::getgid,
    __NR_getegid => cred::getegid,
    __NR_setuid => cred::setuid,
    __NR_setgid => cred::setgid,
    __NR_setreuid => cred::setreuid,
    __NR_setregid => cred::setregid,
    __NR_setresuid => cred::setresuid,
    __NR_setresgid => cred::setresgid,
    __NR_getresuid => cred::getresuid,
    __NR_getresgid => cred::getresgid,
    __NR_setfsuid => cred::setfsuid,
    __NR_setfsgid => cred::setfsgid,
    __NR_getgroups => cred::getgroups,
    __NR_setgroups => cred::setgroups,
    __NR_capget => caps::capget,
    __NR_capset => caps::capset,
    // Priorities.
    __NR_sched_yield => sched::sched_yield,
    __NR_sched_setscheduler => sched::sched_setscheduler,
    __NR_sched_getscheduler => sched::sched_getscheduler,
    __NR_sched_setparam => sched::sched_setparam,
    __NR_sched_getparam => sched::sched_getparam,
    __NR_sched_setattr => sched::sched_setattr,
    __NR_sched_getattr => sched::sched_getattr,
    __NR_sched_get_priority_max => sched::sched_get_priority_max,
    __NR_sched_get_priority_min => sched::sched_get_priority_min,
    __NR_sched_rr_get_interval => sched::sched_rr_get_interval,
    __NR_sched_getaffinity => sched::sched_getaffinity,
    __NR_sched_setaffinity => sched::sched_setaffinity,
    __NR_getcpu => sched::getcpu,
    __NR_setpriority => priority::setpriority,
    __NR_getpriority => priority::getpriority,
    __NR_ioprio_set => priority::ioprio_set,
    __NR_ioprio_get => priority::ioprio_get,
    // Signals.
    __NR_rt_sigaction => signal::rt_sigaction,
    __NR_rt_sigprocmask => signal::rt_sigprocmask,
    __NR_rt_sigpending => signal::rt_sigpending,
    __NR_rt_sigreturn => signal::rt_sigreturn,
    __NR_rt_sigsuspend => signal::rt_sigsuspend,
    __NR_rt_sigtimedwait => signal::rt_sigtimedwait,
    __NR_rt_sigqueueinfo => signal::rt_sigqueueinfo,
    __NR_rt_tgsigqueueinfo => signal::rt_tgsigqueueinfo,
    __NR_sigaltstack => signal::sigaltstack,
    __NR_kill => signal::kill,
    __NR_tkill => signal::tkill,
    __NR_tgkill => signal::tgkill,
    __NR_restart_syscall => signal::restart_syscall,
    // Memory.
    __NR_brk => mm::brk,
    __NR_mmap => mm::mmap,
    __NR_munmap => mm::munmap,
    __NR_mprotect => mm::mprotect,
    __NR_mremap => mm::mremap,
    __NR_madvise => mm::madvise,
    __NR_mincore => mm::mincore,
    __NR_msync => mm::msync,
    __NR_mseal => mm::mseal,
    __NR_remap_file_pages => mm::remap_file_pages,
    __NR_mlock => mm::mlock,
    __NR_mlock2 => mm::mlock2,
    __NR_munlock => mm::munlock,
    __NR_mlockall => mm::mlockall,
    __NR_munlockall => mm::munlockall,
    __NR_pkey_mprotect => mm::pkey_mprotect,
    __NR_pkey_alloc => mm::pkey_alloc,
    __NR_pkey_free => mm::pkey_free,
    __NR_mbind => mm::mbind,
    __NR_get_mempolicy => mm::get_mempolicy,
    __NR_set_mempolicy => mm::set_mempolicy,
    // Files.
    __NR_openat => file::openat,
    __NR_openat2 => file::openat2,
    __NR_fallocate => file::fallocate,
    __NR_close => file::close,
    __NR_read => file::read,
    __NR_pread64 => file::pread64,
    __NR_readv => file::readv,
    __NR_write => file::write,
    __NR_writev => file::writev,
    __NR_lseek => file::lseek,
    __NR_fstat => file::fstat,
    __NR_newfstatat => file::newfstatat,
    __NR_readlinkat => file::readlinkat,
    __NR_getdents64 => file::getdents64,
    __NR_ioctl => file::ioctl,
    __NR_dup => file::dup,
    __NR_dup3 => file::dup3,
    __NR_getcwd => file::getcwd,
    __NR_chdir => file::chdir,
    __NR_chroot => file::chroot,
    __NR_fchdir => file::fchdir,
    __NR_umask => file::umask,
    __NR_pwrite64 => file::pwrite64,
    __NR_preadv => file::preadv,
    __NR_pwritev => file::pwritev,
    __NR_preadv2 => file::preadv2,
    __NR_pwritev2 => file::pwritev2,
    __NR_sendfile => file::sendfile,
    __NR_copy_file_range => file::copy_file_range,
    __NR_fcntl => file::fcntl,
    __NR_close_range => file::close_range,
    __NR_pipe2 => file::pipe2,
    __NR_memfd_create => file::memfd_create,
    __NR_ppoll => file::ppoll,
    __NR_mkdirat => file::mkdirat,
    __NR_mknodat => file::mknodat,
    __NR_symlinkat => file::symlinkat,
    __NR_linkat => file::linkat,
    __NR_unlinkat => file::unlinkat,
    __NR_renameat => file::renameat,
    __NR_renameat2 => file::renameat2,
    __NR_truncate => file::truncate,
    __NR_ftruncate => file::ftruncate,
    __NR_fchmod => file::fchmod,
    __NR_fchmodat => file::fchmodat,
    __NR_fchmodat2 => file::fchmodat2,
    __NR_fchown => file::fchown,
    __NR_fchownat => file::fchownat,
    __NR_utimensat => file::utimensat,
    __NR_faccessat => file::faccessat,
    __NR_faccessat2 => file::faccessat2,
    __NR_statx => file::statx,
    __NR_statfs => file::statfs,
    __NR_fstatfs => file::fstatfs,
    __NR_mount => file::mount,
    __NR_umount2 => file::umount2,
    __NR_sync => file::sync,
    __NR_fsync => file::fsync,
    __NR_fdatasync => file::fsync,
    __NR_syncfs => file::syncfs,
    __NR_sync_file_range => file::sync_file_range,
    __NR_fadvise64 => file::fadvise64,
    __NR_readahead => file::readahead,
    __NR_splice => file::splice,
    __NR_tee => file::tee,
    __NR_vmsplice => file::vmsplice,
    __NR_flock => file::flock,
    __NR_setxattr => file::setxattr,
    __NR_lsetxattr => file::lsetxattr,
    __NR_fsetxattr => file::fsetxattr,
    __NR_getxattr => file::getxattr,
    __NR_lgetxattr => file::lgetxattr,
    __NR_fgetxattr => file::fgetxattr,
    __NR_listxattr => file::listxattr,
    __NR_llistxattr => file::llistxattr,
    __NR_flistxattr => file::flistxattr,
    __NR_removexattr => file::removexattr,
    __NR_lremovexattr => file::lremovexattr,
    __NR_fremovexattr => file::fremovexattr,
    __NR_pselect6 => file::pselect6,
    // Time.
    __NR_clock_gettime => time::clock_gettime,
    __NR_clock_getres => time::clock_getres,
    __NR_nanosleep => time::nanosleep,
    __NR_clock_nanosleep => time::clock_nanosleep,
    __NR_gettimeofday => time::gettimeofday,
    __NR_settimeofday => time::settimeofday,
    __NR_clock_settime => time::clock_settime,
    __NR_times => time::times,
    __NR_setitimer => timers::setitimer,
    __NR_getitimer => timers::getitimer,
    __NR_timer_create => timers::timer_create,
    __NR_timer_settime => timers::timer_settime,
    __NR_timer_gettime => timers::timer_gettime,
    __NR_timer_getoverrun => timers::timer_getoverrun,
    __NR_timer_delete => timers::timer_delete,
    // The machine.
    __NR_uname => info::uname,
    __NR_sethostname => info::sethostname,
    __NR_setdomainname => info::setdomainname,
    __NR_sysinfo => info::sysinfo,
    __NR_getrandom => info::getrandom,
    __NR_reboot => info::reboot,
};

/// Does what the program in `frame` asks for.
#[inline(always)]
pub fn dispatch(frame: &mut TrapFrame) {
    // The number is an int: Linux ignores the upper half of x8, too.
    let number = frame.syscall as u32 as usize;
    let handler = TABLE.get(number).copied().unwrap_or(unknown);
    frame.regs[0] = match handler(frame) {
        Ok(value) => value,
        Err(error) => {
            if error.is_restart() {
                current().note_interrupted(error);
            }
            error.to_ret()
        }
    };
}

/// A number that nobody implements.
fn unknown(frame: &mut TrapFrame) -> SysResult {
    let number = frame.syscall as u32;
    let task = current();
    if task.note_unknown_syscall(number as usize) {
        let (comm, len) = task.comm();
        log::info!("{}[{}]: unknown system call {number}", comm[..len].escape_ascii(), task.pid());
    }
    Err(Errno::ENOSYS)
}
