"""How many clusters: a sweep over candidates on reduced features, and a suggestion with how sure it is."""
from __future__ import annotations

from typing import Callable, NamedTuple, Optional, Union

import numpy as np
import torch
from sklearn.metrics import davies_bouldin_score, silhouette_score
from sklearn.metrics.pairwise import euclidean_distances

from mmcluster.functional.cluster_scores import agreement, prediction_strength
from mmcluster.functional.kmeans import KMeansResult, center_similarity, lloyd
from mmcluster.functional.merge_tree import cut_tree, ward_tree

TREE_ROWS = 1500                # rows whose tree gives the first centres of every K
SCORED_ROWS = 2000              # rows whose silhouettes are computed
FITTED_ROWS = 10000             # rows that are clustered for the curve
HALF_ROWS = 3000                # rows of either half of a split
SPLITS = 6
FINEST_STEP = 1.05              # candidates beyond 20 grow by this, finer than a suggestion can be
SUGGESTIONS = 3
APART = 1.15                    # suggestions differ at least by this factor, else the second choice says nothing
PLATEAU = 0.08                  # width in log K over which a score counts for its neighbours too
CLEAR_GAP, LIKELY_GAP = 0.2, 0.04       # lead of the first choice over Ks that differ by more than a fifth
Progress = Callable[[int, int], None]


class KScore(NamedTuple):
    """One point of the curve.

    Attributes:
        k: Number of clusters.
        silhouette: Of a sample, in [-1, 1].
        davies_bouldin: Smaller is better.
        stability: Mean ARI of clusterings of two halves of the rows.
        prediction_strength: Mean over clusters and halves, in [0, 1].
    """
    k: int
    silhouette: float
    davies_bouldin: float
    stability: float
    prediction_strength: float

    @property
    def score(self) -> float:
        """What suggestions are ranked by, at best 1: shape, stability and prediction strength have one vote each.

        The two that judge the shape share a vote: both creep up with K where clusters are no balls.
        """
        shape = (self.silhouette + 1 / (1 + self.davies_bouldin)) / 2
        return (shape + self.stability + self.prediction_strength) / 3


class KChoice(NamedTuple):
    """Outcome of a sweep.

    Attributes:
        curve: One entry for each candidate.
        suggestions: The best candidates that differ enough, best first.
        sureness: ``'clear'``, ``'likely'`` or ``'unsure'``.
    """
    curve: list[KScore]
    suggestions: list[int]
    sureness: str


class _Half:
    """Rows that are clustered for every K from one Ward tree over a sample: a sweep seeds once and repeats itself."""

    def __init__(self, rows: np.ndarray, metric: str, random: np.random.RandomState):
        self.rows, self.metric = torch.from_numpy(rows), metric
        self.sample = rows[random.permutation(len(rows))[:TREE_ROWS]]
        self.tree = ward_tree(self.sample, np.ones(len(self.sample)))

    def cluster(self, k: int) -> KMeansResult:
        """k-means from the centres that a cut of the tree gives."""
        group = cut_tree(self.tree, k)
        centers = np.zeros((k, self.sample.shape[1]), np.float32)
        np.add.at(centers, group, self.sample)
        centers /= np.maximum(np.bincount(group, minlength=k), 1)[:, None]
        return lloyd(self.rows, torch.from_numpy(centers), self.metric, max_iter=30)

    def nearest(self, centers: torch.Tensor) -> np.ndarray:
        """Nearest of given centres (K, d) -> (n,)."""
        return center_similarity(self.rows, centers, self.metric).argmax(1).numpy()


def k_range(wanted: Union[str, tuple[int, int]], rows: int) -> tuple[int, int]:
    """Turn what a user asked for into the smallest and the largest K.

    Args:
        wanted: ``'auto'`` or (low, high).
        rows: N.

    Returns:
        ``'auto'`` goes up to 1.5 sqrt(N), at most 100.

    Raises:
        ValueError: If the range is none, or beyond the number of rows.
    """
    if isinstance(wanted, str):
        return 2, max(2, min(100, int(1.5 * rows ** 0.5), rows - 1))
    low, high = (int(value) for value in wanted)
    if not 2 <= low <= high:
        raise ValueError(f'A range of K must be from 2 upwards, got {low}:{high}')
    if low >= rows:
        raise ValueError(f'{rows} images have no {low} clusters to choose among: begin the range below {rows}')
    return low, min(high, rows - 1)


def candidates(low: int, high: int) -> list[int]:
    """Every K at first, then steps of 5 per cent, with both ends."""
    steps = [low]
    while steps[-1] < high:
        steps.append(min(high, max(steps[-1] + 1, round(steps[-1] * FINEST_STEP))))
    return steps


def _scored(whole: _Half, halves: list[tuple[_Half, _Half]], k: int, scored: np.ndarray,
            distance: np.ndarray) -> KScore:
    """The point of the curve at K."""
    labels = whole.cluster(k).labels.numpy()
    stability, strength = [], []
    for pair in halves:
        results = [half.cluster(k) for half in pair]
        for half, own, other in zip(pair, results, results[::-1]):
            predicted, own_labels = half.nearest(other.centers), own.labels.numpy()
            stability.append(agreement(own_labels, predicted))
            strength.append(prediction_strength(own_labels, predicted))
    silhouette, spread = -1.0, np.inf       # what one cluster, or one for each row, is worth
    if 1 < len(np.unique(labels[scored])) < len(scored):
        silhouette = silhouette_score(distance, labels[scored], metric='precomputed')
        spread = davies_bouldin_score(whole.rows.numpy(), labels)
    return KScore(k, float(silhouette), float(spread), float(np.mean(stability)), float(np.mean(strength)))


def suggest(curve: list[KScore]) -> KChoice:
    """Rank the points of a curve.

    Args:
        curve: At least one point.

    Returns:
        The curve with up to three suggestions. A point is ranked by its score and, half each, that of its
        neighbourhood: a lone peak is noise of the splits, where a plateau is not. The first is clear if it leads the
        candidates that differ by more than a fifth by 20 per cent of its score, likely from 4 per cent.
    """
    score, place = np.array([point.score for point in curve]), np.log([point.k for point in curve])
    near = np.exp(-((place[:, None] - place) / PLATEAU) ** 2 / 2)
    rank = score + near @ score / near.sum(axis=1)
    ranked = [curve[i] for i in np.argsort(-rank, kind='stable')]
    chosen: list[KScore] = []
    for point in ranked:
        if all(max(point.k, old.k) >= APART * min(point.k, old.k) for old in chosen):
            chosen.append(point)
    best = chosen[0]
    others = [point.score for point in ranked if not 0.8 * best.k <= point.k <= 1.2 * best.k]
    gap = (best.score - max(others)) / max(abs(best.score), 1e-12) if others else 0.0
    sureness = 'clear' if gap >= CLEAR_GAP else 'likely' if gap >= LIKELY_GAP else 'unsure'
    return KChoice(curve, [point.k for point in chosen[:SUGGESTIONS]], sureness)


def choose_k(z: np.ndarray, low: int, high: int, unit: bool = True, seed: int = 0,
             progress: Optional[Progress] = None) -> KChoice:
    """Sweep over numbers of clusters.

    Args:
        z: (N, d) reduced features.
        low: Smallest K.
        high: Largest K, below N.
        unit: The rows have unit length, so k-means goes by cosine.
        seed: Decides samples and splits.
        progress: Called with the candidates done and all of them.

    Returns:
        The curve and the suggestions.
    """
    random, metric = np.random.RandomState(seed), 'cosine' if unit else 'euclidean'
    z = np.ascontiguousarray(z[np.sort(random.permutation(len(z))[:FITTED_ROWS])], np.float32)
    whole, scored = _Half(z, metric, random), random.permutation(len(z))[:SCORED_ROWS]
    distance = euclidean_distances(z[scored])
    np.fill_diagonal(distance, 0)
    half, halves = min(len(z) // 2, HALF_ROWS), []
    for _ in range(SPLITS):
        order = random.permutation(len(z))
        halves.append((_Half(z[order[:half]], metric, random), _Half(z[order[half:2 * half]], metric, random)))
    ks, curve = candidates(low, high), []
    for done, k in enumerate(ks, 1):
        curve.append(_scored(whole, halves, k, scored, distance))
        if progress:
            progress(done, len(ks))
    return suggest(curve)
