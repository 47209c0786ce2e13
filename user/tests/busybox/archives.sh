# Archives of a tree of 2,000 files, there and back.

# tree FOLDER: 40 folders of 50 files, of sizes from nothing to some kilobytes, with modes, times and links.
tree() {
    awk -v top="$1" 'BEGIN {
        for (d = 0; d < 40; d++) {
            dir = sprintf("%s/%02d", top, d); system("mkdir -p " dir)
            for (f = 0; f < 50; f++) {
                name = sprintf("%s/file-%02d", dir, f); n = (d * 50 + f) * 7 % 97
                printf "%s\n", name > name
                for (i = 0; i < n; i++) printf "line %d of %s, %d\n", i, name, i * d * f > name
                close(name)
            }
        }
    }' </dev/null
    ln -s file-00 "$1/00/link"; ln "$1/01/file-01" "$1/02/hard"; chmod 640 "$1"/03/*; chmod 755 "$1"/04/file-0*
    find "$1" -type f -exec touch -d @1000000000 {} +
    find "$1" -depth -type d -exec touch -d @900000000 {} +
}

# picture FOLDER: a sum over all that an archive should keep.
picture() {
    (cd "$1" && find . | sort | xargs stat -c '%n %A %h %s %F' | sed 's/ [0-9]* directory$/ directory/' | md5sum)
    (cd "$1" && find . -type f | sort | xargs sha256sum | sha256sum)
    (cd "$1" && find . -type f | sort | xargs stat -c '%Y %n' | md5sum)
}

# Planted once, looked at by the checks that follow.
trees=$work/trees

check 'a tree of 2,000 files' <<'end'
mkdir $trees; cd $trees; tree t; find t -type f | wc -l; find t | wc -l; picture t; cat t/*/* | wc -c; grep -rl 'line 90 ' t | wc -l
end

check 'tar there and back' <<'end'
tar cf t.tar -C $trees t; tar tf t.tar | wc -l; tar tf t.tar | grep -c /$; mkdir u; tar xf t.tar -C u; picture u/t; diff -r $trees/t u/t; echo $?; tar tvf t.tar t/00/file-01 | tr -s ' '; tar xOf t.tar t/05/file-03 | md5sum; md5sum <u/t/05/file-03
end

check 'tar and gzip there and back' <<'end'
tar czf t.tgz -C $trees t; gzip -t t.tgz; echo $?; mkdir u; tar xzf t.tgz -C u; picture u/t; rm -r u/t; gunzip -c t.tgz | tar xf - -C u; diff -r $trees/t u/t; echo $?; tar cf - -C $trees t | gzip | zcat | tar tf - | sort | md5sum
end

check 'tar: choices' <<'end'
mkdir -p d/e; echo 1 >d/1; echo 2 >d/e/2; echo 3 >d/skip; chmod 600 d/1; touch -d @86400 d/1
tar cf a.tar d; tar tf a.tar | sort; tar cf b.tar --no-recursion d d/e d/1; tar tf b.tar; mkdir u; tar xf a.tar -C u d/e; find u | sort; tar xf a.tar --strip-components 1 -C u d/1; cat u/1; stat -c '%a %Y' u/1; tar xf missing.tar 2>/dev/null; echo $?; echo junk >j.tar; tar tf j.tar 2>/dev/null; echo $?; tar cf - d | tar xf - -C u -k; cat u/d/e/2; head -c 1000 a.tar | tar tf - 2>/dev/null | head -n 1; tar xf a.tar -C u --no-same-permissions; tar tf a.tar no/such 2>/dev/null; echo $?
end

check 'gzip and its like' <<'end'
seq 20000 >f; cp f orig
for z in gzip bzip2; do $z f; ls; $z -d f.*; cmp f orig; echo $?; $z -c f | $z -dc | cmp - orig; echo $?; done
gzip -9 f; zcat f.gz | cmp - orig; gunzip -t f.gz; gunzip f.gz; gzip -k f 2>/dev/null; rm -f f.gz; gzip -c f f | zcat | wc -l; : | gzip | zcat | wc -c; head -c 1000 /dev/urandom >r; gzip -c r | zcat | cmp - r; echo $?; echo junk | zcat 2>/dev/null; echo $?; gzip -c f | head -c 100 | zcat 2>/dev/null | wc -c; gzip missing 2>/dev/null; echo $?; bzip2 -c f | bzcat | md5sum; md5sum <f
end

check 'xz, lzma and zip are unpacked' <<'end'
echo /Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAMcGFja2VkIGJ5IHh6CgAAAADfMTtKD7BhcwABJQ1xGcS2H7bzfQEAAAAABFla | base64 -d | xz -dc
echo XQAAgAD//////////wA4GEiZzVwcJQXkPJJ3+m06a984f//qIgAA | base64 -d | unlzma -c
echo UEsDBBQAAAAAAKMgQyrErYlqHgAAAB4AAAAIAAAAZC9pbi16aXBwYWNrZWQgYnkgemlwLCBieSB6aXAsIGJ5IHppcApQSwECFAMUAAAAAACjIEMqxK2Jah4AAAAeAAAACAAAAAAAAAAAAAAAgAEAAAAAZC9pbi16aXBQSwUGAAAAAAEAAQA2AAAARAAAAAAA |
    base64 -d >z.zip
unzip -q z.zip; cat d/in-zip; stat -c %s d/in-zip; echo junk | xz -dc 2>/dev/null; echo $?
end

check 'cpio there and back' <<'end'
mkdir -p d/e; seq 100 >d/1; echo 2 >d/e/2; ln -s 1 d/l; ln d/1 d/h; chmod 640 d/e/2; touch -d @86400 d/1
find d | sort | cpio -o -H newc >a.cpio; cpio -t <a.cpio | sort; mkdir u; cd u; cpio -id <../a.cpio; diff -r ../d d; echo $?; stat -c '%a %n' d/e/2; readlink d/l; cpio -idmu <../a.cpio; stat -c %Y d/1; cpio -i d/1 </dev/null; echo $?
end

check 'ar, and the package format it makes' <<'end'
{ printf '!<arch>\n'; printf '%-16s%-12s%-6s%-6s%-8s%-10s`\n' 1 86400 0 0 100644 4; echo one; printf '%-16s%-12s%-6s%-6s%-8s%-10s`\n' 2 86400 0 0 100600 4; echo two; } >a.a
ar -t a.a; ar -tv a.a | tr -s ' '; ar -x a.a; cat 1 2; stat -c %a 2; ar -p a.a 2; ar -t missing 2>/dev/null; echo $?
end

check 'cp -a of the tree, compared and removed' <<'end'
cd $trees; cp -a t u; picture u; diff -r t u; echo $?; find u -name 'file-1*' -exec rm {} +; find u -type f | wc -l; rm -rf u; [ -e u ]; echo $?; mv t v; find v -type f -newer v/00 | wc -l; find v -type d -exec chmod g+w {} +; find v -perm -020 | wc -l; cd ..; rm -r $trees; ls $trees 2>/dev/null; echo $?
end
