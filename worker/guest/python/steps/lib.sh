# shellcheck shell=bash
# shellcheck disable=SC2034 # the names are for those who source this
# What every step of build.sh uses. Sourced, not run. GUEST is this directory's parent, WORK the
# build's own directory.

# The compiler's file names, in one place.
CLANG=clang-14
AR=llvm-ar-14
RANLIB=llvm-ranlib-14
TARGET=wasm32-wasi
BUILD_PYTHON=/usr/bin/python3.11

# Debian packages that the build needs, for the inputs' hash and for the message when one is
# missing.
BUILD_PACKAGES=(clang-14 lld-14 llvm-14 wasi-libc libclang-rt-14-dev-wasm32 python3.11 dpkg-dev
    make gcc tcl xz-utils)

fail() {
    printf 'python.wasm: %s\n' "$*" >&2
    exit 1
}

cpu_count() {
    nproc 2>/dev/null || echo 1
}

# Every date in the result is that of Debian's latest change to the source.
source_date() {
    dpkg-parsechangelog -l "$WORK/src/python3.11/debian/changelog" -S Timestamp
}

# Flags of the libraries; the map keeps this machine's paths out of the module.
guest_cflags() {
    printf '%s' "-O2 -ffile-prefix-map=$WORK=."
}

guest_cc() {
    printf '%s' "$CLANG --target=$TARGET --sysroot=$WORK/sysroot"
}
