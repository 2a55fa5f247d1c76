#!/usr/bin/env bash
# Lint, order of imports and types, in the versions of requirements/constraints.txt; seconds once mypy has its cache.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python)}
"$PYTHON" -m ruff check --output-format concise
"$PYTHON" -m isort --check-only --quiet mmcluster tools tests docs setup.py
"$PYTHON" -m mypy
