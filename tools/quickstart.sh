#!/usr/bin/env bash
# From nothing to clustered digits: environment, ProPos, ClusMatch, a table. Options go to tools/quickstart.py.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/setup_env.sh
exec .venv/bin/python tools/quickstart.py "$@"
