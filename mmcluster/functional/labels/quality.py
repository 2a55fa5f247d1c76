"""How right labels are, for figures: by rank in their cluster, and over training. Ground truth is read here."""
from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..clustering.match import contingency, hungarian


class RankPurity(NamedTuple):
    """Whether members of a cluster have its class, by their distance to its centre.

    Attributes:
        order: (K, n) long rows of each cluster, nearest first, ties by row number, -1 padding.
        majority: (K,) long, most frequent class of each cluster, the smallest on ties, -1 if it is empty.
        hit: (K, n) long, 1 where the row has that class, 0 where not, -1 padding.
        cumulative: (K, n) share of hits up to a rank, 0 padding.
        curve: (bins,) share of hits of all clusters, by rank relative to the size of the cluster; 0 of an empty bin.
        bin_rows: (bins,) long.
    """
    order: Tensor
    majority: Tensor
    hit: Tensor
    cumulative: Tensor
    curve: Tensor
    bin_rows: Tensor


class LabelNoise(NamedTuple):
    """Noise of the labels of labelled rows over iterations.

    Attributes:
        noise: (T,) one less the share of rows on the best one-to-one map of labels and classes; 0 without rows.
        rows: (T,) long, labelled rows of the window.
    """
    noise: Tensor
    rows: Tensor


def rank_purity(distance: Tensor, cluster: Tensor, true: Tensor, num_clusters: int, bins: int = 10) -> RankPurity:
    """Purity by rank of distance (ClusMatch Fig. 1b): the curve should fall.

    Args:
        distance: (N,) to the centre of the own cluster.
        cluster: (N,) long.
        true: (N,) long classes, from 0.
        num_clusters: K.
        bins: Of the curve; rank r of a cluster of m rows is in bin floor(r bins / m).
    """
    cluster, true = cluster.long().cpu(), true.long().cpu()
    by_distance = distance.cpu().argsort(stable=True)
    members = [by_distance[cluster[by_distance] == one] for one in range(num_clusters)]
    width = max((len(rows) for rows in members), default=0)
    order, hit = (torch.full((num_clusters, width), -1) for _ in range(2))
    cumulative = torch.zeros(num_clusters, width, dtype=torch.float64)
    majority = torch.full((num_clusters,), -1)
    counts, hits = (torch.zeros(bins, dtype=torch.long) for _ in range(2))
    for one, rows in enumerate(members):
        size = len(rows)
        if not size:
            continue
        majority[one] = torch.bincount(true[rows]).argmax()
        right = (true[rows] == majority[one]).long()
        order[one, :size], hit[one, :size] = rows, right
        cumulative[one, :size] = right.cumsum(0).double() / torch.arange(1, size + 1)
        place = torch.arange(size) * bins // size
        counts += torch.bincount(place, minlength=bins)
        hits += torch.bincount(place[right == 1], minlength=bins)
    return RankPurity(order, majority, hit, cumulative, hits.double() / counts.clamp_min(1), counts)


def label_noise(labels: Tensor, true: Tensor, num_clusters: int, num_classes: int, window: int) -> LabelNoise:
    """Noise of labels over a window of iterations (ASD Fig. 7c, d); a single iteration of few rows flatters it.

    Args:
        labels: (T, L) long cluster labels of the labelled rows of every iteration, -1 where there is none yet.
        true: (T, L) long classes.
        num_clusters: K.
        num_classes: C.
        window: Iterations t - window + 1 .. t that are counted at t.
    """
    tables = torch.stack([contingency(label, truth, num_clusters, num_classes) for label, truth in zip(labels, true)])
    total = tables.cumsum(0)
    total[window:] = total[window:] - total[:-window].clone()
    rows = total.sum(dim=(1, 2))
    right = torch.stack([_matched(table) for table in total])
    return LabelNoise(torch.where(rows > 0, 1 - right / rows.clamp_min(1), 0.).double(), rows)


def _matched(table: Tensor) -> Tensor:
    """Rows on the best one-to-one map of a table (K, C) -> () float64."""
    mapping = hungarian(table)
    known = mapping >= 0
    return table[known, mapping[known]].sum().double()
