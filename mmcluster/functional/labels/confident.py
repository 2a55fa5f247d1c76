"""Labels that a network trusts itself with, a share of each batch (TCL's boosting)."""
from __future__ import annotations

import math

import torch
from torch import Tensor

from ..losses.contrast import at_least_float32
from ..losses.prototype import one_hot


@torch.no_grad()
def confident_labels(prob: Tensor, label: Tensor, threshold: float = 0.99, share: float = 0.5) -> Tensor:
    """Label the surest rows of a batch, and take the label of every row back that is not sure (TCL's boosting).

    Of the rows predicted as a class the ``ceil(B / K * share)`` most confident are candidates; a candidate without a
    label gets its class, a label that there is stays. Then whoever is less confident than ``threshold`` has none.

    Args:
        prob: (B, K) probabilities of the views without augmentation.
        label: (B,) long, the present label, -1 for none.
        threshold: Confidence that a labelled row needs (paper's alpha).
        share: Of a class of average size that is labelled in one batch (paper's gamma).

    Returns:
        (B,) long.

    Edge cases: of equal confidences the first rows are taken, of equal probabilities the first class counts; fewer
    rows than classes leave a quota of one row.
    """
    prob = at_least_float32(prob)
    size, num_clusters = prob.shape
    confidence, predicted = prob.max(dim=1)
    order = torch.argsort(confidence, descending=True, stable=True)
    # ranks within a class by running counts: their number of rows would have to be read by the host
    before = one_hot(predicted[order], num_clusters, predicted).cumsum(dim=0)
    rank = torch.empty_like(predicted).scatter_(0, order, before.gather(1, predicted[order, None])[:, 0])
    candidate = predicted.masked_fill(rank > math.ceil(size / num_clusters * share), -1)
    return torch.where(label < 0, candidate, label).masked_fill(confidence < threshold, -1)
