//! The small files about the whole machine: `uptime`, `loadavg`, `stat`, `diskstats`.

use super::clock_ticks;
use crate::pseudo::Text;
use abi::Errno;

/// Bits behind the point of a load average (Linux's `FSHIFT`).
pub const LOAD_SHIFT: u32 = 11;

/// Where a CPU's time went, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuTimes {
    /// In programs.
    pub user: u64,
    /// In the kernel.
    pub system: u64,
    /// Nowhere.
    pub idle: u64,
}

impl CpuTimes {
    fn show(&self, out: &mut Text) -> Result<(), Errno> {
        let CpuTimes { user, system, idle } = *self;
        let (user, system, idle) = (clock_ticks(user), clock_ticks(system), clock_ticks(idle));
        out.print(format_args!(" {user} 0 {system} {idle} 0 0 0 0 0 0\n"))
    }
}

/// What `/proc/stat` tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemStat {
    /// The one CPU.
    pub cpu: CpuTimes,
    /// Interrupts handled.
    pub interrupts: u64,
    /// Switches between tasks.
    pub switches: u64,
    /// When the machine was started, in seconds since 1970.
    pub boot_time: u64,
    /// Tasks made.
    pub forks: u64,
    /// Tasks that run or want to.
    pub running: u64,
    /// Tasks that wait for a device.
    pub blocked: u64,
}

impl SystemStat {
    /// Writes the file.
    pub fn show(&self, out: &mut Text) -> Result<(), Errno> {
        for name in ["cpu ", "cpu0"] {
            out.push(name.as_bytes())?;
            self.cpu.show(out)?;
        }
        out.print(format_args!("intr {}\nctxt {}\n", self.interrupts, self.switches))?;
        out.print(format_args!("btime {}\nprocesses {}\n", self.boot_time, self.forks))?;
        out.print(format_args!("procs_running {}\nprocs_blocked {}\n", self.running, self.blocked))?;
        out.push(b"softirq 0 0 0 0 0 0 0 0 0 0 0\n")
    }
}

/// Seconds with two digits behind the point.
pub fn show_seconds(ns: u64, out: &mut Text) -> Result<(), Errno> {
    let hundredths = ns / 10_000_000;
    out.print(format_args!("{}.{:02}", hundredths / 100, hundredths % 100))
}

/// `/proc/loadavg`: the averages as fixed-point numbers, tasks that want to run of all tasks, the last number given out.
pub fn show_loadavg(
    averages: [u64; 3],
    (running, tasks): (u64, u64),
    last_pid: u32,
    out: &mut Text,
) -> Result<(), Errno> {
    const ONE: u64 = 1 << LOAD_SHIFT;
    for average in averages {
        // Rounded to the nearest hundredth.
        let average = average + ONE / 200;
        out.print(format_args!("{}.{:02} ", average / ONE, average % ONE * 100 / ONE))?;
    }
    out.print(format_args!("{running}/{tasks} {last_pid}\n"))
}

/// What a disk has done, in the order of `/sys/block/NAME/stat`. Merging and times are not measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskLine {
    /// Requests read.
    pub reads: u64,
    /// Sectors of 512 bytes read.
    pub read_sectors: u64,
    /// Requests written.
    pub writes: u64,
    /// Sectors written.
    pub written_sectors: u64,
    /// Requests that the device has now.
    pub in_flight: u64,
}

impl DiskLine {
    /// The numbers as `/proc/diskstats` has them, separated by single spaces.
    pub fn show(&self, out: &mut Text) -> Result<(), Errno> {
        let DiskLine { reads, read_sectors, writes, written_sectors, in_flight } = self;
        out.print(format_args!(
            "{reads} 0 {read_sectors} 0 {writes} 0 {written_sectors} 0 {in_flight} 0 0 0 0 0 0 0 0\n"
        ))
    }

    /// The numbers as `/sys/block/NAME/stat` has them, in columns.
    pub fn show_columns(&self, out: &mut Text) -> Result<(), Errno> {
        let DiskLine { reads, read_sectors, writes, written_sectors, in_flight } = self;
        let numbers = [
            *reads,
            0,
            *read_sectors,
            0,
            *writes,
            0,
            *written_sectors,
            0,
            *in_flight,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        for (index, number) in numbers.iter().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            out.print(format_args!("{gap}{number:>8}"))?;
        }
        out.push(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(show: impl FnOnce(&mut Text) -> Result<(), Errno>) -> String {
        let mut text = Text::new();
        show(&mut text).unwrap();
        String::from_utf8(text.to_vec().unwrap()).unwrap()
    }

    #[test]
    fn averages_are_rounded() {
        let averages = [1 << LOAD_SHIFT, 3 << (LOAD_SHIFT - 1), 2047];
        assert_eq!(shown(|out| show_loadavg(averages, (1, 20), 77, out)), "1.00 1.50 1.00 1/20 77\n");
    }

    #[test]
    fn seconds_have_two_digits_behind_the_point() {
        assert_eq!(shown(|out| show_seconds(12_059_999_999, out)), "12.05");
    }

    #[test]
    fn a_disk_has_seventeen_numbers() {
        let line = DiskLine { reads: 3, read_sectors: 24, in_flight: 1, ..DiskLine::default() };
        let plain = shown(|out| line.show(out));
        assert_eq!(plain, "3 0 24 0 0 0 0 0 1 0 0 0 0 0 0 0 0\n");
        let columns = shown(|out| line.show_columns(out));
        assert_eq!(
            columns.split_whitespace().collect::<Vec<_>>(),
            plain.split_whitespace().collect::<Vec<_>>()
        );
    }
}
