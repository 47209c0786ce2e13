# Where a shell's words end up: descriptors, files, pipes.

check 'output to a file, and after its end' <<'end'
echo one >f; echo two >>f; cat f; echo three >f; cat f
: >f; wc -c <f; >g; ls -l g | tr -s ' ' | cut -d ' ' -f 5
end

check 'both channels' <<'end'
both() { echo out; echo err >&2; }
both >f 2>&1; cat f
both 2>&1 >f | sed 's/^/pipe: /'; cat f
both >out 2>err; cat err out
both 2>/dev/null; both >/dev/null
{ both 3>&1 >&2 2>&3 | sed 's/^/was err: /'; } 2>&1 | sort
end

check 'descriptors that are closed' <<'end'
echo x >&- 2>/dev/null; echo $?
cat <&- 2>/dev/null; echo $?
(exec 2>&-; echo fine)
echo x >&9 2>/dev/null; echo $?
end

check 'descriptors that stay open' <<'end'
exec 3>f 4>&1
echo to three >&3; echo to four >&4; exec 3>&-; cat f
exec 5<f; read -r a <&5; echo "$a"; read -r b <&5; echo $?; exec 5<&-
printf '1\n2\n3\n' >lines; exec 6<lines
while read -r x <&6; do echo "$x"; read -r y <&6; echo "and $y"; done
exec 6<&-
end

check 'reading and writing one descriptor' <<'end'
printf 'abcdef\n' >f
exec 3<>f; head -c 2 <&3; echo; printf X >&3; cat f; cat <&3; exec 3>&-
echo new 1<>f; cat f
end

check 'two writers share a position' <<'end'
{ echo first; (echo second); sh -c 'echo third'; } >f; cat f
exec 3>g; echo a >&3; echo b >&3; echo c >>g; echo d >&3; cat g; exec 3>&-
(echo x; echo y) >h & wait; cat h
end

check 'noclobber' <<'end'
echo keep >f; set -C
(echo no >f) 2>/dev/null; echo $?; cat f
echo forced >|f; cat f; echo append >>f; cat f
echo fine >/dev/null; echo $?
end

check 'what cannot be opened' <<'end'
mkdir d; echo x >f
(echo x >d) 2>&1 | sed 's/.*: //'
(cat <missing) 2>&1 | sed 's/.*: //'
(echo x >missing/f) 2>&1 | sed 's/.*: //'
(echo x >f/g) 2>&1 | sed 's/.*: //'
(echo x >/bin/new) 2>&1 | sed 's/.*: //'
ln -s loop loop; (cat <loop) 2>&1 | sed 's/.*: //'
name=$(printf '%0300d' 0); (: >"$name") 2>&1 | sed 's/.*: //'
end

check 'redirected loops and functions' <<'end'
for i in 1 2 3; do echo $i; done >f; while read -r x; do echo "<$x>"; done <f
f() { echo in function; } >g; f; f; cat g
if true; then echo branch; fi >h; cat h
{ read -r first; cat; } <f
end

check 'substitution and pipes at once' <<'end'
echo "$(cat <<EOF
$(echo deep | tr a-z A-Z)
EOF
)" | { cat; echo after; } | tac
x=$( { echo out; echo err >&2; } 2>&1 | sort -r ); echo "$x"
end

check 'tee and a file written twice' <<'end'
echo text | tee a b | tr a-z A-Z; cat a b
echo more | tee -a a >/dev/null; cat a
seq 3 | tee /dev/null | tee c | wc -l; cat c
end

check 'a file that is removed while open' <<'end'
echo content >f; exec 3<f; rm f; ls; cat <&3; exec 3<&-
exec 3<>f; rm f; echo still here >&3; stat -L -c '%s %h' /proc/self/fd/3; exec 3>&-
end

check 'large files through redirections' <<'end'
seq 200000 >f; wc -lc <f | tr -s ' '; sort -rn <f | head -n 1; tail -n 1 f; md5sum <f
cat f f f >g; wc -c <g; cat <f >>g; wc -c <g
end

check 'the null device and its like' <<'end'
cat /dev/null | wc -c; head -c 10 /dev/zero | od -An -tx1; echo lost >/dev/null; echo $?
(echo x >/dev/full) 2>&1 | sed 's/.*: //'; head -c 3 /dev/full | od -An -c
head -c 16 /dev/urandom | wc -c
head -c 20 /dev/urandom | od -An -tx1 >a; head -c 20 /dev/urandom | od -An -tx1 >b; cmp -s a b; echo $?
end

check 'descriptors as files' <<'end'
echo through >f; cat /proc/self/fd/0 <f; cat /dev/stdin 2>/dev/null <f >/dev/null; echo in | cat /proc/self/fd/0
exec 7<f; readlink /proc/self/fd/7 | sed "s,$PWD/,,"; ls /proc/$$/fd | grep -c '^7$'; exec 7<&-
{ echo out >/proc/self/fd/1; } | cat
end
