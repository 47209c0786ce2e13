//! Which page size a new program gets: what its personality asks for, as far as its files can live with it.

use crate::cmdline;
use ::mm::types::PageSize;
use abi::{Errno, Personality};
use binfmt::elf::Headers;
use binfmt::fits::{self, Fitting};
use core::sync::atomic::{AtomicBool, Ordering};

/// `vm.page_size_strict`: a program that does not fit the size asked for is refused instead of given a smaller one.
pub static STRICT: AtomicBool = AtomicBool::new(false);

/// The size that a personality asks for. Both bits together cannot be set.
pub fn asked(personality: Personality) -> PageSize {
    if personality.contains(Personality::PAGE_SIZE_64K) {
        PageSize::Size64K
    } else if personality.contains(Personality::PAGE_SIZE_16K) {
        PageSize::Size16K
    } else {
        PageSize::Size4K
    }
}

/// The personality that init starts with: what `page_size=` on the kernel's command line says. Everything inherits it.
/// A word that is no size is reported and ignored.
pub fn of_command_line() -> Personality {
    match cmdline::get("page_size") {
        None | Some("4K") => Personality::empty(),
        Some("16K") => Personality::PAGE_SIZE_16K,
        Some("64K") => Personality::PAGE_SIZE_64K,
        Some(other) => {
            log::warn!("page_size={other}: must be 4K, 16K or 64K; programs have 4K");
            Personality::empty()
        }
    }
}

/// One file of a program: how it is called in the log, and its headers.
pub struct ProgramImage<'a> {
    /// The path that it was found by.
    pub path: &'a [u8],
    /// What its headers say.
    pub headers: &'a Headers,
}

/// The page size for a program made of `images` that `asked` for one: the largest up to that at which all of them fit. One
/// line in the log says why it is a smaller one. ENOEXEC instead where [`STRICT`] is set.
pub fn choose(asked: PageSize, images: &[ProgramImage<'_>]) -> Result<PageSize, Errno> {
    if asked == PageSize::Size4K {
        return Ok(asked);
    }
    let mut headers = arrayvec::ArrayVec::<&Headers, 2>::new();
    headers.extend(images.iter().map(|image| image.headers));
    let Fitting { page_size, misfit } = fits::largest_fitting(&headers, asked.bytes());
    let Some((image, misfit)) = misfit else { return Ok(asked) };
    let path = images[image].path.escape_ascii();
    let asked = asked.bytes() / 1024;
    if STRICT.load(Ordering::Relaxed) {
        log::warn!("exec {path}: refused at {asked}K pages (vm.page_size_strict): {misfit}");
        return Err(Errno::ENOEXEC);
    }
    log::warn!("exec {path}: asked for {asked}K pages, given {}K: {misfit}", page_size / 1024);
    Ok(PageSize::ALL.into_iter().find(|size| size.bytes() == page_size).unwrap_or(PageSize::Size4K))
}
