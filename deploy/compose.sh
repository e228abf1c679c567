#!/usr/bin/env bash
# `make up` and `make down`: docker-compose.yml with WORKERS workers, until a program has run in it.
#
#   deploy/compose.sh up|down
#
# Settings of docker-compose.yml come from the environment. READY_S is how long it may take.
set -euo pipefail
cd "$(dirname "$0")/.."
# Of the first key, for the line to paste.
token=${API_KEYS:-dev_123}
readonly token=${token%%:*} PORT=${PORT:-8080} WORKERS=${WORKERS:-1} READY_S=${READY_S:-60}
export PORT

fail() {
    printf 'retort: %s\n' "$1" >&2
    exit 1
}

# The plugin of newer Dockers, else the program of older ones.
compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose "$@"
    else
        docker-compose "$@"
    fi
}

is_ready() {
    curl --silent --fail --max-time 5 "http://127.0.0.1:$PORT/readyz" >/dev/null
}

up() {
    compose up --detach --scale "worker=$WORKERS"
    local end=$((SECONDS + READY_S))
    until is_ready; do
        if [[ $SECONDS -ge $end ]]; then
            compose ps
            compose logs --tail 15
            fail "no program has run within $READY_S s; the last of the logs are above"
        fi
        sleep 0.2
    done
    printf 'Ready, with %s worker(s). Try:\n\n  %s\n\nmake down stops it.\n' "$WORKERS" \
        "curl -s http://127.0.0.1:$PORT/v1/execute -H 'Authorization: Bearer $token' -H 'Content-Type: application/json' -d '{\"code\": \"print(1+1)\"}'"
}

command -v docker >/dev/null || fail "docker is missing; deploy/deps.sh --with container installs it"
case ${1-} in
up) up ;;
down) compose down --remove-orphans ;;
*) fail "usage: deploy/compose.sh up|down" ;;
esac
