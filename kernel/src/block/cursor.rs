//! A position in a scatter-gather list, from which a driver takes pieces that its device can carry.
//! No machine in here.

use mm::types::PhysSeg;

/// A position: `offset` bytes into segment number `seg`. The default is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    seg: usize,
    offset: u32,
}

impl Cursor {
    /// Whether nothing is left.
    pub fn is_at_end(&self, segs: &[PhysSeg]) -> bool {
        self.seg >= segs.len()
    }

    /// Segments that are left; never more pieces than this are left unless `max_len` splits some.
    pub fn segs_left(&self, segs: &[PhysSeg]) -> usize {
        segs.len().saturating_sub(self.seg)
    }

    /// Takes the next piece of at most `max_len` bytes. Segments that touch in memory become one.
    pub fn next_piece(&mut self, segs: &[PhysSeg], max_len: u32) -> Option<PhysSeg> {
        let first = segs.get(self.seg)?;
        let addr = first.addr.offset(u64::from(self.offset));
        let mut len = 0;
        while let Some(seg) = segs.get(self.seg) {
            let touches = seg.addr.0 + u64::from(self.offset) == addr.0 + u64::from(len);
            if !touches || len == max_len {
                break;
            }
            let left = seg.len - self.offset;
            let take = left.min(max_len - len);
            len += take;
            if take == left {
                *self = Self { seg: self.seg + 1, offset: 0 };
            } else {
                self.offset += take;
            }
        }
        Some(PhysSeg { addr, len })
    }
}
