#!/bin/bash
# Unpacks the fetched packages with Debian's own patches, as WORK/src/<package>.
set -euo pipefail
# shellcheck source=worker/guest/python/steps/lib.sh
. "$(dirname "$0")/lib.sh"

rm -rf "$WORK/src"
mkdir -p "$WORK/src"
awk '!/^#/ && $3 ~ /\.dsc$/ {print $1, $3}' "$GUEST/sources.list" |
    while read -r package dsc; do
        # Checked against our own SHA-256 already; the keyring may not be installed.
        dpkg-source --no-check -x "$WORK/sources/$dsc" "$WORK/src/$package"
    done
