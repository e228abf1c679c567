#!/bin/bash
# Puts the results in place: OUT/python.wasm without debug sections, OUT/rootfs.
set -euo pipefail
# shellcheck source=worker/guest/python/steps/lib.sh
. "$(dirname "$0")/lib.sh"

# wasi-libc comes with debug sections; function names stay, retort-aot needs them.
llvm-objcopy-14 --strip-debug "$WORK/cpython/python.wasm" "$WORK/python.wasm.new"
chmod 644 "$WORK/python.wasm.new"
"$BUILD_PYTHON" -S -s "$GUEST/rootfs.py" "$WORK/cpython-src/Lib" "$WORK/cpython" "$GUEST/lib" \
    "$GUEST/bootstrap/sitecustomize.py" /usr/share/zoneinfo "$WORK/rootfs.new"
rm -rf "$OUT/rootfs"
mv "$WORK/rootfs.new" "$OUT/rootfs"
mv "$WORK/python.wasm.new" "$OUT/python.wasm"
