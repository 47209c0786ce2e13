//! Pipes against a queue of bytes.

use abi::{Errno, OpenAccess};
use fs::io::{PollEvents, PollKeys, SliceSink, SliceSource, Wait};
use fs::pipe::{PIPE_BUF, Pipe, PipeKind, WriteMode};
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Clone, Debug)]
enum Op {
    Read(usize),
    Write(usize),
    Resize(usize),
}

fn operation() -> impl Strategy<Value = Op> {
    let sizes = || prop_oneof![0usize..10, 4090usize..4100, 0usize..70_000];
    prop_oneof![
        4 => sizes().prop_map(Op::Read),
        4 => sizes().prop_map(Op::Write),
        1 => (0usize..200_000).prop_map(Op::Resize),
    ]
}

proptest! {
    #[test]
    fn agrees_with_a_queue(ops in proptest::collection::vec(operation(), 1..80)) {
        let pipe = Pipe::new(PipeKind::Named).expect("pipe");
        let reader = pipe.end(OpenAccess::Read).expect("reader");
        let writer = pipe.end(OpenAccess::Write).expect("writer");
        let mut model = VecDeque::new();
        let mut capacity = 65_536;
        let mut next = 0u8;
        for op in ops {
            match op {
                Op::Read(len) => {
                    let mut buf = vec![0; len];
                    let done = reader.read(&mut SliceSink::new(&mut buf), Wait::NonBlock);
                    let wanted = match model.len().min(len) {
                        0 if len > 0 => Err(Errno::EAGAIN),
                        most => Ok(most),
                    };
                    prop_assert_eq!(done, wanted);
                    let read: Vec<u8> = model.drain(..done.unwrap_or(0)).collect();
                    prop_assert_eq!(&buf[..read.len()], &read[..]);
                }
                Op::Write(len) => {
                    let bytes: Vec<u8> = (0..len).map(|_| { next = next.wrapping_add(1); next }).collect();
                    let done = writer.write(&mut SliceSource::new(&bytes), Wait::NonBlock, WriteMode::Stream);
                    let free = capacity - model.len();
                    let wanted = if len <= free {
                        Ok(len)
                    } else if len <= PIPE_BUF || free == 0 {
                        Err(Errno::EAGAIN)
                    } else {
                        Ok(free)
                    };
                    prop_assert_eq!(done, wanted);
                    model.extend(&bytes[..done.unwrap_or(0)]);
                }
                Op::Resize(size) => {
                    let size: usize = size.max(PIPE_BUF).next_power_of_two();
                    let done = pipe.set_capacity(size);
                    prop_assert_eq!(done, if size < model.len() { Err(Errno::EBUSY) } else { Ok(size) });
                    capacity = done.unwrap_or(capacity);
                }
            }
            prop_assert_eq!((pipe.len(), pipe.capacity()), (model.len(), capacity));
            let readable = reader.poll(&mut PollKeys::default()).contains(PollEvents::IN);
            prop_assert_eq!(readable, !model.is_empty());
            let writable = writer.poll(&mut PollKeys::default()).contains(PollEvents::OUT);
            prop_assert_eq!(writable, capacity - model.len() >= PIPE_BUF);
        }
        drop(writer);
        let mut rest = vec![0; model.len() + 1];
        let left = reader.read(&mut SliceSink::new(&mut rest), Wait::Block);
        prop_assert_eq!(left, Ok(model.len()));
        prop_assert_eq!(reader.read(&mut SliceSink::new(&mut rest), Wait::Block), Ok(0));
    }
}

#[test]
fn without_readers_a_write_fails() {
    let pipe = Pipe::new(PipeKind::Named).expect("pipe");
    let writer = pipe.open(OpenAccess::Write, Wait::NonBlock);
    assert_eq!(writer.err(), Some(Errno::ENXIO));
    let reader = pipe.open(OpenAccess::Read, Wait::NonBlock).expect("reader");
    let writer = pipe.open(OpenAccess::Write, Wait::NonBlock).expect("writer");
    drop(reader);
    assert_eq!(writer.write(&mut SliceSource::new(b"x"), Wait::Block, WriteMode::Stream), Err(Errno::EPIPE));
    assert_eq!(writer.write(&mut SliceSource::new(b""), Wait::Block, WriteMode::Stream), Ok(0));
    assert!(writer.poll(&mut PollKeys::default()).contains(PollEvents::ERR));
}

#[test]
fn two_threads_pass_megabytes() {
    let pipe = Pipe::new(PipeKind::Named).expect("pipe");
    let reader = pipe.end(OpenAccess::Read).expect("reader");
    let writer = pipe.end(OpenAccess::Write).expect("writer");
    let bytes: Vec<u8> = (0..4u32 << 20).map(|n| (n >> 3) as u8).collect();
    let copy = bytes.clone();
    let sends = std::thread::spawn(move || {
        for piece in copy.chunks(70_001) {
            assert_eq!(
                writer.write(&mut SliceSource::new(piece), Wait::Block, WriteMode::Stream),
                Ok(piece.len())
            );
        }
    });
    let mut got = vec![0; bytes.len() + 1];
    let mut filled = 0;
    loop {
        match reader.read(&mut SliceSink::new(&mut got[filled..]), Wait::Block).expect("read") {
            0 => break,
            done => filled += done,
        }
    }
    sends.join().expect("the writer");
    assert!(got[..filled] == bytes);
}
