//! What a process does about each signal. Mirrors Linux's `sighand_struct`.

use crate::sync::IrqMutex;
use abi::signal::{NSIG, SaFlags, SigAction, SigSet, Signal};
use alloc::sync::Arc;

/// One action for each signal.
type Table = [SigAction; NSIG as usize];

/// The actions of a process, which processes may share (`CLONE_SIGHAND`). There is a table only if one of them is not the
/// default action: most processes have none.
pub struct Actions {
    table: IrqMutex<Option<Arc<IrqMutex<Table>>>>,
}

impl Actions {
    /// All are the default ones.
    pub const fn new() -> Actions {
        Actions { table: IrqMutex::new(None) }
    }

    fn table(&self) -> Option<Arc<IrqMutex<Table>>> {
        self.table.lock().clone()
    }

    /// The table, which is made if there is none.
    fn make_table(&self) -> Arc<IrqMutex<Table>> {
        let mut table = self.table.lock();
        table.get_or_insert_with(|| Arc::new(IrqMutex::new([SigAction::default(); NSIG as usize]))).clone()
    }

    /// What happens on `signal`.
    pub fn get(&self, signal: Signal) -> SigAction {
        match &*self.table.lock() {
            Some(table) => table.lock()[signal.index()],
            None => SigAction::default(),
        }
    }

    /// Signals that are ignored, and those that are caught.
    pub fn ignored_and_caught(&self) -> [SigSet; 2] {
        let mut sets = [SigSet::EMPTY; 2];
        if let Some(table) = self.table() {
            for (signal, action) in (1..=NSIG.into()).filter_map(Signal::new).zip(table.lock().iter()) {
                match action.handler {
                    SigAction::SIG_DFL => {}
                    SigAction::SIG_IGN => sets[0] = sets[0].with(signal),
                    _ => sets[1] = sets[1].with(signal),
                }
            }
        }
        sets
    }

    /// Replaces what happens on `signal`.
    pub fn set(&self, signal: Signal, action: SigAction) {
        let is_default = action == SigAction::default();
        if let Some(table) = if is_default { self.table() } else { Some(self.make_table()) } {
            table.lock()[signal.index()] = action;
        }
    }

    /// What happens on `signal` that is to be delivered now. An action for one time is the default one afterwards.
    pub fn take(&self, signal: Signal) -> SigAction {
        let action = self.get(signal);
        if action.handler > SigAction::SIG_IGN && action.flags().contains(SaFlags::RESETHAND) {
            self.set(signal, SigAction { handler: SigAction::SIG_DFL, ..action });
        }
        action
    }

    /// A copy for a child.
    pub fn fork(&self) -> Actions {
        let table = self.table().map(|table| Arc::new(IrqMutex::new(*table.lock())));
        Actions { table: IrqMutex::new(table) }
    }

    /// The same, for a child that shares them.
    pub fn share(&self) -> Actions {
        Actions { table: IrqMutex::new(Some(self.make_table())) }
    }

    /// For a new program: handlers are gone, what was ignored stays so. Nobody shares them any more.
    pub(crate) fn exec(&self) {
        let Some(old) = self.table.lock().take() else { return };
        let old = *old.lock();
        for (signal, action) in (1..=NSIG.into()).filter_map(Signal::new).zip(old) {
            if action.handler == SigAction::SIG_IGN {
                self.set(signal, SigAction { handler: SigAction::SIG_IGN, ..SigAction::default() });
            }
        }
    }
}
