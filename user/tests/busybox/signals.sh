# Signals, as a shell sends and catches them.

check 'names and numbers' <<'end'
kill -l | wc -l; kill -l 9; kill -l 15 1 2; kill -l TERM 2>/dev/null; kill -l 143 2>/dev/null; kill -0 $$; echo $?; kill -0 999999 2>/dev/null; echo $?; kill -NOSUCH $$ 2>/dev/null; echo $?
end

check 'killing children' <<'end'
for s in HUP INT QUIT KILL USR1 USR2 PIPE ALRM TERM; do sleep 30 & [ $s = INT ] || [ $s = QUIT ] || { kill -$s $!; wait $!; echo "$s $?"; continue; }; kill $!; wait $!; echo "$s is ignored in the background, $?"; done 2>/dev/null
for s in ILL TRAP ABRT BUS FPE SEGV STKFLT XCPU XFSZ VTALRM PROF IO PWR SYS; do sh -c "kill -$s \$\$" 2>/dev/null; echo "$s $?"; done
for s in CHLD CONT URG WINCH; do sh -c "kill -$s \$\$; echo lives"; echo "$s $?"; done
end

check 'traps' <<'end'
sh -c 'trap "echo usr1" USR1; kill -USR1 $$; echo after'; sh -c 'trap "echo bye" EXIT; echo work; exit 3'; echo $?; sh -c 'trap "echo term; exit 5" TERM; kill $$; echo never'; echo $?; sh -c 'trap "" TERM; kill $$; echo ignored'; sh -c 'trap "echo x" USR1; trap - USR1; kill -USR1 $$; echo never' 2>/dev/null; echo $?; sh -c 'trap "echo int" INT; kill -INT $$; echo after'; sh -c 'trap "echo a" HUP; trap "echo b" USR2; trap'; sh -c 'trap "echo exit" 0; kill -TERM $$' 2>/dev/null; echo $?
end

check 'a trap waits for the command in front' <<'end'
sh -c 'trap "echo trapped" USR1; (sleep 0.2; kill -USR1 $$) & sleep 0.6; echo slept; wait'
sh -c 'trap "echo trapped" USR1; (sleep 0.2; kill -USR1 $$) & sleep 30 & wait $!; s=$?; kill $!; echo "wait ended with $s"'
end

check 'ignored signals are inherited, caught ones are not' <<'end'
sh -c 'trap "" USR1; sh -c "kill -USR1 \$\$; echo ignored"; trap "echo never" USR2; sh -c "kill -USR2 \$\$; echo never"; echo $?' 2>/dev/null
(trap '' HUP; sh -c 'kill -HUP $$; grep SigIgn /proc/$$/status') | tr -s '\t' ' '
end

check 'subshells reset traps' <<'end'
sh -c 'trap "echo parent" USR1; (kill -USR1 $(sh -c "echo \$PPID"); echo never) 2>/dev/null; echo $?; kill -USR1 $$'
sh -c 'trap "echo exit" EXIT; (echo sub); echo main'
end

check 'stopping and going on' <<'end'
sleep 30 & p=$!; sleep 0.2
state() { awk '/^State/ { print $2, $3 }' /proc/$p/status; }
state; kill -STOP $p; sleep 0.1; state; kill -CONT $p; sleep 0.1; state; kill -STOP $p; sleep 0.2; kill -TERM $p; sleep 0.1; state; kill -CONT $p; wait $p 2>/dev/null; echo $?
sleep 30 & p=$!; kill -STOP $p; sleep 0.2; kill -KILL $p; wait $p 2>/dev/null; echo $?
(i=0; while :; do i=$((i + 1)); echo $i >n; sleep 0.05; done) & p=$!; sleep 0.3; kill -STOP $p; sleep 0.2; a=$(cat n); sleep 0.3; [ "$a" = "$(cat n)" ]; echo $?; kill -CONT $p; sleep 0.4; [ "$a" = "$(cat n)" ]; echo $?; kill $p
end

check 'a broken pipe' <<'end'
(yes; echo "status $?" >&2) 2>&1 | head -n 1 | cat; set -o pipefail; yes | head -n 1; echo $?; (trap '' PIPE; yes 2>err | head -n 1; sed 's/.*: //' err); seq 1000000 | head -n 1; echo $?
end

check 'process groups' <<'end'
setsid sh -c 'sleep 30 & sleep 30 & cut -d " " -f 5 /proc/$!/stat >group; wait' & sleep 0.4; read -r g <group; ps -o pgid,comm | awk -v g=$g '$1 == g' | wc -l; kill -TERM -$g; wait; sleep 0.1; ps -o pgid | grep -c "^ *$g\$"; kill -0 -$g 2>/dev/null; echo $?
end

check 'signals in their order' <<'end'
sh -c 'trap "echo 1 >>f" USR1; trap "echo 2 >>f" USR2; i=0; while [ $i -lt 20 ]; do kill -USR1 $$; kill -USR2 $$; i=$((i + 1)); done; sort f | uniq -c' | tr -s ' '
sh -c 'n=0; trap "n=\$((n + 1))" USR1; (i=0; while [ $i -lt 50 ]; do kill -USR1 $$; sleep 0.01; i=$((i + 1)); done) & wait_for=$!; while kill -0 $wait_for 2>/dev/null; do wait $wait_for; done; [ $n -gt 10 ] && [ $n -le 50 ]; echo $?'
end

check 'blocked and pending, in /proc' <<'end'
sh -c 'trap "" INT; trap "echo never" USR1; grep -E "^SigIgn|^ShdPnd" /proc/$$/status' | tr '\t' ' '; sleep 30 & p=$!; kill -STOP $p; sleep 0.2; kill -USR1 $p; kill -TERM $p; grep ShdPnd /proc/$p/status | tr '\t' ' '; kill -KILL $p; wait $p 2>/dev/null; echo $?
end

check 'killall and pidof' <<'end'
: >run; ln -s /bin/busybox tail; ./tail -f run & ./tail -f run & sleep 0.2; pidof tail | wc -w; killall -q tail; wait; pidof tail; echo $?; killall no-such-name 2>/dev/null; echo $?
end

check 'reading is interrupted and goes on' <<'end'
mkfifo p; sh -c 'trap "echo caught" USR1; read -r x <p; echo "read $? $x"' & r=$!; exec 3>p; sleep 0.2; kill -USR1 $r; wait $r; echo $?; exec 3>&-
cat p >out & c=$!; exec 3>p; echo a >&3; kill -STOP $c; kill -CONT $c; sleep 0.1; echo b >&3; exec 3>&-; wait $c; cat out
end

check 'a shell that is told to end its children' <<'end'
sh -c 'trap "kill \$child; wait \$child; echo \"child \$?\"; exit 0" TERM; exec 2>/dev/null; sleep 30 & child=$!; echo ready >ready; wait' & p=$!; while [ ! -e ready ]; do sleep 0.05; done; kill $p; wait $p; echo $?
end
