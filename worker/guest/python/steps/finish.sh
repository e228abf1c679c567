#!/bin/bash
# Puts the results in place: OUT/python.wasm without debug sections, OUT/rootfs,
# OUT/tests (CPython's own test suite).
set -euo pipefail
# shellcheck source=worker/guest/python/steps/lib.sh
. "$(dirname "$0")/lib.sh"

# wasi-libc comes with debug sections; function names stay, retort-aot needs them.
llvm-objcopy-14 --strip-debug "$WORK/cpython/python.wasm" "$WORK/python.wasm.new"
chmod 644 "$WORK/python.wasm.new"
"$BUILD_PYTHON" -S -s "$GUEST/rootfs.py" "$WORK/cpython-src/Lib" "$WORK/cpython" "$GUEST/lib" \
    "$GUEST/bootstrap/sitecustomize.py" /usr/share/zoneinfo "$WORK/rootfs.new" \
    "$WORK/tests.new"
# test_getpath looks for it where it is in a source tree.
mkdir "$WORK/tests.new/Modules"
cp "$WORK/cpython-src/Modules/getpath.py" "$WORK/tests.new/Modules/"
rm -rf "$OUT/rootfs" "$OUT/tests"
mv "$WORK/rootfs.new" "$OUT/rootfs"
mv "$WORK/tests.new" "$OUT/tests"
mv "$WORK/python.wasm.new" "$OUT/python.wasm"
