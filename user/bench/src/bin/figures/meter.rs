//! Counting instructions.

use rt::counter::{self, Unit};
use rt::process::{self, Ended};

/// Instructions for each tick of the virtual counter under `-icount shift=0`: 1 ns each, 62.5 MHz.
const INSTRUCTIONS_PER_TICK: u64 = 16;

/// What instructions are counted with, and what the counting itself costs.
pub struct Meter {
    unit: Unit,
    overhead: u64,
}

impl Meter {
    /// Finds out what may be read: a child tries, because it dies where the answer is no.
    pub fn new() -> Meter {
        let readable = process::spawn(|| i32::from(counter::instructions() == counter::instructions()))
            .and_then(process::wait_for)
            .is_ok_and(|ended| ended == Ended::Exited(0));
        let unit = if readable { Unit::Instructions } else { Unit::Ticks };
        if unit == Unit::Instructions {
            counter::count_kernel_instructions();
        }
        let mut meter = Meter { unit, overhead: 0 };
        meter.overhead = (0..8).map(|_| meter.count(|| ()).1).min().unwrap_or(0);
        meter
    }

    fn now(&self) -> u64 {
        match self.unit {
            Unit::Instructions => counter::instructions(),
            Unit::Ticks => counter::ticks() * INSTRUCTIONS_PER_TICK,
        }
    }

    /// Runs `work` and says how many instructions that took.
    pub fn count<T>(&self, work: impl FnOnce() -> T) -> (T, u64) {
        let start = self.now();
        let result = work();
        let took = self.now() - start;
        (result, took.saturating_sub(self.overhead))
    }

    /// Runs `work` and says how many of its instructions were the kernel's; all of them where these cannot be told apart.
    pub fn count_kernel<T>(&self, work: impl FnOnce() -> T) -> (T, u64) {
        if self.unit == Unit::Ticks {
            return self.count(work);
        }
        let start = counter::kernel_instructions();
        let result = work();
        (result, counter::kernel_instructions() - start)
    }

    /// Prints a figure: the mean of `count` things that took `total` together.
    pub fn print(&self, name: &str, total: u64, count: usize) {
        let unit = match self.unit {
            Unit::Instructions => "instructions",
            Unit::Ticks => "instructions by the clock",
        };
        let hundredths = total * 100 / count as u64;
        rt::println!("bench {name} {}.{:02} {unit}", hundredths / 100, hundredths % 100);
    }
}
