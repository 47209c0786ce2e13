//! Damaged images: thousands of random changes to good ones. None may cause a panic, an endless loop, or
//! work and memory beyond what the image's size justifies; see `explore` for what is asserted.

#[path = "common/builder.rs"]
mod builder;
mod common;
#[path = "common/explore.rs"]
mod explore;

use builder::{Builder, Layout, Node};
use common::{make_tree, mkfs, pattern, scratch};
use explore::explore;

/// Small images with all kinds of inodes, so that a random byte is likely to matter.
fn small_image(block_bits: u8, dir_layout: Layout) -> Vec<u8> {
    let mut builder = Builder::new(block_bits);
    let block = 1usize << block_bits;
    let mut sparse = pattern(4, 12 * block);
    sparse[block..9 * block].fill(0);
    let mut files = Vec::new();
    for (index, layout) in [
        Layout::Plain,
        Layout::Inline,
        Layout::Chunks { bits: 0, indexes: false },
        Layout::Chunks { bits: 1, indexes: true },
    ]
    .into_iter()
    .enumerate()
    {
        for extended in [false, true] {
            let bytes = if index < 2 { pattern(3, 2 * block + 100) } else { sparse.clone() };
            let node = Node { mode: 0o100_644, layout, extended, xattrs: index as u16, bytes };
            files.push((format!("f{index}{extended}").into_bytes(), builder.add(&node), 1));
        }
    }
    let mut link = |target: &str, layout| {
        let bytes = target.as_bytes().to_vec();
        builder.add(&Node { mode: 0o120_777, layout, extended: false, xattrs: 0, bytes })
    };
    let (near, far) = (link("dir", Layout::Inline), link("../loop", Layout::Plain));
    files.push((b"link".to_vec(), near, 7));
    files.push((b"loop".to_vec(), far, 7));
    let file = files[1].1;
    for n in 0..40 {
        files.push((format!("name-{n}").into_bytes(), file, 1));
    }
    let dir = builder.add_dir(&files, dir_layout);
    let top = [("dir", dir, 2), ("link", near, 7), ("loop", far, 7), ("file", file, 1)];
    let top = top.map(|(name, nid, file_type)| (name.as_bytes().to_vec(), nid, file_type));
    let top = builder.add_dir(&top, Layout::Inline);
    builder.finish(top)
}

fn images() -> Vec<Vec<u8>> {
    let mut all = vec![
        small_image(9, Layout::Plain),
        small_image(9, Layout::Chunks { bits: 0, indexes: false }),
        small_image(10, Layout::Chunks { bits: 2, indexes: true }),
        small_image(12, Layout::Plain),
    ];
    let tree = scratch("damage").join("tree");
    std::fs::create_dir(&tree).expect("mkdir");
    make_tree(&tree);
    for options in [&["-Enoinline_data"][..], &[], &["--chunksize=4096", "-Eforce-chunk-indexes"]] {
        let mut image = mkfs(&tree, options);
        // Without the checksum, or every change of the first block would end there.
        image[1024 + 8] &= !1;
        all.push(image);
    }
    all
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// Which parts of an image to change: its metadata lie at its end (ours) or its start (mkfs's).
fn place(random: &mut Random, len: usize) -> usize {
    match random.below(8) {
        0 => 1024 + random.below(128),
        1..4 => random.below(len.min(16 << 10)),
        4..7 => len - 1 - random.below(len.min(16 << 10)),
        _ => random.below(len),
    }
}

/// Values that are more likely than random ones to be at an edge.
fn value(random: &mut Random) -> u64 {
    match random.below(6) {
        0 => 0,
        1 => u64::MAX,
        2 => 1 << random.below(64),
        3 => (1u64 << random.below(64)).wrapping_sub(1),
        4 => random.below(4096) as u64,
        _ => random.next(),
    }
}

fn damage(image: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(6) {
        let at = place(random, image.len());
        match random.below(4) {
            0 => image[at] ^= 1 << random.below(8),
            kind => {
                let width = [1, 2, 4, 8][kind];
                let at = (at & !(width - 1)).min(image.len() - width);
                let bytes = value(random).to_le_bytes();
                image[at..at + width].copy_from_slice(&bytes[..width]);
            }
        }
    }
    if random.below(10) == 0 {
        image.truncate(random.below(image.len()).max(1));
    }
}

/// Says which case it was when the test panics.
struct Case(usize, usize);

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("image {}, seed {}", self.0, self.1);
        }
    }
}

#[test]
fn good_images_are_explored_to_the_end() {
    for image in images() {
        let inodes = explore(image).expect("mounted");
        assert!(inodes > 30, "{inodes} inodes");
    }
}

#[test]
fn random_damage_is_survived() {
    const CASES: usize = 2000;
    let (mut mounted, mut refused) = (0, 0);
    for (number, image) in images().iter().enumerate() {
        for seed in 0..CASES {
            let _case = Case(number, seed);
            let mut random = Random(((seed as u64 + 1) << 8) | (number as u64 + 1));
            let mut image = image.clone();
            damage(&mut image, &mut random);
            match explore(image) {
                Some(_) => mounted += 1,
                None => refused += 1,
            }
        }
    }
    // If nearly all were refused at once, the test would see nothing.
    assert!(mounted > refused, "{mounted} mounted, {refused} refused");
}

#[test]
fn every_truncation_is_refused_or_survived() {
    let image = small_image(9, Layout::Plain);
    for len in 0..image.len() {
        explore(image[..len].to_vec());
    }
    let mut claims_nothing = image.clone();
    claims_nothing[1024 + 36..1024 + 40].fill(0);
    for len in 0..image.len() {
        explore(claims_nothing[..len].to_vec());
    }
}

#[test]
fn every_byte_of_the_metadata_at_its_extremes() {
    let image = small_image(9, Layout::Chunks { bits: 0, indexes: true });
    let _case = Case(0, 0);
    for at in 1024..image.len() {
        for byte in [0, 0xff, image[at] ^ 1, image[at] ^ 0x80] {
            let mut image = image.clone();
            image[at] = byte;
            explore(image);
        }
    }
}
