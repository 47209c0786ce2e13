# Settings and commands of a debugging session. tools/gdb/session starts gdb with them, with the kernel's symbols
# loaded and QEMU stopped at its first instruction.

set pagination off
set confirm off
set print pretty on
set disassemble-next-line auto

define early
  # QEMU loads the image 2M above the start of memory, and the kernel is linked in the high half.
  python gdb.execute(f"add-symbol-file {gdb.current_progspace().filename} -o 0x40200000-0xffff800080000000")
end
document early
Loads the symbols once more, where the code runs before the MMU is on.
end

define console
  shell tail -n 20 target/logs/gdb-console.log
end
document console
Shows the last lines of the guest's console.
end
