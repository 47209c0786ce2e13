# What the system says of itself, and the file systems it mounts.

check 'the kernel' <<'end'
uname -s; uname -m; uname -r | grep -cE '^[0-9]+\.[0-9]+\.[0-9]+'; uname -a | wc -l; uname -v | wc -l; nproc; hostname | wc -l; arch
end

check 'clocks' <<'end'
a=$(date +%s); sleep 1.1; b=$(date +%s); [ $((b - a)) -ge 1 ] && [ $((b - a)) -le 30 ]; echo $?; [ "$a" -gt 1700000000 ]; echo $?; read -r up idle </proc/uptime; sleep 0.2; read -r later rest </proc/uptime; echo "$up $later" | awk '{ print ($2 - $1 >= 0.2) }'; uptime | sed 's/.*load average: [0-9.]*, [0-9.]*, [0-9.]*/load/'; touch f; [ $(($(date +%s) - $(stat -c %Y f))) -le 2 ]; echo $?
end

check 'memory' <<'end'
free | head -n 1 | tr -s ' '; free | awk '/^Mem/ { print ($2 > 500000 && $2 < 1100000), ($2 >= $3 + $4), NF }'; grep -cE '^(MemTotal|MemFree|MemAvailable|Buffers|Cached|SwapTotal|SwapFree): +[0-9]+ kB$' /proc/meminfo; free | awk '/^Swap/ { print $2, $3, $4 }'; awk '/MemTotal/ { t = $2 } /MemFree/ { f = $2 } END { print (t > f) }' /proc/meminfo
end

check '/proc of the system' <<'end'
for f in stat meminfo loadavg uptime version cmdline cpuinfo filesystems mounts diskstats vmstat; do [ -r /proc/$f ] && [ "$(wc -c </proc/$f)" -gt 0 ] && echo $f; done; head -n 1 /proc/stat | wc -w; grep -cE '^(ctxt|btime|processes|procs_running) [0-9]+$' /proc/stat; wc -w </proc/loadavg; grep -c ^processor /proc/cpuinfo; grep -wE 'proc|tmpfs|sysfs|erofs' /proc/filesystems | tr '\t' ' ' | sort; awk '/ vda / { print ($1 > 0), $2, (NF >= 14) }' /proc/diskstats; wc -w </proc/uptime; cut -c 1-14 /proc/version
end

check '/proc of a process' <<'end'
cd /proc/self; for f in stat statm status cmdline comm maps environ limits mounts mountinfo; do [ "$(wc -c <$f)" -gt 0 ] && echo $f; done; [ -L cwd ] && [ -L exe ] && [ -L root ] && [ -d fd ] && [ -d task ]; echo $?; readlink root; wc -w <statm; wc -w <stat; awk '{ print ($1 > 0), $2 }' stat; grep -E '^(Name|Threads|Uid|Gid):' status | tr '\t' ' '; grep -c '\[stack\]' maps; head -n 1 maps | grep -cE '^[0-9a-f]+-[0-9a-f]+ r-xp 00000000 '; ls task | wc -l; ls /proc/$$/task | sed "s/^$$\$/me/"; [ -d /proc/1 ]; echo $?; cat /proc/1/comm; ls /proc | grep -c '^[0-9]*$' | awk '{ print ($1 > 2) }'; ls -d /proc/99999999 2>/dev/null; echo $?
end

check 'limits, as /proc shows them' <<'end'
(ulimit -n 100; ulimit -s 2048; cat /proc/self/limits) | grep -E '^(Limit|Max (open files|stack size|core|cpu|locked))' | tr -s ' '
end

check '/proc: files that are not for writing' <<'end'
(echo x >/proc/version) 2>&1 | sed 's/.*: //'; (echo x >/proc/self/new) 2>&1 | sed 's/.*: //'; mkdir /proc/x 2>&1 | sed 's/.*: //'; rm /proc/version 2>&1 | sed 's/.*: //'; mkdir /sys/x 2>&1 | sed 's/.*: //'; cat /proc/self/fd 2>&1 | sed 's/.*: //'; ls -l /proc/version | cut -c 1-10; stat -c '%s %F' /proc/version
end

check 'sysctl' <<'end'
cat /proc/sys/kernel/ostype; cat /proc/sys/kernel/hostname | wc -l; sysctl -n kernel.ostype; cat /proc/sys/kernel/pid_max | awk '{ print ($1 >= 32768) }'; wc -c </proc/sys/kernel/random/boot_id; sync; echo 3 >/proc/sys/vm/drop_caches; echo $?; (echo x >/proc/sys/vm/drop_caches) 2>&1 | sed 's/.*: //'; cat /proc/sys/fs/file-max | awk '{ print ($1 > 1000) }'; wc -w </proc/sys/fs/file-nr; cat /proc/sys/vm/overcommit_memory; sysctl -w kernel.hostname=changed; hostname; hostname granule; cat /proc/sys/kernel/hostname
end

check '/sys' <<'end'
cat /sys/block/vda/size | awk '{ print ($1 > 100) }'; wc -w </sys/block/vda/stat | awk '{ print ($1 >= 11) }'; cat /sys/block/vda/ro; ls -d /sys/kernel /sys/block /sys/devices; [ -e /sys/block/vda/queue ]; echo $?
end

check 'mounts' <<'end'
mkdir m; mount -t tmpfs -o size=64k,mode=750 small m; echo $?; stat -c %a m; grep "^small $PWD/m tmpfs " /proc/mounts | cut -d ' ' -f 1,3; mount | grep -c "^small on $PWD/m type tmpfs"; df m | tail -n 1 | tr -s ' ' | cut -d ' ' -f 1,2; echo x >m/f; cat m/f; stat -f -c '%T' m; rm -r m 2>&1 | sed 's/.*: //'; cd m; umount . 2>&1 | sed 's/.*: //'; cd ..; umount m; echo $?; ls m; umount m 2>&1 | sed 's/.*: //'
end

check 'a full file system' <<'end'
mkdir m; mount -t tmpfs -o size=256k small m; head -c 300000 /dev/zero 2>&1 >m/f | sed 's/.*: //'; wc -c <m/f; : >m/f; head -c 100000 /dev/zero >m/f; echo $?; cp m/f m/g; echo $?; cp m/f m/h 2>&1 | sed 's/.*: //'; rm m/g m/h; cp m/f m/g; echo $?; df m | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2; umount m
mount -t tmpfs -o nr_inodes=5 small m; touch m/1 m/2 m/3 m/4; echo $?; touch m/5 2>&1 | sed 's/.*: //'; rm m/1; touch m/5; echo $?; umount m
end

check 'mounted read-only' <<'end'
mkdir m; mount -t tmpfs x m; echo x >m/f; mount -o remount,ro m; (echo y >m/f) 2>&1 | sed 's/.*: //'; touch m/new 2>&1 | sed 's/.*: //'; rm m/f 2>&1 | sed 's/.*: //'; cat m/f; chmod 600 m/f 2>&1 | sed 's/.*: //'; mount -o remount,rw m; echo z >m/f; cat m/f; umount m; mount -t tmpfs -o ro x m; mkdir m/d 2>&1 | sed 's/.*: //'; umount m; touch /bin/new 2>&1 | sed 's/.*: //'; rm /bin/busybox 2>&1 | sed 's/.*: //'; chmod 700 /bin/busybox 2>&1 | sed 's/.*: //'
end

check 'mounts that are refused' <<'end'
mkdir m; touch f; mount -t nosuchfs x m 2>&1 | sed 's/.*: //'; mount -t tmpfs x missing 2>&1 | sed 's/.*: //'; mount -t tmpfs x f 2>&1 | sed 's/.*: //'; umount m 2>&1 | sed 's/.*: //'; umount missing 2>&1 | sed 's/.*: //'
end

check 'the same tree in two places' <<'end'
mkdir a b; mount --bind a b; echo $?; echo x >a/f; cat b/f; rm b/f; ls a; mkdir a/sub; mount -t tmpfs t a/sub; ls b; umount a/sub; umount b; ls b; mount -t tmpfs t a; echo moved >a/f; mount --move a b; cat b/f; ls a | head -n 1; umount b
end

check 'mounts over mounts' <<'end'
mkdir m; mount -t tmpfs one m; echo 1 >m/f; mount -t tmpfs two m; ls m; echo 2 >m/f; umount m; cat m/f; exec 3<m/f; umount m 2>&1 | sed 's/.*: //'; exec 3<&-; umount m; echo $?; ls m; mount -t proc p m; [ -d m/self ]; echo $?; umount m; mount -o noexec -t tmpfs n m; cp /bin/busybox m/x; m/x true 2>/dev/null; echo $?; umount m
end

check 'device files' <<'end'
ls -l /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty | awk '{ print $1, $5, $6, $NF }'; mknod n c 1 3; echo x >n; stat -c '%F %t:%T' n; mknod p p; [ -p p ]; echo $?; (: </dev/vda) ; echo $?; head -c 2048 /dev/vda | tail -c 1024 | head -c 4 | od -An -tx1; [ -b /dev/vda ]; echo $?; (: </dev/missing) 2>&1 | sed 's/.*: //'; [ -c /dev/console ]; echo $?
end
