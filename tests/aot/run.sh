#!/bin/sh
# Tests of retort-aot: pure Python ones, and small modules that are translated, compiled and run.
# Needs build/release/libretort-sandbox.a (or LIBRARY=...). Closing line: "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 2
exec /usr/bin/python3 -B tests/aot/run.py "$@"
