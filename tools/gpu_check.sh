#!/usr/bin/env bash
# What a GPU has to prove, in ten minutes: gpu_check.sh [--out gpu_check] [--data data/cifar10] [--minutes 10]
# Losses, gradients, k-means, neighbours and views against the host; images a second of five methods; then ProPos on
# CIFAR-10 in what time is left. The report is gpu_check/report.md, report.json beside it. The same command again does
# what is not done yet and goes on with the training. --device cpu --rehearse tries it all on tiny sizes.
set -euo pipefail
PYTHONPATH="$(dirname "$0")/..:${PYTHONPATH:-}" exec "${PYTHON:-python}" "$(dirname "$0")/gpu/check.py" "$@"
