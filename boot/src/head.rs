//! The image header and the code behind it, which runs at the physical address that the loader chose, with the
//! MMU and the caches off. x0 holds the device tree, as Linux's boot protocol for arm64 has it; that protocol
//! also guarantees that the image is clean to the point of coherency and loaded at a multiple of 2M.
//!
//! Register use: x20 device tree, x21 exception level at entry, x22 physical address of the image.
#![allow(unsafe_code)] // Assembly, and statics that exist before there is a second reader.

use crate::{BootInfo, desc, early_map, layout};
use core::cell::UnsafeCell;

/// The first tables. The kernel takes them over after the jump to the high half.
#[repr(transparent)]
struct Tables(UnsafeCell<early_map::EarlyTables>);

// SAFETY: the boot code is the only user until it has jumped, and runs on one CPU; what comes after goes through
// `tables()` on physical or virtual addresses and synchronises by itself.
unsafe impl Sync for Tables {}

#[unsafe(link_section = ".boot.tables")]
static TABLES: Tables = Tables(UnsafeCell::new(early_map::EarlyTables::EMPTY));

/// The first tables, for the kernel to extend: the address in the kernel image.
pub fn tables() -> *mut early_map::EarlyTables {
    TABLES.0.get()
}

unsafe extern "C" {
    static _text: u8;
    static _etext: u8;
    static _erodata: u8;
    static __boot_stack_guard: u8;
    static _end: u8;
}

/// SCTLR_EL1 with the MMU off: the bits that are one in every implementation.
const SCTLR_MMU_OFF: u64 = 1 << 29 | 1 << 28 | 1 << 23 | 1 << 22 | 1 << 20 | 1 << 11;
/// SCTLR_EL1 for the kernel: MMU and caches (M, C, I), stack alignment checks (SA, SA0), and EL0 may use DC ZVA,
/// read CTR_EL0, clean caches and wait (DZE, UCT, nTWI, nTWE, UCI).
const SCTLR_MMU_ON: u64 = SCTLR_MMU_OFF
    | 1 << 0
    | 1 << 2
    | 1 << 12
    | 1 << 3
    | 1 << 4
    | 1 << 14
    | 1 << 15
    | 1 << 16
    | 1 << 18
    | 1 << 26;
/// TCR_EL1 without IPS and AS: T0SZ = T1SZ = 16, write-back inner shareable walks, TG0 = TG1 = 4K (which the
/// two fields encode as 0 and 2), ASID in TTBR0, and the top byte of user addresses ignored, as Linux has it.
const TCR: u64 = 16 | 16 << 16 | 0x3500 | 0x3500 << 16 | 2 << 30 | 1 << 37;
/// HCR_EL2: EL1 is AArch64, and pointer authentication in it is not trapped.
const HCR: u64 = 1 << 31 | 1 << 41 | 1 << 40;
/// SPSR_EL2 for the drop to EL1h with all exceptions masked.
const SPSR_EL1H: u64 = 0x3c5;
/// The event that counter 0 counts.
const INST_RETIRED: u64 = 0x08;

core::arch::global_asm!(
    r#"
    .section .head.text, "ax"
    .global _start
_start:
    b       boot_entry
    .long   0
    .quad   0                       // text_offset
    .quad   __image_size            // with the symbols, once mkimage has patched it
    .quad   0xa                     // little endian, 4K pages, anywhere in memory
    .quad   0
    .quad   0
    .quad   0
    .ascii  "ARM\x64"
    .long   0

boot_entry:
    mrs     x21, CurrentEL
    lsr     x21, x21, #2
    // Counting instructions comes first, so that the counter means "since reset". Not every CPU has a PMU.
    mrs     x9, id_aa64dfr0_el1
    ubfx    x9, x9, #8, #4          // PMUVer: 0 none, 15 not the architecture's
    cbz     x9, 1f
    cmp     x9, #15
    b.eq    1f
    mrs     x10, pmcr_el0
    ubfx    x10, x10, #11, #5       // number of event counters
    cbz     x10, 1f
    mov     x11, #{inst_retired}
    cmp     x21, #2
    b.ne    2f
    msr     mdcr_el2, x10           // all counters belong to EL1, nothing traps
    orr     x11, x11, #(1 << 27)    // count at EL2 too
2:  msr     pmevtyper0_el0, x11
    msr     pmevcntr0_el0, xzr
    mov     x11, #1
    msr     pmcntenset_el0, x11
    mov     x11, #((1 << 6) | 1)    // LC, E
    msr     pmcr_el0, x11
    isb
1:  msr     daifset, #15
    mov     x20, x0
    adr     x22, _start
    cmp     x21, #2
    b.ne    at_el1

    // From EL2: let EL1 have timer, GIC, FP and debug registers without traps, then drop.
    mov     x9, #3
    msr     cnthctl_el2, x9
    msr     cntvoff_el2, xzr
    mov     x9, #0x33ff
    msr     cptr_el2, x9
    msr     hstr_el2, xzr
    msr     vttbr_el2, xzr
    mrs     x9, midr_el1
    msr     vpidr_el2, x9
    mrs     x9, mpidr_el1
    msr     vmpidr_el2, x9
    mrs     x9, id_aa64pfr0_el1
    ubfx    x9, x9, #24, #4         // GIC system registers?
    cbz     x9, 3f
    mrs     x9, s3_4_c12_c9_5       // ICC_SRE_EL2
    mov     x10, #9                 // SRE, Enable
    orr     x9, x9, x10
    msr     s3_4_c12_c9_5, x9
    isb
    msr     s3_4_c12_c11_0, xzr     // ICH_HCR_EL2
3:  mrs     x9, id_aa64mmfr0_el1
    ubfx    x9, x9, #56, #4         // fine-grained traps?
    cbz     x9, 4f
    msr     s3_4_c1_c1_4, xzr       // HFGRTR_EL2
    msr     s3_4_c1_c1_5, xzr       // HFGWTR_EL2
    msr     s3_4_c1_c1_6, xzr       // HFGITR_EL2
    msr     s3_4_c3_c1_4, xzr       // HDFGRTR_EL2
    msr     s3_4_c3_c1_5, xzr       // HDFGWTR_EL2
4:  ldr     x9, ={hcr}
    msr     hcr_el2, x9
    ldr     x9, ={sctlr_off}
    msr     sctlr_el1, x9
    mov     x9, #{spsr}
    msr     spsr_el2, x9
    adr     x9, at_el1
    msr     elr_el2, x9
    eret

at_el1:
    ldr     x9, ={sctlr_off}
    msr     sctlr_el1, x9
    msr     cpacr_el1, xzr
    msr     mdscr_el1, xzr
    msr     oslar_el1, xzr
    isb

    // The tables, by Rust code on the boot stack. What it writes goes past the caches, so drop stale lines.
    adrp    x9, __boot_stack_top
    mov     sp, x9
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, x22
    mov     x1, x20
    bl      {fill}
    adrp    x9, __boot_uncached_start
    adrp    x10, __boot_uncached_end
    dmb     sy
5:  dc      ivac, x9
    add     x9, x9, #16
    cmp     x9, x10
    b.lo    5b
    dsb     sy

    ldr     x9, ={mair}
    msr     mair_el1, x9
    ldr     x9, ={tcr}
    mrs     x10, id_aa64mmfr0_el1
    and     x11, x10, #15           // PARange; above 48 bits needs TCR.DS or another granule
    cmp     x11, #5
    mov     x12, #5
    csel    x11, x11, x12, ls
    orr     x9, x9, x11, lsl #32    // IPS
    ubfx    x10, x10, #4, #4        // ASIDBits: 0 is 8, 2 is 16
    lsr     x10, x10, #1
    orr     x9, x9, x10, lsl #36    // AS
    msr     tcr_el1, x9
    mov     x0, x22
    bl      {roots}
    msr     ttbr0_el1, x0
    msr     ttbr1_el1, x1
    tlbi    vmalle1
    ic      iallu
    dsb     nsh
    isb
    ldr     x9, ={sctlr_on}
    ldr     x10, =high_half
    msr     sctlr_el1, x9
    isb
    br      x10

    // Linked and running in the high half from here on.
    .section .text.high_half, "ax"
high_half:
    adrp    x9, __boot_stack_top
    mov     sp, x9
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, x22
    mov     x1, x20
    mov     x2, x21
    b       {enter}
"#,
    inst_retired = const INST_RETIRED,
    hcr = const HCR,
    spsr = const SPSR_EL1H,
    sctlr_off = const SCTLR_MMU_OFF,
    sctlr_on = const SCTLR_MMU_ON,
    tcr = const TCR,
    mair = const desc::MAIR,
    fill = sym fill_tables,
    roots = sym table_roots,
    enter = sym enter_kernel,
);

/// The two table roots, in x0 and x1.
#[repr(C)]
struct Roots {
    user: u64,
    kernel: u64,
}

/// Runs with the MMU off: every address it forms is physical, because code and statics move together.
extern "C" fn fill_tables(image: u64, dtb: u64) {
    let base = (&raw const _text) as u64;
    let parts = early_map::ImageParts {
        text_end: (&raw const _etext) as u64 - base,
        rodata_end: (&raw const _erodata) as u64 - base,
        stack_guard: (&raw const __boot_stack_guard) as u64 - base,
        data_end: (&raw const _end) as u64 - base,
        size: image_size(),
    };
    let tables = TABLES.0.get();
    // SAFETY: nobody else runs; the static is zero in the image.
    early_map::fill(unsafe { &mut *tables }, tables as u64, image, parts, dtb);
}

/// The physical addresses of the identity map's root and of the kernel's. Runs with the MMU off.
extern "C" fn table_roots() -> Roots {
    let base = TABLES.0.get() as u64;
    Roots {
        user: base + core::mem::offset_of!(early_map::EarlyTables, identity_l0) as u64,
        kernel: base + core::mem::offset_of!(early_map::EarlyTables, kernel_l0) as u64,
    }
}

/// The size in the header, which mkimage has patched if it put symbols behind the image.
fn image_size() -> u64 {
    let field = (&raw const _text).wrapping_add(16).cast::<u64>();
    // SAFETY: the header is the first 64 bytes of the image, readable and aligned; volatile, because the bytes in
    // the file are not those that the linker saw.
    unsafe { field.read_volatile() }
}

/// First Rust code in the high half: leaves the identity map and calls the kernel.
extern "C" fn enter_kernel(image: u64, dtb: u64, entry_el: u64) -> ! {
    let reserved = image
        + (TABLES.0.get() as u64 - layout::IMAGE)
        + core::mem::offset_of!(early_map::EarlyTables, reserved_l0) as u64;
    // SAFETY: nothing below the high half is in use any more; the reserved table has no entries.
    unsafe {
        core::arch::asm!(
            "msr ttbr0_el1, {0}",
            "isb",
            "tlbi vmalle1",
            "dsb nsh",
            "isb",
            in(reg) reserved,
            options(nostack)
        );
    }
    let info = BootInfo { dtb, image, image_size: image_size(), entry_el };
    unsafe extern "Rust" {
        /// The kernel proper.
        safe fn kernel_main(info: &BootInfo) -> !;
    }
    kernel_main(&info)
}
