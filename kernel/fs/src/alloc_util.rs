//! Allocation that can fail. Sizes that come from a user program or from a disk never reach the
//! allocator in a form that panics.

use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A zeroed buffer of `len` bytes, or ENOMEM.
pub(crate) fn try_zeroed(len: usize) -> Result<Vec<u8>, Errno> {
    let mut buf = Vec::new();
    buf.try_reserve_exact(len).map_err(|_| Errno::ENOMEM)?;
    buf.resize(len, 0);
    Ok(buf)
}

/// A copy of `bytes`, or ENOMEM.
pub(crate) fn try_copy(bytes: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut buf = Vec::new();
    buf.try_reserve_exact(bytes.len()).map_err(|_| Errno::ENOMEM)?;
    buf.extend_from_slice(bytes);
    Ok(buf)
}

/// `value` behind an [`Arc`], or ENOMEM.
///
/// Stable Rust has no fallible `Arc::new`, so room for it is asked for and given back first. Another CPU
/// may take that room in between; the heap reserve that syscall entry keeps covers this.
pub(crate) fn try_arc<T>(value: T) -> Result<Arc<T>, Errno> {
    // As large as what `Arc` allocates: two counts and the value.
    let mut probe: Vec<([usize; 2], T)> = Vec::new();
    probe.try_reserve_exact(1).map_err(|_| Errno::ENOMEM)?;
    drop(probe);
    Ok(Arc::new(value))
}
