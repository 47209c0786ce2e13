//! `/proc/PID/maps`, `smaps`, `smaps_rollup`: areas and what is in them (Linux: `fs/proc/task_mmu.c`).

use crate::kstat::Dev;
use crate::pseudo::Text;
use abi::{Errno, Prot};

/// Where the name of an area begins on its line.
const NAME_COLUMN: usize = 73;

/// An area, as the line that begins its record shows it.
#[derive(Clone, Debug)]
pub struct MapsLine<'a> {
    /// First address.
    pub start: u64,
    /// Address after the last.
    pub end: u64,
    /// What it allows.
    pub prot: Prot,
    /// Whether writes reach the object.
    pub shared: bool,
    /// Position in the file, in bytes.
    pub offset: u64,
    /// The file's device and inode number, zero without a file.
    pub file: (Dev, u64),
    /// Path or another name, empty for none; a newline is already escaped.
    pub name: &'a [u8],
}

impl MapsLine<'_> {
    /// Writes the line.
    pub fn show(&self, out: &mut Text) -> Result<(), Errno> {
        let from = out.len();
        let letter = |on, letter| if on { letter } else { '-' };
        let (dev, ino) = self.file;
        out.print(format_args!(
            "{:08x}-{:08x} {}{}{}{} {:08x} {:02x}:{:02x} {} ",
            self.start,
            self.end,
            letter(self.prot.contains(Prot::READ), 'r'),
            letter(self.prot.contains(Prot::WRITE), 'w'),
            letter(self.prot.contains(Prot::EXEC), 'x'),
            if self.shared { 's' } else { 'p' },
            self.offset,
            dev.major,
            dev.minor,
            ino,
        ))?;
        if !self.name.is_empty() {
            // A long line still has a space before the name; it ends in one already.
            out.pad(from, NAME_COLUMN)?;
            out.push(self.name)?;
        }
        out.push(b"\n")
    }
}

/// What is in an area, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Smaps {
    /// Length of the area.
    pub size: u64,
    /// The process's page.
    pub kernel_page_size: u64,
    /// The granule that hardware walks.
    pub mmu_page_size: u64,
    /// In memory.
    pub rss: u64,
    /// The same, each page divided by the number of its mappers.
    pub pss: u64,
    /// That, as far as it is dirty.
    pub pss_dirty: u64,
    /// Of anonymous memory, of files, of shared memory.
    pub pss_anon: u64,
    /// Of files.
    pub pss_file: u64,
    /// Of shared memory.
    pub pss_shmem: u64,
    /// Mapped by others, too, and clean.
    pub shared_clean: u64,
    /// And dirty.
    pub shared_dirty: u64,
    /// Mapped by nobody else, and clean.
    pub private_clean: u64,
    /// And dirty.
    pub private_dirty: u64,
    /// Accessed since that was last forgotten.
    pub referenced: u64,
    /// Anonymous.
    pub anonymous: u64,
}

/// Whether a record is of one area or of all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// `smaps`.
    Area,
    /// `smaps_rollup`.
    Rollup,
}

impl Smaps {
    /// Counts one kernel page: `mappers` entries map it.
    pub fn add_page(&mut self, bytes: u64, mappers: u64, page: SmapsPage) {
        let share = bytes / mappers.max(1);
        self.rss += bytes;
        self.pss += share;
        if page.dirty {
            self.pss_dirty += share;
        }
        if page.young {
            self.referenced += bytes;
        }
        match page.kind {
            PageKind::Anonymous => {
                self.pss_anon += share;
                self.anonymous += bytes;
            }
            PageKind::File => self.pss_file += share,
            PageKind::Shmem => self.pss_shmem += share,
        }
        *match (mappers > 1, page.dirty) {
            (true, true) => &mut self.shared_dirty,
            (true, false) => &mut self.shared_clean,
            (false, true) => &mut self.private_dirty,
            (false, false) => &mut self.private_clean,
        } += bytes;
    }

    /// Adds what is in another area.
    pub fn add(&mut self, other: &Smaps) {
        self.rss += other.rss;
        self.pss += other.pss;
        self.pss_dirty += other.pss_dirty;
        self.pss_anon += other.pss_anon;
        self.pss_file += other.pss_file;
        self.pss_shmem += other.pss_shmem;
        self.shared_clean += other.shared_clean;
        self.shared_dirty += other.shared_dirty;
        self.private_clean += other.private_clean;
        self.private_dirty += other.private_dirty;
        self.referenced += other.referenced;
        self.anonymous += other.anonymous;
    }

    /// Writes the lines below that of the area.
    pub fn show(&self, out: &mut Text, record: Record) -> Result<(), Errno> {
        let mut kb = |name: &str, bytes: u64| {
            let from = out.len();
            out.print(format_args!("{name}:"))?;
            out.pad(from, 16)?;
            out.print(format_args!("{:>8} kB\n", bytes >> 10))
        };
        if record == Record::Area {
            kb("Size", self.size)?;
            kb("KernelPageSize", self.kernel_page_size)?;
            kb("MMUPageSize", self.mmu_page_size)?;
        }
        kb("Rss", self.rss)?;
        kb("Pss", self.pss)?;
        kb("Pss_Dirty", self.pss_dirty)?;
        if record == Record::Rollup {
            kb("Pss_Anon", self.pss_anon)?;
            kb("Pss_File", self.pss_file)?;
            kb("Pss_Shmem", self.pss_shmem)?;
        }
        for (name, bytes) in [
            ("Shared_Clean", self.shared_clean),
            ("Shared_Dirty", self.shared_dirty),
            ("Private_Clean", self.private_clean),
            ("Private_Dirty", self.private_dirty),
            ("Referenced", self.referenced),
            ("Anonymous", self.anonymous),
            ("KSM", 0),
            ("LazyFree", 0),
            ("AnonHugePages", 0),
            ("ShmemPmdMapped", 0),
            ("FilePmdMapped", 0),
            ("Shared_Hugetlb", 0),
            ("Private_Hugetlb", 0),
            ("Swap", 0),
            ("SwapPss", 0),
            ("Locked", 0),
        ] {
            kb(name, bytes)?;
        }
        Ok(())
    }
}

/// What a page in memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// Anonymous.
    Anonymous,
    /// Of a file on a disk.
    File,
    /// Of a file in memory.
    Shmem,
}

/// One page, for [`Smaps::add_page`].
#[derive(Clone, Copy, Debug)]
pub struct SmapsPage {
    /// What it is.
    pub kind: PageKind,
    /// Written.
    pub dirty: bool,
    /// Accessed.
    pub young: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: MapsLine<'_>) -> String {
        let mut text = Text::new();
        line.show(&mut text).unwrap();
        String::from_utf8(text.to_vec().unwrap()).unwrap()
    }

    #[test]
    fn lines_are_those_of_linux() {
        let none = MapsLine {
            start: 0x40_0000,
            end: 0x40_1000,
            prot: Prot::READ,
            shared: false,
            offset: 0,
            file: (Dev::default(), 0),
            name: b"",
        };
        assert_eq!(shown(none.clone()), "00400000-00401000 r--p 00000000 00:00 0 \n");
        let program = MapsLine {
            start: 0xaaaa_aaaa_0000,
            end: 0xaaaa_aabb_1000,
            prot: Prot::READ | Prot::EXEC,
            offset: 0x1_0000,
            file: (Dev::new(254, 1), 1234),
            name: b"/bin/busybox",
            ..none.clone()
        };
        assert_eq!(
            shown(program),
            "aaaaaaaa0000-aaaaaabb1000 r-xp 00010000 fe:01 1234                       /bin/busybox\n"
        );
        let stack = MapsLine { shared: true, prot: Prot::empty(), name: b"[stack]", ..none };
        assert_eq!(
            shown(stack),
            "00400000-00401000 ---s 00000000 00:00 0                                  [stack]\n"
        );
    }

    #[test]
    fn a_page_is_shared_among_its_mappers() {
        let mut smaps = Smaps::default();
        let page = SmapsPage { kind: PageKind::Anonymous, dirty: true, young: true };
        smaps.add_page(4096, 1, page);
        smaps.add_page(4096, 2, SmapsPage { dirty: false, kind: PageKind::File, ..page });
        assert_eq!((smaps.rss, smaps.pss, smaps.pss_anon, smaps.pss_file), (8192, 6144, 4096, 2048));
        assert_eq!((smaps.private_dirty, smaps.shared_clean, smaps.anonymous), (4096, 4096, 4096));
        let mut text = Text::new();
        smaps.show(&mut text, Record::Area).unwrap();
        let text = String::from_utf8(text.to_vec().unwrap()).unwrap();
        assert!(text.contains("\nRss:                   8 kB\nPss:                   6 kB\n"), "{text}");
        assert!(text.contains("\nPrivate_Dirty:         4 kB\n"), "{text}");
    }
}
