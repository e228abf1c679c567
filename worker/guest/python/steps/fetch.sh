#!/bin/bash
# Fetches the pinned Debian source packages (sources.list) into WORK/sources and verifies them.
# apt runs on lists and caches of its own: the machine's apt state is neither used nor changed,
# and no root is needed.
set -euo pipefail
# shellcheck source=worker/guest/python/steps/lib.sh
. "$(dirname "$0")/lib.sh"

pins() {
    grep -v '^#' "$GUEST/sources.list"
}

verified() {
    (cd "$WORK/sources" && pins | awk '{print $4 "  " $3}' | sha256sum --check --status) 2>/dev/null
}

configure_apt() {
    local apt=$WORK/apt
    mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
    "$BUILD_PYTHON" -I "$GUEST/apt_sources.py" >"$apt/parts/debian.sources" ||
        fail "no Debian 12 package source is configured on this machine (/etc/apt/sources.list)"
    cat >"$apt/apt.conf" <<CONF
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$apt/parts";
Dir::State::Lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "";
CONF
    export APT_CONFIG=$apt/apt.conf
}

fetch() {
    local wanted
    mapfile -t wanted < <(pins | awk '{print $1 "=" $2}' | sort -u)
    apt-get update || fail "the Debian package lists could not be fetched; is there a network?"
    (cd "$WORK/sources" && apt-get source --download-only "${wanted[@]}") ||
        fail "a pinned source package could not be fetched (${wanted[*]}); is there a network, and" \
            "are these versions still served? See worker/guest/python/sources.list"
}

mkdir -p "$WORK/sources"
if ! verified; then
    configure_apt
    fetch
    verified || fail "a fetched source file does not have the SHA-256 of sources.list"
fi
