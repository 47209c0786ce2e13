//! What a disk has done: the numbers behind `/proc/diskstats` and `/sys/block/*/stat`.

use super::BioOp;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters of one direction.
#[derive(Default)]
struct Direction {
    bios: AtomicU64,
    requests: AtomicU64,
    segments: AtomicU64,
    bytes: AtomicU64,
}

/// Counters of one disk.
#[derive(Default)]
pub struct DiskStats {
    reads: Direction,
    writes: Direction,
    in_flight: AtomicU64,
}

/// The counters of one direction at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatsSnapshot {
    /// Requests of the block layer that ended.
    pub bios: u64,
    /// Requests that the device carried out; a long bio needs several.
    pub requests: u64,
    /// Pieces of memory in them.
    pub segments: u64,
    /// Bytes in them.
    pub bytes: u64,
}

impl DiskStats {
    fn direction(&self, op: BioOp) -> &Direction {
        match op {
            BioOp::Read => &self.reads,
            BioOp::Write => &self.writes,
        }
    }

    /// The device got a request.
    pub fn request_started(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    /// The device is done with a request, whether it went well or not.
    pub fn request_done(&self, op: BioOp, segments: u64, bytes: u64) {
        let direction = self.direction(op);
        direction.requests.fetch_add(1, Relaxed);
        direction.segments.fetch_add(segments, Relaxed);
        direction.bytes.fetch_add(bytes, Relaxed);
        self.in_flight.fetch_sub(1, Relaxed);
    }

    /// A request of the block layer ended.
    pub fn bio_done(&self, op: BioOp) {
        self.direction(op).bios.fetch_add(1, Relaxed);
    }

    /// One direction's counters.
    pub fn snapshot(&self, op: BioOp) -> StatsSnapshot {
        let direction = self.direction(op);
        StatsSnapshot {
            bios: direction.bios.load(Relaxed),
            requests: direction.requests.load(Relaxed),
            segments: direction.segments.load(Relaxed),
            bytes: direction.bytes.load(Relaxed),
        }
    }

    /// Requests that the device has now.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }
}
