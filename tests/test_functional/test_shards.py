"""Rows over several holders: the result of one."""
from __future__ import annotations

import pytest
import torch
from shard_threads import held
from torch import Tensor

from mmcluster.functional.clustering.kmeans import kmeans, lloyd
from mmcluster.functional.clustering.seeding import Space, seed_restarts
from mmcluster.functional.finite import require_finite
from mmcluster.functional.shards import WHOLE, Shards, variance

N, D = 203, 6
SPLITS = [[102, 101], [50, 51, 51, 51], [0, 200, 0, 3], [1, 0, 2, 200], [203, 0]]


def blobs(n: int = N, k: int = 5, spread: float = 0.8, seed: int = 0) -> Tensor:
    """Overlapping groups (N, D), not around the origin."""
    generator = torch.Generator().manual_seed(seed)
    middle = 2 * torch.randn(k, D, generator=generator) + 1
    return middle[torch.randint(k, (n,), generator=generator)] + spread * torch.randn(n, D, generator=generator)


def test_one_holder_exchanges_nothing() -> None:
    x = blobs()
    assert WHOLE.sum(x) is x and WHOLE.max(x) is x and WHOLE.gather(x) is x
    assert [(owner, rows is x) for owner, rows in WHOLE.turns(x)] == [(0, True)]
    assert WHOLE.sizes(7) == [7] and WHOLE.start(7) == 0 and isinstance(WHOLE, Shards)


@pytest.mark.parametrize('sizes', SPLITS)
def test_variance_is_that_of_all_rows(sizes: list[int]) -> None:
    x = blobs() + 100
    for found in held(variance, [x], sizes):
        torch.testing.assert_close(found, x.var(0), rtol=1e-5, atol=0)
    assert torch.equal(variance(x), x.var(0)), 'to the bit'
    assert not held(variance, [x[:1]], [0, 1])[0].any() and not variance(x[:0]).any()


@pytest.mark.parametrize('sizes', SPLITS)
@pytest.mark.parametrize('metric', ['cosine', 'euclidean'])
def test_seeds_are_the_same_rows(metric: str, sizes: list[int]) -> None:
    x = blobs()
    first, uniforms = torch.tensor([0, 150, N - 1]), torch.rand(3, 6, 4, dtype=torch.float64)
    uniforms[0, 0, 0] = 0
    whole = seed_restarts(Space.of(x, metric), first, uniforms)
    assert len(whole.unique()) > 12
    for found in held(lambda rows, shards: seed_restarts(Space.of(rows, metric, shards), first, uniforms), [x], sizes):
        assert torch.equal(found, whole)


@pytest.mark.parametrize('sizes', SPLITS)
@pytest.mark.parametrize('metric', ['cosine', 'euclidean'])
@pytest.mark.parametrize('k, init', [(5, None), (5, 'random'), (40, None)])
def test_kmeans_is_that_of_one_holder(metric: str, sizes: list[int], k: int, init: str | None) -> None:
    x = blobs()
    whole = kmeans(x, k, n_init=3, metric=metric, seed=1, init=init)
    found = held(lambda rows, shards: kmeans(rows, k, n_init=3, metric=metric, seed=1, init=init, shards=shards), [x],
                 sizes)
    assert torch.equal(torch.cat([each.labels for each in found]), whole.labels)
    assert [len(each.labels) for each in found] == sizes
    for each in found:
        assert each.inertia == pytest.approx(whole.inertia, rel=1e-6) and each.n_iter == whole.n_iter
        assert torch.equal(each.counts, whole.counts) and torch.equal(each.centers, found[0].centers)
        torch.testing.assert_close(each.centers, whole.centers, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('metric', ['cosine', 'euclidean'])
def test_empty_clusters_and_copies(metric: str) -> None:
    """A centre that nobody is near, and fewer distinct rows than clusters."""
    x, far = blobs(spread=0.1), torch.full((1, D), -50.)
    init = torch.cat([x[:3], far, x[3:5]])
    whole = lloyd(x, init, metric)
    assert whole.counts.min() == 0
    for found, labels in zip(held(lambda rows, shards: lloyd(rows, init, metric, shards=shards), [x], [90, 0, 113]),
                             whole.labels.split([90, 0, 113])):
        assert torch.equal(found.labels, labels) and torch.equal(found.counts, whole.counts)
        torch.testing.assert_close(found.centers[3], whole.centers[3])
    copies = blobs(3).repeat(10, 1)
    whole = kmeans(copies, 5, n_init=2, metric=metric)
    found = held(lambda rows, shards: kmeans(rows, 5, n_init=2, metric=metric, shards=shards), [copies], [7, 23])
    assert torch.equal(torch.cat([each.labels for each in found]), whole.labels) and found[0].counts.min() == 0


def test_no_row_at_all() -> None:
    for found in held(lambda rows, shards: kmeans(rows, 3, shards=shards), [torch.zeros(0, D)], [0, 0]):
        assert not found.centers.any() and len(found.labels) == 0


def test_all_holders_refuse_a_row_of_one() -> None:
    x = blobs()
    x[150, 2], x[3, 0] = torch.nan, torch.inf
    errors = []

    def refused(rows: Tensor, shards: Shards) -> None:
        with pytest.raises(ValueError) as error:
            require_finite(rows, 'k-means', shards=shards)
        errors.append(str(error.value))

    held(refused, [x], [100, 0, 103])
    with pytest.raises(ValueError, match='k-means: 2 of 203 rows hold NaN or inf, row 3, row 150;') as error:
        require_finite(x, 'k-means')
    assert errors == [str(error.value)] * 3
