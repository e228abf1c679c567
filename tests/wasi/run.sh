#!/bin/bash
# The WASI host under real guests: each tests/wasi/NAME.c becomes a module, an image, and a run in
# the sandbox, whose output must be NAME.out. Programs that only use what Linux has too are also
# run natively: Linux must give the same answers. Together they call every function that there is.
#
#     tests/wasi/run.sh [NAME...]         UPDATE=1 writes the .out files anew
#
# Notes at a program's head: `/* rootfs: none */`, `/* run: FLAGS OF RETORT-RUN */` (several: that
# many runs, one after the other).
set -u
cd "$(dirname "$0")/../.." || exit 1
here=tests/wasi
build=${BUILD:-build/release}
native="files names random threads"
# What some are compiled with beside their own source.
threads=worker/guest/python/threads
declare -A further=(
    [fibers]="-Wl,--wrap=__original_main $threads/start.c"
    [threads]="-Wl,--wrap=__original_main -Wl,--wrap=__wasi_poll_oneoff
        -Wl,--wrap=clock_nanosleep -D_WASI_EMULATED_SIGNAL -lwasi-emulated-signal
        -D_WASI_EMULATED_PROCESS_CLOCKS -lwasi-emulated-process-clocks -I$threads/include
        $(echo $threads/*.c)"
)
names=${*:-$(basename -s .c $here/*.c)}
passed=0 failed=0

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# verdict STATUS WHAT: what it says for itself is in $work/diff
verdict() {
    if [ "$1" -eq 0 ]; then
        echo "  ok    $2"
        passed=$((passed + 1))
    else
        echo "  FAIL  $2"
        cat "$work/diff"
        failed=$((failed + 1))
    fi
}

# compare NAME WHAT FILE
compare() {
    diff -u "$here/$1.out" "$3" >"$work/diff" 2>&1
    verdict $? "$1 ($2)"
}

# outcome FILE COMMAND...: standard output, standard error and exit status, added to the file
outcome() {
    local file=$1
    shift
    {
        printf 'typed\nin' | "$@" 2>"$file.err"
        echo "exit $?"
        cat "$file.err"
    } >>"$file"
}

# noted NAME KEY: the notes of that kind
noted() {
    sed -n "s|^/\* $2: *\(.*\)\*/\$|\1|p" "$here/$1.c"
}

make_image() {
    local rootfs=(--rootfs "$here/rootfs")
    [ "$(noted "$1" rootfs)" = "none " ] && rootfs=()
    # shellcheck disable=SC2086 # words
    clang-14 --target=wasm32-wasi -O1 -Wall -Wextra -Werror -I. -D_GNU_SOURCE \
        -D_WASI_EMULATED_PROCESS_CLOCKS -o "$work/$1.wasm" "$here/$1.c" \
        -lwasi-emulated-process-clocks ${further[$1]:-} &&
        aot/retort-aot -q --no-profile --opt -O1 "${rootfs[@]}" \
            --library "$build/libretort-sandbox.a" -o "$work/$1" "$work/$1.wasm"
}

run_guest() {
    local flags runs
    mapfile -t runs < <(noted "$1" run)
    [ ${#runs[@]} -eq 0 ] && runs=("")
    if ! make_image "$1" >"$work/log" 2>&1; then
        cp "$work/log" "$work/$1.guest"
        return
    fi
    for flags in "${runs[@]}"; do
        # shellcheck disable=SC2086 # flags are words
        outcome "$work/$1.guest" "$build/retort-run" --image "$work/$1" $flags one "two three"
    done
}

run_native() {
    mkdir "$work/$1.dir"
    gcc -D_GNU_SOURCE -I. -o "$work/$1.native" "$here/$1.c" || return
    outcome "$work/$1.linux" "$work/$1.native" "$work/$1.dir"
}

# Is there a function of the table that no guest calls?
check_table() {
    local called table
    table=$(sed -n 's/^WASI_FUNCTION([^,]*, \([a-z_]*\),.*/\1/p' worker/wasi/functions.def | sort)
    called=$(for module in "$work"/*.wasm; do
        wasm-objdump -x -j Import "$module"
    done | sed -n 's/.*<- wasi_snapshot_preview1\.\([a-z_]*\)$/\1/p' | sort -u)
    comm -23 <(echo "$table") <(echo "$called") | sed 's/$/ is called by no guest/' >"$work/diff"
    [ -n "$table" ] && [ ! -s "$work/diff" ]
    verdict $? "each of the $(wc -l <<<"$table") functions is called"
}

for name in $names; do
    run_guest "$name"
    if [ -n "${UPDATE:-}" ]; then
        cp "$work/$name.guest" "$here/$name.out"
    fi
    compare "$name" "in the sandbox" "$work/$name.guest"
    case " $native " in *" $name "*)
        run_native "$name"
        compare "$name" "Linux agrees" "$work/$name.linux"
        ;;
    esac
done
[ $# -eq 0 ] && check_table
echo "wasi: $passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
