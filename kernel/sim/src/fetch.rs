//! Instruction fetch through the MMU and the instruction cache.

use crate::machine::Machine;
use crate::violation::ViolationKind;
use crate::walk::{Access, El, Fault, FaultKind};

/// What a CPU fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where from.
    pub pa: u64,
    /// The instruction, as this CPU executes it.
    pub word: u32,
    /// What memory holds there.
    pub memory: u32,
}

impl Fetched {
    /// Does the CPU execute something that is not in memory?
    pub fn is_stale(&self) -> bool {
        self.word != self.memory
    }
}

impl Machine {
    /// Fetch an instruction. A stale one is a violation.
    pub fn fetch(&mut self, cpu: usize, va: u64, el: El) -> Result<u32, Fault> {
        let fetched = self.fetch_quietly(cpu, va, el)?;
        if fetched.is_stale() {
            self.violations.record(
                ViolationKind::StaleFetch,
                format_args!(
                    "CPU {cpu}: fetch at {va:#x} from {:#x} gives {:#010x}, memory holds {:#010x}{}",
                    fetched.pa,
                    fetched.word,
                    fetched.memory,
                    if self.pou.is_unclean(fetched.pa) { " (not cleaned to the PoU)" } else { "" }
                ),
            );
        } else if self.cpus[cpu].stale_pipeline {
            self.violations.record(
                ViolationKind::MissingBarrier,
                format_args!("CPU {cpu}: fetch at {va:#x} with no ISB after instruction cache maintenance"),
            );
        }
        Ok(fetched.word)
    }

    /// Fetch an instruction, and leave it to the caller to compare.
    pub fn fetch_quietly(&mut self, cpu: usize, va: u64, el: El) -> Result<Fetched, Fault> {
        if !va.is_multiple_of(4) {
            return Err(Fault { kind: FaultKind::Alignment, level: 0, va });
        }
        let pa = self.access(cpu, va, Access::Fetch, el)?;
        if !self.phys.contains(pa, 4) {
            self.violations.record(
                ViolationKind::OutOfRange,
                format_args!("CPU {cpu}: fetch at {va:#x} from {pa:#x}: no memory there"),
            );
            return Ok(Fetched { pa, word: 0, memory: 0 });
        }
        let mut memory = [0; 4];
        self.phys.read(pa, &mut memory);
        let Machine { cpus, pou, phys, rng, config, .. } = self;
        let word = cpus[cpu].icache.fetch(pa, pou, phys, config.ctr.dic, rng);
        Ok(Fetched { pa, word, memory: u32::from_le_bytes(memory) })
    }
}
