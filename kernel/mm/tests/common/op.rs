//! The operations that worlds are put through.

/// What is mapped.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Anon,
    SharedAnon,
    /// A shared mapping of the file that lives in memory.
    Memory,
    File(usize),
    SharedFile(usize),
}

/// One operation; numbers are taken modulo what there is. Places and lengths are in process pages.
#[derive(Clone, Debug)]
pub enum Op {
    Map {
        slot: u64,
        pages: u64,
        prot: u32,
        kind: Kind,
        offset: u64,
    },
    Unmap {
        slot: u64,
        pages: u64,
    },
    Protect {
        slot: u64,
        pages: u64,
        prot: u32,
    },
    Discard {
        slot: u64,
        pages: u64,
    },
    Remap {
        slot: u64,
        pages: u64,
        to: u64,
        new_pages: u64,
    },
    Write {
        slot: u64,
        sub: u64,
        value: u64,
    },
    Read {
        slot: u64,
        sub: u64,
    },
    Fetch {
        slot: u64,
        sub: u64,
    },
    Fork,
    Exit,
    Switch {
        proc: usize,
        cpu: usize,
    },
    Reclaim,
    NextAllocFails {
        after: u64,
        all: bool,
    },
    /// From now on no two frames in a row are to be had, or they are again.
    Fragment {
        on: bool,
    },
    /// Native tables are given up.
    DropNative,
    /// The way back from a fallback is tried.
    Return,
    /// The file in memory gets another size, in half kernel pages.
    Truncate {
        halves: u64,
    },
    /// A page of a file is held by somebody, as for I/O, or let go: its folio cannot be replaced meanwhile.
    Pin {
        file: usize,
        page: u64,
    },
    Unpin,
    /// A new process, with pages of a size of its own.
    Spawn {
        size: usize,
    },
}
