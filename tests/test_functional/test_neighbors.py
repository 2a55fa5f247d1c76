"""Nearest rows and SPICE's reliable labels against loops."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mmcluster.functional.clustering import neighbors as n
from mmcluster.functional.labels import reliable


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def clustered(samples: int = 60, clusters: int = 4, spread: float = .8) -> tuple[Tensor, Tensor]:
    """Features (N, 5) around K directions, and labels (N,) that are wrong for some rows."""
    owner = torch.randint(clusters, (samples,))
    feats = torch.randn(clusters, 5, dtype=torch.float64)[owner] + spread * torch.randn(samples, 5, dtype=torch.float64)
    wrong = torch.rand(samples) < .1
    return feats, torch.where(wrong, torch.randint(clusters, (samples,)), owner)


def nearest_by_loops(x: np.ndarray, k: int, include_self: bool = True) -> list[list[int]]:
    rows = range(len(x))
    return [sorted((j for j in rows if include_self or j != i), key=lambda j: (-(x[i] @ x[j]), j))[:k] for i in rows]


@pytest.mark.parametrize('chunk', [None, 1, 7, 1000])
@pytest.mark.parametrize('include_self', [True, False])
@pytest.mark.parametrize('k', [1, 6, 39])
def test_nearest_equals_the_loop_for_any_chunk(k: int, include_self: bool, chunk: int | None) -> None:
    x = torch.randn(40, 6, dtype=torch.float64)
    similarity, index = n.nearest(x, k, chunk, include_self)
    assert index.tolist() == nearest_by_loops(x.numpy(), k, include_self)
    torch.testing.assert_close(similarity, (x[:, None] * x[index]).sum(2))
    assert similarity.dtype == torch.float64 and index.dtype == torch.long


def test_rows_are_taken_as_they_are() -> None:
    x = torch.tensor([[1., 0.], [3., 1.], [-1., 0.]])
    similarity, index = n.nearest(x, 2)
    assert index.tolist() == [[1, 0], [1, 0], [2, 0]] and similarity.tolist() == [[3, 1], [10, 3], [1, -1]]
    assert n.nearest(x, 2, include_self=False).index.tolist() == [[1, 2], [0, 2], [0, 1]]


def test_all_rows_can_be_neighbors_and_no_more() -> None:
    x = torch.randn(5, 3)
    assert n.nearest(x, 5).index.sort().values.tolist() == [list(range(5))] * 5
    with pytest.raises(ValueError, match='6 neighbours .* 5 rows'):
        n.nearest(x, 6)
    with pytest.raises(ValueError, match='5 neighbours .* 5 rows'):
        n.nearest(x, 5, include_self=False)
    with pytest.raises(ValueError, match='neighbours'):
        n.local_consistency(x, torch.zeros(5, dtype=torch.long), 6)


@pytest.mark.parametrize('bad', [math.nan, math.inf])
def test_bad_features_are_refused(bad: float) -> None:
    x = torch.randn(6, 3)
    x[4, 1] = bad
    with pytest.raises(ValueError, match='1 of 6 rows .* 4'):
        n.nearest(x, 2)
    with pytest.raises(ValueError, match='NaN'):
        n.local_consistency(x, torch.zeros(6, dtype=torch.long), 2)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(dtype: torch.dtype) -> None:
    x, label = clustered()
    x = x.to(dtype)
    with torch.autocast('cpu', torch.bfloat16):
        similarity, index = n.nearest(x, 5)
        count = n.local_consistency(x, label, 5)
    assert similarity.dtype == torch.float32
    assert torch.equal(index, n.nearest(x.double(), 5).index)
    assert torch.equal(count, n.local_consistency(x.double(), label, 5))


@pytest.mark.parametrize('chunk', [None, 1, 13])
@pytest.mark.parametrize('include_self', [True, False])
@pytest.mark.parametrize('k', [1, 10, 59])
def test_consistency_equals_the_loop(k: int, include_self: bool, chunk: int | None) -> None:
    feats, label = clustered()
    unit = feats.numpy() / np.linalg.norm(feats, axis=1, keepdims=True)
    expected = [sum(int(label[i] == label[j]) for j in row)
                for i, row in enumerate(nearest_by_loops(unit, k, include_self))]
    count = n.local_consistency(feats, label, k, chunk, include_self)
    assert count.tolist() == expected and count.dtype == torch.long
    if include_self:
        assert count.min() >= 1
    assert torch.equal(n.local_consistency(feats * (.1 + torch.rand(60, 1)), label, k, chunk, include_self), count)


def test_a_row_counts_itself_among_its_copies() -> None:
    feats = torch.ones(6, 3)
    label = torch.tensor([0, 1, 2, 3, 4, 5])
    assert n.local_consistency(feats, label, 3).tolist() == [1] * 6
    assert n.local_consistency(feats, label, 3, include_self=False).tolist() == [0] * 6


def test_consistency_follows_rows_and_ignores_names() -> None:
    feats, label = clustered()
    count, order = n.local_consistency(feats, label, 9), torch.randperm(60)
    assert torch.equal(n.local_consistency(feats[order], label[order], 9), count[order])
    assert torch.equal(n.local_consistency(feats, torch.tensor([3, 0, 2, 1])[label], 9), count)
    with pytest.raises(ValueError, match='60 rows, .* 59'):
        n.local_consistency(feats, label[1:], 9)


@pytest.mark.parametrize('k, ratio, least', [(100, .95, 95), (100, .29, 29), (20, .9, 18), (10, .95, 10), (7, 1., 7)])
def test_share_of_neighbors_at_the_bound(k: int, ratio: float, least: int) -> None:
    count = torch.arange(k + 1)
    sure = torch.ones(k + 1)
    assert reliable.reliable_rows(sure, count, k, ratio).tolist() == [c >= least for c in range(k + 1)]
    more = reliable.reliable_rows(sure, count, k, ratio, None, strict=True)
    assert more.tolist() == [c > least or c == least > k * ratio + 1e-6 for c in range(k + 1)]


def test_confidence_must_exceed_its_threshold() -> None:
    confidence = torch.tensor([.98, .99, .995, 1.], dtype=torch.float64)
    count = torch.tensor([10, 10, 10, 8])
    assert reliable.reliable_rows(confidence, count, 10, .9, .99).tolist() == [False, False, True, False]
    assert reliable.reliable_rows(confidence, count, 10, .9, None).tolist() == [True, True, True, False]


def test_top_up_takes_the_most_consistent_then_the_most_confident() -> None:
    label = torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 4, 4])
    count = torch.tensor([9, 2, 5, 5, 9, 9, 1, 3, 7, 7])
    confidence = torch.tensor([.9, 1., .6, .8, .9, .9, .9, .2, .5, .5])
    keep = torch.tensor([0, 1, 0, 0, 1, 1, 1, 0, 0, 0]).bool()
    floors = {0: keep, 1: keep | torch.tensor([0, 0, 0, 0, 0, 0, 0, 1, 1, 0]).bool(),
              2: torch.tensor([1, 1, 0, 0, 1, 1, 1, 1, 1, 1]).bool(),
              3: torch.tensor([1, 1, 0, 1, 1, 1, 1, 1, 1, 1]).bool(), 9: torch.ones(10).bool()}
    for floor, expected in floors.items():
        assert reliable.top_up(keep, label, confidence, count, floor).tolist() == expected.tolist(), floor


def test_balance_takes_the_same_number_of_each() -> None:
    label = torch.randint(5, (200,))
    keep = torch.rand(200) < .5
    sizes = torch.bincount(label[keep], minlength=5)
    index, target = reliable.balance(keep, label, 5, generator=torch.Generator().manual_seed(1))
    assert target.tolist() == [c for c in range(5) for _ in range(sizes.min())]
    assert torch.equal(label[index], target) and keep[index].all() and len(set(index.tolist())) == len(index)
    again = reliable.balance(keep, label, 5, generator=torch.Generator().manual_seed(1))
    other = reliable.balance(keep, label, 5, generator=torch.Generator().manual_seed(2))
    assert torch.equal(again.index, index) and not torch.equal(other.index, index)
    limited = reliable.balance(keep, label, 5, size=3, generator=torch.Generator().manual_seed(1))
    assert torch.bincount(limited.target).tolist() == [3] * 5
    assert torch.equal(reliable.balance(keep, label, 5, size=999).target.bincount(), sizes), 'no more than there are'


def test_balance_follows_given_permutations() -> None:
    label = torch.tensor([1, 0, 0, 1, 1, 0])
    keep = torch.tensor([1, 1, 1, 1, 1, 0]).bool()
    order = torch.tensor([[1, 0, -1], [2, 0, 1]])
    index, target = reliable.balance(keep, label, 2, permutations=order)
    assert index.tolist() == [2, 1, 4, 0] and target.tolist() == [0, 0, 1, 1]
    index, target = reliable.balance(keep, label, 3, permutations=torch.tensor([[1, 0, -1], [2, 0, 1], [-1, -1, -1]]))
    assert index.tolist() == target.tolist() == [], 'a cluster without any leaves none'


def unsure(samples: int = 120) -> tuple[Tensor, Tensor]:
    """Predictions (N, 3) and counts of 10 neighbours: cluster 2 is never consistent."""
    label = torch.arange(samples) % 3
    prob = .005 + .985 * torch.eye(3, dtype=torch.float64)[label]
    prob[:, 0] += .005 * (label == 0)
    count = torch.randint(5, 11, (samples,)).masked_fill(label == 2, 4)
    return prob, count


def test_reliable_labels_with_and_without_balance() -> None:
    prob, count = unsure()
    both = prob[:, :2] / prob[:, :2].sum(1, keepdim=True)
    label = both.argmax(1)
    keep = (count >= 9) & (both.amax(1) > .9)
    sizes = torch.bincount(label[keep], minlength=2)
    plain = reliable.reliable_labels(both, count, 10, .9, .9, balanced=False)
    assert torch.equal(plain.target, label.masked_fill(~keep, -1))
    assert torch.equal(plain.reliable, sizes) and torch.equal(plain.labelled, sizes)
    even = reliable.reliable_labels(both, count, 10, .9, .9, generator=torch.Generator().manual_seed(0))
    assert even.labelled.tolist() == [int(sizes.min())] * 2 and torch.equal(even.reliable, sizes)
    assert ((even.target == plain.target) | (even.target == -1)).all()


def test_a_cluster_without_reliable_rows_is_an_error_or_topped_up() -> None:
    prob, count = unsure()
    with pytest.raises(ValueError, match=r'clusters \[2\].*floor'):
        reliable.reliable_labels(prob, count, 10, .9, .9)
    bare = reliable.reliable_labels(prob, count, 10, .9, .9, balanced=False)
    assert bare.labelled.tolist()[2] == 0 < bare.labelled[:2].min()
    topped = reliable.reliable_labels(prob, count, 10, .9, .9, floor=5)
    assert topped.labelled.tolist() == [5, 5, 5] and topped.reliable.tolist() == bare.labelled.tolist()
    topped = reliable.reliable_labels(prob, count, 10, .9, .9, balanced=False, floor=5)
    assert topped.labelled.tolist() == [*bare.labelled.tolist()[:2], 5]


def test_nothing_reliable_at_all_is_an_error() -> None:
    prob, count = unsure()
    with pytest.raises(ValueError, match='no row is reliable'):
        reliable.reliable_labels(prob, count * 0, 10, .9, .9, balanced=False)
    with pytest.raises(ValueError, match='NaN'):
        reliable.reliable_labels(prob * math.nan, count, 10, .9, .9)
    with pytest.raises(ValueError, match='120 rows, .* 119'):
        reliable.reliable_labels(prob, count[1:], 10, .9, .9)


def test_a_cluster_that_nothing_is_predicted_as_does_not_count() -> None:
    prob, count = unsure()
    wide = torch.cat([prob[:, :2], torch.zeros(120, 1), prob[:, 2:]], dim=1)
    result = reliable.reliable_labels(wide, count.clamp(min=9), 10, .9, .9)
    assert result.labelled[2] == 0 and len(set(result.labelled[[0, 1, 3]].tolist())) == 1 and result.labelled[0] > 30


def test_the_floor_outweighs_a_cluster_with_hardly_any_row() -> None:
    label = torch.cat([torch.zeros(50), torch.ones(3), torch.full((50,), 2)]).long()
    prob = torch.eye(3)[label]
    result = reliable.reliable_labels(prob, torch.full((103,), 10), 10, floor=20, generator=torch.Generator().manual_seed(0))
    assert result.labelled.tolist() == [20, 3, 20] and result.reliable.tolist() == [50, 3, 50]


def test_the_paper_s_rule() -> None:
    feats, label = clustered()
    prob = torch.eye(4)[label] * .4 + .15
    count = n.local_consistency(feats, label, 10, include_self=False)
    result = reliable.reliable_labels(prob, count, 10, .8, None, balanced=False, strict=True)
    assert torch.equal(result.target, label.masked_fill(count <= 8, -1)) and (count == 8).any()
