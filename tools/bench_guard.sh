#!/bin/sh
# Run the guard of what messages cost with the arguments given, after making sure of valgrind: where there is none,
# and apt-get needs no password, it is installed. Without it the guard says what was not checked, and under CI fails.
set -eu
cd "$(dirname "$0")/.."

install_valgrind() {
    [ "$(uname)" = Linux ] && command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then
        as_root="env"
    elif sudo -n true 2>/dev/null; then
        as_root="sudo -n env"
    else
        return 1
    fi
    echo "No valgrind here: installing it with apt-get, for make bench-guard" >&2
    apt="$as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0"
    $apt update >&2 && $apt install -y --no-install-recommends valgrind </dev/null >&2
}

command -v valgrind >/dev/null || install_valgrind || true
exec .venv/bin/python -m bench.guard.main "$@"
