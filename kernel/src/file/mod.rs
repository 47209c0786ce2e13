//! What lies between the system calls and the crate `fs`: descriptors, reading and writing the page cache, the root file
//! system, the console. Mirrors Linux's `fs/file.c`, `fs/fs_struct.c`, `init/do_mounts.c`.

mod console;
mod disk;
mod files;
mod fs_info;
mod page_cache;
mod random;
mod root;
mod user_io;

pub use files::{AtExec, Files};
pub use fs_info::{FsInfo, FsView};
pub use page_cache::PageCache;
pub use root::{
    BLOCK_DRIVERS, CHAR_DRIVERS, FILE_SYSTEMS, SERIAL, disk_number, mount_root, new_file_system, unnamed, vfs,
};
pub use user_io::UserBuffers;
