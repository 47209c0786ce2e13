//! Text files that are made as they are read: Linux's `fs/seq_file.c`.
//!
//! A source tells its text in pieces, each with the number from which the next is told, so that a listing of thousands of
//! records needs memory for a few of them. Reading goes on where it left off; reading from the beginning, or from
//! anywhere else, begins anew, so a program that keeps such a file open and seeks to 0 sees fresh numbers.

use super::{SpecialFile, Text};
use crate::alloc_util::try_arc;
use crate::io::{ReadSink, WriteSource};
use crate::sleep::SleepMutex;
use abi::Errno;
use alloc::sync::Arc;

/// Tells the text of a file.
pub trait SeqSource: Send + Sync {
    /// Adds the piece that begins at `from`, which is 0 for the first, to `out`; returns where the next one begins, which
    /// is further on, or `None` behind the last. Called with no lock held; a piece is a few kilobytes.
    fn show(&self, from: u64, out: &mut Text) -> Result<Option<u64>, Errno>;

    /// Takes what a program writes at `pos`; how many bytes of it.
    fn store(&self, _pos: u64, _source: &mut dyn WriteSource) -> Result<usize, Errno> {
        Err(Errno::EINVAL)
    }
}

/// One open of such a file.
pub struct Seq<S> {
    source: S,
    progress: SleepMutex<Progress>,
}

/// How far a reader has come.
struct Progress {
    /// The present piece.
    piece: Text,
    /// Position in the file of its first byte.
    start: u64,
    /// Where the next piece begins.
    next: Option<u64>,
}

impl Progress {
    const BEGINNING: Progress = Progress { piece: Text::new(), start: 0, next: Some(0) };

    /// What is left of the present piece at `pos`, which does not lie before it.
    fn rest(&self, pos: u64) -> &[u8] {
        let offset = usize::try_from(pos - self.start).unwrap_or(usize::MAX);
        self.piece.as_bytes().get(offset..).unwrap_or(&[])
    }

    /// Goes on to the next piece; false if there is none.
    fn advance(&mut self, source: &impl SeqSource) -> Result<bool, Errno> {
        let Some(from) = self.next else { return Ok(false) };
        self.start += self.piece.len() as u64;
        self.piece.clear();
        self.next = source.show(from, &mut self.piece)?;
        Ok(true)
    }
}

impl<S: SeqSource> Seq<S> {
    /// An open file with the text of `source`.
    pub fn open(source: S) -> Result<Arc<Seq<S>>, Errno> {
        try_arc(Seq { source, progress: SleepMutex::new(Progress::BEGINNING) })
    }
}

impl<S: SeqSource> SpecialFile for Seq<S> {
    fn read(&self, pos: u64, sink: &mut dyn ReadSink) -> Result<usize, Errno> {
        let mut progress = self.progress.lock();
        if pos == 0 || pos < progress.start {
            *progress = Progress::BEGINNING;
        }
        let mut done = 0;
        while sink.remaining() > 0 {
            let rest = progress.rest(pos + done as u64);
            if rest.is_empty() {
                match progress.advance(&self.source) {
                    Ok(true) => continue,
                    Ok(false) => {
                        // A reader at the end needs the text no more.
                        progress.start += progress.piece.len() as u64;
                        progress.piece = Text::new();
                        break;
                    }
                    Err(error) => {
                        *progress = Progress::BEGINNING;
                        return if done == 0 { Err(error) } else { Ok(done) };
                    }
                }
            }
            let wanted = rest.len().min(sink.remaining());
            let stored = sink.put(&rest[..wanted]);
            done += stored;
            if stored < wanted {
                return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
            }
        }
        Ok(done)
    }

    fn write(&self, pos: u64, source: &mut dyn WriteSource) -> Result<usize, Errno> {
        self.source.store(pos, source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::SliceSink;
    use core::sync::atomic::{AtomicU64, Ordering};

    /// Ten records of 100 bytes, three in each piece, and how often it was asked.
    struct Records {
        asked: AtomicU64,
        fails_at: u64,
    }

    impl SeqSource for Records {
        fn show(&self, from: u64, out: &mut Text) -> Result<Option<u64>, Errno> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            for record in from..(from + 3).min(10) {
                if record == self.fails_at {
                    return Err(Errno::ESRCH);
                }
                out.print(format_args!("{record:<99}\n"))?;
            }
            Ok((from + 3 < 10).then_some(from + 3))
        }
    }

    fn open(fails_at: u64) -> Arc<Seq<Records>> {
        Seq::open(Records { asked: AtomicU64::new(0), fails_at }).unwrap()
    }

    fn read(file: &Seq<Records>, pos: u64, len: usize) -> Result<Vec<u8>, Errno> {
        let mut buffer = vec![0; len];
        let done = file.read(pos, &mut SliceSink::new(&mut buffer))?;
        buffer.truncate(done);
        Ok(buffer)
    }

    #[test]
    fn any_way_of_reading_gives_the_same_text() {
        let file = open(99);
        let whole = read(&file, 0, 5000).unwrap();
        assert_eq!(whole.len(), 1000);
        assert_eq!(read(&file, 1000, 10), Ok(vec![]));
        for step in [1, 7, 100, 299, 300, 301, 999, 1000, 1001] {
            let mut text = Vec::new();
            loop {
                let piece = read(&file, text.len() as u64, step).unwrap();
                if piece.is_empty() {
                    break;
                }
                text.extend(piece);
            }
            assert_eq!(text, whole, "in steps of {step}");
        }
        assert_eq!(read(&file, 555, 200).unwrap(), &whole[555..755]);
        assert_eq!(read(&file, 5, 2).unwrap(), &whole[5..7]);
        assert_eq!(read(&file, u64::MAX / 2, 2), Ok(vec![]));
        assert_eq!(read(&file, 999, 2).unwrap(), b"\n");
    }

    #[test]
    fn reading_on_makes_nothing_twice_and_seeking_makes_it_anew() {
        let file = open(99);
        let asked = || file.source.asked.load(Ordering::Relaxed);
        for pos in 0..300 {
            read(&file, pos, 1).unwrap();
        }
        assert_eq!(asked(), 1);
        read(&file, 300, 700).unwrap();
        assert_eq!(asked(), 4);
        read(&file, 0, 1).unwrap();
        assert_eq!(asked(), 5);
    }

    #[test]
    fn an_error_comes_after_what_was_told() {
        let file = open(4);
        assert_eq!(read(&file, 0, 1000).unwrap().len(), 300);
        assert_eq!(read(&file, 300, 10), Err(Errno::ESRCH));
        assert_eq!(read(&file, 0, 0), Ok(vec![]));
    }
}
