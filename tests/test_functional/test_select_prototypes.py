"""Samples around centroids against loops over all pairs."""
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmcluster.functional.labels.select import accompanied_prototypes, centroid_distances

F64 = torch.float64


def rand(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def slow(features: Tensor, centroids: Tensor, quota: int) -> list[tuple[int, int]]:
    """(sample, centroid) pairs, the nearest of all pairs first."""
    pairs = sorted((float((features[i] - centroids[c]).norm()), c, i)
                   for c in range(len(centroids)) for i in range(len(features)))
    taken: dict[int, int] = {}
    for _, centroid, sample in pairs:
        if sample not in taken and list(taken.values()).count(centroid) < quota:
            taken[sample] = centroid
    return sorted(taken.items())


def test_distances_in_chunks() -> None:
    features, centroids = rand(30, 4), rand(5, 4, seed=1)
    expected = (centroids[:, None] - features).norm(dim=2)
    for chunk in (1, 7, 30, 100):
        torch.testing.assert_close(centroid_distances(features, centroids, chunk), expected)


@pytest.mark.parametrize('n,k,quota', [(60, 3, 5), (40, 4, 4), (12, 3, 4), (10, 3, 4), (20, 1, 6), (25, 5, 1)])
def test_distinct_samples_against_loops(n: int, k: int, quota: int) -> None:
    """Centroids so near to each other that they want the same samples."""
    for seed in range(4):
        features, centroids = rand(n, 3, seed=seed), 0.2 * rand(k, 3, seed=seed + 50)
        found = accompanied_prototypes(features, centroids, quota)
        assert list(zip(found.index.tolist(), found.target.tolist())) == slow(features, centroids, quota)
        assert len(found.index) == min(n, k * quota)


def test_far_groups_need_no_compromise() -> None:
    centroids = 100 * torch.eye(3, dtype=F64)
    features = centroids.repeat_interleave(7, 0) + rand(21, 3)
    found = accompanied_prototypes(features, centroids, 4)
    union = centroid_distances(features, centroids).argsort(dim=1)[:, :4]
    assert found.index.tolist() == union.flatten().sort().values.tolist()
    assert torch.equal(found.target, found.index // 7)


def test_ties_go_to_the_first() -> None:
    found = accompanied_prototypes(torch.zeros(5, 2), torch.zeros(2, 2), 2)
    assert found.index.tolist() == [0, 1, 2, 3] and found.target.tolist() == [0, 0, 1, 1]


def test_few_rows() -> None:
    for n, k, quota in ((0, 2, 3), (3, 0, 3), (3, 2, 0)):
        found = accompanied_prototypes(rand(n, 2), rand(k, 2), quota)
        assert found.index.tolist() == found.target.tolist() == []
    found = accompanied_prototypes(rand(3, 2).half(), rand(2, 2), 5)
    assert found.index.tolist() == [0, 1, 2] and found.index.dtype == torch.long
