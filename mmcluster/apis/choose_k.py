"""How many clusters: a sweep over candidates on reduced features, and a suggestion with how sure it is."""
from __future__ import annotations

from typing import Callable, NamedTuple, Optional, Union

import numpy as np
import torch
from sklearn.metrics import davies_bouldin_score, silhouette_score
from sklearn.metrics.pairwise import euclidean_distances

from mmcluster.functional.clustering.cluster_scores import agreement, prediction_strength, shared_information
from mmcluster.functional.clustering.kmeans import KMeansResult, center_similarity, lloyd
from mmcluster.functional.clustering.merge_tree import cut_tree, ward_tree

TREE_ROWS = 1500                # rows whose tree gives the first centres of every K
SCORED_ROWS = 2000              # rows whose silhouettes are computed
FITTED_ROWS = 10000             # rows that are clustered for the curve
HALF_ROWS = 3000                # rows of either half of a split
SPLITS = 6
CLOUD_SPLITS, CLOUD_STEP = 2, 4         # splits of the structureless cloud, of every so manieth candidate
MIXED_ROWS = 2000               # rows of which each row of the cloud is a random sum
FINEST_STEP = 1.05              # candidates beyond 20 grow by this, finer than a suggestion can be
SUGGESTIONS = 3
APART = 1.3                     # suggestions differ at least by this factor, else the second choice says nothing
PLATEAU = 0.08                  # width in log K over which a score counts for its neighbours too
CLEAR_GAP, LIKELY_GAP = 0.2, 0.04       # lead of the first choice over Ks that differ by more than a fifth
CLEAR_STABILITY = 0.9           # a split that half the rows make otherwise is not clear, whatever it leads
Progress = Callable[[int, int], None]


class KScore(NamedTuple):
    """One point of the curve.

    Attributes:
        k: Number of clusters.
        silhouette: Of a sample, in [-1, 1].
        davies_bouldin: Smaller is better.
        stability: Mean ARI of clusterings of two halves of the rows.
        prediction_strength: Mean over clusters and halves, in [0, 1].
        information: Nats that the clusterings of two halves say of each other, beyond those of a structureless cloud.
        unshared: Nats that they say alone.
    """
    k: int
    silhouette: float
    davies_bouldin: float
    stability: float
    prediction_strength: float
    information: float = 0.0
    unshared: float = 0.0

    @property
    def score(self) -> float:
        """What suggestions are ranked by: information times stability.

        Stability alone favours few clusters, since a coarse split repeats itself in every set with a long axis;
        information alone favours many, of which a little is shared wherever the cut goes.
        """
        return max(self.information, 0) * max(self.stability, 0)

    @property
    def net(self) -> float:
        """What is shared less what is not: above 0 the clusters are more structure than chance."""
        return self.information - self.unshared


class KChoice(NamedTuple):
    """Outcome of a sweep.

    Attributes:
        curve: One entry for each candidate.
        suggestions: The best candidates that differ enough, best first.
        sureness: ``'clear'``, ``'likely'`` or ``'unsure'``.
        coarse: A smaller number of groups, within which the suggestion lies, that repeats itself more surely.
    """
    curve: list[KScore]
    suggestions: list[int]
    sureness: str
    coarse: Optional[int] = None


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


def _halves(z: np.ndarray, splits: int, metric: str, random: np.random.RandomState) -> list[tuple[_Half, _Half]]:
    """Random splits of rows into halves."""
    half, orders = min(len(z) // 2, HALF_ROWS), [random.permutation(len(z)) for _ in range(splits)]
    return [(_Half(z[order[:half]], metric, random), _Half(z[order[half:2 * half]], metric, random))
            for order in orders]


def _cloud(z: np.ndarray, unit: bool, random: np.random.RandomState) -> np.ndarray:
    """Rows of a Gaussian with the mean and the covariance of rows (N, d), but no groups: random sums of them."""
    mean = z.mean(axis=0)
    mixed = z[random.permutation(len(z))[:MIXED_ROWS]] - mean
    weight = random.randn(min(len(z), 2 * HALF_ROWS), len(mixed)).astype(np.float32)
    rows = mean + weight @ mixed / np.float32(len(mixed) ** 0.5)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) if unit else rows


def _repeats(halves: list[tuple[_Half, _Half]], k: int) -> np.ndarray:
    """Stability, prediction strength, information and what is unshared, of clusterings into K of two halves."""
    found = []
    for pair in halves:
        results = [half.cluster(k) for half in pair]
        for half, own, other in zip(pair, results, results[::-1]):
            predicted, labels = half.nearest(other.centers), own.labels.numpy()
            found.append((agreement(labels, predicted), prediction_strength(labels, predicted),
                          *shared_information(labels, predicted)))
    return np.mean(found, axis=0)


def _shape(whole: _Half, k: int, scored: np.ndarray, distance: np.ndarray) -> tuple[float, float]:
    """Silhouette and Davies-Bouldin index at K."""
    labels = whole.cluster(k).labels.numpy()
    if 1 < len(np.unique(labels[scored])) < len(scored):
        silhouette = silhouette_score(distance, labels[scored], metric='precomputed')
        return float(silhouette), float(davies_bouldin_score(whole.rows.numpy(), labels))
    return -1.0, np.inf       # what one cluster, or one for each row, is worth


def suggest(curve: list[KScore]) -> KChoice:
    """Rank the points of a curve.

    Args:
        curve: At least one point.

    Returns:
        The curve with up to three suggestions. A point is ranked by its score and, half each, that of its
        neighbourhood: a lone peak is noise of the splits, where a plateau is not. The first is likely if more of it is
        shared than not and it leads the candidates that differ by more than a fifth by 4 per cent of its score; clear
        if it leads by 20 per cent, is stable, and no coarser split repeats itself more surely.
    """
    place = np.log([point.k for point in curve])
    near = np.exp(-((place[:, None] - place) / PLATEAU) ** 2 / 2)

    def order(values: list[float]) -> list[KScore]:
        """Points of the curve from the highest value with that of its neighbourhood to the lowest."""
        return [curve[i] for i in np.argsort(-(values + near @ values / near.sum(axis=1)), kind='stable')]

    ranked, surest = order([point.score for point in curve]), order([point.net for point in curve])[0]
    chosen: list[KScore] = []
    for point in ranked:
        if all(max(point.k, old.k) >= APART * min(point.k, old.k) for old in chosen):
            chosen.append(point)
    best = chosen[0]
    coarse = surest.k if surest.net > 0 and best.k >= APART * surest.k else None
    others = [point.score for point in ranked if not 0.8 * best.k <= point.k <= 1.2 * best.k]
    gap = (best.score - max(others)) / max(best.score, 1e-12) if others else 0.0
    sureness = 'likely' if gap >= LIKELY_GAP and best.net > 0 else 'unsure'
    if sureness == 'likely' and gap >= CLEAR_GAP and best.stability >= CLEAR_STABILITY and coarse is None:
        sureness = 'clear'
    return KChoice(curve, [point.k for point in chosen[:SUGGESTIONS]], sureness, coarse)


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
    halves, ks = _halves(z, SPLITS, metric, random), candidates(low, high)
    cloud, at = _halves(_cloud(z, unit, random), CLOUD_SPLITS, metric, random), [*ks[:-1:CLOUD_STEP], ks[-1]]
    chance = np.interp(np.log(ks), np.log(at), [_repeats(cloud, k)[2] for k in at])
    curve = []
    for done, k in enumerate(ks, 1):
        stability, strength, shared, unshared = (float(value) for value in _repeats(halves, k))
        curve.append(KScore(k, *_shape(whole, k, scored, distance), stability, strength,
                            shared - float(chance[done - 1]), unshared))
        if progress:
            progress(done, len(ks))
    return suggest(curve)
