//! Scatter-gather lists: a position in one, from which a block driver takes pieces that its device can carry. It is here
//! to be tested on the host.

use crate::types::PhysSeg;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::PhysAddr;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn seg(addr: u64, len: u32) -> PhysSeg {
        PhysSeg { addr: PhysAddr(addr), len }
    }

    fn pieces(segs: &[PhysSeg], max_len: u32) -> Vec<PhysSeg> {
        let mut cursor = Cursor::default();
        core::iter::from_fn(|| cursor.next_piece(segs, max_len)).collect()
    }

    #[test]
    fn segments_that_touch_become_one_piece() {
        let segs = [seg(0x1000, 0x1000), seg(0x2000, 0x1000), seg(0x4000, 0x200), seg(0x3000, 0x1000)];
        assert_eq!(pieces(&segs, u32::MAX), [seg(0x1000, 0x2000), seg(0x4000, 0x200), seg(0x3000, 0x1000)]);
    }

    #[test]
    fn a_long_segment_is_cut() {
        assert_eq!(pieces(&[seg(0, 0x500)], 0x200), [seg(0, 0x200), seg(0x200, 0x200), seg(0x400, 0x100)]);
    }

    #[test]
    fn an_empty_list_has_no_pieces() {
        assert_eq!(pieces(&[], 512), []);
        assert!(Cursor::default().is_at_end(&[]));
    }

    fn any_segs() -> impl Strategy<Value = Vec<PhysSeg>> {
        // Few addresses, so that segments often touch.
        let one = (0u64..16, 1u32..8).prop_map(|(at, sectors)| seg(at * 512, sectors * 512));
        proptest::collection::vec(one, 0..12)
    }

    proptest! {
        /// The pieces are the list's bytes in their order, each within the limit and no smaller than it must be; and a
        /// position taken in between gives the same pieces again.
        #[test]
        fn pieces_are_the_lists_bytes(segs in any_segs(), sectors in 1u32..10) {
            let max_len = sectors * 512;
            let sectors_of = |list: &[PhysSeg]| -> Vec<u64> {
                list.iter().flat_map(|s| (0..u64::from(s.len / 512)).map(|n| s.addr.0 + n * 512)).collect()
            };
            let all = pieces(&segs, max_len);
            prop_assert_eq!(sectors_of(&all), sectors_of(&segs));
            prop_assert!(all.iter().all(|piece| piece.len > 0 && piece.len <= max_len));
            for pair in all.windows(2) {
                let touch = pair[0].addr.0 + u64::from(pair[0].len) == pair[1].addr.0;
                prop_assert!(!touch || pair[0].len == max_len);
            }

            let mut cursor = Cursor::default();
            for (taken, piece) in all.iter().enumerate() {
                let mut again = cursor;
                let rest: Vec<_> = core::iter::from_fn(|| again.next_piece(&segs, max_len)).collect();
                prop_assert_eq!(&rest[..], &all[taken..]);
                prop_assert!(!cursor.is_at_end(&segs) && cursor.segs_left(&segs) > 0);
                prop_assert_eq!(cursor.next_piece(&segs, max_len), Some(*piece));
            }
            prop_assert!(cursor.is_at_end(&segs) && cursor.segs_left(&segs) == 0);
        }
    }
}
