# find, and what is made of what it finds.

plant() {
    mkdir -p t/src/deep/er t/doc t/empty
    for f in t/a.c t/src/b.c t/src/deep/c.h t/src/deep/er/d.txt 't/doc/with space' t/doc/UPPER; do echo "$f" >"$f"; done
    head -c 5000 /dev/zero >t/doc/big; : >t/src/nothing; ln -s ../a.c t/src/link; ln -s gone t/dangling; mkfifo t/pipe; chmod 755 t/a.c; chmod 4600 t/src/b.c
    find t -exec touch -h -d @100000 {} +; touch -d @200000 t/doc/UPPER; touch -d @150000 t/reference
}

check 'find: all, and by name' <<'end'
plant; find t | sort; find t -name '*.c' | sort; find t -iname upper; find t ! -name '*.*' -type f | sort; find t -path '*deep*' | sort; find t -regex '.*/[a-c]\.[ch]' | sort; find t/a.c t/doc -name 'a*'; find missing 2>/dev/null; echo $?
end

check 'find: by kind and depth' <<'end'
plant; for k in f d l p; do echo "$k: $(find t -type $k | sort | tr '\n' ' ')"; done; find t -maxdepth 1 | sort; find t -mindepth 3 | sort; find t -maxdepth 2 -mindepth 2 -type f | sort; find t -depth -type d | tail -n 1; find -L t -name link -type f; find t -xdev -name big; find t -empty | sort; find t -type f -links 1 | wc -l
end

check 'find: by size, time and mode' <<'end'
plant; find t -type f -size +4k; find t -type f -size 0 | sort; find t -type f -size -100c | wc -l; find t -size 5000c; find t -newer t/reference | sort; find t -type f ! -newer t/reference | wc -l; find t -type f -mtime +1000 | wc -l; find t -mmin -5; find t -perm 755 -type f; find t -perm -4000; find t -perm /111 -type f; find t -user 0 -name a.c; find t -group root -name a.c
end

check 'find: operators' <<'end'
plant; find t \( -name '*.c' -o -name '*.h' \) -type f | sort; find t -name '*.c' -print -o -name '*.h' -print | sort; find t -type d -name deep -prune -o -type f -print | sort; find t -not -type d -a -name 'w*'; find t -name a.c -quit -o -name a.c; find t -samefile t/a.c
end

check 'find: actions' <<'end'
plant; find t -name '*.c' -exec basename {} \; | sort; find t -name '*.[ch]' -exec echo {} + | tr ' ' '\n' | sort; find t -type f -print0 | sort -z | xargs -0 wc -c | tail -n 1 | tr -s ' '; find t -name a.c -exec sh -c 'echo "$1: $(cat "$1")"' sh {} \; ; find t -type f -name 'with*' -print0 | xargs -0 cat; find t -name '*.txt' -exec rm {} \; ; find t -name '*.txt' | wc -l; find t -name b.c -exec false \; -print; find t/doc -exec rm -f {} \; 2>/dev/null; find t -depth -type d -empty -exec rmdir {} \; ; find t | sort; find t -ok rm {} \; </dev/null 2>/dev/null | head -n 1
end

check 'xargs' <<'end'
seq 10 | xargs -n 3; echo a b c | xargs -n 1 echo item; printf 'one two\nthree\n' | xargs -I {} echo '<{}>'; echo | xargs echo empty; : | xargs -r echo never; printf 'a\0b c\0' | xargs -0 -n 1; seq 100 | xargs -s 60 | wc -l; echo 'a "b c" d\ e' | xargs -n 1; false | xargs; echo x | xargs false; echo $?; echo x | xargs sh -c 'exit 255' 2>/dev/null; echo $?; echo x | xargs no-such-command 2>/dev/null; echo $?; seq 3 | xargs -t echo 2>&1; echo 1 2 X 3 | xargs -E X
end

check 'xargs -P4' <<'end'
seq 40 | xargs -P 4 -n 1 sh -c 'echo "done $1"' sh | sort -k2n | tail -n 3
seq 8 | xargs -P 4 -I {} sh -c 'sleep 0.2; echo {} >f{}'; cat f* | sort -n | tr '\n' ' '
seq 200 | xargs -P 4 -n 10 echo | wc -w
seq 6 | xargs -P 4 -n 1 sh -c '[ $1 != 3 ]' sh; echo $?
end
