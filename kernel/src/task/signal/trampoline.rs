//! Where a handler returns to when the program has not said otherwise (`SA_RESTORER`, which arm64's C libraries leave out): two
//! instructions in a page that a program gets when its first handler of this kind is called. Linux has them in its vDSO, `__kernel_rt_sigreturn`; unwinders know a signal's
//! frame by just these two.

use crate::file::{PageCache, unnamed};
use crate::sync::Mutex;
use crate::task::user_mm::UserMm;
use abi::{Errno, MapFlags, Prot};
use alloc::sync::Arc;
use core::fmt;
use fs::io::SliceSource;
use fs::perm::Cred;
use fs::seal::Seals;
use fs::vfs::FileKind;
use mm::filemap::{AddressSpace, MappedFile};
use mm::mmap::MmapRequest;
use mm::page_abi::MmapArgs;

/// `mov x8, #__NR_rt_sigreturn; svc #0`.
const CODE: [u32; 2] = [0xd280_1168, 0xd400_0001];

/// Made for the first program that needs it.
static TRAMPOLINE: Mutex<Option<Arc<Trampoline>>> = Mutex::new(None);

struct Trampoline {
    mapping: Arc<AddressSpace>,
}

impl MappedFile for Trampoline {
    fn mapping(&self) -> &Arc<AddressSpace> {
        &self.mapping
    }

    fn write_path(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str("[vdso]")
    }
}

/// Where the code lies in the memory `mm`; it is mapped there if it is not yet. May sleep.
pub(super) fn address(mm: &UserMm) -> Result<u64, Errno> {
    let known = mm.lock().layout.sigtramp;
    if known != 0 {
        return Ok(known);
    }
    let file = file()?;
    let mut mm = mm.lock();
    let args = MmapArgs { addr: 0, len: mm.page_size().bytes(), pgoff: 0 };
    let (prot, may) = (Prot::READ | Prot::EXEC, Prot::READ | Prot::WRITE | Prot::EXEC);
    let address = mm.mmap(MmapRequest { args, prot, flags: MapFlags::PRIVATE, file: Some(file), may })?;
    mm.layout.sigtramp = address;
    Ok(address)
}

/// The page's content, to be mapped from its beginning.
fn file() -> Result<Arc<dyn MappedFile>, Errno> {
    let mut made = TRAMPOLINE.lock();
    let trampoline = match &*made {
        Some(trampoline) => trampoline.clone(),
        None => made.insert(Arc::new(make()?)).clone(),
    };
    Ok(trampoline)
}

fn make() -> Result<Trampoline, Errno> {
    let file = unnamed().memfd(&Cred::ROOT, b"vdso", 0o777, Seals::SEAL)?;
    let code = CODE.map(u32::to_le_bytes);
    file.write(&PageCache, &mut SliceSource::new(code.as_flattened()))?;
    match file.kind() {
        FileKind::PageCache(mapping) => Ok(Trampoline { mapping: mapping.clone() }),
        _ => Err(Errno::ENODEV),
    }
}
