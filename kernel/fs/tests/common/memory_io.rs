//! A page cache for files that live in memory: the bytes of each mapping in a table.

use abi::Errno;
use fs::inode::PageIo;
use fs::io::{ReadSink, WriteSource};
use mm::filemap::AddressSpace;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// A mapping, kept so that nobody gets its address, and its bytes.
type Entry = (Arc<AddressSpace>, Vec<u8>);

/// The table. Mappings are known by their addresses.
#[derive(Default)]
pub struct MemoryIo {
    bytes: RefCell<HashMap<usize, Entry>>,
}

impl MemoryIo {
    fn with<R>(&self, mapping: &Arc<AddressSpace>, f: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let mut table = self.bytes.borrow_mut();
        let key = Arc::as_ptr(mapping).addr();
        f(&mut table.entry(key).or_insert_with(|| (mapping.clone(), Vec::new())).1)
    }
}

impl PageIo for MemoryIo {
    fn read(&self, mapping: &Arc<AddressSpace>, pos: u64, sink: &mut dyn ReadSink) -> Result<usize, Errno> {
        self.with(mapping, |bytes| {
            let rest = bytes.get(pos as usize..).unwrap_or_default();
            Ok(sink.put(&rest[..rest.len().min(sink.remaining())]))
        })
    }

    fn write(
        &self,
        mapping: &Arc<AddressSpace>,
        pos: u64,
        source: &mut dyn WriteSource,
    ) -> Result<usize, Errno> {
        self.with(mapping, |bytes| {
            let mut new = vec![0; source.remaining()];
            let taken = source.take(&mut new);
            let end = pos as usize + taken;
            bytes.resize(bytes.len().max(end), 0);
            bytes[pos as usize..end].copy_from_slice(&new[..taken]);
            mapping.set_size(bytes.len() as u64);
            Ok(taken)
        })
    }

    fn truncate(&self, mapping: &Arc<AddressSpace>, size: u64) {
        self.with(mapping, |bytes| bytes.resize(size as usize, 0));
        mapping.set_size(size);
    }

    fn fill_holes(&self, _: &Arc<AddressSpace>, _: u64, _: u64) -> Result<(), Errno> {
        Ok(())
    }

    fn punch_hole(&self, mapping: &Arc<AddressSpace>, from: u64, to: u64) {
        self.with(mapping, |bytes| {
            let end = bytes.len().min(to as usize);
            if let Some(hole) = bytes.get_mut(from as usize..end) {
                hole.fill(0);
            }
        });
    }
}
