#!/usr/bin/env bash
# The site, in build/site; a warning is an error. Needs the extra `docs`: installed if it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/setup_env.sh
.venv/bin/python -c 'import furo, myst_parser, sphinx' 2> /dev/null ||
    .venv/bin/python -m pip install -q -c requirements/constraints.txt -r requirements/docs.txt >&2
rm -rf docs/en/generated build/site
exec .venv/bin/python -m sphinx -q -W --keep-going -b html docs/en build/site
