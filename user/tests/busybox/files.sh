# Names, links, attributes, and bytes at their places.

check 'making and removing directories' <<'end'
mkdir -p a/b/c; mkdir -m 700 d; stat -c '%a %F' a/b/c d; mkdir a 2>&1 | sed 's/.*: //'; rmdir a 2>&1 | sed 's/.*: //'; rmdir a/b/c; rmdir -p a/b; ls; mkdir x/y 2>&1 | sed 's/.*: //'; rmdir d; rmdir d 2>&1 | sed 's/.*: //'
mkdir t; touch t/f; rmdir t 2>/dev/null; echo $?; rm t 2>/dev/null; echo $?; rm -r t; rm -f missing; echo $?; rm missing 2>/dev/null; echo $?
end

check 'copying' <<'end'
echo one >a; mkdir d; cp a b; cp a b d; ls d; cat b; chmod 750 a; touch -d @1000 a; cp -p a p; stat -c '%a %Y' p; cp a q; stat -c %a q
cp a missing/x 2>/dev/null; echo $?; cp d e 2>/dev/null; echo $?; cp -r d e; ls e; ln -s a l; cp l m; cp -P l n 2>/dev/null; readlink m; readlink n; cp -a d e/; find e | sort; cp a a 2>&1 | sed 's/.*: //'; cp -f a b; cp -s "$PWD/a" s; test -L s; echo $?; cp -l a h; stat -c %h h
end

check 'moving' <<'end'
echo a >a; echo b >b; mkdir d; mv a c; cat c; mv c b; cat b; mv b d; ls . d; mv d e; ls e; mv missing x 2>/dev/null; echo $?; mkdir f; touch f/g; mv -n e/b f/g; ls f; mv e f; ls f/e; mv f f/e 2>/dev/null; echo $?
touch x y; mv x y f; ls f; mv f/x .; mv -f x y 2>/dev/null; ls y
end

check 'moving to another file system' <<'end'
mkdir t; echo x >t/f; ln -s f t/l; chmod 640 t/f; touch -d @5000 t/f; mv t /dev/shm/busybox-moved; ls; stat -c '%a %Y' /dev/shm/busybox-moved/f; readlink /dev/shm/busybox-moved/l; mv /dev/shm/busybox-moved/f .; cat f; rm -r /dev/shm/busybox-moved
ln f /dev/shm/hard 2>&1 | sed 's/.*: //'
end

check 'symbolic links' <<'end'
echo x >f; mkdir -p d/e; ln -s f l; ln -s ../f d/up; ln -s d ld; ln -s nowhere dangling; ln -s loop loop
cat l d/up; for n in l d/up dangling; do readlink $n; done; readlink f; echo $?; cat dangling 2>&1 | sed 's/.*: //'; cat loop 2>&1 | sed 's/.*: //'; ls -d ld/; ls ld; readlink -f ld/up | sed "s,$PWD/,,"; readlink -f d/e/../up | sed "s,$PWD/,,"; realpath l | sed "s,$PWD/,,"; readlink -f loop; echo $?
ln -s f l 2>/dev/null; echo $?; ln -sf d/e l; readlink l; ln -sfn f ld; readlink ld; echo through >dangling; cat nowhere; rm l; ls; stat -c '%F %s' dangling
end

check 'a chain of links' <<'end'
echo end >l0; i=1; while [ $i -le 41 ]; do ln -s l$((i - 1)) l$i; i=$((i + 1)); done; cat l40; cat l41 2>&1 | sed 's/.*: //'
end

check 'hard links' <<'end'
echo x >a; ln a b; ln b c; stat -c %h a; [ a -ef c ] && echo same; echo y >>c; cat a; rm a; stat -c %h b; mkdir d; ln d e 2>/dev/null; echo $?; ln b d/; cat d/b; ln b c 2>&1 | sed 's/.*: //'; [ "$(stat -c %i b)" = "$(stat -c %i d/b)" ]; echo $?; ln missing x 2>/dev/null; echo $?
stat -c %h d; mkdir d/s d/t; stat -c %h d; rmdir d/s; stat -c %h d
end

check 'modes' <<'end'
touch f; mkdir d
for m in 644 u+x g=w o-r a+r go= +t u+s g+s,o+x 0 7777 u=rwx,g=rx,o= -x =r; do chmod $m f; echo "$m $(stat -c '%a %A' f)"; done
chmod 1777 d; stat -c %A d; chmod g+s d; mkdir d/e; stat -c %A d/e; chmod -R 755 d; stat -c %a d/e; chmod 644 missing 2>/dev/null; echo $?; ln -s f l; chmod 600 l; stat -c %a f; stat -c %a l
end

check 'the mask of new files' <<'end'
umask; for m in 022 077 000 027 777; do umask $m; rm -rf f d; touch f; mkdir d; umask 022; stat -c %a f d; done; umask -S; umask u=rwx,g=,o=; umask; (umask 007; touch g); stat -c %a g
end

check 'owners' <<'end'
touch f; mkdir d; touch d/g; chown 1:2 f; stat -c '%u %g' f; chown 3 f; chown :4 f; stat -c '%u:%g' f; chgrp 5 f; ls -ln f | tr -s ' ' | cut -d ' ' -f 3,4; chown -R 7:8 d; stat -c '%u:%g %n' d d/g; ln -s f l; chown -h 9:9 l; stat -c '%u %n' l f; chown l:l missing 2>/dev/null; echo $?; chmod 6755 f; chown 1 f; stat -c %a f; stat -c '%U %G' d | head -n 1; chown root:root f; stat -c '%U:%G' f
end

check 'times' <<'end'
touch -d '2001-02-03 04:05:06' f; stat -c '%y %Y' f; touch -d @1234567890 f; stat -c '%X %Y' f; touch -r f g; stat -c %Y g; touch -t 200102030405.06 f; stat -c %y f; touch -c missing; ls missing 2>/dev/null; echo $?; touch -h -d @99 l 2>/dev/null; ln -s f l; touch -h -d @77 l; stat -c %Y l f; date -u -r f +%F; touch -a -d @5 g 2>/dev/null; touch f; [ f -nt g ]; echo $?
mkdir d; touch -d @1000 d; touch d/new; [ "$(stat -c %Y d)" -gt 1000 ]; echo $?; touch -d @1000 d; echo x >d/new; stat -c %Y d; rm d/new; [ "$(stat -c %Y d)" -gt 1000 ]; echo $?; touch -d @1000 f; cat f; chmod 600 f; stat -c %Y f; [ "$(stat -c %Z f)" -gt 1000 ]; echo $?
end

check 'stat of every kind' <<'end'
echo hello >f; mkdir d; mkfifo p; ln -s f l; : >e; for n in f d p l e; do stat -c '%n: %F, %A, %h links' $n; done; stat -c '%s' f l e; stat -L -c '%F %s' l; stat -c '%F %t:%T' /dev/null /dev/zero /dev/tty; stat -c %a /tmp; stat missing 2>&1 | sed 's/.*: //'; stat -c %B f; stat -f -c %T /tmp; test -c /dev/console; echo $?
end

check 'ls' <<'end'
mkdir d; printf '%0100d' 0 >big; printf x >small; touch -d @3000 big; touch -d @1000 small; touch -d @2000 d; ln -s big link; touch -h -d @500 link; touch .hidden d/inside; touch -d @2500 .hidden; chmod 4751 big; mkfifo p; touch -d @10 p; touch -d @2000 d
ls; ls -a; ls -A; ls -1; ls -p; ls -F; ls -r; ls -t; ls -S; ls -d d; ls d; ls -R; ls -ln | sed 1d | tr -s ' '; ls -ld d | tr -s ' '; ls -l small | tr -s ' '; ls missing 2>&1 | sed 's/.*: //'; ls -1d .* ; ls --full-time small | tr -s ' '; ls -lh big | tr -s ' '; ls -x | tr -s ' '
end

check 'ls -laR of a tree with fixed times' <<'end'
mkdir -p t/a/b t/c t/.d; for f in t/1 t/a/2 t/a/b/3 t/c/4 t/.d/5; do echo "$f" >$f; done; ln -s ../1 t/a/l; ln t/1 t/c/hard; mkfifo t/c/p; chmod 2755 t/c; chmod 600 t/a/2; find t | while read -r f; do touch -h -d @86400 "$f"; done; touch -d @86400 .
ls -laRn t | sed 's/^total .*/total/; / \.\.$/d' | tr -s ' '
end

check 'a directory of 3,000 names' <<'end'
mkdir d; cd d; seq 3000 | xargs touch; ls | wc -l; ls | sort -n | tail -n 1; rm 1 2 3; ls | wc -l; ls | xargs rm; ls | wc -l; cd ..; rmdir d; echo $?
end

check 'long names and deep directories' <<'end'
name=$(printf '%0255d' 7); touch "$name"; ls | wc -c; touch "${name}8" 2>/dev/null; echo $?; mkdir -p $(printf 'd/%.0s' $(seq 200)); find d -type d | wc -l; find d -type d | tail -n 1 | wc -c; rm -r d; ls | wc -l
rm "$name"; i=0; while [ $i -lt 15 ]; do mkdir "$name"; cd "$name" || break; i=$((i + 1)); done; pwd -P | wc -c; cat "$PWD/$name/x" 2>&1 | sed 's/.*: //'; echo deep >x; cat "$PWD/x"; rm x
end

check 'dd: blocks' <<'end'
seq 1000 >f; dd if=f of=g bs=100 count=3 2>/dev/null; wc -c <g; cmp -n 300 f g; dd if=f bs=1 skip=10 count=5 2>/dev/null | od -An -c; dd if=f of=h bs=512 2>&1 | head -n 2; cmp f h; echo x | dd of=h conv=notrunc 2>/dev/null; wc -c <h; head -c 3 h; printf abc | dd of=h bs=1 seek=5 conv=notrunc 2>/dev/null; head -c 10 h | od -An -c; printf end | dd of=h bs=4 seek=2 2>/dev/null; wc -c <h; dd if=/dev/zero bs=1k count=4 2>/dev/null | wc -c; printf abc | dd bs=8 conv=sync 2>/dev/null | od -An -c; dd if=missing 2>/dev/null; echo $?
end

check 'dd: holes and sizes' <<'end'
dd if=/dev/null of=f bs=1M seek=100 2>/dev/null; stat -c '%s %b' f; printf x | dd of=f bs=1 seek=50000000 conv=notrunc 2>/dev/null; dd if=f bs=1 skip=49999999 count=3 2>/dev/null | od -An -tx1; stat -c %s f; tail -c 1 f | od -An -tx1; dd if=/dev/zero bs=64k count=16 2>/dev/null | tr '\0' a | md5sum; dd if=/dev/zero of=/dev/full bs=1k count=1 2>&1 | head -n 1 | sed 's/.*: //'; seq 100 | dd ibs=7 obs=3 2>/dev/null | md5sum; dd if=f of=/dev/null bs=1M 2>&1 | head -n 2
end

check 'truncation' <<'end'
seq 100 >f; truncate -s 10 f; wc -c <f; truncate -s 20 f; od -An -c f; truncate -s +5 f 2>/dev/null; wc -c <f; truncate -s 1M g; wc -c <g; truncate -s 0 g; wc -c <g; truncate -c -s 5 missing; ls missing 2>/dev/null; echo $?; truncate -s 5 /tmp 2>&1 | sed 's/.*: //'
end

check 'room for a file that is not written' <<'end'
fallocate -l 100000 f; stat -c %s f; head -c 4 f | od -An -tx1; fallocate -o 200000 -l 10 f; stat -c %s f; fallocate -l 0 f 2>/dev/null; echo $?; echo x >g; fallocate -l 10 g; od -An -c g
end

check 'temporary files' <<'end'
f=$(mktemp); echo "${f%??????}" | cut -c 1-9; stat -c '%a %s' "$f"; rm "$f"; d=$(mktemp -d); stat -c '%a %F' "$d"; rmdir "$d"; mktemp -p . t.XXXXXX | sed 's/......$/-/'; mktemp -u | wc -c; TMPDIR=$PWD mktemp | sed "s,$PWD/,,; s/......\$/-/"; mktemp bad 2>/dev/null; echo $?
end

check 'install, unlink, link' <<'end'
echo x >f; install -m 751 f g; stat -c %a g; install -d -m 700 a/b; stat -c %a a/b; install -D f c/d/e; cat c/d/e; link f h; stat -c %h f; unlink h; stat -c %h f; unlink missing 2>/dev/null; echo $?; unlink a 2>/dev/null; echo $?; shred -u -n 1 f; ls
end

check 'sha256sum of 50 MB' <<'end'
yes 'fifty million bytes of this' | head -c 50000000 >f; sha256sum f; cp f g; cmp f g; echo $?; rm f; sha256sum <g
end

check 'usage in bytes' <<'end'
mkdir -p d/e; head -c 100000 /dev/zero >d/f; head -c 65536 /dev/zero >d/e/g; ln d/f d/h; du -s d/e/g | cut -f 1; find d -type f | sort | xargs stat -c '%s %n'; df d | sed 1q | tr -s ' '; df -P . | tail -n 1 | tr -s ' ' | cut -d ' ' -f 1,6; df /dev/null | tail -n 1 | tr -s ' ' | cut -d ' ' -f 1,6
end
