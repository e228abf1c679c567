#!/bin/bash
# CPython for wasm32-wasi: patch, configure, make. Result: WORK/cpython/python.wasm.
#     cpython.sh patch|configure|make
set -euo pipefail
# shellcheck source=worker/guest/python/steps/lib.sh
. "$(dirname "$0")/lib.sh"

build=$WORK/cpython
source=$WORK/cpython-src
deps=$WORK/deps
SOURCE_DATE_EPOCH=$(source_date)
export SOURCE_DATE_EPOCH

PATCHES=(parser-depth fast-exit job-device lazy-seed logging-shutdown asyncio-wasi linux-errno
    threads decimal-stack thread-pool kdf linux-results memory-error null-pointers)

# The evaluation loop's switch: each value applies one patch more (see README.md).
eval_patches() {
    case $EVAL in
    plain) ;;
    nopredict) echo eval-nopredict ;;
    statemachine) echo eval-nopredict eval-statemachine ;;
    *) fail "EVAL is plain, nopredict or statemachine, not '$EVAL'" ;;
    esac
}

patch_source() {
    local name eval_names
    eval_names=$(eval_patches)
    rm -rf "$source"
    cp -r "$WORK/src/python3.11" "$source"
    # shellcheck disable=SC2086 # a list of names
    for name in "${PATCHES[@]}" $eval_names; do
        patch -d "$source" -p1 --no-backup-if-mismatch <"$GUEST/patches/cpython-$name.patch" ||
            fail "the patch $name does not apply"
    done
    cp "$GUEST"/modules/*.[ch] "$source/Modules/"
    # One time for all files: nothing looks out of date, so make regenerates nothing.
    find "$source" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# What libguest.a adds to wasi-libc (libc/guest_posix.h). configure looks for functions without
# their headers, so it is told.
GUEST_FUNCTIONS=(alarm chmod chown dup fchmod fchmodat fchown fchownat fdopendir flock getegid
    geteuid getgid getgrgid getgroups getitimer getppid getpwent getpwuid getuid kill lchown lockf
    pause setitimer umask)
# What libguest.a puts before the function of wasi-libc that has the name.
WRAPPED=(__original_main __wasi_poll_oneoff access clock_nanosleep faccessat fcntl fstat fstatat
    futimens ioctl lstat mkdir mkdirat open openat opendir raise setlocale stat strerror strftime
    utimensat)

library() {
    export "$1_CFLAGS=-I$deps/include" "$1_LIBS=-L$deps/lib -l$2"
}

configure_build() {
    rm -rf "$build"
    mkdir -p "$build/Modules"
    cp "$GUEST/Setup.local" "$build/Modules/Setup.local"
    library ZLIB z
    library BZIP2 bz2
    library LIBLZMA lzma
    library LIBSQLITE3 sqlite3
    cd "$build"
    local known=(ac_cv_flock_decl=yes ac_cv_working_tzset=yes ac_cv_aligned_required=no
        ac_cv_func_wcsftime=no) name
    for name in "${GUEST_FUNCTIONS[@]}"; do
        known+=("ac_cv_func_$name=yes")
    done
    # It knows better than the command line, and does not know libguest.a.
    grep -v '^ac_cv_func_fdopendir=' "$source/Tools/wasm/config.site-wasm32-wasi" >config.site
    # OPT replaces configure's own flags, -fwrapv among them. 30-bit digits and pymalloc are off
    # by default on a 32-bit WASI target. The path to the source is relative: it gets compiled in.
    CONFIG_SITE=$build/config.site \
    OPT="-DNDEBUG -fwrapv -O2 -Wall" \
    CC="$(guest_cc)" AR=$AR RANLIB=$RANLIB PKG_CONFIG=false \
    CPPFLAGS="-DPy_DEFAULT_RECURSION_LIMIT=1000 -I$deps/include" \
    CFLAGS="-ffile-prefix-map=$WORK=." \
        ../cpython-src/configure --host=wasm32-unknown-wasi --build="$(gcc -dumpmachine)" \
        --with-build-python="$BUILD_PYTHON" --prefix=/usr/local --disable-test-modules \
        --enable-big-digits=30 --with-pymalloc "${known[@]}"
    echo '#include "guest_posix.h"' >>pyconfig.h
}

make_build() {
    local stack=8388608 initial=16777216 maximum=4294967296
    cd "$build"
    # Stack first: running off its end leaves the memory (a trap) instead of eating the data, and
    # the data lies above 64 KiB.
    make -j"$(cpu_count)" python.wasm pybuilddir.txt \
        BUILD_DATE="$(date -u -d "@$SOURCE_DATE_EPOCH" '+%b %d %Y')" \
        BUILD_TIME="$(date -u -d "@$SOURCE_DATE_EPOCH" '+%H:%M:%S')" \
        LDFLAGS_NODIST="-L$deps/lib -lguest -lmusl_tz ${WRAPPED[*]/#/-Wl,--wrap=} \
            -Wl,--stack-first -Wl,-z,stack-size=$stack \
            -Wl,--initial-memory=$initial -Wl,--max-memory=$maximum"
}

case $1 in
patch) patch_source ;;
configure) configure_build ;;
make) make_build ;;
esac
