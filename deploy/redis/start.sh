#!/bin/sh
# Becomes a redis-server with redis.conf and the users of users.conf, whose passwords are in the
# environment: API_PASSWORD and WORKER_PASSWORD, and if wanted SCALER_PASSWORD and ADMIN_PASSWORD.
#
#   start.sh [redis-server's options]
#   start.sh --print        prints the configuration instead; it has digests and no passwords
#
# Passwords are neither in the arguments of a process nor in a file.
set -eu
here=$(dirname "$0")

digest() {
    printf %s "$1" | sha256sum | cut -d ' ' -f 1
}

# user_rule NAME PASSWORD: prints what sed does with the lines that have #@NAME@.
user_rule() {
    if [ -n "$2" ]; then
        echo "s/#@$1@/#$(digest "$2")/"
    else
        echo "/#@$1@/d"
    fi
}

configuration() {
    rules=$(user_rule API "${API_PASSWORD:?is not set}"
        user_rule WORKER "${WORKER_PASSWORD:?is not set}"
        user_rule SCALER "${SCALER_PASSWORD:-}"
        user_rule ADMIN "${ADMIN_PASSWORD:-}"
        echo "s/+@SCRIPTS@/$(sed 's/^/+/; s/ / +/g' "$here/script_commands")/")
    sed '/^#/d' "$here/redis.conf"
    sed '/^#/d' "$here/users.conf" | sed "$rules"
}

if [ "${1-}" = --print ]; then
    configuration
    exit
fi
text=$(configuration)
# Redis comes to life as this process, so that it gets the signals.
unset API_PASSWORD WORKER_PASSWORD SCALER_PASSWORD ADMIN_PASSWORD
exec redis-server - "$@" <<END
$text
END
