#!/bin/sh
# CPython's own tests in the sandbox; by default a part of them that takes less than a minute.
# Closing line: "N passed, N failed, N skipped"; skipped are the methods that reasons.py explains.
cd "$(dirname "$0")/../.." || exit 2
exec /usr/bin/python3 -B tests/cpython/run.py "$@"
