// Exception vectors, entry and exit. Included by trap.rs, which fills in the names in braces.
//
// On entry from EL0 the kernel stack is empty and SP_EL1 stands at its top, so the frame always lies
// at the same place and needs no look-up. Interrupts are masked by the exception; the paths that may
// sleep unmask them in Rust or, for system calls, here.

    .section .text.vectors, "ax"

// Saves everything a return needs. PSTATE.PAN is set by the exception itself (SCTLR_EL1.SPAN = 0).
.macro kernel_entry el
    stp     x0, x1, [sp, #16 * 0]
    stp     x2, x3, [sp, #16 * 1]
    stp     x4, x5, [sp, #16 * 2]
    stp     x6, x7, [sp, #16 * 3]
    stp     x8, x9, [sp, #16 * 4]
    stp     x10, x11, [sp, #16 * 5]
    stp     x12, x13, [sp, #16 * 6]
    stp     x14, x15, [sp, #16 * 7]
    stp     x16, x17, [sp, #16 * 8]
    stp     x18, x19, [sp, #16 * 9]
    stp     x20, x21, [sp, #16 * 10]
    stp     x22, x23, [sp, #16 * 11]
    stp     x24, x25, [sp, #16 * 12]
    stp     x26, x27, [sp, #16 * 13]
    stp     x28, x29, [sp, #16 * 14]
    .if \el == 0
    mrs     x21, sp_el0
    .else
    add     x21, sp, #{FRAME_SIZE}
    .endif
    mrs     x22, elr_el1
    mrs     x23, spsr_el1
    stp     x30, x21, [sp, #{FRAME_LR}]
    stp     x22, x23, [sp, #{FRAME_PC}]
.endm

// Ends the chain of frame records: nothing of the kernel called an EL0 exception.
.macro frame_record_el0
    mov     x29, xzr
.endm

// A frame record that leads a backtrace from the handler to what was interrupted.
.macro frame_record_el1
    stp     x29, x22, [sp, #{FRAME_RECORD}]
    add     x29, sp, #{FRAME_RECORD}
.endm

.macro kernel_exit el
    ldp     x30, x21, [sp, #{FRAME_LR}]
    ldp     x22, x23, [sp, #{FRAME_PC}]
    .if \el == 0
    msr     sp_el0, x21
    .endif
    msr     elr_el1, x22
    msr     spsr_el1, x23
    ldp     x0, x1, [sp, #16 * 0]
    ldp     x2, x3, [sp, #16 * 1]
    ldp     x4, x5, [sp, #16 * 2]
    ldp     x6, x7, [sp, #16 * 3]
    ldp     x8, x9, [sp, #16 * 4]
    ldp     x10, x11, [sp, #16 * 5]
    ldp     x12, x13, [sp, #16 * 6]
    ldp     x14, x15, [sp, #16 * 7]
    ldp     x16, x17, [sp, #16 * 8]
    ldp     x18, x19, [sp, #16 * 9]
    ldp     x20, x21, [sp, #16 * 10]
    ldp     x22, x23, [sp, #16 * 11]
    ldp     x24, x25, [sp, #16 * 12]
    ldp     x26, x27, [sp, #16 * 13]
    ldp     x28, x29, [sp, #16 * 14]
    add     sp, sp, #{FRAME_SIZE}
    eret
.endm

.macro vector label
    .balign 0x80
    b       \label
.endm

// A vector that nothing should ever take: `index` says which, for the report.
.macro bad_vector el, index
    .balign 0x80
    sub     sp, sp, #{FRAME_SIZE}
    kernel_entry \el
    mov     x1, #\index
    b       bad_exception
.endm

    .balign 0x800
    .global exception_vectors
exception_vectors:
    bad_vector 1, 0                     // EL1 on SP_EL0: never selected
    bad_vector 1, 1
    bad_vector 1, 2
    bad_vector 1, 3

    // EL1 synchronous. The one way to get here with an unusable stack is its overflow into the guard
    // page. TPIDRRO_EL0 is the scratch register; no program ever sees it other than zero.
    .balign 0x80
    msr     tpidrro_el0, x0
    mrs     x0, tpidr_el1
    ldr     x0, [x0, #{PERCPU_STACK_LOW}]
    sub     x0, sp, x0
    sub     x0, x0, #{FRAME_SIZE}
    lsr     x0, x0, #{KSTACK_SHIFT}
    cbnz    x0, stack_overflow
    mrs     x0, tpidrro_el0
    msr     tpidrro_el0, xzr
    b       el1_sync

    vector  el1_irq
    bad_vector 1, 6                     // FIQ: no group 0 interrupt is ever enabled
    bad_vector 1, 7                     // SError

    // EL0 synchronous: a system call is recognised before anything else.
    .balign 0x80
    sub     sp, sp, #{FRAME_SIZE}
    kernel_entry 0
    frame_record_el0
    mrs     x24, esr_el1
    lsr     x25, x24, #26
    cmp     x25, #0x15                  // ESR_EL1.EC: SVC from AArch64
    b.ne    el0_sync
    b       el0_svc

    vector  el0_irq
    bad_vector 0, 10
    bad_vector 0, 11

    bad_vector 0, 12                    // AArch32 at EL0: SPSR is never set so
    bad_vector 0, 13
    bad_vector 0, 14
    bad_vector 0, 15

el0_svc:
    stp     x0, x8, [sp, #{FRAME_ORIG_X0}]
    mov     x0, sp
    msr     daifclr, #7
    bl      syscall_entry

// Leaves for EL0 with the frame at SP, after doing what was asked for meanwhile.
    .global ret_to_user
ret_to_user:
    msr     daifset, #7
    mrs     x1, tpidr_el1
    ldr     x1, [x1, #{PERCPU_CURRENT}]
    ldr     w1, [x1, #{TASK_WORK}]
    cbnz    w1, 1f
    kernel_exit 0
1:  mov     x0, sp
    bl      exit_to_user_work
    b       ret_to_user

el0_sync:
    mov     x0, sp
    mov     x1, x24
    mrs     x2, far_el1
    bl      el0_sync_entry
    b       ret_to_user

el0_irq:
    sub     sp, sp, #{FRAME_SIZE}
    kernel_entry 0
    frame_record_el0
    bl      irq_entry
    b       ret_to_user

el1_sync:
    sub     sp, sp, #{FRAME_SIZE}
    kernel_entry 1
    frame_record_el1
    mov     x0, sp
    mrs     x1, esr_el1
    mrs     x2, far_el1
    bl      el1_sync_entry
    msr     daifset, #7
    kernel_exit 1

el1_irq:
    sub     sp, sp, #{FRAME_SIZE}
    kernel_entry 1
    frame_record_el1
    bl      irq_entry
    kernel_exit 1

bad_exception:
    mov     x0, sp
    mrs     x2, esr_el1
    mrs     x3, far_el1
    bl      bad_exception_entry

// The stack pointer is outside the current kernel stack: go on on this CPU's overflow stack. x0's own
// value waits in TPIDRRO_EL0.
stack_overflow:
    mov     x0, sp
    msr     sp_el0, x0                  // no way back from here: the user's SP is in its frame
    mrs     x0, tpidr_el1
    ldr     x0, [x0, #{PERCPU_OVERFLOW_TOP}]
    mov     sp, x0
    mrs     x0, tpidrro_el0
    msr     tpidrro_el0, xzr
    sub     sp, sp, #{FRAME_SIZE}
    kernel_entry 1
    mrs     x21, sp_el0
    str     x21, [sp, #{FRAME_SP}]
    frame_record_el1
    mov     x0, sp
    mrs     x1, esr_el1
    mrs     x2, far_el1
    bl      stack_overflow_entry

// Where a task begins: the first switch to it returns here. x19 = function or 0, x20 = its argument.
// A kernel thread's function returns only if it has become a program (init).
    .global ret_from_fork
ret_from_fork:
    bl      schedule_tail
    cbz     x19, ret_to_user
    mov     x29, xzr
    mov     x0, x20
    blr     x19
    b       ret_to_user
