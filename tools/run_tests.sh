#!/usr/bin/env bash
# The whole test-suite in the project's environment. Options go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/setup_env.sh
exec .venv/bin/python -m pytest -q tests "$@"
