//! Physical memory: a flat store of 64-bit words, as every observer that is coherent on the data side
//! sees it. It knows addresses only; who may touch a frame is `frames`, what a walker or an instruction
//! fetch sees instead is `stores` and `icache`.

/// Bytes in a frame, the unit of allocation: the smallest granule.
pub const FRAME_SIZE: u64 = 4096;

/// The word that fills free frames and that a failed read returns. It looks like a valid table descriptor
/// with bits set where none may be, so that a walker that meets it trips.
pub const POISON: u64 = 0x6b6b_6b6b_6b6b_6b6b;

/// Memory from `base` on.
#[derive(Debug)]
pub struct Phys {
    base: u64,
    words: Vec<u64>,
}

impl Phys {
    pub(crate) fn new(base: u64, nr_frames: usize) -> Self {
        assert!(base.is_multiple_of(FRAME_SIZE), "memory begins at a frame");
        Phys { base, words: vec![0; nr_frames * (FRAME_SIZE as usize / 8)] }
    }

    /// The first address.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The first address behind memory.
    pub fn end(&self) -> u64 {
        self.base + self.words.len() as u64 * 8
    }

    /// Is all of this memory?
    pub fn contains(&self, pa: u64, len: u64) -> bool {
        pa >= self.base && pa.checked_add(len).is_some_and(|end| end <= self.end())
    }

    /// Index of a word; the caller has checked that it is there.
    fn index(&self, pa: u64) -> usize {
        ((pa - self.base) / 8) as usize
    }

    pub(crate) fn word(&self, pa: u64) -> u64 {
        self.words[self.index(pa)]
    }

    pub(crate) fn set_word(&mut self, pa: u64, value: u64) {
        let at = self.index(pa);
        self.words[at] = value;
    }

    /// `count` whole words from an aligned address.
    pub(crate) fn words(&self, pa: u64, count: usize) -> &[u64] {
        let at = self.index(pa);
        &self.words[at..at + count]
    }

    pub(crate) fn words_mut(&mut self, pa: u64, count: usize) -> &mut [u64] {
        let at = self.index(pa);
        &mut self.words[at..at + count]
    }

    pub(crate) fn read(&self, pa: u64, out: &mut [u8]) {
        let mut done = 0;
        while done < out.len() {
            let at = pa + done as u64;
            let skip = (at % 8) as usize;
            let n = (8 - skip).min(out.len() - done);
            let bytes = self.word(at).to_le_bytes();
            out[done..done + n].copy_from_slice(&bytes[skip..skip + n]);
            done += n;
        }
    }

    pub(crate) fn write(&mut self, pa: u64, data: &[u8]) {
        let mut done = 0;
        while done < data.len() {
            let at = pa + done as u64;
            let skip = (at % 8) as usize;
            let n = (8 - skip).min(data.len() - done);
            let mut bytes = self.word(at).to_le_bytes();
            bytes[skip..skip + n].copy_from_slice(&data[done..done + n]);
            self.set_word(at, u64::from_le_bytes(bytes));
            done += n;
        }
    }

    /// Set a range of bytes to one word's pattern; both ends are word-aligned.
    pub(crate) fn fill_words(&mut self, pa: u64, len: u64, value: u64) {
        self.words_mut(pa, (len / 8) as usize).fill(value);
    }

    /// Copy whole words; the ranges do not overlap or are the same.
    pub(crate) fn copy_words(&mut self, dst: u64, src: u64, len: u64) {
        let (dst, src, n) = (self.index(dst), self.index(src), (len / 8) as usize);
        self.words.copy_within(src..src + n, dst);
    }
}
