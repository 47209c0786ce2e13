// memcpy, memmove, memset and memcmp. The compiler's own go byte by byte or word by word; these go by words and pairs of
// registers. Memory is normal and SCTLR_EL1.A is clear, so nothing needs to be aligned.
//
// Up to 64 bytes everything is loaded before anything is stored: such moves may overlap in any way. Longer
// ones load the last (or first) 32 bytes before the loop, which then may run over them.

    .section .text.string, "ax"

    .global memmove
    .type memmove, %function
memmove:
    sub     x3, x0, x1
    cmp     x3, x2
    ccmp    x2, #31, #0, lo             // the target begins inside the source, and it is not short
    b.hi    2f

    .global memcpy
    .type memcpy, %function
memcpy:
    add     x4, x1, x2
    add     x5, x0, x2
    cmp     x2, #16
    b.lo    3f
    cmp     x2, #32
    b.ls    4f
    cmp     x2, #64
    b.ls    5f

    // Forwards.
    ldp     x10, x11, [x4, #-32]
    ldp     x12, x13, [x4, #-16]
    mov     x3, x0
    sub     x2, x2, #32
    cmp     x2, #128
    b.hi    8f
1:  ldp     x8, x9, [x1, #16]
    ldp     x6, x7, [x1], #32
    stp     x8, x9, [x3, #16]
    stp     x6, x7, [x3], #32
    subs    x2, x2, #32
    b.hi    1b
    stp     x10, x11, [x5, #-32]
    stp     x12, x13, [x5, #-16]
    ret

    // Much: 64 bytes a turn as long as more than that are left, then as above.
8:  sub     x2, x2, #64
9:  ldp     x8, x9, [x1, #16]
    ldp     x14, x15, [x1, #32]
    ldp     x16, x17, [x1, #48]
    ldp     x6, x7, [x1], #64
    stp     x8, x9, [x3, #16]
    stp     x14, x15, [x3, #32]
    stp     x16, x17, [x3, #48]
    stp     x6, x7, [x3], #64
    subs    x2, x2, #64
    b.hi    9b
    add     x2, x2, #64
    b       1b

    // Backwards; more than 31 bytes.
2:  add     x4, x1, x2
    add     x5, x0, x2
    cmp     x2, #64
    b.ls    5f
    ldp     x10, x11, [x1]
    ldp     x12, x13, [x1, #16]
    sub     x2, x2, #32
1:  ldp     x8, x9, [x4, #-16]
    ldp     x6, x7, [x4, #-32]!
    stp     x8, x9, [x5, #-16]
    stp     x6, x7, [x5, #-32]!
    subs    x2, x2, #32
    b.hi    1b
    stp     x10, x11, [x0]
    stp     x12, x13, [x0, #16]
    ret

    // Less than 16 bytes.
3:  tbz     x2, #3, 6f
    ldr     x6, [x1]
    ldr     x7, [x4, #-8]
    str     x6, [x0]
    str     x7, [x5, #-8]
    ret
6:  tbz     x2, #2, 7f
    ldr     w6, [x1]
    ldr     w7, [x4, #-4]
    str     w6, [x0]
    str     w7, [x5, #-4]
    ret
7:  cbz     x2, 9f
    ldrb    w6, [x1]
    tbz     x2, #1, 8f
    ldrh    w7, [x4, #-2]
    strh    w7, [x5, #-2]
8:  strb    w6, [x0]
9:  ret

    // 16 to 32 bytes.
4:  ldp     x6, x7, [x1]
    ldp     x8, x9, [x4, #-16]
    stp     x6, x7, [x0]
    stp     x8, x9, [x5, #-16]
    ret

    // 32 to 64 bytes.
5:  ldp     x6, x7, [x1]
    ldp     x8, x9, [x1, #16]
    ldp     x10, x11, [x4, #-32]
    ldp     x12, x13, [x4, #-16]
    stp     x6, x7, [x0]
    stp     x8, x9, [x0, #16]
    stp     x10, x11, [x5, #-32]
    stp     x12, x13, [x5, #-16]
    ret

    .global memset
    .type memset, %function
memset:
    and     x1, x1, #0xff
    orr     x1, x1, x1, lsl #8
    orr     x1, x1, x1, lsl #16
    orr     x1, x1, x1, lsl #32
    add     x5, x0, x2
    cmp     x2, #16
    b.lo    2f
    stp     x1, x1, [x5, #-16]
    subs    x2, x2, #16
    b.eq    3f
    mov     x3, x0
    cmp     x2, #64
    b.lo    1f
6:  stp     x1, x1, [x3, #16]
    stp     x1, x1, [x3, #32]
    stp     x1, x1, [x3, #48]
    stp     x1, x1, [x3], #64
    sub     x2, x2, #64
    cmp     x2, #64
    b.hs    6b
    cbz     x2, 3f
1:  stp     x1, x1, [x3], #16
    subs    x2, x2, #16
    b.hi    1b
3:  ret
2:  tbz     x2, #3, 4f
    str     x1, [x0]
    str     x1, [x5, #-8]
    ret
4:  tbz     x2, #2, 5f
    str     w1, [x0]
    str     w1, [x5, #-4]
    ret
5:  cbz     x2, 3b
    strb    w1, [x0]
    tbz     x2, #1, 3b
    strh    w1, [x5, #-2]
    ret

// memcmp and bcmp: the sign of the first difference. Eight bytes at a time; the last eight may be looked at twice.
    .global memcmp
    .type memcmp, %function
    .global bcmp
    .type bcmp, %function
memcmp:
bcmp:
    cmp     x2, #8
    b.lo    3f
    add     x5, x0, x2
    add     x6, x1, x2
    sub     x5, x5, #8                  // the last eight bytes of both
    sub     x6, x6, #8
1:  cmp     x0, x5
    b.hs    2f
    ldr     x3, [x0], #8
    ldr     x4, [x1], #8
    cmp     x3, x4
    b.eq    1b
    b       5f
2:  ldr     x3, [x5]
    ldr     x4, [x6]
    cmp     x3, x4
    b.ne    5f
    mov     w0, wzr
    ret
    // Memory is little-endian, and the first byte counts most.
5:  rev     x3, x3
    rev     x4, x4
    cmp     x3, x4
    cset    w0, hi
    csinv   w0, w0, wzr, hs
    ret
3:  cbz     x2, 6f
4:  ldrb    w3, [x0], #1
    ldrb    w4, [x1], #1
    subs    w3, w3, w4
    b.ne    7f
    subs    x2, x2, #1
    b.ne    4b
6:  mov     w3, wzr
7:  mov     w0, w3
    ret
