# What the shell tools share: where things are, how a step is shown, how a mistake ends. Sourced, with bash, by
# every script of this directory.
#
# Messages go to stderr, so that stdout of a run is the guest's console and nothing else.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# The tools choose flags and output directories themselves; what a user exports for other projects must not leak in.
unset MAKEFLAGS MAKELEVEL RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_TARGET_DIR RUSTC_BOOTSTRAP
export PYTHONPATH=tools PYTHONPYCACHEPREFIX=target/pycache
unset CARGO_UNSTABLE_BUILD_STD CARGO_BUILD_RUSTFLAGS

LOGS=target/logs

# One line on stderr, and the status that says "your input, not our failure".
usage_error() {
    echo "granule: $*" >&2
    exit 2
}

die() {
    echo "granule: $*" >&2
    exit 1
}

# step NAME COMMAND [ARGS...]: runs the command with its output in target/logs/NAME.log. Silent when it is quick;
# after five seconds it says what it does and where the log is, then shows the last line of the log now and again.
# A failure shows the end of the log, then the command and the log's path.
step() {
    local name=$1 log="$LOGS/$1.log" status
    shift
    watched "$name" "$@"
    status=$?
    if [ "$status" -ne 0 ]; then
        tail -n 40 "$log" >&2
        echo "granule: failed (status $status): $*; log: $log" >&2
    fi
    return "$status"
}

# The same, for commands whose failure is an answer.
watched() {
    local name=$1 log="$LOGS/$1.log" ticker status
    shift
    mkdir -p "$LOGS"
    : >"$log"
    step_ticker "$name" "$log" &
    ticker=$!
    "$@" >"$log" 2>&1 </dev/null
    status=$?
    { kill "$ticker" && wait "$ticker"; } 2>/dev/null
    return "$status"
}

# The sleeps hold no descriptor of ours: killed in the middle of one, the ticker must not keep a pipe of the caller
# or the lock of the disk image open.
step_ticker() {
    local name=$1 log=$2 start=$SECONDS
    step_sleep 5
    echo "granule: $name: working (log: $log)" >&2
    while :; do
        step_sleep 10
        echo "granule: $name: $((SECONDS - start)) s: $(tail -n 1 "$log" | cut -c 1-100)" >&2
    done
}

step_sleep() {
    sleep "$1" </dev/null >/dev/null 2>&1 9>&-
}
