"""A two-dimensional map of features: t-SNE of a sample, and the other rows between their neighbours in it."""
from __future__ import annotations

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from .whitening import blocks

SAMPLE = 3000                   # rows that t-SNE arranges; its time grows faster than they do
NEIGHBORS = 5


def _arrange(x: np.ndarray, seed: int) -> np.ndarray:
    """Arrange rows (n, d) in the plane, from their first two principal components."""
    if not len(x) or (x == x[0]).all():
        return np.zeros((len(x), 2))
    plane = PCA(min(2, *x.shape), svd_solver='randomized', random_state=seed).fit_transform(x)
    plane = np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))
    if len(x) < 10:
        return plane
    start = plane / plane[:, 0].std() * 1e-4        # as t-SNE wants it: small, but with the large-scale order
    return TSNE(2, init=start.astype(np.float32), perplexity=min(30.0, (len(x) - 1) / 3), max_iter=500,
                random_state=seed).fit_transform(x)


def map_layout(x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Place rows on a map where near ones are near.

    Rows beyond a random sample go to the mean of their nearest rows of the sample, weighted by how near these are,
    and shifted a little by a repeatable draw, so that copies of a row do not hide each other.

    Args:
        x: (N, d) reduced features.
        seed: Decides the sample and the shifts.

    Returns:
        (N, 2) float32 in [-1, 1]. Edge case: equal rows lie at the origin.
    """
    random = np.random.RandomState(seed)
    sample = np.sort(random.permutation(len(x))[:SAMPLE])
    known = _arrange(x[sample], seed)
    out = np.empty((len(x), 2), np.float32)
    rows, start, count = torch.from_numpy(np.ascontiguousarray(x[sample])), 0, min(NEIGHBORS, len(sample))
    places = torch.from_numpy(known.astype(np.float32))
    for part in blocks(x):
        distance, index = torch.cdist(torch.from_numpy(np.ascontiguousarray(part)), rows).topk(count, largest=False)
        weight = (-(distance / distance.mean(dim=1, keepdim=True).clamp_min(1e-12)).square() * 4).softmax(dim=1)
        out[start:start + len(part)] = (weight[..., None] * places[index]).sum(dim=1).numpy()
        start += len(part)
    spread = float(np.abs(known).max(initial=0))
    out += random.uniform(-1, 1, out.shape) * spread * 0.004
    out[sample] = known
    out -= (known.max(axis=0) + known.min(axis=0)) / 2
    return (out / max(float(np.abs(out).max(initial=0)), 1e-12)).astype(np.float32)
