"""Adjusted mutual information of many classes and clusters."""
from __future__ import annotations

import subprocess
import sys

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score
from torch import Tensor

# Cells from which on a process of its own computes: scikit-learn's expected information holds the interpreter's lock,
# for minutes at 1000 x 1000, and the other processes would take one that gives no sign for dead.
APART = 100_000
_CODE = ('import sys, numpy as np; from sklearn.metrics import adjusted_mutual_info_score as score; '
         'print(repr(float(score(*np.frombuffer(sys.stdin.buffer.read(), np.int64).reshape(2, -1)))))')


def adjusted_mutual_information(table: Tensor) -> float:
    """AMI by scikit-learn, arithmetic mean.

    Args:
        table: (C, K) long, rows of each class and cluster.

    Raises:
        RuntimeError: If the process of its own fails.
    """
    counts = table.cpu().numpy()
    truth, cluster = np.divmod(np.repeat(np.arange(counts.size), counts.reshape(-1)), max(counts.shape[1], 1))
    if counts.size < APART:
        return float(adjusted_mutual_info_score(truth, cluster))
    done = subprocess.run([sys.executable, '-c', _CODE], input=np.stack([truth, cluster]).astype(np.int64).tobytes(),
                          capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors='replace').strip().splitlines()[-1]
        raise RuntimeError(f'AMI could not be computed: {reason}')
    return float(done.stdout)
