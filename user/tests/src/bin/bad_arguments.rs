//! Bad arguments in every system call: pointers to nothing, to the kernel, to what may not be written or ends too early;
//! descriptors that are none or of the wrong kind; flags and lengths that make no sense. Each has its error, and does no harm.
#![no_std]
#![no_main]

use Arg::{Fd, In, N, Out, Pointer, Str};
use rt::println;
use rt::sys::raw::*;
use tests::{
    ANONYMOUS, Errno, Failure, Outcome, READ, READ_WRITE, anonymous, call, fails, files, good, mmap,
    mprotect, open,
};

tests::program!(run);

/// An argument of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arg {
    /// This number.
    N(i64),
    /// Memory that is the program's, zeroed, at this index of a row of words.
    Pointer(usize),
    /// This text.
    Str(&'static core::ffi::CStr),
    /// A descriptor of this kind.
    Fd(Kind),
    /// Each address from which nothing can be read.
    In,
    /// Each address to which nothing can be written.
    Out,
}

/// What a descriptor is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Each number that is none.
    None,
    /// A regular file, open for reading.
    File,
    /// A file of a tmpfs, open for both.
    Temporary,
    Directory,
    PipeReader,
    PipeWriter,
    /// A name only (`O_PATH`).
    Path,
    Null,
}

const NONE: Arg = Fd(Kind::None);
const FILE: Arg = Fd(Kind::File);
const TMP: Arg = Fd(Kind::Temporary);
const DIR: Arg = Fd(Kind::Directory);
const PIPE: Arg = Fd(Kind::PipeReader);
const SINK: Arg = Fd(Kind::PipeWriter);
const PLACE: Arg = Fd(Kind::Path);
const NULL: Arg = Fd(Kind::Null);
const HERE: Arg = N(AT_FDCWD as i64);
const P: Arg = Pointer(0);
const Z: Arg = N(0);
const MINUS: Arg = N(-1);
const GONE: Arg = Str(c"/tmp/nothing/there");
const MOTD: Arg = Str(c"/etc/motd");
const HUGE: Arg = N(i64::MAX);
const NOBODY: Arg = N(0x7fff_fffe);

macro_rules! errors {
    ($($name:ident)*) => { $(const $name: Errno = Errno::$name;)* };
}

errors! {
    EACCES EAGAIN EBADF ECHILD EEXIST EFAULT EINVAL EISDIR ENODEV ENOENT ENOMEM ENOTDIR ENOTTY ENXIO EOPNOTSUPP EPERM ERANGE
    ESPIPE ESRCH
}

/// A call, up to six arguments, what is expected.
type Row = (u32, &'static [Arg], Errno);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // Descriptors.
    (__NR_close, &[NONE], EBADF), (__NR_dup, &[NONE], EBADF), (__NR_dup3, &[NONE, N(50), Z], EBADF),
    (__NR_dup3, &[FILE, MINUS, Z], EBADF), (__NR_dup3, &[FILE, N(50), N(1)], EINVAL), (__NR_dup3, &[N(1), N(1), Z], EINVAL),
    (__NR_fcntl, &[NONE, N(F_GETFD as i64)], EBADF), (__NR_fcntl, &[FILE, N(99999)], EINVAL),
    (__NR_fcntl, &[FILE, N(F_DUPFD as i64), MINUS], EINVAL), (__NR_fcntl, &[FILE, N(F_GETLK as i64), In], EFAULT),
    (__NR_fcntl, &[NULL, N(1031), N(4096)], EBADF),
    (__NR_close_range, &[N(5), N(4), Z], EINVAL), (__NR_close_range, &[N(900), N(901), N(1)], EINVAL),
    (__NR_pipe2, &[Out, Z], EFAULT), (__NR_pipe2, &[P, N(1)], EINVAL),
    (__NR_memfd_create, &[In, Z], EFAULT), (__NR_memfd_create, &[Str(c"x"), N(0x4000_0000)], EINVAL),
    (__NR_ioctl, &[NONE, N(0x5401), P], EBADF), (__NR_ioctl, &[FILE, N(0x5401), P], ENOTTY),
    (__NR_ioctl, &[PIPE, N(0x541b), Out], EFAULT), (__NR_ioctl, &[PLACE, N(0x5401), P], EBADF),
    // Bytes.
    (__NR_read, &[NONE, P, N(1)], EBADF), (__NR_read, &[FILE, Out, N(16)], EFAULT), (__NR_read, &[DIR, P, N(1)], EISDIR),
    (__NR_read, &[SINK, P, N(1)], EBADF), (__NR_read, &[PLACE, P, N(1)], EBADF),
    (__NR_write, &[NONE, P, N(1)], EBADF), (__NR_write, &[TMP, In, N(16)], EFAULT), (__NR_write, &[FILE, P, N(1)], EBADF),
    (__NR_write, &[PIPE, P, N(1)], EBADF), (__NR_write, &[DIR, P, N(1)], EBADF), (__NR_write, &[SINK, In, N(16)], EFAULT),
    (__NR_pread64, &[NONE, P, N(1), Z], EBADF), (__NR_pread64, &[FILE, P, N(1), MINUS], EINVAL),
    (__NR_pread64, &[PIPE, P, N(1), Z], ESPIPE), (__NR_pread64, &[FILE, Out, N(16), Z], EFAULT), (__NR_pread64, &[DIR, P, N(1), Z], EISDIR),
    (__NR_pwrite64, &[NONE, P, N(1), Z], EBADF), (__NR_pwrite64, &[TMP, P, N(1), MINUS], EINVAL),
    (__NR_pwrite64, &[SINK, P, N(1), Z], ESPIPE), (__NR_pwrite64, &[FILE, P, N(1), Z], EBADF), (__NR_pwrite64, &[TMP, In, N(16), Z], EFAULT),
    (__NR_readv, &[NONE, P, N(1)], EBADF), (__NR_readv, &[FILE, In, N(1)], EFAULT), (__NR_readv, &[FILE, P, MINUS], EINVAL),
    (__NR_readv, &[FILE, P, N(1025)], EINVAL), (__NR_writev, &[NONE, P, N(1)], EBADF), (__NR_writev, &[TMP, In, N(1)], EFAULT),
    (__NR_writev, &[TMP, P, N(1025)], EINVAL), (__NR_preadv, &[FILE, P, N(1), MINUS], EINVAL), (__NR_preadv, &[PIPE, P, N(1), Z], ESPIPE),
    (__NR_preadv, &[NONE, P, N(1), Z], EBADF), (__NR_pwritev, &[TMP, In, N(1), Z], EFAULT), (__NR_pwritev, &[FILE, P, N(1), Z], EBADF),
    (__NR_pwritev2, &[NONE, P, N(1), Z, Z, Z], EBADF),
    (__NR_lseek, &[NONE, Z, Z], EBADF), (__NR_lseek, &[PIPE, Z, Z], ESPIPE), (__NR_lseek, &[FILE, Z, N(5)], EINVAL),
    (__NR_lseek, &[FILE, MINUS, Z], EINVAL), (__NR_lseek, &[PLACE, Z, Z], EBADF), (__NR_lseek, &[FILE, HUGE, N(3)], ENXIO),
    (__NR_getdents64, &[NONE, P, N(100)], EBADF), (__NR_getdents64, &[FILE, P, N(100)], ENOTDIR),
    (__NR_getdents64, &[DIR, Out, N(100)], EFAULT), (__NR_getdents64, &[DIR, P, N(1)], EINVAL),
    (__NR_sendfile, &[NONE, FILE, Z, N(1)], EBADF), (__NR_sendfile, &[TMP, NONE, Z, N(1)], EBADF), (__NR_sendfile, &[FILE, FILE, Z, N(1)], EBADF),
    (__NR_sendfile, &[TMP, FILE, Out, N(1)], EFAULT), (__NR_sendfile, &[TMP, DIR, Z, N(1)], EINVAL),
    (__NR_copy_file_range, &[NONE, Z, TMP, Z, N(1), Z], EBADF), (__NR_copy_file_range, &[FILE, Z, TMP, Z, N(1), N(1)], EINVAL),
    (__NR_copy_file_range, &[DIR, Z, TMP, Z, N(1), Z], EISDIR), (__NR_copy_file_range, &[PIPE, Z, TMP, Z, N(1), Z], EINVAL),
    (__NR_ftruncate, &[NONE, Z], EBADF), (__NR_ftruncate, &[FILE, Z], EINVAL), (__NR_ftruncate, &[TMP, MINUS], EINVAL),
    (__NR_truncate, &[In, Z], EFAULT), (__NR_truncate, &[GONE, Z], ENOENT), (__NR_truncate, &[MOTD, MINUS], EINVAL), (__NR_truncate, &[Str(c"/tmp"), Z], EISDIR),
    (__NR_fallocate, &[NONE, Z, Z, N(1)], EBADF), (__NR_fallocate, &[TMP, Z, Z, Z], EINVAL), (__NR_fallocate, &[TMP, Z, MINUS, N(1)], EINVAL),
    (__NR_fallocate, &[FILE, Z, Z, N(1)], EBADF), (__NR_fallocate, &[SINK, Z, Z, N(1)], ESPIPE), (__NR_fallocate, &[TMP, N(0x4000), Z, N(1)], EOPNOTSUPP),
    (__NR_fsync, &[NONE], EBADF), (__NR_fsync, &[PIPE], EINVAL), (__NR_fdatasync, &[PLACE], EBADF), (__NR_syncfs, &[NONE], EBADF),
    (__NR_fadvise64, &[NONE, Z, Z, Z], EBADF), (__NR_fadvise64, &[FILE, Z, Z, N(99)], EINVAL), (__NR_fadvise64, &[PIPE, Z, Z, Z], ESPIPE),
    (__NR_readahead, &[NONE, Z, N(1)], EBADF), (__NR_readahead, &[PIPE, Z, N(1)], EINVAL),
    (__NR_flock, &[NONE, N(2)], EBADF), (__NR_flock, &[FILE, N(16)], EINVAL), (__NR_sync_file_range, &[NONE, Z, Z, Z], EBADF),
    (__NR_sync_file_range, &[TMP, MINUS, Z, Z], EINVAL), (__NR_sync_file_range, &[TMP, Z, Z, N(99)], EINVAL),
    (__NR_ppoll, &[In, N(1), P, Z, Z], EFAULT), (__NR_ppoll, &[P, N(1), In, Z, Z], EFAULT), (__NR_ppoll, &[P, N(1 << 30), P, Z, Z], EINVAL),
    (__NR_pselect6, &[MINUS, P, Z, Z, P, Z], EINVAL), (__NR_pselect6, &[N(8), In, Z, Z, P, Z], EFAULT),
    // Names.
    (__NR_openat, &[HERE, In, Z, Z], EFAULT), (__NR_openat, &[NONE, Str(c"x"), Z, Z], EBADF), (__NR_openat, &[FILE, Str(c"x"), Z, Z], ENOTDIR),
    (__NR_openat, &[HERE, Str(c""), Z, Z], ENOENT), (__NR_openat, &[HERE, GONE, Z, Z], ENOENT), (__NR_openat, &[HERE, Str(c"/tmp"), N(1), Z], EISDIR),
    (__NR_openat2, &[HERE, MOTD, In, N(24)], EFAULT), (__NR_openat2, &[HERE, MOTD, P, N(23)], EINVAL),
    (__NR_mkdirat, &[HERE, In, Z], EFAULT), (__NR_mkdirat, &[NONE, Str(c"x"), Z], EBADF), (__NR_mkdirat, &[HERE, Str(c"/tmp"), Z], EEXIST),
    (__NR_mknodat, &[HERE, In, N(0o10_600), Z], EFAULT), (__NR_mknodat, &[HERE, Str(c"/tmp/x"), N(0o40_000), Z], EPERM),
    (__NR_mknodat, &[HERE, Str(c"/tmp/x"), N(0o50_000), Z], EINVAL), (__NR_symlinkat, &[In, HERE, Str(c"/tmp/x")], EFAULT),
    (__NR_symlinkat, &[Str(c"x"), HERE, In], EFAULT), (__NR_symlinkat, &[Str(c""), HERE, Str(c"/tmp/x")], ENOENT),
    (__NR_linkat, &[HERE, In, HERE, Str(c"/tmp/x"), Z], EFAULT), (__NR_linkat, &[HERE, Str(c"/tmp"), HERE, In, Z], EFAULT),
    (__NR_linkat, &[HERE, MOTD, HERE, Str(c"/tmp/x"), N(99)], EINVAL), (__NR_linkat, &[HERE, Str(c"/tmp"), HERE, Str(c"/tmp/x"), Z], EPERM),
    (__NR_unlinkat, &[HERE, In, Z], EFAULT), (__NR_unlinkat, &[HERE, GONE, N(1)], EINVAL), (__NR_unlinkat, &[NONE, Str(c"x"), Z], EBADF),
    (__NR_renameat, &[HERE, In, HERE, GONE], EFAULT), (__NR_renameat, &[HERE, Str(c"/tmp/x"), HERE, In], EFAULT),
    (__NR_renameat2, &[HERE, GONE, HERE, GONE, N(0x100)], EINVAL), (__NR_renameat2, &[HERE, GONE, HERE, GONE, N(3)], EINVAL),
    (__NR_readlinkat, &[HERE, In, P, N(10)], EFAULT), (__NR_readlinkat, &[HERE, MOTD, P, N(10)], EINVAL), (__NR_readlinkat, &[HERE, MOTD, P, Z], EINVAL),
    (__NR_chdir, &[In], EFAULT), (__NR_chdir, &[MOTD], ENOTDIR), (__NR_fchdir, &[NONE], EBADF), (__NR_fchdir, &[FILE], ENOTDIR),
    (__NR_chroot, &[In], EFAULT), (__NR_chroot, &[MOTD], ENOTDIR), (__NR_getcwd, &[P, N(1)], ERANGE), (__NR_getcwd, &[Out, N(100)], EFAULT),
    // Attributes.
    (__NR_fstat, &[NONE, P], EBADF), (__NR_fstat, &[FILE, Out], EFAULT), (__NR_newfstatat, &[HERE, In, P, Z], EFAULT),
    (__NR_newfstatat, &[HERE, MOTD, Out, Z], EFAULT), (__NR_newfstatat, &[HERE, MOTD, P, N(1)], EINVAL), (__NR_newfstatat, &[NONE, Str(c"x"), P, Z], EBADF),
    (__NR_statx, &[HERE, In, Z, Z, P], EFAULT), (__NR_statx, &[HERE, MOTD, Z, Z, Out], EFAULT), (__NR_statx, &[HERE, MOTD, N(0x6000), Z, P], EINVAL),
    (__NR_statx, &[HERE, MOTD, Z, N(1 << 31), P], EINVAL), (__NR_statfs, &[In, P], EFAULT), (__NR_statfs, &[MOTD, Out], EFAULT),
    (__NR_fstatfs, &[NONE, P], EBADF), (__NR_fstatfs, &[FILE, Out], EFAULT),
    (__NR_fchmod, &[NONE, Z], EBADF), (__NR_fchmod, &[PLACE, Z], EBADF), (__NR_fchmodat, &[HERE, In, Z], EFAULT), (__NR_fchmodat2, &[HERE, MOTD, Z, N(1)], EINVAL),
    (__NR_fchown, &[NONE, Z, Z], EBADF), (__NR_fchownat, &[HERE, In, Z, Z, Z], EFAULT), (__NR_fchownat, &[HERE, MOTD, Z, Z, N(1)], EINVAL),
    (__NR_utimensat, &[HERE, In, Z, Z], EFAULT), (__NR_utimensat, &[HERE, MOTD, In, Z], EFAULT), (__NR_utimensat, &[NONE, Z, Z, Z], EBADF),
    (__NR_faccessat, &[HERE, In, Z], EFAULT), (__NR_faccessat, &[HERE, MOTD, N(8)], EINVAL), (__NR_faccessat2, &[HERE, MOTD, Z, N(1)], EINVAL),
    (__NR_mount, &[Z, In, Str(c"tmpfs"), Z, Z], EFAULT), (__NR_mount, &[Z, GONE, Str(c"tmpfs"), Z, Z], ENOENT),
    (__NR_mount, &[Str(c"x"), Str(c"/tmp"), Str(c"nothing"), Z, Z], ENODEV), (__NR_umount2, &[In, Z], EFAULT), (__NR_umount2, &[Str(c"/tmp"), N(0x100)], EINVAL),
    (__NR_umount2, &[MOTD, Z], EINVAL),
    // Memory.
    (__NR_mmap, &[Z, Z, N(3), N(0x22), MINUS, Z], EINVAL), (__NR_mmap, &[Z, N(4096), N(3), N(0x20), MINUS, Z], EINVAL),
    (__NR_mmap, &[Z, N(4096), N(1), N(2), NONE, Z], EBADF), (__NR_mmap, &[Z, N(4096), N(1), N(2), FILE, N(1)], EINVAL),
    (__NR_mmap, &[Z, N(4096), N(1), N(2), DIR, Z], ENODEV), (__NR_mmap, &[Z, HUGE, N(3), N(0x22), MINUS, Z], ENOMEM),
    (__NR_mmap, &[Z, N(4096), N(3), N(1), FILE, Z], EACCES), (__NR_munmap, &[N(1), N(4096)], EINVAL), (__NR_munmap, &[Z, Z], EINVAL),
    (__NR_munmap, &[Z, HUGE], EINVAL), (__NR_mprotect, &[N(1), N(4096), Z], EINVAL), (__NR_mprotect, &[Z, N(4096), N(1)], ENOMEM),
    (__NR_mprotect, &[Z, N(4096), N(0x100)], EINVAL), (__NR_mremap, &[N(1), N(4096), N(4096), Z, Z], EINVAL),
    (__NR_mremap, &[Z, N(4096), N(8192), Z, Z], EFAULT), (__NR_mremap, &[Z, N(4096), Z, Z, Z], EINVAL),
    (__NR_madvise, &[N(1), N(4096), Z], EINVAL), (__NR_madvise, &[Z, N(4096), N(999)], EINVAL), (__NR_madvise, &[Z, N(4096), N(4)], ENOMEM),
    // Processes.
    (__NR_execve, &[In, Z, Z], EFAULT), (__NR_execve, &[MOTD, Z, Z], EACCES), (__NR_execve, &[Str(c"/bin/hello"), In, Z], EFAULT),
    (__NR_wait4, &[MINUS, Z, Z, Z], ECHILD), (__NR_wait4, &[MINUS, Z, N(0x100), Z], EINVAL), (__NR_wait4, &[N(i32::MIN as i64), Z, Z, Z], ESRCH),
    (__NR_waitid, &[N(9), Z, P, N(4), Z], EINVAL), (__NR_waitid, &[Z, Z, P, Z, Z], EINVAL), (__NR_waitid, &[N(1), Z, P, N(4), Z], EINVAL),
    (__NR_waitid, &[Z, Z, P, N(4), Z], ECHILD), (__NR_setpgid, &[MINUS, Z], EINVAL), (__NR_setpgid, &[Z, MINUS], EINVAL), (__NR_setpgid, &[NOBODY, Z], ESRCH),
    (__NR_getpgid, &[NOBODY], ESRCH), (__NR_getsid, &[NOBODY], ESRCH), (__NR_getrusage, &[N(9), P], EINVAL), (__NR_getrusage, &[Z, Out], EFAULT),
    (__NR_prlimit64, &[Z, N(16), Z, Z], EINVAL), (__NR_prlimit64, &[Z, Z, In, Z], EFAULT), (__NR_prlimit64, &[Z, Z, Z, Out], EFAULT),
    (__NR_prlimit64, &[NOBODY, Z, Z, Z], ESRCH), (__NR_prctl, &[N(9999)], EINVAL), (__NR_prctl, &[N(15), In], EFAULT), (__NR_prctl, &[N(16), Out], EFAULT),
    (__NR_prctl, &[N(2), Out], EFAULT), (__NR_prctl, &[N(1), N(65)], EINVAL), (__NR_prctl, &[N(4), N(3)], EINVAL),
    (__NR_clone, &[N(0x811), Z, Z, Z, Z], EINVAL), (__NR_futex, &[In, Z, Z, Z, Z, Z], EFAULT),
    (__NR_set_robust_list, &[P, N(1)], EINVAL), (__NR_get_robust_list, &[Z, Out, P], EFAULT), (__NR_rseq, &[P, N(1), Z, Z], EINVAL),
    // Identity.
    (__NR_setuid, &[MINUS], EINVAL), (__NR_setgid, &[MINUS], EINVAL), (__NR_getresuid, &[Out, P, P], EFAULT), (__NR_getresuid, &[P, P, Out], EFAULT),
    (__NR_getresgid, &[P, Out, P], EFAULT), (__NR_getgroups, &[MINUS, P], EINVAL), (__NR_setgroups, &[MINUS, P], EINVAL), (__NR_setgroups, &[N(1), In], EFAULT),
    (__NR_capget, &[In, P], EFAULT), (__NR_capset, &[In, P], EFAULT), (__NR_capset, &[Pointer(64), P], EINVAL),
    // Priorities.
    (__NR_sched_setscheduler, &[Z, Z, In], EFAULT), (__NR_sched_setscheduler, &[Z, Z, Z], EINVAL), (__NR_sched_getparam, &[Z, Out], EFAULT),
    (__NR_sched_getscheduler, &[NOBODY], ESRCH), (__NR_sched_setattr, &[Z, In, Z], EFAULT), (__NR_sched_getattr, &[Z, Out, N(48), Z], EFAULT),
    (__NR_sched_get_priority_max, &[MINUS], EINVAL), (__NR_sched_get_priority_min, &[N(99)], EINVAL), (__NR_sched_rr_get_interval, &[Z, Out], EFAULT),
    (__NR_sched_getaffinity, &[Z, N(64), Out], EFAULT), (__NR_sched_setaffinity, &[Z, N(8), In], EFAULT), (__NR_getcpu, &[Out, Z, Z], EFAULT),
    (__NR_setpriority, &[N(3), Z, Z], EINVAL), (__NR_getpriority, &[MINUS, Z], EINVAL), (__NR_ioprio_set, &[N(9), Z, N(0x4000)], EINVAL), (__NR_ioprio_get, &[Z, Z], EINVAL),
    // Signals.
    (__NR_rt_sigaction, &[Z, Z, Z, N(8)], EINVAL), (__NR_rt_sigaction, &[N(65), Z, Z, N(8)], EINVAL), (__NR_rt_sigaction, &[N(10), In, Z, N(8)], EFAULT),
    (__NR_rt_sigaction, &[N(10), Z, Out, N(8)], EFAULT), (__NR_rt_sigaction, &[N(9), P, Z, N(8)], EINVAL), (__NR_rt_sigaction, &[N(10), Z, Z, N(4)], EINVAL),
    (__NR_rt_sigprocmask, &[N(3), P, Z, N(8)], EINVAL), (__NR_rt_sigprocmask, &[Z, In, Z, N(8)], EFAULT), (__NR_rt_sigprocmask, &[Z, Z, Out, N(8)], EFAULT),
    (__NR_rt_sigpending, &[Out, N(8)], EFAULT), (__NR_rt_sigpending, &[P, N(16)], EINVAL), (__NR_rt_sigsuspend, &[In, N(8)], EFAULT), (__NR_rt_sigsuspend, &[P, N(4)], EINVAL),
    (__NR_rt_sigtimedwait, &[In, Z, P, N(8)], EFAULT), (__NR_rt_sigtimedwait, &[P, Z, In, N(8)], EFAULT), (__NR_rt_sigtimedwait, &[P, Z, P, N(8)], EAGAIN),
    (__NR_rt_sigqueueinfo, &[NOBODY, N(10), In], EFAULT), (__NR_sigaltstack, &[In, Z], EFAULT), (__NR_sigaltstack, &[Z, Out], EFAULT),
    (__NR_kill, &[Z, N(65)], EINVAL), (__NR_kill, &[NOBODY, Z], ESRCH), (__NR_tkill, &[Z, N(10)], EINVAL), (__NR_tkill, &[NOBODY, N(10)], ESRCH),
    (__NR_tgkill, &[Z, Z, N(10)], EINVAL), (__NR_tgkill, &[NOBODY, NOBODY, Z], ESRCH),
    // Time.
    (__NR_clock_gettime, &[N(99), P], EINVAL), (__NR_clock_gettime, &[Z, Out], EFAULT), (__NR_clock_getres, &[N(99), P], EINVAL), (__NR_clock_getres, &[Z, N(8)], EFAULT),
    (__NR_clock_settime, &[Z, In], EFAULT), (__NR_clock_settime, &[N(1), P], EINVAL), (__NR_nanosleep, &[In, Z], EFAULT), (__NR_clock_nanosleep, &[Z, Z, In, Z], EFAULT),
    (__NR_gettimeofday, &[N(8), Z], EFAULT), (__NR_settimeofday, &[N(8), Z], EFAULT), (__NR_times, &[N(8)], EFAULT), (__NR_setitimer, &[Z, N(8), Z], EFAULT),
    (__NR_setitimer, &[N(3), P, Z], EINVAL), (__NR_getitimer, &[Z, Out], EFAULT), (__NR_getitimer, &[N(3), P], EINVAL), (__NR_timer_create, &[N(1), Z, Out], EFAULT),
    (__NR_timer_create, &[N(99), Z, P], EINVAL), (__NR_timer_settime, &[N(9), Z, P, Z], EINVAL), (__NR_timer_gettime, &[N(9), P], EINVAL),
    (__NR_timer_getoverrun, &[N(9)], EINVAL), (__NR_timer_delete, &[MINUS], EINVAL),
    // The machine.
    (__NR_uname, &[Out], EFAULT), (__NR_sysinfo, &[Out], EFAULT), (__NR_getrandom, &[Out, N(8), Z], EFAULT), (__NR_getrandom, &[P, N(8), N(99)], EINVAL),
    (__NR_reboot, &[Z, Z, Z, Z], EINVAL), (__NR_reboot, &[N(0xfee1_dead), N(672_274_793), N(0x99), Z], EINVAL),
];

/// What the arguments stand for.
struct World {
    /// Addresses from which nothing can be read; to the last of the others nothing can be written.
    unreadable: [usize; 6],
    /// Memory that may be read only.
    fixed: usize,
    scratch: usize,
    fds: [(Kind, usize); 7],
}

impl World {
    /// The values of an argument: one, or all the bad ones.
    fn values(&self, arg: Arg, visit: &mut dyn FnMut(usize)) {
        match arg {
            N(number) => visit(number as usize),
            Pointer(index) => visit(self.scratch + 8 * index),
            Str(text) => visit(text.as_ptr() as usize),
            In => self.unreadable.iter().for_each(|at| visit(*at)),
            Out => self.unreadable.iter().chain([&self.fixed]).for_each(|at| visit(*at)),
            Fd(Kind::None) => [usize::MAX, 999, 0x7fff_ffff, 0x8000_0000].into_iter().for_each(visit),
            Fd(kind) => self.fds.iter().filter(|(other, _)| *other == kind).for_each(|(_, fd)| visit(*fd)),
        }
    }

    /// Makes the call with each value of each argument in turn. How often it ended otherwise.
    fn try_row(&self, &(number, args, expected): &Row) -> usize {
        let mut wrong = 0;
        let mut values = [0usize; 6];
        // At most one argument of a row has several values.
        let several = args.iter().position(|arg| matches!(arg, In | Out | Fd(Kind::None)));
        for (value, arg) in values.iter_mut().zip(args) {
            self.values(*arg, &mut |one| *value = one);
        }
        let mut attempt = |values: [usize; 6]| {
            let result = call(number, core::hint::black_box(values));
            if result != Err(expected) {
                println!("# call {number} {values:x?}: {result:?}, not {expected:?}");
                wrong += 1;
            }
        };
        match several {
            None => attempt(values),
            Some(at) => self.values(args[at], &mut |one| {
                let mut values = values;
                values[at] = one;
                attempt(values);
            }),
        }
        wrong
    }
}

fn run(_: rt::Args) -> Outcome {
    let page = rt::page_size();
    let memory = good!(anonymous(4 * page));
    good!(mprotect(memory + page, page, 0));
    let fixed = good!(mmap(0, page, READ, ANONYMOUS, usize::MAX, 0));
    let scratch = good!(mmap(0, 4 * page, READ_WRITE, ANONYMOUS, usize::MAX, 0));
    let hole = good!(anonymous(page));
    good!(tests::munmap(hole, page));
    let (reader, writer) = good!(files::pipe(O_NONBLOCK));
    let temporary = good!(call(__NR_memfd_create, [c"bad".as_ptr() as usize, 0]));
    let world = World {
        unreadable: [8, hole, memory + page, 0xffff_0000_0000_0000, 0xffff_8000_8000_0000, usize::MAX - 63],
        fixed,
        scratch,
        fds: [
            (Kind::File, good!(open(c"/etc/motd", O_RDONLY))),
            (Kind::Temporary, temporary),
            (Kind::Directory, good!(open(c"/tmp", O_RDONLY))),
            (Kind::PipeReader, reader),
            (Kind::PipeWriter, writer),
            (Kind::Path, good!(open(c"/etc/motd", O_PATH))),
            (Kind::Null, good!(open(c"/dev/null", O_RDWR))),
        ],
    };
    let wrong: usize = TABLE.iter().map(|row| world.try_row(row)).sum();
    if wrong != 0 {
        return Err(Failure::new(
            line!(),
            format_args!("{wrong} calls of {} rows went otherwise", TABLE.len()),
        ));
    }
    // All of that made no descriptors.
    fails!(call(__NR_fcntl, [world.fds[6].1 + 1, F_GETFD as usize]), EBADF);
    Ok(())
}
