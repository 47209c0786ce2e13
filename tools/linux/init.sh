#!/bin/busybox ash
# Process 1 of the Linux that Granule is compared with: finds the disk, mounts what Granule's kernel mounts before it
# starts init, and becomes that init, with its words.

export PATH=/bin

busybox mount -t devtmpfs dev /dev
for module in /modules/*; do
    busybox insmod "$module"
done
# A disk appears some time after its driver.
for try in 1 2 3 4 5 6 7 8 9 10; do
    [ -b /dev/vda ] && break
    busybox sleep 0.2
done
busybox mount -t erofs -o ro /dev/vda /disk
busybox mount --move /dev /disk/dev
busybox mkdir /disk/dev/shm
busybox mount -t proc proc /disk/proc
busybox mount -t sysfs sysfs /disk/sys
busybox mount -t tmpfs -o mode=1777 tmpfs /disk/dev/shm
busybox mount -t tmpfs -o mode=1777 tmpfs /disk/tmp
busybox mount -t tmpfs -o mode=755 tmpfs /disk/run
# Linux's own variables are not Granule's.
exec busybox env -i /bin/busybox switch_root /disk /sbin/init "$@"
