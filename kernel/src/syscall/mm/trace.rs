//! `vm.page_size_trace`: the log names the calls that were refused because an address does not lie on a boundary of the
//! process's page. What a person wants to see who tests a program with larger pages.

use crate::drivers::timer;
use crate::task::current;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use mm::types::PageSize;

/// `vm.page_size_trace`.
pub static TRACE: AtomicBool = AtomicBool::new(false);

/// At most this many lines in an interval, as Linux limits messages that programs can cause.
const BURST: u64 = 10;
const INTERVAL_NS: u64 = 5_000_000_000;

static BEGUN: AtomicU64 = AtomicU64::new(0);
static LINES: AtomicU64 = AtomicU64::new(0);

/// Says that `call` is refused for `addr`, if it does not lie on a boundary and somebody wants to know.
pub fn unaligned(page: PageSize, call: &str, addr: u64) {
    if page.is_aligned(addr) || !TRACE.load(Relaxed) || !may_speak() {
        return;
    }
    let task = current();
    let (comm, len) = task.comm();
    log::info!(
        "{}[{}]: {call}: {addr:#x} is not on a boundary of {}K",
        comm[..len].escape_ascii(),
        task.pid(),
        page.bytes() >> 10
    );
}

fn may_speak() -> bool {
    let now = timer::now();
    if now - BEGUN.load(Relaxed) > INTERVAL_NS {
        BEGUN.store(now, Relaxed);
        let missed = LINES.swap(0, Relaxed).saturating_sub(BURST);
        if missed > 0 {
            log::info!("{missed} unaligned calls were not named");
        }
    }
    LINES.fetch_add(1, Relaxed) < BURST
}
