//! A block device: bytes, a queue that completes in any order, scatter-gather straight into physical
//! memory, counters, and errors on request. Data moves at completion, so who looks earlier sees what was
//! there before.

use crate::machine::Machine;
use crate::phys::POISON;
use crate::rng::Rng;
use crate::violation::ViolationKind;

/// Bytes in a sector, the unit of transfer.
pub const SECTOR: u64 = 512;

/// Which way the data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the device to memory.
    Read,
    /// From memory to the device.
    Write,
}

/// A piece of physical memory in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where.
    pub pa: u64,
    /// Bytes.
    pub len: u64,
}

/// Names a request until it has completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// The device could not do it. Memory that was to be read into may hold anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoError;

/// A request that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Which one.
    pub id: RequestId,
    /// How it ended.
    pub result: Result<(), IoError>,
}

/// What the device has been asked, completed or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskCounters {
    /// Requests to read.
    pub reads: u64,
    /// Requests to write.
    pub writes: u64,
    /// Segments of all requests.
    pub segments: u64,
    /// Bytes that all read requests asked for.
    pub read_bytes: u64,
    /// Bytes that all write requests brought.
    pub written_bytes: u64,
    /// Requests that failed, injected or out of bounds.
    pub failed: u64,
}

#[derive(Debug)]
struct Request {
    id: RequestId,
    direction: Direction,
    offset: u64,
    segments: Vec<Segment>,
    fails: bool,
}

/// The device. An empty one is in every machine.
#[derive(Debug)]
pub struct Disk {
    bytes: Vec<u8>,
    queue: Vec<Request>,
    counters: DiskCounters,
    next_id: u64,
    /// Requests left until the injected failure.
    fail_in: Option<u64>,
    rng: Rng,
}

impl Disk {
    pub(crate) fn new(seed: u64) -> Disk {
        Disk {
            bytes: Vec::new(),
            queue: Vec::new(),
            counters: DiskCounters::default(),
            next_id: 0,
            fail_in: None,
            // Its own chance, so that a longer queue does not shift everything else.
            rng: Rng::new(seed ^ u64::from_le_bytes(*b"the disk")),
        }
    }

    /// What is stored.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Store something else, whole sectors; the size of the device is its length.
    pub fn load(&mut self, bytes: Vec<u8>) {
        assert!((bytes.len() as u64).is_multiple_of(SECTOR), "a disk has whole sectors");
        self.bytes = bytes;
    }

    /// Counters.
    pub fn counters(&self) -> DiskCounters {
        self.counters
    }

    /// Requests that have not completed.
    pub fn in_flight(&self) -> usize {
        self.queue.len()
    }

    /// Let the request after `skip` more fail, once.
    pub fn fail_after(&mut self, skip: u64) {
        self.fail_in = Some(skip);
    }

    /// A request that moves data from or to this memory.
    pub(crate) fn in_flight_over(&self, pa: u64, len: u64) -> Option<RequestId> {
        let over = |s: &Segment| s.pa < pa + len && pa < s.pa + s.len;
        self.queue.iter().find(|r| r.segments.iter().any(over)).map(|r| r.id)
    }

    fn next_fails(&mut self) -> bool {
        match self.fail_in.take() {
            Some(0) => true,
            Some(left) => {
                self.fail_in = Some(left - 1);
                false
            }
            None => false,
        }
    }
}

impl Machine {
    /// The block device.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The block device, to load it or to inject failures.
    pub fn disk_mut(&mut self) -> &mut Disk {
        &mut self.disk
    }

    /// Queue a request for whole sectors from byte `offset` on.
    pub fn disk_submit(&mut self, direction: Direction, offset: u64, segments: &[Segment]) -> RequestId {
        let mut len = 0;
        for segment in segments {
            len += segment.len;
            if segment.len == 0 || !(segment.len | segment.pa).is_multiple_of(SECTOR) {
                self.bad_request(format_args!("{segment:x?} is not made of sectors"));
            }
            self.check_range(segment.pa, segment.len, "DMA submitted");
        }
        if len == 0 || !offset.is_multiple_of(SECTOR) {
            self.bad_request(format_args!("{len:#x} bytes at offset {offset:#x}"));
        }
        let disk = &mut self.disk;
        let (requests, bytes) = match direction {
            Direction::Read => (&mut disk.counters.reads, &mut disk.counters.read_bytes),
            Direction::Write => (&mut disk.counters.writes, &mut disk.counters.written_bytes),
        };
        *requests += 1;
        *bytes += len;
        disk.counters.segments += segments.len() as u64;
        let outside = offset.checked_add(len).is_none_or(|end| end > disk.bytes.len() as u64);
        let fails = disk.next_fails() || outside;
        disk.counters.failed += u64::from(fails);
        let id = RequestId(disk.next_id);
        disk.next_id += 1;
        disk.queue.push(Request { id, direction, offset, segments: segments.to_vec(), fails });
        id
    }

    /// Complete any one of the queued requests. `None`: there is none.
    pub fn disk_complete(&mut self) -> Option<Completion> {
        let queued = self.disk.queue.len();
        if queued == 0 {
            return None;
        }
        let chosen = self.disk.rng.below(queued);
        let request = self.disk.queue.swap_remove(chosen);
        if request.fails {
            self.spoil(&request);
            return Some(Completion { id: request.id, result: Err(IoError) });
        }
        let mut at = request.offset as usize;
        for segment in &request.segments {
            if self.check_range(segment.pa, segment.len, "DMA") {
                self.transfer(request.direction, at, *segment);
            }
            at += segment.len as usize;
        }
        Some(Completion { id: request.id, result: Ok(()) })
    }

    fn transfer(&mut self, direction: Direction, at: usize, segment: Segment) {
        let stored = at..at + segment.len as usize;
        match direction {
            Direction::Read => {
                let bytes = std::mem::take(&mut self.disk.bytes);
                self.write_bytes(segment.pa, &bytes[stored]);
                self.disk.bytes = bytes;
            }
            Direction::Write => self.phys.read(segment.pa, &mut self.disk.bytes[stored]),
        }
    }

    /// A failed read may have got half way.
    fn spoil(&mut self, request: &Request) {
        if request.direction == Direction::Read
            && let Some(first) = request.segments.first()
            && self.disk.rng.coin()
            && self.check_range(first.pa, first.len, "DMA")
        {
            let junk = POISON.to_le_bytes().repeat(first.len as usize / 8);
            self.write_bytes(first.pa, &junk);
        }
    }

    fn bad_request(&mut self, message: std::fmt::Arguments<'_>) {
        self.violations.record(ViolationKind::BadRequest, message);
    }
}
