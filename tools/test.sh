#!/bin/sh
# Run pytest with the arguments given, after making sure of a browser.
set -eu
cd "$(dirname "$0")/.."

HUBBUB_BROWSER=$(tools/browser.sh)
if [ -n "$HUBBUB_BROWSER" ]; then
    export HUBBUB_BROWSER
    exec .venv/bin/python -m pytest "$@"
fi
unset HUBBUB_BROWSER
status=0
.venv/bin/python -m pytest --ignore=tests/browser "$@" || status=$?
echo "NOT TESTED: tests/browser, for want of a browser (see above)" >&2
exit $status
