#!/usr/bin/env bash
# Installs the Debian packages that building and running Retort takes, or says which are missing.
#
#   deploy/deps.sh [--check] [--with tests] [--with container]
#
#   --check           only check: exit 0 when all are there, else print the apt-get line and exit 1
#   --with tests      also what `make test`, `make lint` and `make bench` take
#   --with container  also what `make test-container` takes; Debian starts a Docker daemon then
#
# The table below is the only list of packages. All come from Debian 12 as its sources are shipped.
set -euo pipefail
readonly PROGRAM=deploy/deps.sh

# package                   for    reason
readonly TABLE='
  gcc                       run    the compiler of the programs and of the engine
  libc6-dev                 run    C library headers
  make                      run    the build
  python3                   run    build tools and the start script (standard library only)
  python3.11                run    builds CPython for wasm; the native side of the benchmark
  python3-pip               run    fetches the HTTP parser, by version and checksum
  python3-yaml              run    reads the description of the API
  python3-setuptools        run    metadata of what pip fetches
  ca-certificates           run    fetching over https
  curl                      run    the first request
  dpkg-dev                  run    unpacks and patches Debian source packages
  xz-utils                  run    unpacks sources
  clang-14                  run    compiles CPython and C libraries to WebAssembly
  lld-14                    run    links WebAssembly
  llvm-14                   run    ar and ranlib for WebAssembly
  wasi-libc                 run    C library of the WebAssembly side
  libclang-rt-14-dev-wasm32 run    compiler run-time library of the WebAssembly side
  wabt                      run    wasm2c
  tcl                       run    generates the one-file source of SQLite
  libevent-dev              run    event loop of both daemons
  libhiredis-dev            run    Redis client
  libmsgpack-dev            run    job and result encoding
  libjansson-dev            run    JSON
  libseccomp-dev            run    system-call filter of the job processes
  libsodium-dev             run    SHA-256 of a module
  zlib1g-dev                run    answers in gzip
  redis-tools               run    redis-server itself, without a service that starts at boot
  libcmocka-dev             tests  unit tests
  clang-format-14           tests  formatting
  clang-tidy-14             tests  static analysis
  cppcheck                  tests  static analysis
  shellcheck                tests  shell scripts
  libclang-rt-14-dev        tests  sanitizers under CC=clang-14, fuzzing
  python3-jsonschema        tests  schemas of what Kubernetes is given, and of answers
  chromium                  tests  pages, and requests across origins
  chromium-driver           tests  drives it
  nginx-light               tests  before the API, with TLS (Debian starts one, on port 80)
  python3-venv              tests  clients of PyPI, tests/clients
  apparmor                  tests  the syntax of deploy/apparmor
  stunnel4                  tests  the way to a Redis behind TLS in docs/OPERATIONS.md
  faketime                  tests  hosts whose clocks are wrong
  openssl                   tests  its certificate
  docker.io                 container  the tests start a daemon of their own
  docker-compose            container  docker-compose.yml
  debootstrap               container  the base image of the tests
  iproute2                  container  the network of that daemon
'
# Debian puts the binary of redis-server into redis-tools (as redis-check-rdb, which acts by its
# name), and only a link, a configuration and a service into the package redis-server. Taking
# redis-tools alone installs the program and leaves no daemon running on the machine.

fail() {
    printf '%s: %s\n' "$PROGRAM" "$1" >&2
    exit 1
}

# Names of the packages of the wanted groups.
wanted_packages() {
    local name group reason
    while read -r name group reason; do
        [[ -z $name || -z $reason ]] && continue
        if [[ $group == run || " $groups " == *" $group "* ]]; then
            printf '%s\n' "$name"
        fi
    done <<<"$TABLE"
}

missing_packages() {
    local wanted
    mapfile -t wanted < <(wanted_packages)
    # dpkg-query prints a line for each that it knows and complains about the others.
    { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null || true; } |
        awk -v wanted="${wanted[*]}" '
            $1 == "ii" { installed[$2] = 1 }
            END { n = split(wanted, names, " ")
                  for (i = 1; i <= n; i++) if (!(names[i] in installed)) print names[i] }'
}

# How to become root: nothing, "sudo", or failure with one sentence.
root_command() {
    if [[ $(id -u) == 0 ]]; then
        return
    fi
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
        echo sudo
        return
    fi
    fail "packages are missing and this user may not install them; as root run: $install_line"
}

install_packages() {
    local sudo log
    sudo=$(root_command)
    log=$(mktemp -t retort-deps.XXXXXX)
    printf 'Installing %d Debian packages (1-3 minutes): %s\n' "${#missing[@]}" "${missing[*]}"
    if ! { $sudo apt-get update &&
        $sudo env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        fail "apt-get could not install the packages above; the whole output is in $log"
    fi
    rm -f "$log"
    mapfile -t missing < <(missing_packages)
    [[ ${#missing[@]} == 0 ]] || fail "still missing after the installation: ${missing[*]}"
}

check_only=0
groups=
while [[ $# -gt 0 ]]; do
    case $1 in
    --check) check_only=1 ;;
    --with)
        [[ ${2-} == tests || ${2-} == container ]] || fail "--with takes: tests, container"
        groups+=" $2"
        shift
        ;;
    *) fail "unknown argument $1; usage: $PROGRAM [--check] [--with tests] [--with container]" ;;
    esac
    shift
done

command -v dpkg-query >/dev/null ||
    fail "this script knows Debian 12 only; elsewhere install what its table names by other means"
mapfile -t missing < <(missing_packages)
[[ ${#missing[@]} == 0 ]] && exit 0
install_line="apt-get install --no-install-recommends ${missing[*]}"
if [[ $check_only == 1 ]]; then
    printf '%s: missing packages; as root run: %s\n' "$PROGRAM" "$install_line" >&2
    exit 1
fi
install_packages
