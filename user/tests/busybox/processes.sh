# Processes: their making, ends, limits and lists.

check 'exit status' <<'end'
(exit 0); echo $?; (exit 255); echo $?; (exit 256); echo $?; sh -c 'exit 77'; echo $?; true; echo $?; sh -c 'kill -9 $$'; echo $?; sh -c 'kill -TERM $$'; echo $?; sh -c 'kill -SEGV $$' 2>/dev/null; echo $?; sh -c 'exec false'; echo $?
end

check 'process ids' <<'end'
[ $$ -gt 1 ]; echo $?; sh -c 'echo $PPID' >p; read -r p <p; [ "$p" -gt 1 ]; echo $?; (sh -c 'echo $PPID') >q; (echo $$) >r; read -r r <r; [ "$r" = $$ ]; echo $?; sleep 0 & a=$!; sleep 0 & b=$!; [ $b -gt $a ]; echo $?; wait
sh -c 'echo $$; exec sh -c "echo \$\$"' | uniq | wc -l
end

check 'background jobs and wait' <<'end'
(sleep 0.2; exit 3) & one=$!; (exit 4) & two=$!
wait $one; echo $?; wait $two; echo $?; wait $two; echo $?; wait; echo $?; wait 99999 2>/dev/null; echo $?
sleep 0.1 & sleep 0.1 & sleep 0.1 & wait; echo all
{ sleep 0.3; echo slow; } & { echo fast; } & wait
end

check 'a hundred children at once' <<'end'
i=0; while [ $i -lt 100 ]; do (sleep 0.1; echo $i >f$i) & i=$((i + 1)); done; wait; cat f* | sort -n | md5sum; seq 0 99 | md5sum
end

check 'three hundred children one after another' <<'end'
i=0; while [ $i -lt 300 ]; do $PATH/true; (exit 0); i=$((i + 1)); done; echo $i
end

check 'orphans go on' <<'end'
mkfifo done; sh -c '(sleep 0.3; echo "orphan wrote" >done) &'; cat done
sh -c '(sleep 0.3; ps -o pid,ppid | grep "^ *$(sh -c "echo \$PPID") " | wc -l >done) &' ; cat done
end

check 'the list of processes' <<'end'
sleep 30 & pid=$!
sleep 0.2; ps -o pid,ppid,comm,args | awk -v p=$pid '$1 == p { print ($2 > 0), $3, $4, $5 }'; ps | grep -c '[s]leep 30'; ps -o pid,stat | awk -v p=$pid '$1 == p { print substr($2, 1, 1) }'; ps | head -n 1 | tr -s ' '; ps -o user,group,tty,vsz | head -n 1 | tr -s ' '; ps -o pid,user | awk -v p=$pid '$1 == p { print $2 }'; pidof sleep | wc -w; kill $pid; wait $pid 2>/dev/null; echo $?; ps -o pid | grep -c "^ *$pid\$"
end

check 'zombies' <<'end'
sh -c 'sh -c "exit 5" & echo $! >pid; exec sleep 1' & sleep 0.4; read -r p <pid; ps -o pid,stat,comm | awk -v p=$p '$1 == p { print substr($2, 1, 1), $3 }'; cut -d ' ' -f 3 /proc/$p/stat; grep ^State /proc/$p/status; wc -c </proc/$p/cmdline; wait; sleep 0.3; [ -d /proc/$p ]; echo $?
end

check 'timeout' <<'end'
timeout 5 true; echo $?; timeout 5 sh -c 'exit 9'; echo $?; timeout 0.3 sleep 30; echo $?; timeout -s KILL 0.3 sleep 30; echo $?; timeout 0.3 sh -c 'trap "echo caught; exit 3" TERM; sleep 30 & wait'; echo $?; timeout -k 0.3 0.3 sh -c 'trap "" TERM; sleep 30'; echo $?; timeout 5 no-such-command 2>/dev/null; echo $?; yes | timeout 0.3 cat >/dev/null; echo $?
end

check 'priorities' <<'end'
nice_of() { cut -d ' ' -f 19 /proc/$1/stat; }
sh -c 'renice -n 5 -p $$; cut -d " " -f 19 /proc/$$/stat; renice -n 5 -p $$; cut -d " " -f 19 /proc/$$/stat; renice -n 100 -p $$; sh -c "cut -d \" \" -f 19 /proc/\$\$/stat"; renice -n -50 -p $$; cut -d " " -f 18,19 /proc/$$/stat'
sleep 30 & renice 7 -p $!; nice_of $!; kill $!; renice 7 -p 999999 2>&1 | sed 's/.*: //'; nice_of $$
end

check 'a session of its own' <<'end'
cut -d ' ' -f 6 /proc/$$/stat >s; setsid sh -c 'cut -d " " -f 1,5,6 /proc/$$/stat' >t; read -r a b c <t; [ "$a" = "$b" ] && [ "$b" = "$c" ]; echo $?; read -r s <s; [ "$s" = "$c" ]; echo $?; setsid true; echo $?; (trap '' HUP; sh -c 'kill -HUP $$; echo survived'); setsid sh -c 'tty; (: </dev/tty) 2>/dev/null; echo $?'; setsid sh -c 'kill -0 0; echo $?'
end

check 'limits of files' <<'end'
(ulimit -n 10; ulimit -n; exec 9>f 2>/dev/null; echo $?); (ulimit -n 9; exec 8>f; exec 9>g; echo never) 2>&1 | sed 's/.*: //'; (ulimit -S -n 20; ulimit -H -n 30; ulimit -n; ulimit -n 31) 2>&1 | sed 's/.*: //'
(ulimit -f 1; head -c 2000 /dev/zero >f); echo $?; wc -c <f; (ulimit -f 1; trap '' XFSZ; head -c 2000 /dev/zero 2>&1 >f | sed 's/.*: //'); wc -c <f
end

check 'other limits' <<'end'
ulimit -s; (ulimit -s 1024; ulimit -s); (ulimit -v 20000; ulimit -v; head -c 60000000 /dev/zero | sort >/dev/null 2>&1; echo $?); (ulimit -t 1; while :; do :; done); echo $?; (ulimit -c 0; ulimit -c); ulimit -a | cut -c 1-20 | head -n 5
end

check 'a name of its own: exec, argv' <<'end'
sh -c 'echo "$0 $*"' name one 'two three'; (exec -a renamed sh -c 'tr "\0" "\n" <"/proc/$$/cmdline"') 2>/dev/null | head -n 1; sh -c 'cat /proc/$$/comm'; sleep 5 & sleep 0.2; cat /proc/$!/comm; tr '\0' '|' </proc/$!/cmdline; echo; readlink /proc/$!/exe; [ "$(readlink /proc/$!/cwd)" = "$PWD" ]; echo $?; kill $!
end

check 'environment and directory are inherited' <<'end'
mkdir d; cd d; sh -c 'pwd' | sed 's,.*/,,'; A=1 sh -c 'export B=2; sh -c "echo \$A\$B"'; A=x sh -c 'cat /proc/$$/environ; :' | tr '\0' '\n' | grep ^A=; umask 027; sh -c umask; exec 3>f; sh -c 'echo inherited >&3'; cat f
end

check 'another root' <<'end'
mkdir -p r/bin r/proc; cp /bin/busybox r/bin; ln -s busybox r/bin/ls; chroot r /bin/busybox ash -c 'cd /; pwd; echo *; /bin/ls /; cd ..; pwd; ls /../bin'; chroot r /missing 2>/dev/null; echo $?; chroot missing 2>/dev/null; echo $?; chroot r /bin/busybox readlink -f bin/ls
end

check 'another user' <<'end'
as() { start-stop-daemon -S -q -n nobody-has-this-name -c user -x /bin/busybox -- "$@"; }
as id -u; as id -g; echo secret >f; chmod 600 f; as cat "$PWD/f" 2>&1 | sed 's/.*: //'; chmod 644 f; as cat "$PWD/f"; as touch "$PWD/new" 2>&1 | sed 's/.*: //'; mkdir d; chmod 777 d; as touch "$PWD/d/new"; stat -c '%u:%g' d/new; as rm "$PWD/f" 2>&1 | sed 's/.*: //'; chmod 1777 d; touch d/roots; as rm -f "$PWD/d/roots" 2>&1 | sed 's/.*: //'; as rm "$PWD/d/new"; ls d; as chmod 777 "$PWD/f" 2>&1 | sed 's/.*: //'; as chown user "$PWD/f" 2>&1 | sed 's/.*: //'; as kill -0 $$ 2>&1 | sed 's/.*: //'; as ls /root 2>&1 | sed 's/.*: //'; as mount -t tmpfs x /tmp 2>&1 | sed 's/.*: //'; as hostname other 2>&1 | sed 's/.*: //'; as renice -n -5 -p $$ 2>&1 | sed 's/.*: //'; as su -c true root 2>/dev/null </dev/null; echo $?
end

check 'who am I' <<'end'
id; id -u; id -g; id -un; whoami; groups; id -G; logname 2>/dev/null; echo $?; su -c '/bin/busybox id -un' root
end

check 'a fork bomb against a limit' <<'end'
start-stop-daemon -S -q -n nobody-has-this-name -c other -x /bin/busybox -- ash -c 'ulimit -u 20; (i=0; while [ $i -lt 40 ]; do sleep 1 & i=$((i + 1)); done) 2>&1' 2>&1 | grep -c "can't fork"
echo the shell answers
end

check 'a shell on a pipe' <<'end'
echo 'echo from stdin; read -r x; echo "got $x"
the line read
exit 6' | sh; echo $?; sh -s a b <<EOF
echo "\$1 \$2"
EOF
sh -c 'echo "$1"' -- arg; printf 'echo no newline' | sh
end

check 'named pipes' <<'end'
mkfifo p q; (echo through >p) & cat p; wait; (cat p >q) & (seq 1000 >p) & wc -l <q; wait; (sleep 0.3; cat p >/dev/null) & echo blocks until read >p; echo $?; wait; ls -l p | cut -c 1; [ -p p ]; echo $?; exec 3<>p; echo held >&3; read -r x <&3; echo "$x"; exec 3>&-
end

check 'a chain of readers and writers' <<'end'
mkfifo a b c; tr a-z A-Z <a >b & rev <b >c & { echo one; echo two; } >a & cat c; wait; echo $?
end

check 'time' <<'end'
time true 2>&1 | cut -f 1; time -p sleep 0.5 2>t; awk '/^real/ { print ($2 >= 0.5 && $2 < 20) } END { print NR }' t; sleep 0.05; echo $?; usleep 1000; echo $?; sleep x 2>/dev/null; echo $?; sleep 0.1 0.1; echo $?
end
