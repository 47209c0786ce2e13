//! Barriers, TLB maintenance and cache maintenance. A maintenance instruction is only sure to have
//! happened when a DSB by the same CPU has completed. Arm Architecture Reference Manual, sections
//! "Ordering and completion of TLB maintenance instructions" and "Ordering and completion of data and
//! instruction cache instructions".

use crate::icache::{LINE, Maintenance};
use crate::machine::Machine;
use crate::tlbi::{PendingTlbi, Scope, Tlbi, TlbiOp};
use crate::violation::ViolationKind;

/// Kinds of DSB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dsb {
    /// DSB ISHST, NSHST: waits for stores, not for maintenance.
    Stores,
    /// DSB NSH: waits for maintenance that reaches this CPU only.
    NonShareable,
    /// DSB ISH, SY: waits for everything.
    InnerShareable,
}

impl Machine {
    /// DMB with at least stores ordered against stores, or a release that a walker's read depends on:
    /// stores before it become visible before those after it.
    pub fn dmb(&mut self) {
        self.stores.dmb();
    }

    /// DSB.
    pub fn dsb(&mut self, cpu: usize, kind: Dsb) {
        self.clock += 1;
        self.counters.dsbs += 1;
        self.stores.dsb();
        if kind == Dsb::Stores {
            return;
        }
        let completes = |scope: Scope| kind == Dsb::InnerShareable || scope == Scope::Local;
        let (complete, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.cpus[cpu].tlbis).into_iter().partition(|p| completes(p.scope));
        self.cpus[cpu].tlbis = rest;
        for pending in complete {
            self.complete_tlbi(cpu, &pending);
        }
        for maintenance in std::mem::take(&mut self.cpus[cpu].maintenance) {
            self.complete_maintenance(cpu, maintenance);
        }
    }

    /// TLBI with a register operand, as the instruction has it.
    pub fn tlbi(&mut self, cpu: usize, op: TlbiOp, scope: Scope, operand: u64) {
        match Tlbi::decode(op, operand) {
            Some(tlbi) => self.tlbi_decoded(cpu, tlbi, scope),
            None => self.violations.record(
                ViolationKind::BadTlbi,
                format_args!("{op:?} {operand:#x}: TG is reserved, it invalidates nothing"),
            ),
        }
    }

    /// TLBI, decoded. Takes effect somewhere between now and the DSB.
    pub fn tlbi_decoded(&mut self, cpu: usize, tlbi: Tlbi, scope: Scope) {
        self.clock += 1;
        self.counters.tlbis += 1;
        let unseen = self.stores.iter().find(|s| s.revokes && self.tables.revoked_by(s.pa, s.old, &tlbi));
        if let Some(store) = unseen {
            self.violations.record(
                ViolationKind::MissingBarrier,
                format_args!(
                    "TLBI of {tlbi}: no DSB since the store to descriptor {:#x}, a walker may cache {:#x} again",
                    store.pa, store.old
                ),
            );
        }
        let mut done = 0;
        for target in self.reach(cpu, scope) {
            if self.rng.coin() {
                self.cpus[target].tlb.invalidate(&tlbi, self.clock);
                done |= 1 << target;
            }
        }
        self.cpus[cpu].tlbis.push(PendingTlbi { tlbi, scope, issued: self.clock, done });
    }

    fn reach(&self, cpu: usize, scope: Scope) -> std::ops::Range<usize> {
        match scope {
            Scope::Local => cpu..cpu + 1,
            Scope::InnerShareable => 0..self.cpus.len(),
        }
    }

    fn complete_tlbi(&mut self, cpu: usize, pending: &PendingTlbi) {
        let reach = self.reach(cpu, pending.scope);
        let mask = reach.clone().fold(0, |m, c| m | 1 << c);
        for target in reach.filter(|c| pending.done >> c & 1 == 0) {
            self.cpus[target].tlb.invalidate(&pending.tlbi, pending.issued);
        }
        let (cpus, reserved) = (&self.cpus, &self.reserved_roots);
        let loaded = |asid: u16| Machine::loaded_on(cpus, reserved, asid);
        self.tables.invalidated(&pending.tlbi, pending.issued, mask, &loaded);
    }

    /// DC CVAU of the line that holds this physical address.
    pub fn dc_cvau(&mut self, cpu: usize, pa: u64) {
        if self.check_range(pa, 1, "DC CVAU") {
            self.cpus[cpu].maintenance.push(Maintenance::Clean(pa & !(LINE - 1)));
        }
    }

    /// IC IVAU of the line that holds this physical address, on all CPUs.
    pub fn ic_ivau(&mut self, cpu: usize, pa: u64) {
        if self.check_range(pa, 1, "IC IVAU") {
            self.instruction_maintenance(cpu, Maintenance::Invalidate(pa & !(LINE - 1)));
        }
    }

    /// IC IALLU or IC IALLUIS.
    pub fn ic_iallu(&mut self, cpu: usize, scope: Scope) {
        self.instruction_maintenance(cpu, Maintenance::InvalidateAll(scope));
    }

    fn instruction_maintenance(&mut self, cpu: usize, op: Maintenance) {
        self.counters.icache_ops += 1;
        let pending = &mut self.cpus[cpu].maintenance;
        if pending.iter().any(|p| op.leans_on(*p)) {
            self.violations.record(
                ViolationKind::MissingBarrier,
                format_args!("CPU {cpu}: {op:x?} without a DSB after DC CVAU"),
            );
        }
        pending.push(op);
    }

    fn complete_maintenance(&mut self, cpu: usize, op: Maintenance) {
        match op {
            Maintenance::Clean(line) => return self.pou.clean(line),
            Maintenance::Invalidate(line) => {
                for c in &mut self.cpus {
                    c.icache.invalidate(line);
                }
            }
            Maintenance::InvalidateAll(scope) => {
                for target in self.reach(cpu, scope) {
                    self.cpus[target].icache.invalidate_all();
                }
            }
        }
        self.cpus[cpu].stale_pipeline = true;
    }
}
