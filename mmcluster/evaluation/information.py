"""Adjusted mutual information of many classes and clusters."""
from __future__ import annotations

import subprocess
import sys
from typing import Optional

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score
from torch import Tensor

# Cells from which on a process of its own computes: scikit-learn's expected information holds the interpreter's lock,
# for minutes at 1000 x 1000, and the other processes would take one that gives no sign for dead.
APART = 100_000
MOST = 1 << 34      # steps of that, C K + N min(C, K), of which one took 23 ns: more than six minutes
_CODE = ('import sys, numpy as np; from sklearn.metrics import adjusted_mutual_info_score as score; '
         'print(repr(float(score(*np.frombuffer(sys.stdin.buffer.read(), np.int64).reshape(2, -1)))))')


def adjusted_mutual_information(cell: Tensor, count: Tensor, num_classes: int, num_clusters: int) -> Optional[float]:
    """AMI by scikit-learn, arithmetic mean.

    Args:
        cell: (M,) class * K + cluster, see :func:`~mmcluster.functional.clustering.metrics.cell_metrics`.
        count: (M,) long, rows of each.
        num_classes: C.
        num_clusters: K.

    Returns:
        The AMI; ``None`` of a table with which it would take longer than minutes.

    Raises:
        RuntimeError: If the process of its own fails.
    """
    if num_classes * num_clusters + int(count.sum()) * min(num_classes, num_clusters) > MOST:
        return None
    truth, cluster = np.divmod(np.repeat(cell.cpu().numpy(), count.cpu().numpy()), max(num_clusters, 1))
    if num_classes * num_clusters < APART:
        return float(adjusted_mutual_info_score(truth, cluster))
    done = subprocess.run([sys.executable, '-c', _CODE], input=np.stack([truth, cluster]).astype(np.int64).tobytes(),
                          capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors='replace').strip().splitlines()[-1]
        raise RuntimeError(f'AMI could not be computed: {reason}')
    return float(done.stdout)
