//! The console before and below the terminal: bytes to the PL011, polled. Log lines and the panic message go
//! through here, whatever state the rest of the kernel is in.

use crate::arch::mmio;
use crate::platform::Device;
use crate::sync::IrqMutex;
use arm_pl011_uart::{PL011Registers, Uart};

static CONSOLE: IrqMutex<Option<Uart<'static>>> = IrqMutex::new(None);
/// A second mapping of the same registers, for a panic that interrupts a holder of the first.
static LAST_RESORT: IrqMutex<Option<Uart<'static>>> = IrqMutex::new(None);

/// Maps the UART. The loader or QEMU has set the line up; we only send.
pub fn init(uart: &Device) {
    for console in [&CONSOLE, &LAST_RESORT] {
        if let Ok(registers) = mmio::ioremap_registers::<PL011Registers>(uart.registers.pa) {
            *console.lock() = Some(Uart::new(registers));
        }
    }
}

/// Sends `bytes`, and waits for room in the FIFO.
pub fn write(bytes: &[u8]) {
    send(&mut CONSOLE.lock(), bytes);
}

/// Sends `bytes` even if the panic came while the console was in use.
pub fn write_in_panic(bytes: &[u8]) {
    match CONSOLE.try_lock() {
        Some(mut uart) => send(&mut uart, bytes),
        None => {
            if let Some(mut uart) = LAST_RESORT.try_lock() {
                send(&mut uart, bytes);
            }
        }
    }
}

fn send(uart: &mut Option<Uart<'static>>, bytes: &[u8]) {
    let Some(uart) = uart else { return };
    for &byte in bytes {
        while uart.is_tx_fifo_full() {
            core::hint::spin_loop();
        }
        uart.write_word(byte);
    }
}
