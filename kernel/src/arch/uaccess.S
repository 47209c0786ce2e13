// Access to user memory by unprivileged loads and stores. Included by uaccess.rs.
//
// LDTR and STTR check the permissions of EL0 and work whatever PSTATE.PAN says. Each one is entered
// in the exception table, with the place where a fault that cannot be repaired goes on. Nothing here
// touches the stack.

.macro user fixup, insn:vararg
9999:
    \insn
    .pushsection .extable, "a"
    .long   9999b - .
    .long   \fixup - .
    .popsection
.endm

    .section .text.uaccess, "ax"

// raw_copy_from_user(to, from, len) -> bytes not copied
//
// A fault in the middle of a block goes on byte by byte, so that the count is exact.
    .global raw_copy_from_user
raw_copy_from_user:
1:  cmp     x2, #64
    b.lo    2f
    user    3f, ldtr x4, [x1]
    user    3f, ldtr x5, [x1, #8]
    user    3f, ldtr x6, [x1, #16]
    user    3f, ldtr x7, [x1, #24]
    user    3f, ldtr x8, [x1, #32]
    user    3f, ldtr x9, [x1, #40]
    user    3f, ldtr x10, [x1, #48]
    user    3f, ldtr x11, [x1, #56]
    stp     x4, x5, [x0]
    stp     x6, x7, [x0, #16]
    stp     x8, x9, [x0, #32]
    stp     x10, x11, [x0, #48]
    add     x0, x0, #64
    add     x1, x1, #64
    sub     x2, x2, #64
    b       1b
2:  cmp     x2, #8
    b.lo    3f
    user    3f, ldtr x4, [x1]
    str     x4, [x0], #8
    add     x1, x1, #8
    sub     x2, x2, #8
    b       2b
3:  cbz     x2, 4f
    user    4f, ldtrb w4, [x1]
    strb    w4, [x0], #1
    add     x1, x1, #1
    sub     x2, x2, #1
    b       3b
4:  mov     x0, x2
    ret

// raw_copy_to_user(to, from, len) -> bytes not copied
    .global raw_copy_to_user
raw_copy_to_user:
1:  cmp     x2, #64
    b.lo    2f
    ldp     x4, x5, [x1]
    ldp     x6, x7, [x1, #16]
    ldp     x8, x9, [x1, #32]
    ldp     x10, x11, [x1, #48]
    user    3f, sttr x4, [x0]
    user    3f, sttr x5, [x0, #8]
    user    3f, sttr x6, [x0, #16]
    user    3f, sttr x7, [x0, #24]
    user    3f, sttr x8, [x0, #32]
    user    3f, sttr x9, [x0, #40]
    user    3f, sttr x10, [x0, #48]
    user    3f, sttr x11, [x0, #56]
    add     x0, x0, #64
    add     x1, x1, #64
    sub     x2, x2, #64
    b       1b
2:  cmp     x2, #8
    b.lo    3f
    ldr     x4, [x1]
    user    3f, sttr x4, [x0]
    add     x0, x0, #8
    add     x1, x1, #8
    sub     x2, x2, #8
    b       2b
3:  cbz     x2, 4f
    ldrb    w4, [x1]
    user    4f, sttrb w4, [x0]
    add     x0, x0, #1
    add     x1, x1, #1
    sub     x2, x2, #1
    b       3b
4:  mov     x0, x2
    ret

// raw_clear_user(to, len) -> bytes not cleared
    .global raw_clear_user
raw_clear_user:
1:  cmp     x1, #8
    b.lo    2f
    user    2f, sttr xzr, [x0]
    add     x0, x0, #8
    sub     x1, x1, #8
    b       1b
2:  cbz     x1, 3f
    user    3f, sttrb wzr, [x0]
    add     x0, x0, #1
    sub     x1, x1, #1
    b       2b
3:  mov     x0, x1
    ret

// raw_cmpxchg_user(found, addr, old, new, pan) -> 0, or -1 on a fault
//
// Exclusive accesses have no unprivileged form: these are the kernel's own, for which PAN is switched off if the CPU has it
// (`pan` is not 0). A fault takes the interrupted PAN with it and back. The caller has checked alignment and range.
    .global raw_cmpxchg_user
raw_cmpxchg_user:
    cbz     w4, 1f
    .inst   0xd500409f                  // msr pan, #0
1:
    user    3f, ldaxr w5, [x1]
    cmp     w5, w2
    b.ne    2f
    user    3f, stlxr w6, w3, [x1]
    cbnz    w6, 1b
2:  str     w5, [x0]
    mov     x0, xzr
    b       4f
3:  mov     x0, #-1
4:  cbz     w4, 5f
    .inst   0xd500419f                  // msr pan, #1
5:  ret

// raw_strncpy_from_user(to, from, len) -> length without the NUL; len if none was found; -1 on a fault
//
// Eight bytes at a time, as long as they can be read; the word that has the NUL is stored whole. The lowest bit of
// (x - 0x01..01) & ~x & 0x80..80 belongs to the first byte that is zero.
    .global raw_strncpy_from_user
raw_strncpy_from_user:
    mov     x3, xzr
    mov     x5, #0x0101010101010101
    cmp     x2, #8
    b.lo    2f
    sub     x6, x2, #8
1:  user    2f, ldtr x4, [x1]
    sub     x7, x4, x5
    str     x4, [x0, x3]
    bic     x7, x7, x4
    ands    x7, x7, #0x8080808080808080
    b.ne    5f
    add     x1, x1, #8
    add     x3, x3, #8
    cmp     x3, x6
    b.ls    1b
2:  cmp     x3, x2
    b.hs    3f
    user    4f, ldtrb w4, [x1]
    strb    w4, [x0, x3]
    cbz     w4, 3f
    add     x1, x1, #1
    add     x3, x3, #1
    b       2b
3:  mov     x0, x3
    ret
4:  mov     x0, #-1
    ret
5:  rbit    x7, x7
    clz     x7, x7
    add     x0, x3, x7, lsr #3
    ret
