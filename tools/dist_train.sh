#!/usr/bin/env bash
# dist_train.sh CONFIG PROCESSES [options of train.py]; works on GPUs, and on CPU by gloo.
# NNODES=4 MASTER_ADDR=host0 on each of four machines. MAX_RESTARTS=3 starts the processes again if one ends by an error:
# they go on from the last checkpoint; with NNODES=2:4 on two to four machines, as many as are left or have come back.
set -euo pipefail
CONFIG=$1
PROCESSES=$2
NNODES=${NNODES:-1}
if [ "$NNODES" = 1 ]; then
    MEETING=(--nnodes=1 --node_rank=0 --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}")
elif [ -n "${NODE_RANK:-}" ]; then      # who is who is given, and a machine cannot come back
    MEETING=(--nnodes="$NNODES" --node_rank="$NODE_RANK" --master_addr="$MASTER_ADDR" --master_port="${PORT:-29500}")
else
    MEETING=(--nnodes="$NNODES" --rdzv_backend=c10d --rdzv_endpoint="$MASTER_ADDR:${PORT:-29500}"
             --rdzv_id="${RUN_ID:-mmcluster}")
    # with one store for meetings and training, torch's agents do not say again where it is, and a machine that comes
    # back waits for that until all give up
    export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
fi
PYTHONPATH="$(dirname "$0")/..:${PYTHONPATH:-}" exec "${PYTHON:-python}" -m torch.distributed.run \
    "${MEETING[@]}" --nproc_per_node="$PROCESSES" --max_restarts="${MAX_RESTARTS:-0}" \
    "$(dirname "$0")/train.py" "$CONFIG" --launcher pytorch "${@:3}"
