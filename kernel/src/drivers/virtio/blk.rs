//! The virtio block device: requests of the block layer become descriptor chains that point straight
//! at the memory they are for ("Block Device", virtio specification).
//!
//! A bio that is longer than one chain is carried out as several requests; up to 64 requests of any
//! number of bios are in flight at once. Bios start in the order of their submission. Nothing is
//! allocated after [`start`], so requests can be submitted and ended in interrupt context.
//!
//! The device is not trusted with the kernel's life: an answer that makes no sense takes it out of
//! service, and everything that waits for it ends with EIO.

use super::chain::{Chain, memory};
use super::control::Control;
use super::hal::KernelHal;
use super::pool::{POOL_SIZE, Pool};
use crate::block::{self, Bio, BioList, BioOp, BlockDriver, DiskId, DiskStats, SECTOR_SIZE};
use crate::irq;
use crate::platform::Irq;
use crate::sync::IrqMutex;
use abi::Errno;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use bitflags::bitflags;
use core::sync::atomic::{Ordering, fence};
use mm::sg::Cursor;
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::mmio::MmioTransport;
use virtio_drivers::transport::{DeviceStatus, Transport};

/// Descriptors in the queue. Each request takes two and one for each piece of memory.
const QUEUE_SIZE: usize = 256;

/// The only queue.
const QUEUE: u16 = 0;

/// Descriptors of a request that are not data: header and status.
const CONTROL_DESCRIPTORS: usize = 2;

/// Bytes in one piece of memory. With this and the queue's size a request stays below the 2 GiB at
/// which QEMU refuses one.
const PIECE_MAX: u32 = 4 << 20;

/// Offsets of the configuration fields that are read.
const CONFIG_CAPACITY: usize = 0;
const CONFIG_SIZE_MAX: usize = 8;
const CONFIG_SEG_MAX: usize = 12;

bitflags! {
    /// Feature bits that this driver knows. Without FLUSH the device writes through.
    #[derive(Clone, Copy, Debug)]
    struct Features: u64 {
        const SIZE_MAX = 1 << 1;
        const SEG_MAX = 1 << 2;
        const RO = 1 << 5;
        const VERSION_1 = 1 << 32;
    }
}

/// A disk.
struct VirtioBlk {
    capacity: u64,
    read_only: bool,
    /// Pieces of memory that one request can carry.
    seg_max: usize,
    /// Bytes in one piece.
    size_max: u32,
    stats: DiskStats,
    state: IrqMutex<State>,
}

/// What requests in flight and interrupts share.
struct State {
    transport: MmioTransport<'static>,
    queue: VirtQueue<KernelHal, QUEUE_SIZE>,
    control: Control,
    /// Numbers of `requests` and of the control buffers.
    request_numbers: Pool,
    requests: Vec<Option<Request>>,
    /// The number of the request whose chain begins at a descriptor, while it is in flight.
    request_of_head: [u8; QUEUE_SIZE],
    /// Numbers of `bios`.
    bio_numbers: Pool,
    /// Bios of which a part is in flight, and the one that is being started.
    bios: Vec<Option<Box<Bio>>>,
    /// The bio that is being started and still has parts to come.
    starting: Option<usize>,
    waiting: BioList,
    /// Room for a request's list of buffers.
    chain: Chain,
    /// The device answered nonsense and was reset.
    broken: bool,
}

/// A chain that the device has.
#[derive(Clone, Copy)]
struct Request {
    head: u16,
    bio: usize,
    op: BioOp,
    /// Where its memory begins in the bio, and in how many pieces.
    start: Cursor,
    pieces: usize,
    bytes: u64,
}

static DISKS: [spin::Once<&'static VirtioBlk>; block::MAX_DISKS] =
    [const { spin::Once::new() }; block::MAX_DISKS];

/// Brings the device up and registers it as the next disk.
pub fn start(mut transport: MmioTransport<'static>, irq: Irq) -> Result<DiskId, Errno> {
    let features = transport.begin_init(Features::all());
    let modern = !transport.requires_legacy_layout();
    if modern && !transport.get_status().contains(DeviceStatus::FEATURES_OK) {
        return Err(Errno::ENODEV);
    }
    let config = |offset| transport.read_config_space::<u32>(offset).map_err(|_| Errno::ENODEV);
    let capacity = transport
        .read_consistent(|| {
            let low: u32 = transport.read_config_space(CONFIG_CAPACITY)?;
            let high: u32 = transport.read_config_space(CONFIG_CAPACITY + 4)?;
            Ok(u64::from(high) << 32 | u64::from(low))
        })
        .map_err(|_| Errno::ENODEV)?;
    let mut seg_max = QUEUE_SIZE - CONTROL_DESCRIPTORS;
    if features.contains(Features::SEG_MAX) {
        seg_max = seg_max.min(config(CONFIG_SEG_MAX)? as usize).max(1);
    }
    let mut size_max = PIECE_MAX;
    if features.contains(Features::SIZE_MAX) {
        size_max = size_max.min(config(CONFIG_SIZE_MAX)?) & !(SECTOR_SIZE as u32 - 1);
        if size_max == 0 {
            return Err(Errno::ENODEV);
        }
    }
    let queue = VirtQueue::new(&mut transport, QUEUE, false, false).map_err(|_| Errno::ENODEV)?;
    let control = Control::new()?;
    transport.finish_init();

    let disk: &'static VirtioBlk = Box::leak(Box::new(VirtioBlk {
        capacity,
        read_only: features.contains(Features::RO),
        seg_max,
        size_max,
        stats: DiskStats::default(),
        state: IrqMutex::new(State {
            transport,
            queue,
            control,
            request_numbers: Pool::new(),
            requests: vec![None; POOL_SIZE],
            request_of_head: [0; QUEUE_SIZE],
            bio_numbers: Pool::new(),
            bios: (0..POOL_SIZE).map(|_| None).collect(),
            starting: None,
            waiting: BioList::new(),
            chain: Chain::with_capacity(QUEUE_SIZE)?,
            broken: false,
        }),
    }));
    let id = block::register(disk)?;
    DISKS[id as usize].call_once(|| disk);
    irq::request_irq(irq, handle_interrupt, id as usize).inspect_err(|_| {
        // It keeps its name, but nothing would ever be told of its ends.
        disk.state.lock().broken = true;
    })?;
    Ok(id)
}

fn handle_interrupt(id: usize) {
    if let Some(disk) = DISKS[id].get() {
        disk.handle_interrupt();
    }
}

impl BlockDriver for VirtioBlk {
    fn capacity(&self) -> u64 {
        self.capacity
    }

    fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn submit(&self, bio: Box<Bio>) {
        let mut ended = BioList::new();
        let mut state = self.state.lock();
        state.waiting.push(bio);
        self.start_waiting(&mut state, &mut ended);
        drop(state);
        self.tell(ended);
    }

    fn stats(&self) -> &DiskStats {
        &self.stats
    }
}

impl VirtioBlk {
    fn handle_interrupt(&self) {
        let mut ended = BioList::new();
        let mut state = self.state.lock();
        // Acknowledged before the ring is looked at: what the device adds later interrupts again.
        state.transport.ack_interrupt();
        self.take_used(&mut state, &mut ended);
        self.start_waiting(&mut state, &mut ended);
        drop(state);
        self.tell(ended);
    }

    /// Tells the ends, without the lock: whoever hears of one may submit the next.
    fn tell(&self, mut ended: BioList) {
        while let Some(bio) = ended.pop() {
            self.stats.bio_done(bio.op());
            let result = if bio.progress.failed { Err(Errno::EIO) } else { Ok(()) };
            bio.end(result);
        }
    }

    /// Gives the device as much as it has room for.
    fn start_waiting(&self, state: &mut State, ended: &mut BioList) {
        let mut started = false;
        while let Some(number) = state.next_bio(ended) {
            if !state.start_part(number, self) {
                break;
            }
            started = true;
        }
        if started {
            state.notify();
        }
    }

    /// Takes back what the device is done with.
    fn take_used(&self, state: &mut State, ended: &mut BioList) {
        while let Some(head) = state.queue.peek_used() {
            let Some((number, request)) = state.request_at(head) else {
                state.fail_all(self, ended);
                return;
            };
            let Ok(written) = state.pop(number, &request, self.size_max) else {
                state.fail_all(self, ended);
                return;
            };
            let succeeded = state.control.succeeded(number) && state.is_whole(&request, written);
            self.stats.request_done(request.op, request.pieces as u64, request.bytes);
            state.requests[number] = None;
            state.request_numbers.put(number);
            state.part_done(request.bio, succeeded, ended);
        }
    }
}

impl State {
    /// The bio of which the next part is to be started, now in `bios`. `None`: nothing to start, or
    /// no place.
    fn next_bio(&mut self, ended: &mut BioList) -> Option<usize> {
        loop {
            if self.starting.is_some() {
                return self.starting;
            }
            if !self.bio_numbers.has_free() {
                return None;
            }
            let mut bio = self.waiting.pop()?;
            if self.broken || bio.segs().is_empty() {
                bio.progress.failed = self.broken;
                ended.push(bio);
                continue;
            }
            let number = self.bio_numbers.take()?;
            self.bios[number] = Some(bio);
            self.starting = Some(number);
        }
    }

    /// Gives the device the next part of a bio. False: no room for it now.
    fn start_part(&mut self, bio_number: usize, disk: &VirtioBlk) -> bool {
        let Some(bio) = self.bios[bio_number].as_mut() else { return false };
        let start = bio.progress.cursor;
        // Wait for room for the whole part instead of cutting it into many small ones.
        let wanted = disk.seg_max.min(start.segs_left(bio.segs()));
        if self.queue.available_desc() < wanted + CONTROL_DESCRIPTORS {
            return false;
        }
        let Some(number) = self.request_numbers.take() else { return false };

        let mut cursor = start;
        let (mut pieces, mut bytes) = (0, 0);
        while pieces < wanted
            && let Some(piece) = cursor.next_piece(bio.segs(), disk.size_max)
        {
            pieces += 1;
            bytes += u64::from(piece.len);
        }
        let request = Request { head: 0, bio: bio_number, op: bio.op(), start, pieces, bytes };
        let sector = (bio.offset() + bio.progress.bytes_started) / SECTOR_SIZE;
        self.control.prepare(number, bio.op(), sector);
        self.list_buffers(number, &request, disk.size_max);
        // SAFETY: the data belongs to the bio, which stays in `bios` until the request is popped, and
        // the control buffers to the number, which stays taken so long.
        let head = unsafe {
            let (to_device, from_device) = self.chain.lists();
            self.queue.add(to_device, from_device)
        };
        let Ok(head) = head else {
            // Room was checked above, so this does not happen; if it does, an interrupt tries again.
            self.request_numbers.put(number);
            return false;
        };
        self.requests[number] = Some(Request { head, ..request });
        self.request_of_head[usize::from(head)] = number as u8;
        if let Some(bio) = self.bios[bio_number].as_mut() {
            bio.progress.cursor = cursor;
            bio.progress.bytes_started += bytes;
            bio.progress.in_flight += 1;
            if cursor.is_at_end(bio.segs()) {
                self.starting = None;
            }
        }
        disk.stats.request_started();
        true
    }

    /// Fills `chain` with a request's buffers.
    fn list_buffers(&mut self, number: usize, request: &Request, size_max: u32) {
        self.chain.clear();
        self.chain.push_to_device(self.control.header(number));
        let mut cursor = request.start;
        let segs = self.bios[request.bio].as_ref().map_or(&[][..], |bio| bio.segs());
        for _ in 0..request.pieces {
            let Some(piece) = cursor.next_piece(segs, size_max) else { break };
            match request.op {
                BioOp::Read => self.chain.push_from_device(memory(piece)),
                BioOp::Write => self.chain.push_to_device(memory(piece)),
            }
        }
        self.chain.push_from_device(self.control.status(number));
    }

    /// Tells the device of new chains, unless it is looking anyway.
    fn notify(&mut self) {
        // The new index must be visible before the flag is read, or both sides may wait.
        fence(Ordering::SeqCst);
        if self.queue.should_notify() {
            self.transport.notify(QUEUE);
        }
    }

    /// The request in flight whose chain begins at `head`, which the device says it is done with.
    fn request_at(&self, head: u16) -> Option<(usize, Request)> {
        let number = usize::from(*self.request_of_head.get(usize::from(head))?);
        let request = self.requests[number]?;
        (request.head == head).then_some((number, request))
    }

    /// Takes a request's chain out of the queue; gives the bytes that the device says it wrote.
    fn pop(&mut self, number: usize, request: &Request, size_max: u32) -> Result<u32, Errno> {
        self.list_buffers(number, request, size_max);
        // SAFETY: the same buffers as at `add`: the bio has not changed since.
        let written = unsafe {
            let (to_device, from_device) = self.chain.lists();
            self.queue.pop_used(request.head, to_device, from_device)
        };
        written.map_err(|_| Errno::EIO)
    }

    /// Whether the device wrote all that it had to. Legacy devices may report anything.
    fn is_whole(&self, request: &Request, written: u32) -> bool {
        let data = match request.op {
            BioOp::Read => request.bytes,
            BioOp::Write => 0,
        };
        self.transport.requires_legacy_layout() || u64::from(written) == data + 1
    }

    /// Notes that a part of a bio is done, and ends the bio with its last part.
    fn part_done(&mut self, number: usize, succeeded: bool, ended: &mut BioList) {
        let Some(bio) = self.bios[number].as_mut() else { return };
        let progress = &mut bio.progress;
        progress.in_flight -= 1;
        if !succeeded {
            // What was not started yet need not be.
            progress.failed = true;
            if self.starting == Some(number) {
                self.starting = None;
            }
        }
        if progress.in_flight == 0 && self.starting != Some(number) {
            self.bio_numbers.put(number);
            if let Some(bio) = self.bios[number].take() {
                ended.push(bio);
            }
        }
    }

    /// Takes the device out of service and ends everything that it has or was to get.
    fn fail_all(&mut self, disk: &VirtioBlk, ended: &mut BioList) {
        if self.broken {
            return;
        }
        log::error!("virtio-blk: the device answered a request that it does not have; stopped");
        self.broken = true;
        // After a reset the device touches no memory any more.
        self.transport.set_status(DeviceStatus::empty());
        for request in self.requests.iter_mut().filter_map(Option::take) {
            disk.stats.request_done(request.op, 0, 0);
        }
        self.starting = None;
        for mut bio in self.bios.iter_mut().filter_map(Option::take) {
            bio.progress.failed = true;
            ended.push(bio);
        }
        self.bio_numbers = Pool::new();
        self.request_numbers = Pool::new();
    }
}
