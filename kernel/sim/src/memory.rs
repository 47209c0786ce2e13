//! The kernel's own accesses to physical memory: checked, coherent among the CPUs, and slow to reach
//! walkers and instruction fetch.

use crate::icache::LINE;
use crate::machine::Machine;
use crate::phys::{FRAME_SIZE, POISON};
use crate::tables::StoreContext;
use crate::violation::ViolationKind;

impl Machine {
    /// Is this memory? Records an access outside, or to a free frame.
    pub(crate) fn check_range(&mut self, pa: u64, len: u64, what: &str) -> bool {
        if !self.phys.contains(pa, len) {
            self.violations.record(
                ViolationKind::OutOfRange,
                format_args!("{what} of {len:#x} bytes at {pa:#x}: no memory there"),
            );
            return false;
        }
        if let Some(frame) = self.frames.first_free_in(pa, len) {
            self.violations.record(
                ViolationKind::UseAfterFree,
                format_args!("{what} of {len:#x} bytes at {pa:#x}: frame {frame:#x} is free"),
            );
        }
        true
    }

    fn check_aligned(&mut self, pa: u64, size: u64, what: &str) -> bool {
        if !pa.is_multiple_of(size) {
            self.violations.record(
                ViolationKind::Misaligned,
                format_args!("{what} at {pa:#x} is not single-copy atomic"),
            );
            return false;
        }
        self.check_range(pa, size, what)
    }

    /// Read 64 bits at once. [`POISON`] if that is not possible.
    pub fn read_u64(&mut self, pa: u64) -> u64 {
        if self.check_aligned(pa, 8, "64-bit read") { self.phys.word(pa) } else { POISON }
    }

    /// Write 64 bits at once.
    pub fn write_u64(&mut self, pa: u64, value: u64) {
        if self.check_aligned(pa, 8, "64-bit write") {
            self.store_word(pa, value);
        }
    }

    /// Write 64 bits if they hold `expected`. The result is what was there, as an error if something else.
    pub fn compare_exchange_u64(&mut self, pa: u64, expected: u64, value: u64) -> Result<u64, u64> {
        let old = self.read_u64(pa);
        if old != expected {
            return Err(old);
        }
        self.write_u64(pa, value);
        Ok(old)
    }

    /// Write 64 bits and return what was there.
    pub fn swap_u64(&mut self, pa: u64, value: u64) -> u64 {
        let old = self.read_u64(pa);
        self.write_u64(pa, value);
        old
    }

    /// As [`Machine::compare_exchange_u64`], for 32 bits.
    pub fn compare_exchange_u32(&mut self, pa: u64, expected: u32, value: u32) -> Result<u32, u32> {
        if !self.check_aligned(pa, 4, "32-bit exchange") {
            return Err(POISON as u32);
        }
        let mut bytes = [0; 4];
        self.phys.read(pa, &mut bytes);
        let old = u32::from_le_bytes(bytes);
        if old != expected {
            return Err(old);
        }
        self.write_bytes(pa, &value.to_le_bytes());
        Ok(old)
    }

    /// Read bytes.
    pub fn read_bytes(&mut self, pa: u64, out: &mut [u8]) {
        if self.check_range(pa, out.len() as u64, "read") {
            self.phys.read(pa, out);
        }
    }

    /// Write bytes. They are data: a descriptor is written by [`Machine::write_u64`].
    pub fn write_bytes(&mut self, pa: u64, data: &[u8]) {
        let len = data.len() as u64;
        if len == 0 || !self.check_range(pa, len, "write") {
            return;
        }
        if self.tables.any_in(pa, len) {
            return self.write_over_tables(pa, data);
        }
        self.pou.before_write(&self.phys, pa, len);
        self.phys.write(pa, data);
    }

    /// Zero memory.
    pub fn zero(&mut self, pa: u64, len: u64) {
        if len == 0 || !self.check_range(pa, len, "zeroing") {
            return;
        }
        if self.tables.any_in(pa, len) || !(pa | len).is_multiple_of(8) {
            return self.write_bytes(pa, &vec![0; len as usize]);
        }
        self.pou.before_write(&self.phys, pa, len);
        self.phys.fill_words(pa, len, 0);
        self.note_bulk(pa, len);
    }

    /// Copy memory. The ranges do not overlap.
    pub fn copy(&mut self, dst: u64, src: u64, len: u64) {
        if len == 0 || !self.check_range(src, len, "copy from") || !self.check_range(dst, len, "copy to") {
            return;
        }
        if self.tables.any_in(dst, len) || !(dst | src | len).is_multiple_of(8) {
            let mut bytes = vec![0; len as usize];
            self.phys.read(src, &mut bytes);
            return self.write_bytes(dst, &bytes);
        }
        self.pou.before_write(&self.phys, dst, len);
        self.phys.copy_words(dst, src, len);
        self.note_bulk(dst, len);
    }

    /// Whole frames may become tables: a walker must not get to them before a barrier.
    fn note_bulk(&mut self, pa: u64, len: u64) {
        if pa.is_multiple_of(LINE) && (LINE..=16 * FRAME_SIZE).contains(&len) {
            self.stores.push_bulk(pa, len);
        }
    }

    /// A plain write that hits a table that is walked: each word is a store to a descriptor.
    fn write_over_tables(&mut self, pa: u64, data: &[u8]) {
        let mut done = 0;
        while done < data.len() {
            let at = pa + done as u64;
            let word = at & !7;
            let skip = (at - word) as usize;
            let n = (8 - skip).min(data.len() - done);
            let mut bytes = self.phys.word(word).to_le_bytes();
            bytes[skip..skip + n].copy_from_slice(&data[done..done + n]);
            self.store_word(word, u64::from_le_bytes(bytes));
            done += n;
        }
    }

    /// One store of a word that is known to be memory.
    fn store_word(&mut self, pa: u64, value: u64) {
        let old = self.phys.word(pa);
        self.pou.before_write(&self.phys, pa, 8);
        self.phys.set_word(pa, value);
        if old == value {
            return;
        }
        self.clock += 1;
        let hardware_af = self.cpus.iter().any(|c| c.effective.tcr.ha);
        let (cpus, reserved) = (&self.cpus, &self.reserved_roots);
        let context = StoreContext {
            now: self.clock,
            hardware_af,
            phys: &self.phys,
            loaded: &|asid| Machine::loaded_on(cpus, reserved, asid),
        };
        let verdict = self.tables.store(pa, old, value, &context);
        if let Some((why, held)) = verdict.broke {
            self.violations.record(
                ViolationKind::BreakBeforeMake,
                format_args!("descriptor {pa:#x}: {held:#x} may be cached, {value:#x} changes its {why}"),
            );
        }
        if let Some((next, bytes)) = verdict.links
            && self.stores.unordered_in(next, bytes)
        {
            self.violations.record(
                ViolationKind::MissingBarrier,
                format_args!(
                    "descriptor {pa:#x} links table {next:#x}, whose content is not ordered before it"
                ),
            );
        }
        self.stores.push(pa, old, verdict.revokes);
        if let Some((asid, va)) = verdict.translates {
            self.walk_meanwhile(asid, va);
        }
    }

    /// Hardware walks at any time, so also between two stores of one operation: let a CPU that uses the
    /// ASID do so now and then.
    fn walk_meanwhile(&mut self, asid: u16, va: u64) {
        if self.config.restlessness == 0 || !self.rng.one_in(self.config.restlessness) {
            return;
        }
        let first = self.rng.below(self.cpus.len());
        let mut order = (first..self.cpus.len()).chain(0..first);
        if let Some(cpu) = order.find(|c| self.cpus[*c].effective.asid() == asid) {
            self.speculate(cpu, va);
        }
    }

    /// How many stores no DSB has pushed out to walkers yet.
    pub fn pending_stores(&self) -> usize {
        self.stores.len()
    }
}
