//! The Granule kernel. This file is the table of contents: what there is, and in which order it comes to life.
#![no_std]
#![no_main]

extern crate alloc;

mod arch; // arm64: system registers, translation tables of the kernel, traps
mod block; // disks and requests against them
mod cmdline; // words of the kernel command line
mod console; // bytes to the UART, in any state of the kernel
mod drivers; // interrupt controller, timer, UART, virtio
mod file; // descriptors, the page cache as a reader, the root file system
mod frames; // physical frames from the buddy allocator
mod heap; // the kernel heap
mod irq; // interrupt handlers
mod klog; // log lines with time stamps, warn_once!
mod kstack; // kernel stacks with guard pages
mod ksyms; // names of the kernel's functions
mod memory; // brings memory to life
mod panic; // the end of the kernel
mod platform; // what the device tree says
mod proc; // /proc
mod random; // random numbers
mod reboot; // the orderly end
mod selftest; // checks inside the running kernel
mod sync; // locks, sleeping and not
mod syscall; // system calls: the table, then a file for each domain
mod sysfs; // /sys
mod task; // tasks: scheduling, exit and wait, kernel threads
mod trap; // page faults
mod uts; // names of the machine
mod wall_clock; // the time of day

/// Called by boot in the high half, with the MMU on, interrupts masked, on the boot stack.
#[unsafe(no_mangle)]
#[allow(unsafe_code)] // The one symbol that boot calls by name.
fn kernel_main(info: &boot::BootInfo) -> ! {
    arch::phys::init(info); // where the image lies
    arch::percpu::init(0, arch::percpu::boot_stack_low()); // this CPU's own state
    arch::trap::init(); // from here on an exception is reported
    klog::init(); // the clock of the log
    let cpu = arch::cpu::init(); // what the CPU can do
    arch::fpsimd::init(); // FP/SIMD for programs
    let mut memblock = mm::memblock::Memblock::new();
    let platform = platform::init(info, &mut memblock); // the machine, from the device tree
    let platform = platform.unwrap_or_else(|error| panic!("no usable device tree: {error:?}"));
    arch::exit::init(cmdline::flag("semihosting"), platform.psci); // how to leave
    if let Some(uart) = &platform.uart {
        console::init(uart); // from here on the log is seen
    }
    log::info!("Granule {}, entered at EL{}", env!("CARGO_PKG_VERSION"), info.entry_el);
    log::info!("cpu: {cpu}");
    log::info!("command line: {}", platform.cmdline);
    memory::init(memblock).expect("memory for the kernel itself"); // linear map, heap, frames
    arch::pmu::set_user_access(cmdline::flag("perf_user_access")); // counters for EL0
    drivers::init(platform); // interrupts, time, disks
    wall_clock::init(platform); // the time of day
    task::sched::init(); // this is now the idle task
    drivers::timer::start_tick(task::sched::tick); // the others get their turns
    task::kthread::spawn("init", start_init).expect("memory for the first thread");
    task::sched::idle()
}

/// The first thread: all that may sleep.
fn start_init() {
    if let Some(what) = cmdline::get("selftest") {
        selftest::run(what); // W^X, guards and the like, on the live machine
    }
    task::init::become_init(); // mounts the root file system and turns into init
}
