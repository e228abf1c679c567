# shellcheck shell=bash
# Sourced by run.sh: long steps that show what they do, for how long they usually take, and where
# they are. Nothing is printed of a step that has nothing to do.

STEP_LOGS=${STEP_LOGS:-build/log}
step_pid=

# fail SENTENCE: the only way out on an error.
fail() {
    printf 'retort: %s\n' "$1" >&2
    exit 1
}

# A signal ends the step that runs, with all that it started.
step_stop() {
    if [[ -n $step_pid ]]; then
        kill -TERM -- "-$step_pid" 2>/dev/null || true
        wait "$step_pid" 2>/dev/null || true
    fi
}

# step TITLE USUALLY COMMAND...: output goes to a log; its end is shown should the command fail.
step() {
    local title=$1 usually=$2 log=$STEP_LOGS/${1// /-}.log began=$SECONDS
    shift 2
    mkdir -p "$STEP_LOGS"
    set -m # a process group of its own
    "$@" >"$log" 2>&1 </dev/null &
    step_pid=$!
    set +m
    step_watch "$title" "$usually" "$log" "$began"
    if ! wait "$step_pid"; then
        step_pid=
        step_explain "$title" "$log"
    fi
    step_pid=
    if [[ $((SECONDS - began)) -ge 2 ]]; then
        printf '%s: done in %d s\n' "$title" "$((SECONDS - began))"
    fi
}

# Shows the last line of the log: on a terminal every second in place, else every 20 s.
step_watch() {
    local title=$1 usually=$2 log=$3 began=$4 shown=$4 line
    # `wait` alone would not let us print; the first half second is looked at closely, since a
    # step with nothing to do ends in it.
    for _ in {1..25}; do
        kill -0 "$step_pid" 2>/dev/null || return 0
        sleep 0.02
    done
    printf '%s: usually %s\n' "$title" "$usually"
    while kill -0 "$step_pid" 2>/dev/null; do
        if [[ -t 1 || $((SECONDS - shown)) -ge 20 ]]; then
            shown=$SECONDS
            line=$(tail -n 1 "$log" | tr -d '\r' | cut -c1-70)
            if [[ -t 1 ]]; then
                printf '\r\033[K  %3d s  %s' "$((SECONDS - began))" "$line"
            else
                printf '  %3d s  %s\n' "$((SECONDS - began))" "$line"
            fi
        fi
        sleep 0.2
    done
    [[ -t 1 ]] && printf '\r\033[K'
    return 0
}

step_explain() {
    tail -n 15 "$2" | sed 's/^/  /' >&2
    if grep -qE 'Killed signal terminated program|virtual memory exhausted|out of memory' "$2"; then
        fail "$1: the compiler ran out of memory; free some, or run with JOBS=1, and start again: it goes on where it was"
    fi
    fail "$1 failed; the whole output is in $2"
}
