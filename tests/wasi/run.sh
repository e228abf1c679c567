#!/bin/bash
# The WASI host under real guests: each tests/wasi/NAME.c becomes a module, an image, and a run in
# the sandbox, whose output must be NAME.out. Programs that only use what Linux has too are also
# run natively: Linux must give the same answers.
#
#     tests/wasi/run.sh [NAME...]         UPDATE=1 writes the .out files anew
set -u
cd "$(dirname "$0")/../.." || exit 1
here=tests/wasi
build=${BUILD:-build/release}
native="files names random"
names=${*:-$(basename -s .c $here/*.c)}
passed=0 failed=0

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# compare NAME WHAT FILE
compare() {
    if diff -u "$here/$1.out" "$3" >"$work/diff"; then
        echo "  ok    $1 ($2)"
        passed=$((passed + 1))
    else
        echo "  FAIL  $1 ($2)"
        cat "$work/diff"
        failed=$((failed + 1))
    fi
}

# outcome FILE COMMAND...: standard output, standard error and exit status in one file
outcome() {
    local file=$1
    shift
    printf 'typed\nin' | "$@" >"$file" 2>"$file.err"
    echo "exit $?" >>"$file"
    cat "$file.err" >>"$file"
}

make_image() {
    clang-14 --target=wasm32-wasi -O1 -Wall -Wextra -Werror -I. -D_GNU_SOURCE \
        -D_WASI_EMULATED_PROCESS_CLOCKS -o "$work/$1.wasm" "$here/$1.c" \
        -lwasi-emulated-process-clocks &&
        aot/retort-aot -q --no-profile --opt -O1 --rootfs $here/rootfs \
            --library "$build/libretort-sandbox.a" -o "$work/$1" "$work/$1.wasm"
}

run_guest() {
    if make_image "$1" >"$work/log" 2>&1; then
        outcome "$work/$1.guest" "$build/retort-run" --image "$work/$1" one "two three"
    else
        cp "$work/log" "$work/$1.guest"
    fi
}

run_native() {
    mkdir "$work/$1.dir"
    gcc -D_GNU_SOURCE -I. -o "$work/$1.native" "$here/$1.c" || return
    outcome "$work/$1.linux" "$work/$1.native" "$work/$1.dir"
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
echo "wasi: $passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
