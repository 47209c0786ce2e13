//! A machine, a few processes of one page size each, and their models. An operation is done to both; what the machine
//! then shows must be what the model says.

use super::hw::{Setup, SimHw};
use super::model::{Content, DiskFile, MemFile, Page, Pages, Shared};
use super::op::{Kind, Op};
use abi::{Errno, MapFlags, Prot};
use mm::arm64::geometry::Geometry;
use mm::fault::VmFault;
use mm::filemap::{AddressSpace, Entry, EvenCows, MappedFile, SharedMm};
use mm::mmap::{Advice, MmapRequest, RemapFlags};
use mm::page_abi::{self, MmapArgs};
use mm::policy::{Enabled, Mthp};
use mm::types::{self, PageSize};
use mm::{Memory, Mm};
use sim::{Access, El, Tcr};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// Process pages in the range that operations work on, besides those of one Contiguous block.
pub const SLOTS: u64 = 8;
/// The end of a last-level table of any granule; the range reaches two process pages below it, so that tables come and
/// go on both sides.
const TABLE_EDGE: u64 = 1 << 32;
/// Another one, beyond the addresses that a new tree of 64K translates.
const HIGH_EDGE: u64 = 1 << 45;
const MAX_PROCS: usize = 3;

/// An address space behind its mmap lock.
pub(super) struct UserMm(Mutex<Mm<SimHw>>);

impl SharedMm for UserMm {
    fn unmap_mapping_range(&self, mapping: &AddressSpace, pages: Range<u64>, even_cows: EvenCows) {
        self.0.lock().unwrap().unmap_mapping_range(mapping, pages, even_cows);
    }

    fn try_drop_native_tables(&self) -> u64 {
        self.0.try_lock().map_or(0, |mut mm| mm.drop_native_tables())
    }
}

impl UserMm {
    fn publish(mm: Mm<SimHw>) -> Result<Arc<UserMm>, Errno> {
        let mm = Arc::new(UserMm(Mutex::new(mm)));
        let shared: Weak<UserMm> = Arc::downgrade(&mm);
        mm.lock().publish(shared)?;
        Ok(mm)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Mm<SimHw>> {
        self.0.lock().unwrap()
    }
}

pub(super) struct Proc {
    pub(super) page: PageSize,
    pub(super) mm: Arc<UserMm>,
    pub(super) pages: Pages,
    /// Native tables were given up, so entries may be missing there.
    pub(super) dropped: bool,
}

pub struct World {
    pub mem: Arc<Memory<SimHw>>,
    pub(super) setup: Setup,
    files: [Arc<DiskFile>; 2],
    memory: MemFile,
    pinned: Option<Entry>,
    pub(super) procs: Vec<Proc>,
    current: usize,
    /// The machine may refuse memory during the next operation.
    failing: bool,
    /// Native tables given up so far, in kernel pages, and returns.
    nr_dropped: u64,
}

fn prot_of(bits: u32) -> Prot {
    Prot::from_bits_truncate(bits % 8)
}

pub(super) fn readable(prot: Prot) -> bool {
    !prot.is_empty()
}

impl World {
    pub fn new(page: PageSize, setup: Setup) -> World {
        let mem = SimHw::boot(setup);
        mem.set_native_mode(setup.mode);
        for order in Mthp::all_orders().filter(|order| setup.orders & 1 << order != 0) {
            mem.mthp.set_enabled(order, Enabled::Always);
        }
        let files = [DiskFile::new(0, 5 * 4096 + 100), DiskFile::new(1 << 20, 200_000)];
        let mm = UserMm::publish(Mm::new(mem.clone(), page).unwrap()).unwrap();
        let memory = MemFile::new(6 * 4096 + 2048);
        let procs = vec![Proc { page, mm, pages: BTreeMap::new(), dropped: false }];
        World { mem, setup, files, memory, pinned: None, procs, current: 0, failing: false, nr_dropped: 0 }
    }

    fn page(&self) -> PageSize {
        self.procs[self.current].page
    }

    fn nr(&self) -> u64 {
        self.page().nr_kernel_pages()
    }

    fn arena(&self) -> u64 {
        let edge = if self.setup.high { HIGH_EDGE } else { TABLE_EDGE };
        edge - 2 * self.page().bytes()
    }

    /// Process pages in the arena: a whole block from the table edge on, and some pages around it.
    fn slots(&self) -> u64 {
        SLOTS + Geometry::of(self.page()).cont_ptes
    }

    fn va(&self, slot: u64) -> u64 {
        self.arena() + slot % self.slots() * self.page().bytes()
    }

    fn range(&self, slot: u64, pages: u64) -> (u64, u64) {
        let slot = slot % self.slots();
        let pages = 1 + pages % (self.slots() - slot);
        let start = self.arena() + slot * self.page().bytes();
        (start, start + pages * self.page().bytes())
    }

    /// Does one operation and checks what can be checked at once.
    pub fn step(&mut self, op: &Op) {
        if !matches!(op, Op::NextAllocFails { .. }) {
            self.apply(op);
            self.mem.hw.machine().frames_mut().never_fail();
            self.failing = false;
            // Short of memory, the kernel gives native tables up by itself; after a fallback it comes back to empty ones.
            let stats = &self.mem.stats;
            let dropped = stats.native_tables_dropped.load(Relaxed) + stats.native_return.load(Relaxed);
            if dropped != self.nr_dropped {
                self.nr_dropped = dropped;
                self.procs.iter_mut().for_each(|proc| proc.dropped = true);
            }
        } else {
            self.apply(op);
        }
        self.mem.hw.machine().assert_clean();
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Map { slot, pages, prot, kind, offset } => self.map(slot, pages, prot_of(prot), kind, offset),
            Op::Unmap { slot, pages } => {
                let (start, end) = self.range(slot, pages);
                let proc = &mut self.procs[self.current];
                proc.mm.lock().munmap(start, end).unwrap();
                remove(&mut proc.pages, start, end);
            }
            Op::Protect { slot, pages, prot } => self.protect(slot, pages, prot_of(prot)),
            Op::Discard { slot, pages } => {
                let (start, end) = self.range(slot, pages);
                let proc = &mut self.procs[self.current];
                let holes = (start >> 12..end >> 12).any(|page| !proc.pages.contains_key(&page));
                assert_eq!(proc.mm.lock().madvise(start, end, Advice::DontNeed).is_err(), holes);
                proc.pages.range_mut(start >> 12..end >> 12).for_each(|(_, page)| page.discard());
            }
            Op::Remap { slot, pages, to, new_pages } => self.remap(slot, pages, to, new_pages),
            Op::Write { slot, sub, value } => self.write(slot, sub, value),
            Op::Read { slot, sub } => self.read(slot, sub),
            Op::Fetch { slot, sub } => self.fetch(slot, sub),
            Op::Fork => self.fork(),
            Op::Exit => self.exit(),
            Op::Switch { proc, cpu } => {
                self.current = proc % self.procs.len();
                self.mem.hw.run_on(cpu % 2);
            }
            Op::Reclaim => {
                self.mem.reclaim();
            }
            Op::Fragment { on } => self.mem.hw.fragment(on),
            Op::Return => {
                let _ = self.procs[self.current].mm.lock().try_native();
            }
            Op::Truncate { halves } => self.truncate(halves % 80 * 2048),
            Op::Pin { file, page } => {
                self.unpin();
                self.pinned = match file % 3 {
                    2 => self.memory.mapping.get_folio(&self.mem, page % 40),
                    file => self.files[file].mapping.get_folio(&self.mem, page % 40),
                };
            }
            Op::Unpin => self.unpin(),
            Op::Spawn { size } => self.spawn(PageSize::ALL[size % 3]),
            Op::DropNative => {
                let proc = &mut self.procs[self.current];
                proc.mm.lock().drop_native_tables();
                proc.dropped = true;
            }
            Op::NextAllocFails { after, all } => {
                let mut machine = self.mem.hw.machine();
                if all {
                    machine.frames_mut().fail_all_after(after % 6);
                } else {
                    machine.frames_mut().fail_after(after % 6);
                }
                self.failing = true;
            }
        }
    }

    fn map(&mut self, slot: u64, pages: u64, prot: Prot, kind: Kind, offset: u64) {
        let (start, end) = self.range(slot, pages);
        let offset = offset % 4 * self.page().bytes();
        let disk_file = |i: usize| Some(self.files[i % 2].clone() as Arc<dyn MappedFile>);
        let (file, flags, may) = match kind {
            Kind::Anon => (None, MapFlags::PRIVATE, Prot::all()),
            Kind::SharedAnon => (None, MapFlags::SHARED, Prot::all()),
            Kind::Memory => (Some(self.memory.mapped()), MapFlags::SHARED, Prot::all()),
            Kind::File(i) => (disk_file(i), MapFlags::PRIVATE, Prot::all()),
            Kind::SharedFile(i) => (disk_file(i), MapFlags::SHARED, Prot::READ | Prot::EXEC),
        };
        let prot = prot & may;
        let flags = flags | MapFlags::FIXED;
        let args = page_abi::mmap(self.page(), 1 << 47, start, end - start, flags, offset).unwrap();
        assert_eq!(args, MmapArgs { addr: start, len: end - start, pgoff: offset >> 12 });
        let request = MmapRequest { args, prot, flags, file, may };
        let proc = &mut self.procs[self.current];
        assert_eq!(proc.mm.lock().mmap(request).unwrap(), start);
        remove(&mut proc.pages, start, end);
        let index = offset >> 12;
        let first = match kind {
            Kind::File(i) | Kind::SharedFile(i) => {
                Content::File { file: self.files[i % 2].clone(), index, private: None }
            }
            Kind::Memory => Content::Shared { shared: self.memory.shared.clone(), index },
            Kind::SharedAnon => {
                let shared = Shared { len: end - start, words: HashMap::new() };
                Content::Shared { shared: Rc::new(RefCell::new(shared)), index: 0 }
            }
            Kind::Anon => Content::Anon(0),
        };
        let first = Page { prot, offset: slot * 72 % 4096, content: first };
        for i in 0..(end - start) >> 12 {
            proc.pages.insert((start >> 12) + i, first.fresh(i));
        }
    }

    fn truncate(&mut self, len: u64) {
        let mut shared = self.memory.shared.borrow_mut();
        let kept = shared.len.min(len);
        if shared.len != len {
            // What mappers stored behind the end is gone when that moves.
            shared.words.retain(|at, _| *at < kept);
        }
        shared.len = len;
        drop(shared);
        self.mem.truncate(&self.memory.mapping, len);
    }

    fn unpin(&mut self) {
        if let Some(entry) = self.pinned.take() {
            self.mem.folio_put(entry.folio);
        }
    }

    fn spawn(&mut self, page: PageSize) {
        if self.procs.len() == MAX_PROCS {
            return;
        }
        match Mm::new(self.mem.clone(), page).and_then(UserMm::publish) {
            Ok(mm) => self.procs.push(Proc { page, mm, pages: BTreeMap::new(), dropped: false }),
            Err(error) => assert!(self.failing, "a new process: {error}"),
        }
    }

    fn protect(&mut self, slot: u64, pages: u64, prot: Prot) {
        let (start, end) = self.range(slot, pages);
        let proc = &mut self.procs[self.current];
        let mut expected = Ok(());
        for page in start >> 12..end >> 12 {
            match proc.pages.get_mut(&page) {
                None => {
                    expected = Err(Errno::ENOMEM);
                    break;
                }
                Some(_)
                    if proc.mm.lock().vmas().at(page << 12).is_some_and(|vma| !vma.may.contains(prot)) =>
                {
                    expected = Err(Errno::EACCES);
                    break;
                }
                Some(page) => page.prot = prot,
            }
        }
        assert_eq!(proc.mm.lock().mprotect(start, end, prot), expected);
    }

    fn remap(&mut self, slot: u64, pages: u64, to: u64, new_pages: u64) {
        let (start, end) = self.range(slot, pages);
        let (to, to_end) = self.range(to, new_pages);
        let args = page_abi::mremap(self.page(), 1 << 47, start, end - start, to_end - to).unwrap();
        let proc = &mut self.procs[self.current];
        let flags = RemapFlags::MAYMOVE | RemapFlags::FIXED;
        let result = proc.mm.lock().mremap(start, args, flags, to);
        match result {
            Ok(addr) => {
                assert_eq!(addr, to);
                remove(&mut proc.pages, to, to_end);
                let moved: Vec<(u64, Page)> =
                    proc.pages.range(start >> 12..end >> 12).map(|(at, page)| (*at, page.clone())).collect();
                let last = moved.last().cloned().expect("mremap of nothing succeeded");
                remove(&mut proc.pages, start, end);
                for i in 0..(to_end - to) >> 12 {
                    let page = match moved.get(i as usize) {
                        Some((_, page)) => page.clone(),
                        None => last.1.fresh(i - (last.0 - (start >> 12))),
                    };
                    proc.pages.insert((to >> 12) + i, page);
                }
            }
            // Out of memory may strike after the target was unmapped, as on Linux.
            Err(Errno::ENOMEM) => {
                assert!(self.failing);
                if proc.mm.lock().vmas().overlapping(to, to_end).is_empty() {
                    remove(&mut proc.pages, to, to_end);
                }
            }
            Err(error) => {
                let one_area = proc.mm.lock().vmas().at(start).is_some_and(|vma| vma.end >= end);
                let overlap = start < to_end && to < end;
                assert!(!one_area || overlap, "mremap refused a good range: {error}");
            }
        }
    }

    fn fork(&mut self) {
        if self.procs.len() == MAX_PROCS {
            return;
        }
        let proc = &mut self.procs[self.current];
        let child = proc.mm.lock().fork();
        match child.and_then(UserMm::publish) {
            Ok(mm) => {
                let (page, pages) = (proc.page, proc.pages.clone());
                self.procs.push(Proc { page, mm, pages, dropped: false });
            }
            Err(error) => assert!(self.failing, "fork: {error}"),
        }
    }

    fn exit(&mut self) {
        if self.procs.len() == 1 {
            return;
        }
        let gone = self.procs.swap_remove(self.current);
        self.current = 0;
        for cpu in 0..2 {
            self.park(cpu);
        }
        drop(gone);
    }

    fn park(&self, cpu: usize) {
        self.mem.hw.park(cpu);
        self.mem.leave_context(cpu);
    }

    /// Switches the current CPU to the current process, as the kernel does.
    fn switch(&mut self) {
        let cpu = self.mem.hw.cpu();
        let context = self.procs[self.current].mm.lock().tables().context.clone();
        let asid = self.mem.switch_context(&context, cpu);
        let live = context.live();
        self.mem.hw.load(live.root.0, asid, self.tcr(live.geometry.tcr_tg0, live.t0sz));
    }

    pub(super) fn tcr(&self, tg0: u64, t0sz: u64) -> Tcr {
        let mut tcr = Tcr::from_bits(t0sz | tg0 << 14);
        tcr.asid16 = self.setup.asid_bits == 16;
        tcr.ha = self.setup.hafdbs;
        tcr.hd = self.setup.hafdbs;
        tcr
    }

    /// An access by the current process, faults handled: the physical address, or what kills the program.
    fn access(&mut self, va: u64, access: Access) -> Result<u64, VmFault> {
        for _ in 0..8 {
            self.switch();
            let cpu = self.mem.hw.cpu();
            let result = if access == Access::Fetch {
                self.mem.hw.machine().fetch(cpu, va, El::El0).map(|_| 0)
            } else {
                self.mem.hw.machine().access(cpu, va, access, El::El0)
            };
            let kind = match access {
                Access::Read => types::Access::Read,
                Access::Write => types::Access::Write,
                Access::Fetch => types::Access::Exec,
            };
            match result {
                Ok(pa) => {
                    self.check_noted(va, access);
                    return Ok(pa);
                }
                Err(_) => self.fault(va, kind)?,
            }
        }
        panic!("{access:?} at {va:#x} faults for ever");
    }

    /// What the kernel believes of a page that was just accessed: it was, and a write has made it dirty.
    fn check_noted(&self, va: u64, access: Access) {
        let mm = self.procs[self.current].mm.lock();
        let pte = mm.tables().ptep_get(&self.mem, va);
        assert!(pte.young(), "{va:#x} was accessed and is not young");
        assert!(access != Access::Write || pte.dirty(), "{va:#x} was written and is not dirty");
    }

    /// A fault, as the kernel handles it: what takes time is done without the mmap lock.
    fn fault(&mut self, va: u64, access: types::Access) -> Result<(), VmFault> {
        let mm = self.procs[self.current].mm.clone();
        loop {
            let result = mm.lock().handle_fault(va, access);
            match result {
                Err(VmFault::Io(io)) => {
                    let waited = io.wait(&self.mem).map_err(VmFault::of_io)?;
                    mm.lock().note_wait(waited);
                }
                other => return other,
            }
        }
    }

    fn place(&self, slot: u64, sub: u64) -> (u64, u64) {
        let base = self.va(slot) + sub % self.nr() * 4096;
        let page = base >> 12;
        let offset = self.procs[self.current].pages.get(&page).map_or(0, |page| page.offset);
        (page, base + offset)
    }

    /// What should happen to an access that needs `allowed`.
    fn check_outcome(
        &self,
        page: u64,
        allowed: impl Fn(Prot) -> bool,
        result: &Result<u64, VmFault>,
    ) -> bool {
        let model = self.procs[self.current].pages.get(&page);
        match (model, result) {
            (_, Err(VmFault::Oom)) => {
                assert!(self.failing, "out of memory at page {page:#x}");
                false
            }
            (None, Err(VmFault::MapErr)) => false,
            (Some(model), Err(VmFault::AccErr)) if !allowed(model.prot) => false,
            (Some(model), Err(VmFault::Bus)) if allowed(model.prot) && model.beyond_end(self.nr()) => false,
            (Some(model), Ok(_)) if allowed(model.prot) && !model.beyond_end(self.nr()) => true,
            (model, result) => panic!(
                "page {page:#x}: model {:?}, machine {}",
                model.map(|model| (model.prot, model.beyond_end(self.nr()))),
                match result {
                    Ok(pa) => format!("lets it through to {pa:#x}"),
                    Err(VmFault::MapErr) => "MAPERR".into(),
                    Err(VmFault::AccErr) => "ACCERR".into(),
                    Err(VmFault::Bus) => "BUS".into(),
                    Err(_) => "other".into(),
                }
            ),
        }
    }

    fn read(&mut self, slot: u64, sub: u64) {
        let (page, va) = self.place(slot, sub);
        let result = self.access(va, Access::Read);
        if self.check_outcome(page, readable, &result) {
            let found = self.mem.hw.machine().read_u64(result.ok().unwrap());
            let expected = self.procs[self.current].pages[&page].word();
            assert_eq!(found, expected, "content of {va:#x}");
        }
    }

    fn write(&mut self, slot: u64, sub: u64, value: u64) {
        let (page, va) = self.place(slot, sub);
        let result = self.access(va, Access::Write);
        let writable = |prot: Prot| prot.contains(Prot::WRITE);
        if self.check_outcome(page, writable, &result) {
            let pa = result.ok().unwrap();
            let cpu = self.mem.hw.cpu();
            let mut machine = self.mem.hw.machine();
            machine.write_u64(pa, value);
            // A program that writes instructions maintains the caches for what it wrote.
            for line in [pa, pa + 7] {
                machine.dc_cvau(cpu, line);
            }
            machine.dsb(cpu, sim::Dsb::InnerShareable);
            machine.ic_ivau(cpu, pa);
            machine.dsb(cpu, sim::Dsb::InnerShareable);
            for cpu in 0..2 {
                machine.isb(cpu);
            }
            drop(machine);
            self.privatise(page);
            if let Some(page) = self.procs[self.current].pages.get_mut(&page) {
                page.set_word(value);
            }
        }
    }

    /// A write makes the whole process page private: what the file's pages under it hold is copied then, and the pages
    /// keep that even where the file ends.
    fn privatise(&mut self, page: u64) {
        let nr = self.nr();
        let first = page & !(nr - 1);
        for at in first..first + nr {
            let Some(page) = self.procs[self.current].pages.get_mut(&at) else { continue };
            if let Content::File { private: None, .. } = &page.content {
                let word = page.word();
                page.set_word(word);
            }
        }
    }

    fn fetch(&mut self, slot: u64, sub: u64) {
        let (page, va) = self.place(slot, sub);
        let va = va & !3;
        let result = self.access(va, Access::Fetch);
        // The simulator itself compares what is fetched with what memory holds.
        self.check_outcome(page, |prot| prot.contains(Prot::EXEC), &result);
    }

    /// Ends everything: all frames must come back.
    pub fn finish(mut self) {
        self.unpin();
        self.check_tables();
        for cpu in 0..2 {
            self.park(cpu);
        }
        self.procs.clear();
        let empty = || DiskFile::new(0, 0);
        self.files = [empty(), empty()];
        self.memory = MemFile::new(0);
        let allocated: Vec<u64> = self.mem.hw.machine().frames().allocated().collect();
        // The zero folio and the parking table stay.
        assert_eq!(allocated.len(), 16 + 1, "frames leaked: {allocated:x?}");
        self.mem.hw.machine().assert_clean();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // After a failed check the tables may be in any state: taking them down would fail again and hide the reason.
        if std::thread::panicking() {
            self.procs.drain(..).for_each(std::mem::forget);
        }
    }
}

fn remove(pages: &mut Pages, start: u64, end: u64) {
    pages.retain(|page, _| *page < start >> 12 || *page >= end >> 12);
}
