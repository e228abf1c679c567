#!/bin/bash
# Builds python.wasm and its file tree from Debian's source.
#
#     build.sh OUT_DIR         makes OUT_DIR/python.wasm, OUT_DIR/rootfs/ and OUT_DIR/tests/
#     build.sh --inputs-hash   prints a hash of everything that the result depends on
#
# EVAL=plain|nopredict|statemachine chooses the form of the evaluation loop (README.md).
#
# A build is a row of steps, each with a stamp that holds the hash of what went into it and into
# the steps before it: an interrupted build goes on with the step it was in, and a changed file
# repeats the steps from where it matters. All work is done below OUT_DIR/work.
set -euo pipefail
GUEST=$(cd "$(dirname "$0")" && pwd)
EVAL=${EVAL:-statemachine}
# Compilers and scripts must not see what the caller has set for himself.
unset CC CFLAGS CPPFLAGS LDFLAGS CXXFLAGS PYTHONPATH PYTHONHOME MAKEFLAGS MFLAGS DESTDIR
export GUEST EVAL LC_ALL=C TZ=UTC0 PYTHONHASHSEED=0
# shellcheck source=worker/guest/python/steps/lib.sh
. "$GUEST/steps/lib.sh"

# name | what is said while it runs | usual seconds | command | files it depends on
STEPS=(
    "fetch|fetching Debian's sources|5|steps/fetch.sh|sources.list apt_sources.py steps/fetch.sh"
    "extract|unpacking the sources|5|steps/extract.sh|steps/extract.sh"
    "libraries|compiling zlib, bzip2, xz, SQLite|35|steps/deps.sh|steps/deps.sh steps/lib.sh sqlite
        libc threads ../../engine/fiber_abi.h patches/xz-no-signals.patch"
    "patch|patching CPython|2|steps/cpython.sh patch|steps/cpython.sh patches
        modules"
    "configure|configuring CPython|35|steps/cpython.sh configure|Setup.local"
    "compile|compiling CPython|60|steps/cpython.sh make|"
    "rootfs|assembling the standard library|10|steps/finish.sh|steps/finish.sh rootfs.py lib
        bootstrap/sitecustomize.py"
)

package_versions() {
    dpkg-query -W -f '${Package} ${Version}\n' "${BUILD_PACKAGES[@]}" tzdata 2>/dev/null | sort
}

# The hash of named files and directories below this one, by name and contents.
hash_files() {
    (cd "$GUEST" && find "$@" -type f ! -path '*/__pycache__/*' -print0 | sort -z |
        xargs -0 sha256sum) | sha256sum | cut -d' ' -f1
}

# hash_step PREVIOUS STEP: of a row of the table and all rows above it.
hash_step() {
    local files
    read -ra files <<<"$(tr '\n' ' ' <<<"${2##*|}")"
    echo "$1 $(hash_files "${files[@]:-build.sh}")" | sha256sum | cut -d' ' -f1
}

first_hash() {
    { package_versions; echo "$EVAL"; } | sha256sum | cut -d' ' -f1
}

inputs_hash() {
    local hash row
    hash=$(first_hash)
    for row in "${STEPS[@]}"; do
        hash=$(hash_step "$hash" "$row")
    done
    echo "$hash"
}

check_packages() {
    local missing=() package
    for package in "${BUILD_PACKAGES[@]}"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            missing+=("$package")
    done
    [ "${#missing[@]}" -eq 0 ] ||
        fail "these packages are missing: ${missing[*]} (deploy/deps.sh installs them)"
}

run_step() {
    local name says seconds command start
    IFS='|' read -r name says seconds command _ <<<"${1//$'\n'/ }"
    start=$SECONDS
    printf 'python.wasm: %s (usually %s s) ... ' "$says" "$seconds"
    # shellcheck disable=SC2086 # a command with its argument
    if ! (cd "$GUEST" && nice bash $command) >"$WORK/logs/$name" 2>&1 </dev/null; then
        echo "failed"
        tail -n 15 "$WORK/logs/$name" >&2
        fail "$says failed; the whole log is $WORK/logs/$name"
    fi
    echo "$((SECONDS - start)) s"
}

build() {
    local hash row name
    mkdir -p "$1/work/stamps" "$1/work/logs"
    OUT=$(cd "$1" && pwd)
    export OUT WORK=$OUT/work
    exec 9>"$WORK/lock"
    flock -n 9 || fail "another build is running in $OUT"
    check_packages
    hash=$(first_hash)
    for row in "${STEPS[@]}"; do
        name=${row%%|*}
        hash=$(hash_step "$hash" "$row")
        if [ "$(cat "$WORK/stamps/$name" 2>/dev/null)" != "$hash" ]; then
            rm -f "$WORK/stamps/$name"
            run_step "$row"
            echo "$hash" >"$WORK/stamps/$name"
        fi
    done
}

case ${1:-} in
--inputs-hash) inputs_hash ;;
"" | -*) fail "usage: build.sh OUT_DIR | build.sh --inputs-hash" ;;
*) build "$1" ;;
esac
