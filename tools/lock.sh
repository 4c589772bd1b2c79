#!/bin/sh
# Write requirements/*.txt: exact versions with hashes, for Python 3.11 and later on every system.
# Arguments go to `uv pip compile` (--upgrade takes the newest versions).
set -eu
cd "$(dirname "$0")/.."
.venv/bin/python -m pip --disable-pip-version-check --quiet install 'uv>=0.13'

lock() {
    output=$1
    shift
    .venv/bin/uv pip compile --quiet --system-certs --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-emit-find-links --custom-compile-command 'make lock' --output-file "$output" "$@"
}

# Everything together first; the smaller files then take their versions from it, so that they agree.
lock requirements/dev.txt pyproject.toml --group dev "$@"
lock requirements/run.txt pyproject.toml --constraint requirements/dev.txt
lock requirements/build.txt --group build --constraint requirements/dev.txt
# What Hubbub is measured beside has an environment of its own, with the versions that Hubbub has of what both use.
lock requirements/bench-peers.txt bench/peers/requirements.in --constraint requirements/dev.txt "$@"
