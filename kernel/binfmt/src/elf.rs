//! ELF headers of a program or of its interpreter, checked as far as they can be without knowing where
//! the image will lie. Mirrors the first half of Linux's `load_elf_binary` and `load_elf_phdrs`.
//!
//! What Linux refuses before the point of no return is refused with the same error. What Linux finds
//! only afterwards, when all that it can do is to kill the process (a segment with more bytes in the
//! file than in memory, one that wraps around, one that no page can map), is ENOEXEC here.

use crate::pages::{KERNEL_PAGE_SIZE, page_offset};
use crate::read_at::{ReadAt, read_exact};
use abi::{Errno, Personality, Prot};
use alloc::vec::Vec;
use elf::abi as consts;
use elf::endian::LittleEndian;
use elf::file::{Class, ELF64_EHDR_TAILSIZE, FileHeader};
use elf::parse::{ParseAt, ParsingIterator};
use elf::segment::ProgramHeader;

/// Size of one ELF64 program header, the value of AT_PHENT.
pub const PHDR_SIZE: usize = 56;

/// Most bytes of program headers that are read; 1170 headers.
const MAX_PHDRS_SIZE: usize = 65536;

/// Longest path, its NUL included.
const PATH_MAX: u64 = 4096;

const EHDR_SIZE: usize = consts::EI_NIDENT + ELF64_EHDR_TAILSIZE;

/// What a file is parsed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The file that `execve` names (or a script's interpreter): a wrong one is ENOEXEC.
    Program,
    /// The file that a program's PT_INTERP names: a wrong one is ELIBBAD, and its own PT_INTERP does
    /// not count.
    Interpreter,
}

impl Role {
    fn refusal(self) -> Errno {
        match self {
            Role::Program => Errno::ENOEXEC,
            Role::Interpreter => Errno::ELIBBAD,
        }
    }

    /// An error found by code that knows no role.
    fn translate(self, error: Errno) -> Errno {
        if error == Errno::ENOEXEC { self.refusal() } else { error }
    }
}

/// Whether the addresses in the file are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ET_EXEC: they are.
    Exec,
    /// ET_DYN: the kernel adds a base.
    Dyn,
}

/// PT_GNU_STACK: what the program says about executing its stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackFlags {
    /// It says nothing, Linux's `EXSTACK_DEFAULT`.
    Default,
    /// `EXSTACK_ENABLE_X`.
    Executable,
    /// `EXSTACK_DISABLE_X`.
    NotExecutable,
}

impl StackFlags {
    /// Protection of the stack's mapping. A 64-bit program that says nothing gets an executable stack
    /// only by its personality.
    pub fn prot(self, personality: Personality) -> Prot {
        let executable = match self {
            StackFlags::Default => personality.contains(Personality::READ_IMPLIES_EXEC),
            StackFlags::Executable => true,
            StackFlags::NotExecutable => false,
        };
        Prot::READ | Prot::WRITE | if executable { Prot::EXEC } else { Prot::empty() }
    }
}

/// One PT_LOAD. `filesz <= memsz`, neither range wraps, and if there are bytes from the file, `offset`
/// and `vaddr` are congruent modulo 4K.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its place among all program headers, as `readelf -l` counts from 0: for messages.
    pub index: usize,
    /// First byte in the file.
    pub offset: u64,
    /// First address, before a base is added.
    pub vaddr: u64,
    /// Bytes from the file.
    pub filesz: u64,
    /// Bytes in memory; what the file does not give is zero.
    pub memsz: u64,
    /// The alignment asked for, unchecked: only powers of two count.
    pub align: u64,
    /// READ, WRITE, EXEC.
    pub prot: Prot,
}

impl Segment {
    /// End of the bytes from the file.
    pub fn file_end(&self) -> u64 {
        self.vaddr + self.filesz
    }

    /// End in memory.
    pub fn mem_end(&self) -> u64 {
        self.vaddr + self.memsz
    }
}

/// What `execve` needs from an ELF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// ET_EXEC or ET_DYN.
    pub kind: Kind,
    /// The address to start at, before a base is added.
    pub entry: u64,
    /// Where the program headers are in the file.
    pub phoff: u64,
    /// How many there are: the value of AT_PHNUM.
    pub phnum: u16,
    /// PT_LOADs in the file's order, at least one with memory. Linux accepts any order.
    pub segments: Vec<Segment>,
    /// The path in the first PT_INTERP, without its NUL. Not empty unless the file says so.
    pub interpreter: Option<Vec<u8>>,
    /// The last PT_GNU_STACK.
    pub stack: StackFlags,
}

/// Reads and checks the headers of `file`.
///
/// Errors: [`Role`]'s own for everything wrong in the file, EIO if it ends within the interpreter's
/// path, ENOMEM, and what `file` itself reports.
pub fn parse<F: ReadAt + ?Sized>(file: &F, role: Role) -> Result<Headers, Errno> {
    let header = parse_file_header(file).map_err(|error| role.translate(error))?;
    let kind = match header.e_type {
        consts::ET_EXEC => Kind::Exec,
        consts::ET_DYN => Kind::Dyn,
        _ => return Err(role.refusal()),
    };
    let table = read_program_headers(file, &header).map_err(|error| role.translate(error))?;
    let mut headers = Headers {
        kind,
        entry: header.e_entry,
        phoff: header.e_phoff,
        phnum: header.e_phnum,
        segments: Vec::new(),
        interpreter: None,
        stack: StackFlags::Default,
    };
    for (index, phdr) in
        ParsingIterator::<_, ProgramHeader>::new(LittleEndian, Class::ELF64, &table).enumerate()
    {
        match phdr.p_type {
            consts::PT_LOAD => {
                let segment = parse_segment(index, &phdr).ok_or(role.refusal())?;
                headers.segments.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                headers.segments.push(segment);
            }
            consts::PT_INTERP if role == Role::Program && headers.interpreter.is_none() => {
                headers.interpreter = Some(read_interpreter(file, &phdr)?);
            }
            consts::PT_GNU_STACK if phdr.p_flags & consts::PF_X != 0 => {
                headers.stack = StackFlags::Executable
            }
            consts::PT_GNU_STACK => headers.stack = StackFlags::NotExecutable,
            _ => {}
        }
    }
    if headers.segments.iter().all(|segment| segment.memsz == 0) {
        return Err(role.refusal());
    }
    Ok(headers)
}

/// The file header, if it is one of a 64-bit little-endian arm64 file. As in Linux the versions in it
/// are not looked at, and a file shorter than the header is read as if zeros followed.
fn parse_file_header<F: ReadAt + ?Sized>(file: &F) -> Result<FileHeader<LittleEndian>, Errno> {
    let mut bytes = [0; EHDR_SIZE];
    file.read_at(0, &mut bytes)?;
    let (ident, tail) = bytes.split_at(consts::EI_NIDENT);
    if !ident.starts_with(&consts::ELFMAGIC)
        || ident[consts::EI_CLASS] != consts::ELFCLASS64
        || ident[consts::EI_DATA] != consts::ELFDATA2LSB
    {
        return Err(Errno::ENOEXEC);
    }
    let ident = (LittleEndian, Class::ELF64, ident[consts::EI_OSABI], ident[consts::EI_ABIVERSION]);
    let header = FileHeader::parse_tail(ident, tail).map_err(|_| Errno::ENOEXEC)?;
    if header.e_machine == consts::EM_AARCH64 { Ok(header) } else { Err(Errno::ENOEXEC) }
}

fn read_program_headers<F: ReadAt + ?Sized>(
    file: &F,
    header: &FileHeader<LittleEndian>,
) -> Result<Vec<u8>, Errno> {
    let entsize = usize::from(header.e_phentsize);
    ProgramHeader::validate_entsize(Class::ELF64, entsize).map_err(|_| Errno::ENOEXEC)?;
    let size = entsize * usize::from(header.e_phnum);
    if size == 0 || size > MAX_PHDRS_SIZE {
        return Err(Errno::ENOEXEC);
    }
    let mut table = zeroed(size)?;
    read_exact(file, header.e_phoff, &mut table, Errno::ENOEXEC)?;
    Ok(table)
}

/// `None`: no mapping can do what the header asks for.
fn parse_segment(index: usize, phdr: &ProgramHeader) -> Option<Segment> {
    let file_end = phdr.p_offset.checked_add(phdr.p_filesz)?;
    phdr.p_vaddr.checked_add(phdr.p_memsz)?;
    let congruent = page_offset(phdr.p_offset ^ phdr.p_vaddr, KERNEL_PAGE_SIZE) == 0;
    // Offsets in files are signed.
    if phdr.p_filesz > phdr.p_memsz || file_end > i64::MAX as u64 || (phdr.p_filesz != 0 && !congruent) {
        return None;
    }
    let flags = [(consts::PF_R, Prot::READ), (consts::PF_W, Prot::WRITE), (consts::PF_X, Prot::EXEC)];
    let prot = flags.iter().filter(|(flag, _)| phdr.p_flags & flag != 0).map(|&(_, prot)| prot).collect();
    Some(Segment {
        index,
        offset: phdr.p_offset,
        vaddr: phdr.p_vaddr,
        filesz: phdr.p_filesz,
        memsz: phdr.p_memsz,
        align: phdr.p_align,
        prot,
    })
}

/// The path in PT_INTERP. Its NUL must be the last byte; as in Linux, one before it ends the path.
fn read_interpreter<F: ReadAt + ?Sized>(file: &F, phdr: &ProgramHeader) -> Result<Vec<u8>, Errno> {
    if phdr.p_filesz < 2 || phdr.p_filesz > PATH_MAX {
        return Err(Errno::ENOEXEC);
    }
    let mut path = zeroed(phdr.p_filesz as usize)?;
    read_exact(file, phdr.p_offset, &mut path, Errno::EIO)?;
    if path.last() != Some(&0) {
        return Err(Errno::ENOEXEC);
    }
    let len = path.iter().position(|&byte| byte == 0).unwrap_or(path.len());
    path.truncate(len);
    Ok(path)
}

fn zeroed(size: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(|_| Errno::ENOMEM)?;
    bytes.resize(size, 0);
    Ok(bytes)
}
