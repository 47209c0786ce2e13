#!/bin/busybox ash
# Busybox as a judge: each check is a few lines of shell, run by Debian's busybox on Granule and on Linux, and what it
# prints must be the same text. So nothing is printed that may differ from run to run: process ids, dates, sizes of file
# systems are cut out or compared here.
#
# Usage: run.sh [PART...], the parts being the other files of this folder; all of them by default.

here=${0%/*}
work=/tmp/busybox
export PATH=$work/bin LC_ALL=C TZ=UTC HOME=/root
unset -v OLDPWD PWD
number=0

# check NAME: runs the text from stdin in a shell and a directory of its own; shows its output, both channels, and status.
# All at once, or the kernel's messages would come between.
check() {
    local body status
    body=$(busybox cat)
    number=$((number + 1))
    mkdir "$work/$part-$number"
    : >"$work/output"
    (
        cd "$work/$part-$number" || exit
        umask 022
        eval "$body"
    ) </dev/null >>"$work/output" 2>&1
    status=$?
    {
        echo "== $part $number: $1"
        cat "$work/output"
        echo "-- $status"
    } >"$work/shown"
    cat "$work/shown"
    rm -rf "$work/$part-$number"
}

busybox rm -rf "$work"
busybox mkdir -p "$work/bin"
# What starts other programs by name finds each applet as a program.
for applet in $(busybox --list); do
    echo "/bin/busybox $work/bin/$applet"
done | busybox xargs -n 2 busybox ln -s

[ $# -gt 0 ] || set -- language redirection text awk files find archives processes signals system
for part in "$@"; do
    number=0
    . "$here/$part.sh"
done
echo "== end"
