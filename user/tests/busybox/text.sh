# Programs that read text and write text.

check 'cat, tac, nl, rev' <<'end'
printf 'one\n\ntwo\tx\n' >f; cat -n f; cat -e f; cat -t f; cat -b f 2>/dev/null | head -n 3; tac f; nl f; rev f
cat f - f <<EOF
between
EOF
cat missing f 2>&1 | sed 's/^cat: //' | head -n 2
end

check 'head and tail' <<'end'
seq 100 >f
head -n 3 f; head -n -97 f; tail -n 2 f; tail -n +99 f; head -c 5 f; tail -c 4 f; head -n 1 f f; seq 5 | tail -n 3 | head -n 1
yes | head -n 3; yes no | head -n 100000 | wc -l
end

check 'tail follows a file' <<'end'
echo first >f
timeout 3 tail -f -s 1 f >out 2>/dev/null & sleep 1; echo second >>f; wait; cat out
end

check 'wc' <<'end'
printf 'one two\nthree\n\nno end' >f; wc f | tr -s ' '; wc -l <f; wc -w <f; wc -c <f; wc -L <f; wc -l f f | tr -s ' '; : | wc -l
end

check 'sort' <<'end'
printf '10 b\n9 a\n100 c\n9 A\n-3 z\n' >f
sort f; echo; sort -n f; echo; sort -rn f; echo; sort -k2 f; echo; sort -k2,2 -k1,1n f; echo; sort -f -k2 f; echo; sort -u -n f
printf 'b:2:x\na:10:y\nc:1:z\n' | sort -t: -k2,2n; printf 'b\na\n' | sort -c 2>/dev/null; echo $?; printf 'a\nb\n' | sort -c; echo $?
printf 'x 3\nx 1\ny 2\n' | sort -s -k1,1; printf 'v1.10\nv1.9\n' | sort -V; printf '2K\n1M\n3\n' | sort -h; printf 'b\0a\0' | sort -z | tr '\0' '\n'
sort -o f -n f; head -n 1 f
end

check 'sort of many lines' <<'end'
awk 'BEGIN { x = 1; for (i = 0; i < 50000; i++) { x = (x * 16807) % 2147483647; print x } }' >f
sort -n f | md5sum; sort f | md5sum; sort -rn f | head -n 3; sort -u f | wc -l
end

check 'uniq' <<'end'
printf 'a\na\nb\nc\nc\nc\nA\n' >f; uniq f; uniq -c f | tr -s ' '; uniq -d f; uniq -u f; sort -f f | uniq -i | wc -l; printf '1 x\n2 x\n3 y\n' | uniq -f 1; printf 'aa1\nab1\n' | uniq -w 1
end

check 'cut and paste' <<'end'
printf 'a:b:c\nd:e:f\nno delimiter\n' >f
cut -d: -f2 f; cut -d: -f1,3 f; cut -d: -f2- f; cut -s -d: -f1 f; cut -c2-4 f; cut -b1 f
seq 3 >x; seq 4 6 >y; paste x y; paste -d, x y; paste -s -d+ x
end

check 'tr' <<'end'
echo 'Hello, World' | tr a-z A-Z; echo 'Hello' | tr -d l; echo 'aabbcc' | tr -s a-c; echo 'a1b2' | tr -cd '0-9'; echo
echo 'x y' | tr ' ' '\n'; echo abc | tr abc '\1\2\3' | od -An -tx1; echo hello | tr '[:lower:]' '[:upper:]'; echo abc | tr a-c x
end

check 'sed: substitution' <<'end'
printf 'one two one\nthree\n' >f
sed 's/one/1/' f; sed 's/one/1/g' f; sed 's/one/1/2' f; sed -n 's/o\(.\)/[\1]/gp' f; sed 's,t\(h*\),<\1&>,' f; sed -E 's/(\w+) (\w+)/\2 \1/' f
sed 's/O/x/I' f; sed 's/e/\n/g' f; echo 'a.b' | sed 's/\./\\/'; echo aaa | sed 's/x*/-/g'; echo path/to | sed 's|/|\&|'
end

check 'sed: addresses' <<'end'
seq 10 >f
sed -n 3p f; sed -n '2,4p' f; sed -n '$p' f; sed '3,$d' f; sed -n '/5/,/7/p' f; sed '2q' f; sed -n '/3/!p' f | tr '\n' ' '; sed '1,8d;s/^/x/' f; sed -n '8,+1p' f; sed -n '$=' f
end

check 'sed: commands' <<'end'
printf 'a\nb\nc\n' >f
sed '2i\before' f; sed '2a\after' f; sed '2c\instead' f; sed 'y/abc/xyz/' f; sed -n 'l' f; sed 'N;s/\n/+/' f; sed -n 'H;${x;s/\n/,/g;p}' f; sed '1!G;h;$!d' f
sed ':a;N;$!ba;s/\n/ /g' f; sed '/b/{s/b/B/;s/$/!/}' f; sed 'r f' f | wc -l; sed -n '/b/w out' f; cat out; sed -e 1d -e '$d' f; sed = f | head -n 2; sed 's/b/x/;ta;s/$/ no/;:a' f
end

check 'sed: in place' <<'end'
printf 'a\nb\n' >f; printf 'a\n' >g; chmod 640 f
sed -i 's/a/changed/' f g; cat f g; stat -c %a f; sed -i.bak 1d f; cat f f.bak
end

check 'grep' <<'end'
printf 'alpha\nbeta\nGamma\nalphabet\na.b\n' >f
grep alpha f; grep -c a f; grep -v a f; grep -n b f; grep -i GAMMA f; grep -w alpha f; grep -x alpha f; grep -F a.b f; grep -o 'a[lp]*' f; grep -E '^(al|be)' f; grep -E 'a{1}b|m{2}' f
grep -q beta f; echo $?; grep -q delta f; echo $?; grep x missing 2>/dev/null; echo $?; grep -l alpha f; grep -L alpha f; grep -m 1 a f; grep -A 1 beta f; grep -B 1 beta f; grep -e alpha -e Gamma f; printf 'beta\n' >p; grep -f p f; grep -s x missing; echo $?
end

check 'grep through a tree' <<'end'
mkdir -p t/u; echo needle >t/a; echo hay >t/b; echo 'a needle' >t/u/c; printf 'bin\0needle\n' >t/d; ln -s a t/link
grep -r needle t | sort; grep -rl needle t | sort; grep -rc needle t | sort; grep -rh needle t/u; grep needle t/a t/b; grep -rn needle t/u
end

check 'diff, cmp, patch' <<'end'
seq 10 >a; seq 10 | sed 's/5/five/;8d' >b; echo 11 >>b
diff a b >d; echo $?; sed 1,2d d; diff -q a b; diff a a; echo $?; cmp a b; cmp a a; echo $?; cmp -l a b 2>/dev/null | head -n 2; cmp -s a b; echo $?
cp a c; patch c d >/dev/null; cmp b c; echo $?; patch -R c d >/dev/null; cmp a c; echo $?
mkdir x y; echo 1 >x/same; echo 1 >y/same; echo 2 >x/only; diff -r x y; diff -rq x y; printf 'no end' >e; diff e a | tail -n 3; diff -b b b; diff -u a /dev/null | tail -n 1
end

check 'seq, expr, factor, dc, bc' <<'end'
seq 3; seq 2 4; seq 10 -3 1; seq -s, 5; seq -w 8 11; seq 0.5 0.5 2
expr 6 \* 7; expr 7 / 2; expr 7 % 4; expr abc : 'a\(.*\)'; expr length hello; expr substr hello 2 3; expr 3 \< 5; expr a = b; echo $?; expr index hello l
factor 360 97 1000000007; echo '2 3 + 4 * p' | dc; echo '2^64; 10/3; scale=3; 10/3' | bc
end

check 'od, hexdump, xxd, strings' <<'end'
printf 'ABC\n\001\377 long enough text\0tail' >f
od f; od -c f; od -An -tx1 f; od -An -tu2 -N 4 f; od -A x -t x4 f | head -n 1; hexdump -C f; hexdump f; hexdump -e '4/1 "%02x " "\n"' f | head -n 1; xxd f; xxd -p f; xxd -r -p <<EOF
48690a
EOF
strings f; strings -n 10 f
end

check 'fold, expand, unexpand, column positions' <<'end'
echo 'a long line that is to be folded somewhere' | fold -w 10; echo 'words that stay whole' | fold -s -w 8; printf 'a\tb\tc\n' | expand -t 4; printf '        x\n' | unexpand; printf 'a\r\nb\r\n' | dos2unix | od -An -c; echo a | unix2dos | od -An -c
end

check 'base64 and uuencode there and back' <<'end'
seq 1000 >f; base64 f | md5sum; base64 f | base64 -d | cmp - f; echo $?; base64 -w 20 f | head -n 1; uuencode f name | head -n 2; uuencode f copy | uudecode -o copy; cmp f copy; echo $?
end

check 'sums' <<'end'
seq 1000 >f; : >e
for sum in md5sum sha1sum sha256sum sha512sum sha3sum crc32; do $sum f; $sum <e; done
md5sum f e >list; md5sum -c list; echo x >>f; md5sum -c list 2>/dev/null; echo $?; sha256sum -c -s list; echo $?
end

check 'pieces of a file' <<'end'
seq 100 >f; for i in 0 1 2 3; do tail -n +$((i * 30 + 1)) f | head -n 30 >part-$i; done; wc -l part-* | tr -s ' '; cat part-* | cmp - f; echo $?
size=$(wc -c <f); i=0; while [ $((i * 50)) -lt "$size" ]; do dd if=f bs=50 skip=$i count=1 2>/dev/null >b-$(printf %02d $i); i=$((i + 1)); done; ls b-* | wc -l; cat b-* | cmp - f; echo $?
end

check 'dates from numbers' <<'end'
date -u -d @0; date -u -d @1700000000 '+%Y-%m-%d %H:%M:%S %j %a %b %u %s'; date -u -d '2024-02-29 12:34:56' +%s; date -u -D '%d.%m.%Y' -d '31.12.1999' +%F; date -d @951782400 '+%y %e %l %p %%'; TZ=XYZ-2:30 date -d @0 '+%F %T %z %Z'; cal 2 2024
end

check 'many small things' <<'end'
basename /a/b/c.txt .txt; dirname /a/b/c; dirname file; echo a b | xargs; printf 'x\ty\n' | tr '\t' ' '; shuf -i 1-20 | sort -n | tr '\n' ' '; shuf -e a b c | sort; ascii 2>/dev/null | head -n 1 | cut -c 1-3; which sed | sed 's,.*/,,'; yes x | head -n 2; true; false; echo $?
end
