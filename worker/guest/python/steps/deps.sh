#!/bin/bash
# zlib, bzip2, liblzma, SQLite and what libc lacks as static libraries for the guest, in WORK/deps.
set -euo pipefail
# shellcheck source=worker/guest/python/steps/lib.sh
. "$(dirname "$0")/lib.sh"

read -ra cc <<<"$(guest_cc) $(guest_cflags)"
deps=$WORK/deps
objects=$WORK/deps-objects

# A sysroot of two links: /usr itself as sysroot would let the machine's own headers in.
make_sysroot() {
    mkdir -p "$WORK/sysroot/include" "$WORK/sysroot/lib"
    ln -sfn /usr/include/wasm32-wasi "$WORK/sysroot/include/wasm32-wasi"
    ln -sfn /usr/lib/wasm32-wasi "$WORK/sysroot/lib/wasm32-wasi"
}

# archive NAME FLAGS... -- SOURCE...: compiles the sources and makes lib<NAME>.a of them.
archive() {
    local name=$1 source
    local flags=() made=()
    shift
    while [ "$1" != -- ]; do
        flags+=("$1")
        shift
    done
    shift
    mkdir -p "$objects/$name"
    for source in "$@"; do
        made+=("$objects/$name/$(basename "$source" .c).o")
        "${cc[@]}" "${flags[@]}" -c "$source" -o "${made[-1]}"
    done
    rm -f "$deps/lib/lib$name.a"
    "$AR" rcsD "$deps/lib/lib$name.a" "${made[@]}"
}

build_zlib() {
    local from=$WORK/src/zlib
    cp "$from/zlib.h" "$from/zconf.h" "$deps/include/"
    # gz*.c too, although nothing calls them: CPython's configure looks for zlib by gzread().
    archive z -I"$from" -DHAVE_UNISTD_H -- "$from"/{adler32,crc32,deflate,infback,inffast}.c \
        "$from"/{inflate,inftrees,trees,zutil,compress,uncompr,gzclose,gzlib,gzread,gzwrite}.c
}

build_bzip2() {
    local from=$WORK/src/bzip2
    cp "$from/bzlib.h" "$deps/include/"
    archive bz2 -I"$from" -D_FILE_OFFSET_BITS=64 -- \
        "$from"/{blocksort,huffman,crctable,randtable,compress,decompress,bzlib}.c
}

# By xz's own configure: liblzma's list of sources is long and depends on what is enabled.
build_lzma() {
    local from=$WORK/lzma-src
    rm -rf "$from" "$objects/lzma"
    cp -r "$WORK/src/xz-utils" "$from"
    patch -d "$from" -p1 <"$GUEST/patches/xz-no-signals.patch"
    # Timestamps of the copy must not make automake want to run itself.
    find "$from" -exec touch -h -d @0 {} +
    mkdir -p "$objects/lzma"
    (cd "$objects/lzma" && "$from/configure" --host=wasm32-wasi --prefix="$deps" \
        --disable-shared --disable-threads --disable-nls --disable-doc --disable-scripts \
        --disable-xz --disable-xzdec --disable-lzmadec --disable-lzmainfo --disable-rpath \
        CC="$(guest_cc)" CFLAGS="$(guest_cflags)" AR="$AR" RANLIB="$RANLIB" &&
        make -j"$(cpu_count)" -C src/liblzma install)
}

build_sqlite() {
    local tree=$objects/sqlite-amalgamation
    rm -rf "$tree"
    mkdir -p "$tree"
    (cd "$tree" && "$WORK/src/sqlite3/configure" --disable-tcl --disable-readline &&
        make sqlite3.c)
    cp "$tree/sqlite3.h" "$tree/sqlite3ext.h" "$deps/include/" 2>/dev/null ||
        cp "$tree/sqlite3.h" "$deps/include/"
    # No unix VFS (it wants locks, mmap and shared memory): sqlite/vfs.c instead.
    archive sqlite3 -I"$tree" -DSQLITE_OS_OTHER=1 -DSQLITE_THREADSAFE=0 -DSQLITE_TEMP_STORE=3 \
        -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_ENABLE_MATH_FUNCTIONS \
        -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_COLUMN_METADATA -DSQLITE_DQS=3 -- \
        "$tree/sqlite3.c" "$GUEST/sqlite/vfs.c"
}

# Corrections of wasi-libc and what it lacks; linked before it.
build_libc_fixes() {
    local musl=$WORK/src/wasi-libc/libc-top-half/musl/src place=$objects/guest
    mkdir -p "$place"
    cp "$GUEST"/libc/*.h "$GUEST/threads/include/itimer.h" "$deps/include/"
    # musl's time zones: wasi-libc's own build leaves out most of the file. A static variable is
    # named as a function of <strings.h>; there is no other user to be secure against. Before the
    # first change of a zone mktime() took its offset from beside the table.
    sed -e '/if (a == 0) {/,/return 0/s/6 \* index\[a-1\]/0/' \
        -e 's/\bindex\b/zi_index/g' -e 's/libc\.secure/0/g' -e 's/__tm_to_tzname/unused_&/' \
        "$musl/time/__tz.c" >"$place/musl_tz.c"
    archive musl_tz -D__wasilibc_unmodified_upstream -D__libc_malloc=malloc -w \
        -I"$GUEST/libc/musl" -I"$musl/internal" -I"$musl/include" -I"$musl/time" -- \
        "$place/musl_tz.c"
    archive guest -D_GNU_SOURCE -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_GETPID -Wall -Wextra \
        -I"$GUEST/threads/include" -I"$GUEST/../../.." -- "$GUEST"/{libc,threads}/*.c
}

rm -rf "$deps" "$objects"
mkdir -p "$deps/include" "$deps/lib"
make_sysroot
build_zlib
build_bzip2
build_lzma
build_sqlite
build_libc_fixes
