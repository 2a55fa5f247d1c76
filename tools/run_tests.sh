#!/usr/bin/env bash
# The test-suite in the project's environment, in two processes. Other options go to pytest (-n 0: one process).
# --quick: functions, models, data and the laws, in about a minute.
# --latest, --oldest: in an environment of its own, see setup_env.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
VENV=.venv SETUP=() OPTIONS=()
for option in "$@"; do
    case "$option" in
        --quick) OPTIONS+=(-m 'not slow' tests/test_{functional,models,datasets,laws.py,registry.py,selectors.py}) ;;
        --latest | --oldest) VENV=.venv$(echo "$option" | cut -c 2-) SETUP=("$option") ;;
        *) OPTIONS+=("$option") ;;
    esac
done
bash tools/setup_env.sh "${SETUP[@]}"
exec "$VENV/bin/python" -m pytest -q -n 2 --dist loadfile "${OPTIONS[@]}"
