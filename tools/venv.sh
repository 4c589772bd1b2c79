#!/bin/sh
# Make the virtual environment named by $1 with the first Python that is new enough ($PYTHON goes first).
# One that is there and works is kept.
set -eu
venv=$1
new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

if "$venv/bin/python" -c "$new_enough" 2>/dev/null && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

for python in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3 python; do
    if "$python" -c "$new_enough" 2>/dev/null; then
        if ! "$python" -m venv --clear "$venv"; then
            rm -rf "$venv"
            echo "error: '$python -m venv' failed; on Debian or Ubuntu, 'apt-get install python3-venv' mends it" >&2
            exit 1
        fi
        exit 0
    fi
done
echo "error: Hubbub needs Python 3.11 or later, and none is on the PATH; install it, or name it: make PYTHON=/path/to/python3.11" >&2
exit 1
