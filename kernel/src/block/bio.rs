//! One request of the block layer: a run of bytes on a disk and the memory that it goes to or comes
//! from, as Linux's `struct bio`.

use super::Completion;
use abi::Errno;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use mm::sg::Cursor;
use mm::types::PhysSeg;

/// Direction of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BioOp {
    /// From the disk into memory.
    Read,
    /// From memory to the disk.
    Write,
}

/// How the end of a request is told.
pub enum EndIo {
    /// `function(bio, token, result)`, mostly in interrupt context: it must not sleep.
    Call {
        /// What is called.
        function: fn(bio: &Bio, token: u64, result: Result<(), Errno>),
        /// Passed on.
        token: u64,
    },
    /// Whoever waits for the completion goes on.
    Complete(Arc<Completion>),
}

/// A request. The memory belongs to it until its end is told.
pub struct Bio {
    op: BioOp,
    offset: u64,
    segs: Vec<PhysSeg>,
    end_io: EndIo,
    /// The driver's notes on how far it came.
    pub progress: Progress,
    /// The one behind it in a [`BioList`].
    next: Option<Box<Bio>>,
}

/// How far a driver came with a request that it carries out in several parts.
#[derive(Default)]
pub struct Progress {
    /// Where the next part begins.
    pub cursor: Cursor,
    /// Bytes before it.
    pub bytes_started: u64,
    /// Parts that the device has.
    pub in_flight: u32,
    /// Whether a part failed.
    pub failed: bool,
}

impl Bio {
    /// A request for the bytes from `offset` on. ENOMEM when there is none for the list.
    pub fn new(op: BioOp, offset: u64, segs: &[PhysSeg], end_io: EndIo) -> Result<Box<Self>, Errno> {
        let mut list = Vec::new();
        list.try_reserve_exact(segs.len()).map_err(|_| Errno::ENOMEM)?;
        list.extend_from_slice(segs);
        let progress = Progress::default();
        Ok(Box::new(Self { op, offset, segs: list, end_io, progress, next: None }))
    }

    /// Its direction.
    pub fn op(&self) -> BioOp {
        self.op
    }

    /// The first byte on the disk.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The memory, in the order of the disk's bytes.
    pub fn segs(&self) -> &[PhysSeg] {
        &self.segs
    }

    /// Length in bytes. Saturates: what is that long is longer than any disk.
    pub fn len(&self) -> u64 {
        self.segs.iter().fold(0, |sum: u64, seg| sum.saturating_add(u64::from(seg.len)))
    }

    /// Tells the end. The driver holds no lock while it calls this.
    pub fn end(self: Box<Self>, result: Result<(), Errno>) {
        match &self.end_io {
            EndIo::Call { function, token } => function(&self, *token, result),
            EndIo::Complete(completion) => completion.complete(result),
        }
    }
}

/// A queue of requests that needs no memory of its own: they are linked through themselves.
#[derive(Default)]
pub struct BioList {
    head: Option<Box<Bio>>,
    /// Those that were added since the head was last refilled, newest first.
    added: Option<Box<Bio>>,
}

impl BioList {
    /// An empty queue.
    pub const fn new() -> Self {
        Self { head: None, added: None }
    }

    /// Adds a request at the end.
    pub fn push(&mut self, mut bio: Box<Bio>) {
        bio.next = self.added.take();
        self.added = Some(bio);
    }

    /// Takes the oldest request.
    pub fn pop(&mut self) -> Option<Box<Bio>> {
        if self.head.is_none() {
            // Turn the newest-first list round; each request is moved once in its life.
            while let Some(mut bio) = self.added.take() {
                self.added = bio.next.take();
                bio.next = self.head.take();
                self.head = Some(bio);
            }
        }
        let mut first = self.head.take()?;
        self.head = first.next.take();
        Some(first)
    }
}
