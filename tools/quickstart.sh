#!/usr/bin/env bash
# quickstart.sh FOLDER [options]: environment, then mmcluster cluster on a folder of images.
# quickstart.sh [options]: environment, then ProPos and ClusMatch on digits, a table and a page; see quickstart.py.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
bash tools/setup_env.sh
python=$PWD/.venv/bin/python
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
    cd "$here"      # a relative folder, and clusters/FOLDER, are meant from where the user is
    exec "$python" -m mmcluster cluster "$@"
fi
exec "$python" tools/quickstart.py "$@"
