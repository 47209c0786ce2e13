//! Input from the PL011 UART. (Output is in `console`, which must work when nothing else does.)
//!
//! Bytes go to the terminal in interrupt context. While the terminal has no room the interrupt is
//! masked and bytes stay in the FIFO, so the sender waits and nothing is lost.

use super::tty;
use crate::arch::mmio;
use crate::irq;
use crate::platform::Device;
use crate::sync::IrqMutex;
use abi::Errno;
use arm_pl011_uart::{Interrupts, Uart};

/// The UART's receiving side; `None` until [`init`].
static UART: IrqMutex<Option<Uart<'static>>> = IrqMutex::new(None);

/// A byte came in, or some have been waiting.
const RECEIVE: Interrupts = Interrupts::RXI.union(Interrupts::RTI);

/// Lets input in from now on.
pub fn init(device: &Device) -> Result<(), Errno> {
    let registers = mmio::ioremap_registers(device.registers.pa).map_err(|_| Errno::ENOMEM)?;
    *UART.lock() = Some(Uart::new(registers));
    irq::request_irq(device.irq, handle_interrupt, 0)?;
    resume();
    Ok(())
}

/// Takes bytes again after the terminal had no room.
pub fn resume() {
    if let Some(uart) = UART.lock().as_mut() {
        // What waits in the FIFO still asserts the interrupt: it was masked, not cleared.
        uart.set_interrupt_masks(RECEIVE);
    }
}

fn handle_interrupt(_: usize) {
    let mut guard = UART.lock();
    let Some(uart) = guard.as_mut() else { return };
    // Emptying the FIFO is what clears the interrupt.
    while !uart.is_rx_fifo_empty() {
        if !tty::has_room() {
            uart.set_interrupt_masks(Interrupts::empty());
            return;
        }
        // A byte with a line error, or after an overrun, is dropped.
        if let Ok(Some(byte)) = uart.read_word() {
            tty::receive(byte);
        }
    }
}
