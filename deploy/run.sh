#!/usr/bin/env bash
# `make run`: from a fresh clone on Debian 12 to a service that answers. Installs what is missing,
# builds what has changed, then becomes the supervisor of a private redis-server, a worker and the
# API (deploy/serve.py).
#
# Settings come from the environment (HOST, PORT, MEMORY_LIMIT_MB, ...); JOBS is how many compilers
# run at once.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=deploy/steps.sh
source deploy/steps.sh

# What one compiler of the engine's largest unit takes, measured.
readonly COMPILER_MIB=900

port_is_taken() {
    local host=${HOST:-127.0.0.1}
    case $host in
    0.0.0.0) host=127.0.0.1 ;;
    ::) host=::1 ;;
    esac
    [[ ${PORT:-8000} != 0 ]] && (exec 3<>"/dev/tcp/$host/${PORT:-8000}") 2>/dev/null
}

available_mib() {
    awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo
}

# As many compilers as there are processors and memory for.
choose_jobs() {
    local fit processors
    fit=$(($(available_mib) / COMPILER_MIB))
    processors=$(nproc)
    JOBS=${JOBS:-$((fit < processors ? fit : processors))}
    [[ $JOBS -ge 1 ]] || JOBS=1
}

check_memory() {
    local free
    free=$(available_mib)
    if [[ ! -e build/image/python/image.json && $free -lt $COMPILER_MIB ]]; then
        fail "building the engine takes $COMPILER_MIB MiB of free memory and $free MiB are free; end something or add swap"
    fi
}

trap 'step_stop; exit 130' INT
trap 'step_stop; exit 143' TERM HUP

if port_is_taken; then
    fail "port ${PORT:-8000} of ${HOST:-127.0.0.1} is in use; choose another: make run PORT=8001"
fi
deploy/deps.sh
check_memory
choose_jobs
make=(make --no-print-directory "-j$JOBS")
step "programs" "30 s" "${make[@]}" all
if [[ -z ${IMAGE-} ]]; then
    step "engine and Python image" "8 minutes, once" "${make[@]}" image
fi
exec /usr/bin/python3 deploy/serve.py
