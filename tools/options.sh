# The variables that a person gives to make, checked before anything is built: a bad one is one line and status 2.
# Sourced after lib.sh. Each is empty when it was not given; defaults are set here and nowhere else.

IMAGES=target/image
DISK=$IMAGES/root.erofs

PAGE_SIZE=${PAGE_SIZE:-4K}
CPU=${CPU:-max}
SMP=${SMP:-1}
MEM=${MEM:-1G}
CMD=${CMD-}
EXTRA=${EXTRA-}
APPEND=${APPEND-}
QEMU_ARGS=${QEMU_ARGS-}
DEBUG=${DEBUG:-0}
TIMEOUT=${TIMEOUT:-0}

case $PAGE_SIZE in
4K | 16K | 64K) ;;
*) usage_error "PAGE_SIZE=$PAGE_SIZE: must be 4K, 16K or 64K" ;;
esac

# The 64-bit cores that QEMU's virt machine offers; properties may follow (max,pauth=off).
case ${CPU%%,*} in
max | cortex-a35 | cortex-a53 | cortex-a55 | cortex-a57 | cortex-a72 | cortex-a76 | cortex-a710) ;;
neoverse-n1 | neoverse-n2 | neoverse-v1 | a64fx) ;;
*) usage_error "CPU=$CPU: must be max or a 64-bit core of QEMU's virt machine (cortex-a72, neoverse-n1...)" ;;
esac

# Eight is what a GICv2 can address.
[[ $SMP =~ ^[1-8]$ ]] || usage_error "SMP=$SMP: must be a number of CPUs from 1 to 8"

[[ $MEM =~ ^([1-9][0-9]{0,4})([MG])$ ]] || usage_error "MEM=$MEM: must be a size from 128M to 8G, like 512M or 1G"
megabytes=${BASH_REMATCH[1]}
[ "${BASH_REMATCH[2]}" = M ] || megabytes=$((megabytes * 1024))
[ "$megabytes" -ge 128 ] && [ "$megabytes" -le 8192 ] || usage_error "MEM=$MEM: must be from 128M to 8G"

[ -z "$EXTRA" ] || { [ -d "$EXTRA" ] && [ -r "$EXTRA" ]; } || usage_error "EXTRA=$EXTRA: not a readable directory"
[[ $DEBUG = [01] ]] || usage_error "DEBUG=$DEBUG: must be 0 or 1"
[[ $TIMEOUT =~ ^[0-9]{1,6}$ ]] || usage_error "TIMEOUT=$TIMEOUT: must be a number of seconds, 0 for none"
# Encoded, it must fit one argument of QEMU's; and this machine's shell knows a wrong text before anything is built.
[ "$(printf '%s' "$CMD" | wc -c)" -le 32768 ] || usage_error "CMD: longer than 32768 bytes"
reason=$(sh -n -c -- "$CMD" 2>&1) || usage_error "CMD=${CMD//$'\n'/ }: no shell command: ${reason##*: }"
printf '%s\n' "$QEMU_ARGS" | xargs true 2>/dev/null || usage_error "QEMU_ARGS=$QEMU_ARGS: a quote is not closed"
[[ $APPEND != *$'\n'* ]] || usage_error "APPEND: must be one line"

if [ "$DEBUG" = 1 ]; then
    PROFILE=dev PROFILE_DIR=debug KERNEL=$IMAGES/Image-debug
else
    PROFILE=release PROFILE_DIR=release KERNEL=$IMAGES/Image
fi
KERNEL_ELF=target/aarch64-unknown-none-softfloat/$PROFILE_DIR/granule
export PAGE_SIZE CPU SMP MEM CMD EXTRA APPEND QEMU_ARGS DEBUG TIMEOUT DISK KERNEL KERNEL_ELF

# One user of the disk image at a time, the one who builds it included: whoever has descriptor 9. The directory is
# locked, because each build puts a new file in the old one's place.
lock_disk() {
    mkdir -p "$IMAGES"
    exec 9<"$IMAGES"
    flock -n 9 || usage_error "the disk image $DISK is in use by another run"
}
