//! Interrupt numbers, their handlers, and the dispatch of one interrupt.
//!
//! The exception vectors call [`handle_irq`]; drivers call [`request_irq`] once while they start.
//! A handler runs with interrupts masked and without any lock of this file held. It must not sleep
//! or allocate. Mirrors `kernel/irq/manage.c` and `kernel/irq/handle.c` of Linux in the small.

use crate::drivers::gic;
use crate::platform::Irq;
use crate::sync::IrqMutex;
use abi::Errno;
use core::sync::atomic::{AtomicU64, Ordering};

/// One past the largest interrupt number that can be requested. Enough for the 256 shared
/// interrupts of the `virt` machine and for small real controllers.
const NR_IRQS: usize = 512;

/// What is called for an interrupt, with the value given at the request.
pub type Handler = fn(data: usize);

#[derive(Clone, Copy)]
struct Action {
    handler: Handler,
    data: usize,
}

static ACTIONS: IrqMutex<[Option<Action>; NR_IRQS]> = IrqMutex::new([None; NR_IRQS]);

/// Calls `handler(data)` for each interrupt on `irq` from now on, and lets the line through.
///
/// EINVAL for a number out of range, EBUSY when the line has a handler (lines are not shared).
pub fn request_irq(irq: Irq, handler: Handler, data: usize) -> Result<(), Errno> {
    {
        let mut actions = ACTIONS.lock();
        let slot = actions.get_mut(irq.intid as usize).ok_or(Errno::EINVAL)?;
        if slot.is_some() {
            return Err(Errno::EBUSY);
        }
        *slot = Some(Action { handler, data });
    }
    gic::enable_irq(irq)
}

/// Interrupts handled since boot.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// How many interrupts were handled since boot.
pub fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// Takes the pending interrupt of this CPU, if there still is one, and runs its handler.
///
/// Called by the exception vectors with interrupts masked. The line may have gone quiet between the
/// exception and the acknowledge: that interrupt is spurious and is ignored.
pub fn handle_irq() {
    while let Some(claim) = gic::acknowledge() {
        COUNT.fetch_add(1, Ordering::Relaxed);
        let action = ACTIONS.lock().get(claim.intid() as usize).copied().flatten();
        match action {
            Some(action) => (action.handler)(action.data),
            None => {
                // Nobody asked for it, so nobody can quiet the device: silence the line instead.
                gic::disable_irq(claim.intid());
                log::warn!("irq {}: nobody cared, disabled", claim.intid());
            }
        }
        gic::end(claim);
    }
}
