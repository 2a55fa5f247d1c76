#!/usr/bin/env bash
# Makes .venv with mmcluster installed in editable mode; quick when nothing changed. Prints nothing else to stdout.
# --latest: .venv-latest, of the newest releases; --oldest: .venv-oldest, of the lower bounds in runtime.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
VENV=.venv CONSTRAINTS=requirements/constraints.txt UPGRADE=''
case "${1:-}" in
    '') ;;
    --latest) VENV=.venv-latest CONSTRAINTS=/dev/null UPGRADE='--upgrade --upgrade-strategy eager' ;;
    --oldest) VENV=.venv-oldest CONSTRAINTS=.venv-oldest/constraints.txt ;;
    *) echo "usage: setup_env.sh [--latest | --oldest], not $1" >&2; exit 2 ;;
esac
STAMP=$VENV/mmcluster.stamp
WANTED=$(cat setup.py requirements/*.txt | sha256sum | cut -d ' ' -f 1)
if [ -z "$UPGRADE" ] && [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$WANTED" ]; then
    exit 0
fi
[ -x "$VENV/bin/python" ] || "${PYTHON:-python3}" -m venv "$VENV"
# 'name>=floor,<ceiling' becomes 'name==floor'; a line without a floor is left free
[ "$VENV" = .venv-oldest ] && sed -n 's/^\([^<>=]*\)>=\([^,]*\).*/\1==\2/p' requirements/runtime.txt > "$CONSTRAINTS"
"$VENV/bin/python" -m pip install -q -c "$CONSTRAINTS" --upgrade pip setuptools >&2
"$VENV/bin/python" -m pip install -q -c "$CONSTRAINTS" $UPGRADE -e '.[tests,encoder]' >&2
echo "$WANTED" > "$STAMP"
