# awk, which has a language, pipes and files of its own.

check 'awk: fields' <<'end'
printf 'one two three\nfour five\n\nsix\n' >f
awk '{ print $1, NF, NR }' f; awk '{ print $NF }' f; awk -F: '{ print $2 }' /etc/group | head -n 1; awk -v OFS=- '{ $1 = $1; print }' f; awk '{ $5 = "x"; print }' f; awk 'NF' f | wc -l; awk -F '[ow]' 'NR == 1 { print $2 }' f; awk 'BEGIN { RS = "" } { print NR ": " $1 }' f
end

check 'awk: patterns' <<'end'
seq 20 >f
awk '/5/' f; awk '$1 > 18' f; awk 'NR == 2, NR == 4' f; awk '/7$/, /9$/' f; awk '!/1/ && $1 % 5 == 0' f; awk 'END { print NR, $0 }' f; awk '$1 ~ /^1[0-2]$/' f; awk 'NR % 7 == 0 { print; next } NR > 15 { exit 3 }' f; echo $?
end

check 'awk: arithmetic and printf' <<'end'
awk 'BEGIN { print 1 / 3, 7 % 3, -7 % 3, 1e6, 1e20, 0.1 + 0.2, int(-3.7), 017, "3x" + 4 }'
awk 'BEGIN { printf "%d %5.2f|%-8s|%08d|%x|%c|%c|%e|%%\n", 42.9, 3.14159, "left", 42, 255, 65, "text", 12345.678 }'
awk 'BEGIN { print length("hello"), 5 " " 6, 1 == 1.0, "a" < "b" }'
awk 'BEGIN { x = 5; x += 2; x *= 7; print x++, ++x, x--, !x, -x; print (x > 3 ? "big" : "small") }'
end

check 'awk: arrays' <<'end'
printf 'a 1\nb 2\na 3\nc 4\nb 5\n' | awk '{ sum[$1] += $2; n[$1]++ } END { for (k in sum) print k, sum[k], n[k] }' | sort
awk 'BEGIN { a["x"] = 1; delete a["x"]; print ("x" in a), length(a); b[1, 2] = 3; for (k in b) { split(k, p, SUBSEP); print p[1], p[2] } n = split("q:w:e", parts, ":"); print n, parts[3] }'
seq 10000 | awk '{ a[$1 % 100] += $1 } END { for (i = 0; i < 100; i++) s += a[i]; print s, a[42] }'
end

check 'awk: strings' <<'end'
awk 'BEGIN { s = "hello world"; print substr(s, 7), substr(s, 1, 5), index(s, "wor"), toupper(s), match(s, /o w/), RSTART, RLENGTH; gsub(/o/, "0", s); print s; sub(/l+/, "[&]", s); print s; print length(), sprintf("%03d", 7) }'
echo 'a-b_c' | awk '{ n = split($0, p, /[-_]/); for (i = n; i > 0; i--) printf "%s ", p[i]; print "" }'
awk 'BEGIN { print substr("abc", 0), substr("abc", -1, 3), substr("abc", 2, 100), tolower("ÄB") }'
end

check 'awk: functions and control' <<'end'
awk 'function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) } BEGIN { print fib(15) }'
awk 'function fill(a, n,  i) { for (i = 0; i < n; i++) a[i] = i * i } BEGIN { fill(q, 5); print q[4]; i = 0; while (1) { if (++i == 3) continue; if (i > 5) break; printf "%d ", i } do { i-- } while (i > 2); print i }'
end

check 'awk: input and output' <<'end'
seq 3 >f
awk '{ print > "out-" $1 ".txt" } END { close("out-1.txt"); while ((getline line < "out-1.txt") > 0) print "read " line }' f; cat out-2.txt out-3.txt
awk 'BEGIN { "echo from a command" | getline x; print x; print "b\na" | "sort"; close("sort"); system("echo system; exit 3"); print "more" >> "log" }'; cat log
awk 'NR == FNR { a[$1] = 1; next } $1 in a { print FILENAME, FNR, $1 }' f f; awk 'BEGIN { while (("seq 3" | getline l) > 0) t += l; print t; exit system("exit 4") }'; echo $?
awk 'BEGIN { printf "to stderr\n" > "/dev/stderr" }' 2>&1; V=env awk 'BEGIN { print ENVIRON["V"], ARGC, ARGV[1] }' arg
end

check 'awk: a prime sieve' <<'end'
awk 'BEGIN { n = 20000; for (i = 2; i <= n; i++) if (!(i in c)) { p++; last = i; for (j = i * i; j <= n; j += i) c[j] } print p, last }'
end

check 'awk: words of a text by frequency' <<'end'
i=0; while [ $i -lt 200 ]; do echo "the quick brown fox $((i % 7)) jumps over the lazy dog $((i % 3))"; i=$((i + 1)); done |
    awk '{ for (i = 1; i <= NF; i++) n[$i]++ } END { for (w in n) print n[w], w }' | sort -k1,1nr -k2 | head -n 8
end
