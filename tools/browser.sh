#!/bin/sh
# Print the path of a Chromium for the browser tests; install one with apt-get where there is none and that
# needs no password. Where that cannot be done: under CI it fails, elsewhere it says what to do and prints nothing.
set -eu

found() {
    "$1" --version >/dev/null 2>&1 && command -v "$1"
}

find_browser() {
    for name in chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
        found "$name" && return
    done
    return 1
}

install_browser() {
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then
        as_root="env"
    elif sudo -n true 2>/dev/null; then
        as_root="sudo -n env"
    else
        return 1
    fi
    echo "No Chromium here: installing it with apt-get, for the browser tests (several minutes on a slow line)" >&2
    apt="$as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0"
    $apt update >&2 && $apt install -y --no-install-recommends chromium fonts-wqy-zenhei </dev/null >&2
}

if [ -n "${HUBBUB_BROWSER:-}" ]; then
    found "$HUBBUB_BROWSER" && exit 0
    echo "error: HUBBUB_BROWSER names '$HUBBUB_BROWSER', which does not run; name a Chromium or unset it" >&2
    exit 1
fi

find_browser && exit 0
if install_browser && find_browser; then
    exit 0
fi

cat >&2 <<'TEXT'
======================================================================================
There is no Chromium for the browser tests. Either install one so that it is on the
PATH as chromium, chromium-browser or google-chrome, or name it:
    make test HUBBUB_BROWSER=/path/to/chromium
======================================================================================
TEXT
case "${CI:-}" in "" | false | 0) exit 0 ;; *) exit 1 ;; esac
