//! `/proc/PID/stat` and `statm`: numbers in a row.

use super::clock_ticks;
use crate::pseudo::Text;
use abi::Errno;
use core::ops::Range;

/// What `/proc/PID/stat` tells (Linux: `do_task_stat`). Fields that are always 0 here are left out: `itrealvalue`, the
/// stack pointer and program counter of a task that lives, `wchan`, `nswap`, times of guests.
#[derive(Clone, Debug, Default)]
pub struct TaskStat<'a> {
    /// Number of the task.
    pub pid: u32,
    /// Name.
    pub comm: &'a [u8],
    /// State as one letter.
    pub state: u8,
    /// Parent.
    pub ppid: u32,
    /// Process group.
    pub pgrp: u32,
    /// Session.
    pub session: u32,
    /// Controlling terminal's device number, or 0.
    pub tty_nr: u32,
    /// That terminal's foreground process group, or -1.
    pub tpgid: i32,
    /// `PF_*`.
    pub flags: u32,
    /// Faults without a device, of the task and of children that it has waited for; then those with one.
    pub min_flt: u64,
    /// Of children.
    pub cmin_flt: u64,
    /// Faults that waited for a device.
    pub maj_flt: u64,
    /// Of children.
    pub cmaj_flt: u64,
    /// Nanoseconds in the program, in the kernel.
    pub utime: u64,
    /// In the kernel.
    pub stime: u64,
    /// Of children.
    pub cutime: u64,
    /// Of children.
    pub cstime: u64,
    /// Niceness.
    pub nice: i32,
    /// Threads of the process.
    pub num_threads: u32,
    /// When it began, in nanoseconds since boot.
    pub start_time: u64,
    /// Bytes mapped.
    pub vsize: u64,
    /// Pages in memory, in the reader's page size.
    pub rss: u64,
    /// Soft limit of that in bytes.
    pub rss_limit: u64,
    /// Code.
    pub code: Range<u64>,
    /// Where the stack began.
    pub start_stack: u64,
    /// Signals pending, blocked, ignored, caught: the first 32.
    pub signals: [u64; 4],
    /// Signal that the parent gets.
    pub exit_signal: u32,
    /// CPU that it ran on last.
    pub processor: u32,
    /// Data.
    pub data: Range<u64>,
    /// Start of the heap.
    pub start_brk: u64,
    /// Arguments.
    pub args: Range<u64>,
    /// Environment.
    pub env: Range<u64>,
    /// Status that `wait4` will tell.
    pub exit_code: u32,
}

impl TaskStat<'_> {
    /// Writes the line.
    pub fn show(&self, out: &mut Text) -> Result<(), Errno> {
        out.print(format_args!("{} (", self.pid))?;
        out.push(self.comm)?;
        out.print(format_args!(
            ") {} {} {} {} {} {} {}",
            char::from(self.state),
            self.ppid,
            self.pgrp,
            self.session,
            self.tty_nr,
            self.tpgid,
            self.flags
        ))?;
        out.print(format_args!(" {} {} {} {}", self.min_flt, self.cmin_flt, self.maj_flt, self.cmaj_flt))?;
        for time in [self.utime, self.stime, self.cutime, self.cstime] {
            out.print(format_args!(" {}", clock_ticks(time)))?;
        }
        // The priority of a task that is not of real time is 20 above its niceness.
        out.print(format_args!(
            " {} {} {} 0 {}",
            20 + self.nice,
            self.nice,
            self.num_threads,
            clock_ticks(self.start_time)
        ))?;
        out.print(format_args!(
            " {} {} {} {} {} {} 0 0",
            self.vsize, self.rss, self.rss_limit, self.code.start, self.code.end, self.start_stack
        ))?;
        for signals in self.signals {
            out.print(format_args!(" {}", signals & 0x7fff_ffff))?;
        }
        out.print(format_args!(" 0 0 0 {} {} 0 0 0 0 0", self.exit_signal, self.processor))?;
        out.print(format_args!(
            " {} {} {} {} {} {} {} {}\n",
            self.data.start,
            self.data.end,
            self.start_brk,
            self.args.start,
            self.args.end,
            self.env.start,
            self.env.end,
            self.exit_code
        ))
    }
}

/// What `/proc/PID/statm` tells, in pages of the reader (Linux: `proc_pid_statm`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Statm {
    /// Mapped.
    pub size: u64,
    /// In memory.
    pub resident: u64,
    /// Of these, from files or shared memory.
    pub shared: u64,
    /// Code of the program.
    pub text: u64,
    /// Data and stack.
    pub data: u64,
}

impl Statm {
    /// Writes the line.
    pub fn show(&self, out: &mut Text) -> Result<(), Errno> {
        let Statm { size, resident, shared, text, data } = self;
        out.print(format_args!("{size} {resident} {shared} {text} 0 {data} 0\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_the_fields_where_programs_look() {
        let stat = TaskStat {
            pid: 42,
            comm: b"a) b (",
            state: b'S',
            ppid: 1,
            pgrp: 40,
            session: 39,
            tty_nr: 1088,
            tpgid: -1,
            flags: 0x40_0000,
            min_flt: 10,
            utime: 1_239_999_999,
            nice: -5,
            num_threads: 1,
            start_time: 7_000_000_000,
            vsize: 1 << 20,
            rss: 77,
            rss_limit: u64::MAX,
            code: 0x1000..0x2000,
            start_stack: 0x7000,
            signals: [0, 1 << 40 | 4, 0, 0],
            exit_signal: 17,
            data: 3..4,
            start_brk: 5,
            args: 6..7,
            env: 8..9,
            exit_code: 256,
            ..TaskStat::default()
        };
        let mut text = Text::new();
        stat.show(&mut text).unwrap();
        let text = std::str::from_utf8(text.as_bytes()).unwrap();
        let after = text.strip_suffix('\n').unwrap().strip_prefix("42 (a) b () ").unwrap();
        let fields: Vec<_> = after.split(' ').collect();
        // The first one is number 3 of proc(5), the last number 52.
        assert_eq!(fields.len(), 50);
        let field = |number: usize| fields[number - 3];
        for (number, value) in [
            (3, "S"),
            (4, "1"),
            (5, "40"),
            (6, "39"),
            (7, "1088"),
            (8, "-1"),
            (9, "4194304"),
            (10, "10"),
            (14, "123"),
            (18, "15"),
            (19, "-5"),
            (20, "1"),
            (22, "700"),
            (23, "1048576"),
            (24, "77"),
            (25, "18446744073709551615"),
            (26, "4096"),
            (27, "8192"),
            (28, "28672"),
            (32, "4"),
            (38, "17"),
            (45, "3"),
            (47, "5"),
            (48, "6"),
            (51, "9"),
            (52, "256"),
        ] {
            assert_eq!(field(number), value, "field {number}");
        }
    }
}
