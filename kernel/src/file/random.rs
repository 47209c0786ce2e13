//! `/dev/random` and `/dev/urandom`, which are the same once the generator is seeded, as on Linux. Mirrors the file
//! operations of `drivers/char/random.c`.

use crate::random;
use abi::Errno;
use fs::io::{CharDevice, DeviceSeek, ReadSink, Wait, WriteSource};

/// Bytes made at a time.
const CHUNK: usize = 256;

/// Random bytes without end.
pub struct Random;

impl CharDevice for Random {
    fn read(&self, sink: &mut dyn ReadSink, _: Wait) -> Result<usize, Errno> {
        let mut done = 0;
        let mut chunk = [0; CHUNK];
        while sink.remaining() > 0 {
            let wanted = &mut chunk[..CHUNK.min(sink.remaining())];
            random::fill(wanted);
            let stored = sink.put(wanted);
            done += stored;
            if stored < wanted.len() {
                return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
            }
        }
        Ok(done)
    }

    /// What a program adds makes the generator no worse if it is not used, and it is not.
    fn write(&self, source: &mut dyn WriteSource, _: Wait) -> Result<usize, Errno> {
        let mut done = 0;
        let mut chunk = [0; CHUNK];
        while source.remaining() > 0 {
            let wanted = CHUNK.min(source.remaining());
            let taken = source.take(&mut chunk[..wanted]);
            done += taken;
            if taken < wanted {
                return if done == 0 { Err(Errno::EFAULT) } else { Ok(done) };
            }
        }
        Ok(done)
    }

    fn seek(&self) -> DeviceSeek {
        DeviceSeek::Zero
    }
}
