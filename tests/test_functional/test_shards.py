"""Rows over several holders: the result of one."""
from __future__ import annotations

from typing import Callable

import pytest
import torch
from shard_threads import held
from torch import Tensor

from mmcluster.functional.clustering.graph import undirected_degree
from mmcluster.functional.clustering.kmeans import kmeans, lloyd
from mmcluster.functional.clustering.match import align_clusters
from mmcluster.functional.clustering.neighbors import local_consistency, nearest
from mmcluster.functional.clustering.seeding import Space, seed_restarts
from mmcluster.functional.finite import require_finite
from mmcluster.functional.labels import estep
from mmcluster.functional.labels.estep import head_selection_losses, prototype_estep
from mmcluster.functional.labels.reliable import reliable_labels
from mmcluster.functional.labels.select import accompanied_prototypes, select_by_distance, select_by_variance, to_target
from mmcluster.functional.losses import consistency, temi
from mmcluster.functional.losses.consistency import double_softmax_ce, pair_selection_loss
from mmcluster.functional.losses.cross_level import scale_features
from mmcluster.functional.losses.dec import target_distribution
from mmcluster.functional.losses.granular import concentration
from mmcluster.functional.losses.ruc import clean_rows
from mmcluster.functional.losses.temi import pair_losses, pair_weight, pointwise_mutual_information
from mmcluster.functional.shards import WHOLE, Shards, variance
from mmcluster.functional.top import largest

N, D = 203, 6
SPLITS = [[102, 101], [90, 40, 73], [50, 51, 51, 51], [0, 200, 0, 3], [1, 0, 2, 200], [203, 0]]


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


# ---- neighbours

@pytest.mark.parametrize('sizes', SPLITS)
@pytest.mark.parametrize('k, include_self', [(1, True), (7, True), (7, False), (60, False), (N - 1, False)])
def test_neighbours_are_those_of_one_holder(sizes: list[int], k: int, include_self: bool) -> None:
    """Also where one holder has fewer rows than neighbours are asked."""
    x = blobs()
    whole = nearest(x, k, include_self=include_self)
    found = held(lambda rows, shards: nearest(rows, k, 40, include_self, shards), [x], sizes)
    torch.testing.assert_close(torch.cat([each.similarity for each in found]), whole.similarity)
    assert torch.equal(torch.cat([each.index for each in found]), whole.index)


def test_copies_on_other_holders_are_neighbours() -> None:
    x = torch.nn.functional.normalize(blobs(10)).repeat(4, 1)
    found = held(lambda rows, shards: nearest(rows, 3, None, False, shards), [x], [15, 0, 25])
    index = torch.cat([each.index for each in found])
    assert (index % 10 == torch.arange(40)[:, None] % 10).all() and (index != torch.arange(40)[:, None]).all()
    assert all(len(set(row)) == 3 for row in index.tolist())


def test_too_few_rows_on_all_holders() -> None:
    with pytest.raises(ValueError, match='5 neighbours are asked of 5 rows, which have 4 each'):
        held(lambda rows, shards: nearest(rows, 5, None, False, shards), [blobs(5)], [3, 2])
    with pytest.raises(ValueError, match='6 neighbours are asked of 5 rows'):
        held(lambda rows, label, shards: local_consistency(rows, label, 6, shards=shards),
             [blobs(5), torch.zeros(5).long()], [3, 2])


# ---- what is chosen from labels

def labelled() -> tuple[Tensor, Tensor, Tensor]:
    """Rows (N, D), clusters (N,) and probabilities (N, K)."""
    x = blobs()
    return x, kmeans(x, 5, n_init=1).labels, (x[:, :5] / 2).softmax(1)


WHAT = {
    'consistency': lambda x, label, prob, shards: local_consistency(x, label, 9, shards=shards),
    'clean': lambda x, label, prob, shards: clean_rows(prob.log(), x, label, threshold=0.3, k=9, shards=shards),
    'balanced': lambda x, label, prob, shards: reliable_labels(
        prob, local_consistency(x, prob.argmax(1), 9, shards=shards), 9, 0.6, 0.3, floor=2,
        generator=torch.Generator().manual_seed(0), shards=shards).target,
    'unbalanced': lambda x, label, prob, shards: reliable_labels(
        prob, local_consistency(x, prob.argmax(1), 9, shards=shards), 9, 0.6, 0.3, False, shards=shards).target,
    'by distance': lambda x, label, prob, shards: to_target(
        select_by_distance(x, label, CENTERS, 0.3, shards=shards), len(x), shards),
    'by variance': lambda x, label, prob, shards: to_target(select_by_variance(prob, 0.3, shards), len(x), shards),
    'prototypes': lambda x, label, prob, shards: to_target(
        accompanied_prototypes(x, CENTERS, 4, shards), len(x), shards),
    'scaled': lambda x, label, prob, shards: scale_features(x, 'batch', 20, ORDER, shards),
    'range': lambda x, label, prob, shards: scale_features(x, 'set', shards=shards),
    'targets': lambda x, label, prob, shards: target_distribution(prob, shards).target,
    'aligned': lambda x, label, prob, shards: align_clusters(
        label, torch.arange(len(label))[::2], prob.argmax(1)[::2], 5, label.roll(1), shards).aligned,
}
CENTERS, ORDER = blobs(5, seed=3), torch.randperm(N, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize('sizes', SPLITS)
@pytest.mark.parametrize('what', WHAT)
def test_what_follows_is_that_of_one_holder(what: str, sizes: list[int]) -> None:
    rows = labelled()
    if what == 'aligned':       # every second row of each share, so compare where the shares begin at even rows
        sizes = [100, 0, 103]
        rows = (rows[0], rows[1].repeat_interleave(1), rows[2])
        expected = align_clusters(rows[1], torch.arange(N)[::2], rows[2].argmax(1)[::2], 5,
                                  torch.cat([part.roll(1) for part in rows[1].split(sizes)])).aligned
    else:
        expected = WHAT[what](*rows, WHOLE)
    found = torch.cat(held(WHAT[what], rows, sizes))
    if expected.is_floating_point():
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)
    else:
        assert torch.equal(found, expected) and (expected != expected[0]).any()


@pytest.mark.parametrize('sizes', SPLITS)
def test_concentrations_are_those_of_all_rows(sizes: list[int]) -> None:
    x, label, _ = labelled()
    x, centers = torch.nn.functional.normalize(x), torch.eye(5, D)
    whole = concentration(x, label, centers, 0.2)
    for found in held(lambda rows, own, shards: concentration(rows, own, centers, 0.2, shards=shards), [x, label],
                      sizes):
        torch.testing.assert_close(found.density, whole.density)
        assert torch.equal(found.counts, whole.counts)


def test_what_travels_is_small() -> None:
    """Rows stay: of k-means no more than a fifth of them is laid down, and of a pass K x D numbers."""
    x = blobs(4000)
    seen = []

    def passes(rows: Tensor, shards: Shards) -> None:
        lloyd(rows, x[:5], max_iter=1, shards=shards)
        seen.append(shards.table.floats)

    held(passes, [x], [2000, 2000])
    assert seen[0] < 10 * 5 * D < x.numel() / 5


# ---- heads and graphs

@pytest.mark.parametrize('sizes', SPLITS)
@pytest.mark.parametrize('count', [0, 1, 20, N - 1, N, N + 7])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_the_largest_of_all_holders(sizes: list[int], count: int, dtype: torch.dtype) -> None:
    """Equal ones in the order of the rows; both zeros are equal; negative and infinite ones."""
    score = (3 * torch.randn(N, 2, 3, generator=torch.Generator().manual_seed(1))).round().to(dtype) / 4
    score[::7], score[5], score[6], score[50:60] = -0., torch.inf, -torch.inf, 1e-40
    order = score.sort(dim=0, descending=True, stable=True).indices[:count]
    expected = torch.zeros_like(score, dtype=torch.bool).scatter_(0, order, True)
    found = held(lambda rows, shards: largest(rows.permute(1, 2, 0), count, shards).permute(2, 0, 1), [score], sizes)
    assert torch.equal(torch.cat(found), expected)


def graph(k: int = 6) -> Tensor:
    """Lists (N, k) of neighbours; one row has none, one has its own number only, one has the same three times."""
    lists = nearest(blobs(), k).index
    lists[3], lists[4], lists[5, :3] = -1, 4, 9
    return lists


@pytest.mark.parametrize('sizes', SPLITS)
def test_degrees_are_those_of_one_holder(sizes: list[int]) -> None:
    lists = graph()
    sets = [set(row) - {-1} for row in lists.tolist()]
    expected = [len(sets[i] | {j for j in range(N) if i in sets[j]}) for i in range(N)]
    assert torch.cat(held(undirected_degree, [lists], sizes)).tolist() == expected


def predictions(heads: int = 3, k: int = 4) -> Tensor:
    """Logits (N, H, K) of heads that know the groups, more or less."""
    generator = torch.Generator().manual_seed(4)
    return torch.stack([blobs()[:, :k] * scale + torch.randn(N, k, generator=generator) for scale in range(heads)], 1)


def by_scan(logits: Tensor) -> list[float]:
    """SCAN's statistic by loops."""
    prob, lists = logits.double().softmax(2), nearest(blobs(), 6).index
    pairs = torch.stack([-(prob[i] * prob[j]).sum(1).log() for i in range(N) for j in lists[i].tolist()])
    return (pairs.mean(0) + (prob.mean(0) * prob.mean(0).log()).sum(1)).tolist()


def by_temi(logits: Tensor) -> list[float]:
    """TEMI's statistic, one column of neighbours after the other."""
    log_prob = logits.double().transpose(0, 1).log_softmax(2)
    prob, columns = log_prob.exp(), nearest(blobs(), 6).index.unbind(1)
    return torch.stack([-(pair_weight(prob, prob[:, column]) * pointwise_mutual_information(
        log_prob, log_prob[:, column], prob.mean(1), 0.6)).mean(1) for column in columns]).mean(0).tolist()


def by_spice(logits: Tensor) -> list[float]:
    """SPICE's statistic from the E-step of the training."""
    prob = logits.double().transpose(0, 1).softmax(2)
    index = prototype_estep(prob, blobs().double()).index
    target = torch.arange(4)[:, None].expand_as(index[0]).flatten()
    loss = torch.stack([double_softmax_ce(head[rows.flatten()].log(), target) for head, rows in zip(prob, index)])
    return (loss + 0.5 * (prob.mean(1) * prob.mean(1).log()).sum(1)).tolist()


SELECTIONS = {
    by_scan: lambda logits, lists, x, shards: pair_selection_loss(logits.transpose(0, 1).softmax(2), lists, shards=shards),
    by_temi: lambda logits, lists, x, shards: pair_losses(logits.transpose(0, 1).log_softmax(2), lists, shards=shards),
    by_spice: lambda logits, lists, x, shards: head_selection_losses(logits.transpose(0, 1).softmax(2), x,
                                                                     entropy_weight=0.5, shards=shards)}


@pytest.mark.parametrize('sizes', [[N], *SPLITS])
@pytest.mark.parametrize('oracle', SELECTIONS)
def test_heads_are_compared_as_by_one_holder(oracle: Callable, sizes: list[int], monkeypatch) -> None:
    """Also in chunks of a few rows, and one head after the other."""
    logits, expected = predictions(), oracle(predictions())
    assert max(expected) - min(expected) > 0.02
    for small in (False, True):
        if small:
            monkeypatch.setattr(consistency, 'PAIR_BYTES', 20 * 4 * 3 * 4 * 6)
            monkeypatch.setattr(temi, 'PAIR_BYTES', 20 * 4 * 3 * 4 * 6)
            monkeypatch.setattr(estep, 'SCORE_BYTES', 1)
        found = held(SELECTIONS[oracle], [logits, nearest(blobs(), 6).index, blobs()], sizes)
        for losses in found:
            assert losses.tolist() == pytest.approx(expected, rel=2e-5) and torch.equal(losses, found[0])


def test_too_few_rows_of_all_holders_for_the_heads() -> None:
    with pytest.raises(ValueError, match='3 rows cannot be shared among 4 clusters'):
        held(lambda prob, shards: head_selection_losses(prob.transpose(0, 1), prob[:, 0], shards=shards),
             [predictions()[:3]], [1, 2])
