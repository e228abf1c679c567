#!/usr/bin/env bash
# Programs of another commit beside those of this tree, through a rolling restart under load:
#     run.sh COMMIT [WORD]
# The other commit is built once, in build/previous. A clone without its history cannot do this.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly commit=$1 match=${2-}
readonly bound=15m

if ! sha=$(git rev-parse --verify --quiet "$commit^{commit}"); then
    echo "  skip  this machine cannot: $commit is not in this clone"
    echo "rolling: 0 passed, 0 failed, 1 skipped"
    exit 0
fi
directory=build/previous/$sha
if [[ ! -x $directory/build/release/retort-worker ]]; then
    rm -rf "$directory"
    mkdir -p "$directory"
    git archive "$sha" | tar -x -C "$directory"
    env -u MAKEFLAGS -u MAKEOVERRIDES timeout "$bound" \
        make -s -C "$directory" -j"$(nproc)" all >/dev/null
fi
echo "rolling: this tree beside ${sha:0:12}"
RETORT_PREVIOUS=$PWD/$directory/build/release exec /usr/bin/python3 tests/support/runner.py \
    --name rolling --match "$match" tests/rolling/test_rolling.py
