# The shell's language, on what the kernel gives it: fork, pipes, wait, files to glob.

check 'words and quotes' <<'end'
a='single $HOME' b="double \$ $((1 + 1))" c=un\ quoted
echo "$a" "$b" "$c" 'it'\''s' "a\"b" $'tab\there'
echo one  two   "three  four"
end

check 'expansions with defaults' <<'end'
unset -v u; e='' s=set
echo "${u-minus}" "${u:-colon}" "${e-minus}" "${e:-colon}" "${s+plus}" "${u+plus}" "${e:+colon}"
echo "${u:=assigned}" "$u"
( : "${gone:?is not there}" ) 2>&1 | sed 's/.*: gone/gone/'
echo "${#s} ${#u}"
end

check 'expansions that cut and replace' <<'end'
path=/usr/lib/one.tar.gz
echo "${path#*/}" "${path##*/}" "${path%.*}" "${path%%.*}"
echo "${path/lib/share}" "${path//\//:}" "${path:5:3}" "${path:9}"
for f in a.c b.c; do echo "${f%.c}.o"; done
end

check 'arithmetic' <<'end'
x=7
echo $((x * 6)) $((x / 2)) $((x % 4)) $((-x)) $((x << 3)) $((x >> 1)) $((x & 3)) $((x | 8)) $((x ^ 1)) $((~x))
echo $((x > 3 && x < 5)) $((x == 7 ? 1 : 2)) $((0x1f)) $((010)) $((2 ** 10)) $(((x + 1) * 2))
echo $((x += 3)) $x $((x++)) $((--x)) $((1, 2))
echo $((9223372036854775807 + 1))
( echo $((1 / 0)) ) 2>&1 | sed 's/.*: div/div/'
end

check 'for, over words and arguments' <<'end'
for word in a 'b c' d; do echo "<$word>"; done
set -- 1 '2 3' ''
for word; do echo "<$word>"; done
for word in; do echo never; done
for i in 1 2 3; do for j in 1 2 3; do [ $j = 2 ] && continue 2; [ $i = 3 ] && break 2; echo $i$j; done; done
end

check 'while and until' <<'end'
i=0
while [ $i -lt 5 ]; do i=$((i + 1)); [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done
until [ $i -eq 0 ]; do i=$((i - 1)); done
echo $i
printf '%s\n' one two three | while read -r line; do echo "got $line"; done
end

check 'case' <<'end'
for word in apple banana cherry 42 '*' '' a-b; do
    case $word in
    a*e) echo "$word: a to e" ;;
    b* | c*) echo "$word: b or c" ;;
    [0-9]*) echo "$word: a number" ;;
    \*) echo "$word: a star" ;;
    '') echo "empty" ;;
    *[!a-z]*) echo "$word: something else in it" ;;
    esac
done
end

check 'functions' <<'end'
greet() { local name=$1; echo "hello $name, $# of us"; return 3; }
name=outer
greet world x; echo "$? $name"
factorial() { if [ "$1" -le 1 ]; then echo 1; else echo $(($1 * $(factorial $(($1 - 1))))); fi; }
factorial 10
in_subshell() ( cd /; name=inner; pwd )
in_subshell; echo "$name"
end

check 'positional parameters' <<'end'
set -- a 'b c' d e f g h i j k
echo $# "$1" "$2" "${10}" "$*"
shift 8; echo "$@"
count() { echo $#; }
set -- 'x y' z
count $@; count "$@"; count "$*"; count $*
IFS=,; echo "$*"
end

check 'splitting at IFS' <<'end'
IFS=:; set -- $(echo a:b::c); echo $# "$3" "$4"
IFS=' ,'; v='1, 2,,3 4'; set -- $v; echo $#; for w; do echo "<$w>"; done
IFS=; v='a b'; set -- $v; echo $#
end

check 'patterns of file names' <<'end'
touch a b ab abc .hidden 'with space' x1 x2 x10
mkdir d; touch d/a d/b
echo *; echo ?; echo a*; echo [a-b]; echo [!a-c]*; echo .h*; echo x[0-9]; echo d/*; echo */a; echo nothing*; echo 'a*'
set -f; echo *; set +f
rm -- *' '*; ls
end

check 'a directory of a thousand names as a pattern' <<'end'
i=0; while [ $i -lt 1000 ]; do : >"f$i"; i=$((i + 1)); done
set -- f*; echo $# "$1" "${1000}"
set -- f99?; echo "$@"
end

check 'command substitution' <<'end'
echo "$(echo outer "$(echo inner "$(echo 'in most')")")" `echo back \`echo ticks\``
x=$(printf 'a\nb\n\n\n'); echo "<$x>"
x=$(false); echo $?
x=$(exit 7); echo $?
echo $(echo 'word  splitting   here')
end

check 'a megabyte through command substitution' <<'end'
x=$(head -c 1000000 /dev/zero | tr '\0' x)
echo ${#x}
echo "$x" | sha256sum
end

check 'subshells and groups' <<'end'
v=1
( v=2; cd /; echo "$v" ); echo "$v"
{ v=3; echo group; } >out; echo "$v"; cat out
( exit 4 ); echo $?
( ( ( echo deep ) ) )
end

check 'and, or, not' <<'end'
true && echo yes || echo no
false && echo yes || echo no
! true; echo $?
! false && echo not false
true && false || echo third
if ! grep -q x /dev/null; then echo none; fi
end

check 'pipelines and their status' <<'end'
echo hello | tr a-z A-Z | rev
false | true; echo $?
true | false; echo $?
set -o pipefail; false | true; echo $?
exit 5 | exit 6 | true; echo $?
end

check 'a pipeline of thirty' <<'end'
pipe='cat'
i=1; while [ $i -lt 30 ]; do pipe="$pipe | cat"; i=$((i + 1)); done
seq 5000 | eval "$pipe" | md5sum
end

check 'here-documents' <<'end'
v=value
cat <<EOF
expanded $v $(echo command) $((1 + 1)) \$v
EOF
cat <<'EOF'
not expanded $v $(echo command)
EOF
cat <<-EOF
	tabs
		are cut
	EOF
cat <<A; cat <<B
first
A
second
B
cat <<EOF | tr a-z A-Z
through a pipe
EOF
end

check 'a here-document larger than a pipe' <<'end'
big=$(seq 30000)
wc <<EOF
$big
EOF
end

check 'set -e, -u, -x' <<'end'
( set -e; echo before; false; echo after ); echo $?
( set -e; if false; then :; fi; false || true; echo reached ); echo $?
( set -u; echo "$undefined" ) 2>&1 | sed 's/.*: undefined/undefined/'
( set -x; v=1; echo "$v" >/dev/null ) 2>&1
end

check 'eval and alias' <<'end'
name=v; eval "$name='evaluated'"; echo "$v"
eval 'for i in 1 2; do echo $i; done'
alias say='echo aliased'
eval 'say this'
unalias say; eval 'say this' 2>/dev/null; echo $?
end

check 'getopts' <<'end'
parse() {
    OPTIND=1
    while getopts ab:c o "$@"; do
        case $o in a | c) echo "flag $o" ;; b) echo "b=$OPTARG" ;; *) echo "wrong" ;; esac
    done 2>&1
    shift $((OPTIND - 1)); echo "rest: $*"
}
parse -a -b value -c x y
parse -acbvalue -- -z
parse -q 2>&1 | sed 's/.*: ill/ill/'
end

check 'read' <<'end'
printf 'one two three\nback\\slash line\n  padded  \nlast' >f
{ read -r a b; echo "$a/$b"; read -r c; echo "$c"; read -r d; echo "<$d>"; read -r e; echo "$? $e"; read -r g; echo $?; } <f
echo 'a:b:c' | { IFS=: read -r x y; echo "$x $y"; }
printf 'con\\\ntinued\n' | { read x; echo "$x"; }
printf 'abcdef' | { read -r -n 3 x; echo "$x"; }
sleep 5 | { read -r -t 1 x; echo $?; }
end

check 'printf' <<'end'
printf '%s-%s\n' a b c
printf '%d %5d|%-5d|%05d %x %X %o\n' 42 42 42 42 255 255 8
printf '%c%c %b %%\n' abc def 'a\tb\101'
printf '%.3s|%10s|%-10s|\n' abcdef right left
printf '%d\n' 0x10 010 "'A"
printf '%f %.2e %g\n' 3.14159 31415.9 0.0001
printf '%d\n' nonsense 2>/dev/null; echo $?
end

check 'test: strings and numbers' <<'end'
t() { if [ "$@" ]; then echo "yes: $*"; else echo "no: $*"; fi; }
t a = a; t a != a; t -z ''; t -n ''; t x; t ''; t 3 -lt 5; t 5 -le 5; t 10 -gt 9; t 10 -ge 11; t 1 -eq 01; t 2 -ne 2
t ! a = b; t a = a -a b = c; t a = b -o c = c; t \( a = a \) -a \( b = b \); t a \< b
[ 1 -eq x ] 2>/dev/null; echo $?
end

check 'test: files' <<'end'
t() { if [ "$@" ]; then echo "yes: $*"; else echo "no: $*"; fi; }
: >empty; echo x >full; mkdir dir; ln -s full link; ln -s nowhere dangling; mkfifo fifo; chmod +x full; ln full hard
for f in empty full dir link dangling fifo missing; do for o in -e -f -d -s -L -p -r -x; do t $o $f; done; done
t full -ef hard; t full -ef empty; t -c /dev/null; t -b /dev/vda; t -u full; t -k /tmp; t -S fifo
touch -d @1000 old; touch -d @2000 new; t new -nt old; t new -ot old; t old -nt missing
end

check 'what is a command' <<'end'
f() { :; }
command -v f; command -v cd; type f | head -n 1
no-such-command 2>/dev/null; echo $?
./no-such-file 2>/dev/null; echo $?
echo 'echo a script without a first line, $1' >script; ./script 2>/dev/null; echo $?
chmod +x script; ./script argument
mkdir d; ./d 2>/dev/null; echo $?
printf '\177ELF' >broken; chmod +x broken; ./broken 2>/dev/null; echo $?
end

check 'scripts with a first line' <<'end'
printf '#!/bin/busybox ash\necho "$0 $# $1"\n' >script; chmod +x script
./script 'an argument' | sed "s,$PWD/,,"
printf '#!/bin/busybox  sed -n 2p  \nthe second line\n' >sed-script; chmod +x sed-script; ./sed-script; echo $?
printf '#!/bin/busybox cat\nthis text\n' >cat-script; chmod +x cat-script; ./cat-script
printf '#!/no/such/interpreter\n' >bad; chmod +x bad; ./bad 2>/dev/null; echo $?
printf '#!%s/script\n' "$PWD" >nested; chmod +x nested; ./nested | sed "s,$PWD/,,g"
printf '#! /bin/busybox ash\nexit 9\n' >spaced; chmod +x spaced; ./spaced; echo $?
end

check 'sourcing a file' <<'end'
echo 'sourced=$((sourced + 1)); [ "$1" = stop ] && return 8; echo "in file: $*"' >lib
sourced=0
. ./lib; . ./lib stop; echo "$? $sourced"
. ./missing 2>/dev/null; echo never
end

check 'variables of programs' <<'end'
export EXPORTED=yes; local_only=no
env | grep -E '^(EXPORTED|local_only)='
ONCE=here sh -c 'echo "$ONCE"'; echo "<$ONCE>"
env -i A=1 B=2 env
env -u EXPORTED sh -c 'echo "<$EXPORTED>"'
readonly fixed=1; (fixed=2) 2>&1 | sed 's/.*: fixed/fixed/'
end

check 'cd and pwd' <<'end'
base=$PWD; mkdir -p a/b; ln -s a/b link
cd a/b; echo "${PWD#$base}"; cd - >/dev/null; echo "${PWD#$base}/"
cd link; echo "${PWD#$base}"; pwd -P | sed "s,$base,,"; cd ..; echo "${PWD#$base}/"
cd link; cd -P ..; echo "${PWD#$base}"
cd missing 2>/dev/null; echo $?
mkdir "$base/gone"; cd "$base/gone"; rmdir "$base/gone"; ls; echo x 2>/dev/null >file; echo $?
end

check 'too many arguments' <<'end'
$PATH/true $(seq 500000) 2>/dev/null; echo $?
$PATH/echo $(seq 20000) | md5sum
seq 100000 | xargs echo | wc -lw | tr -s ' '
end
