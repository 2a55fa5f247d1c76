#!/usr/bin/env bash
# Makes .venv with mmcluster installed in editable mode; quick when nothing changed. Prints nothing else to stdout.
set -euo pipefail
cd "$(dirname "$0")/.."
STAMP=.venv/mmcluster.stamp
WANTED=$(cat setup.py requirements/*.txt | sha256sum | cut -d ' ' -f 1)
if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$WANTED" ]; then
    exit 0
fi
[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install -q --upgrade pip setuptools >&2
.venv/bin/python -m pip install -q -e '.[tests]' >&2
echo "$WANTED" > "$STAMP"
