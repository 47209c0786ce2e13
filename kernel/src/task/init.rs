//! The first program: the kernel's last step of starting. Mirrors `kernel_init` of Linux's `init/main.c`.

use super::table::INIT_PID;
use super::{current, exec, page_size};
use crate::arch::pmu;
use crate::file::{AtExec, Files, FsInfo, FsView, PageCache, mount_root, vfs};
use crate::{cmdline, panic, proc};
use abi::{Errno, OpenFlags};
use alloc::sync::Arc;
use binfmt::{Arguments, RLIM_INFINITY, StringKind};
use fs::vfs::OpenHow;

/// What init finds in its environment.
const ENVIRONMENT: [&str; 2] = ["HOME=/", "TERM=linux"];

/// Mounts the root file system and turns the calling thread, the first one, into the program that `init=` names.
pub fn become_init() {
    assert_eq!(current().pid(), INIT_PID, "another task came before init");
    if let Err(error) = mount_root() {
        panic::fatal(format_args!("cannot mount the root file system: {error}"));
    }
    proc::apply_command_line();
    let path = cmdline::get("init").unwrap_or("/sbin/init");
    // Whoever feeds the console waits for this line: from here on no input is lost.
    log::info!("Run {path} as init process");
    match run_init(path) {
        Ok(()) => {}
        Err(error) => panic::fatal(format_args!("cannot run init {path}: {error}")),
    }
    if let Some(count) = pmu::instructions() {
        log::info!("boot: {count} instructions to init");
    }
}

fn run_init(path: &'static str) -> Result<(), Errno> {
    let task = current();
    let fs = Arc::new(FsInfo::new());
    let view = FsView::new(fs.clone(), task.cred());
    let how = OpenHow::new(OpenFlags::RDWR, 0);
    let console = vfs().open(view.context(), &PageCache, vfs().root(), b"/dev/console", how)?;
    let files = Files::new();
    for descriptor in 0..3 {
        files.replace(descriptor, console.clone(), AtExec::Keep, u64::MAX)?;
    }
    *task.files.lock() = Some(Arc::new(files));
    *task.fs.lock() = Some(fs);
    let mut arguments = Arguments::new(path.as_bytes(), RLIM_INFINITY)?;
    for word in core::iter::once(path).chain(cmdline::init_args()) {
        arguments.push(StringKind::Arg, word.as_bytes())?;
    }
    for word in ENVIRONMENT {
        arguments.push(StringKind::Env, word.as_bytes())?;
    }
    task.set_personality(page_size::of_command_line().bits());
    let frame = exec::execve(path.as_bytes(), arguments)?;
    task.become_user(&frame);
    Ok(())
}
