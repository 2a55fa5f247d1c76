"""Labels under a constraint on the sizes of clusters against loops."""
from __future__ import annotations

import math

import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.labels.constrained import (cluster_counts, entropy_constrained_labels, move_dual,
                                                     size_constrained_labels)

F64 = torch.float64


def cosines(rows: int, clusters: int, seed: int = 0) -> Tensor:
    return 2 * torch.rand(rows, clusters, generator=torch.Generator().manual_seed(seed), dtype=F64) - 1


def whole(low: int, high: int, rows: int, seed: int = 0) -> Tensor:
    return torch.randint(low, high, (rows,), generator=torch.Generator().manual_seed(seed))


def negative_entropy(counts: list[float], total: float) -> float:
    return sum(n / total * math.log(n / total) for n in counts if n > 0)


def slow_entropy_labels(similarity: Tensor, label: Tensor, counts: Tensor, alpha: float) -> list[int]:
    """Every image is moved to every cluster, with the counts as they were."""
    chosen = []
    for row, old in zip(similarity.tolist(), label.tolist()):
        now = counts.tolist()
        total = sum(now) + (old < 0)
        costs = []
        for k in range(len(now)):
            moved = list(now)
            moved[k] += 1
            if old >= 0:
                moved[old] -= 1
            costs.append(-row[k] + alpha * (negative_entropy(moved, total) - negative_entropy(now, total)))
        chosen.append(min(range(len(now)), key=costs.__getitem__))
    return chosen


@pytest.mark.parametrize('alpha', [0., 3., 60., 1e4])
@pytest.mark.parametrize('seed', range(3))
def test_entropy_against_the_slow_search(seed: int, alpha: float) -> None:
    store = whole(0, 5, 70, seed)
    store[store == 3] = 2                       # one cluster is empty
    label = torch.cat([store[:20], whole(-1, 0, 6)])
    similarity, counts = cosines(26, 5, seed), torch.bincount(store, minlength=5).float()
    found = entropy_constrained_labels(similarity, label, counts, alpha)
    assert found.tolist() == slow_entropy_labels(similarity, label, counts, alpha)
    assert alpha < 60 or (found == 3).any(), 'the empty cluster is the cheapest'
    assert alpha < 1e4 or set(found[20:].tolist()) == {3}


def test_entropy_of_many_images_in_float32() -> None:
    """The cost of a cluster is the difference of two numbers of the size of the data set."""
    counts = torch.tensor([128116., 128118., 128117.])
    similarity = torch.zeros(1, 3)
    label = torch.tensor([1])
    # without the image the sizes are 128116, 128117, 128117
    assert entropy_constrained_labels(similarity, label, counts, 1e5).item() == 0
    assert entropy_constrained_labels(similarity, torch.tensor([-1]), counts - torch.tensor([0., 4., 5.]), 1e5) == 2


def test_first_images_have_no_counts() -> None:
    similarity, none = cosines(9, 4), torch.full((9,), -1)
    found = entropy_constrained_labels(similarity, none, torch.zeros(4), 1e6)
    assert torch.equal(found, similarity.argmax(1))


def test_an_image_without_a_cluster_is_one_more_of_them() -> None:
    """Of 3 images in clusters and itself: by T = 3 the large cluster would cost more than its centre is nearer."""
    counts, alpha = torch.tensor([3., 0.]), 1.
    cost = (4 * math.log(4) - 3 * math.log(3)) / 4
    near = torch.tensor([[cost + 0.08, 0.]], dtype=F64)
    assert cost + 0.08 < 4 / 3 * cost
    assert entropy_constrained_labels(near, torch.tensor([-1]), counts, alpha).item() == 0


def test_size_labels_are_the_cheapest() -> None:
    similarity, dual = cosines(30, 6), torch.rand(6, dtype=F64)
    slow = [min(range(6), key=lambda k: -row[k] - dual.tolist()[k]) for row in similarity.tolist()]
    assert size_constrained_labels(similarity, dual).tolist() == slow
    assert set(size_constrained_labels(similarity, dual + torch.tensor([0., 9, 0, 0, 0, 0])).tolist()) == {1}
    assert size_constrained_labels(torch.zeros(2, 3), torch.zeros(3)).tolist() == [0, 0], 'ties: the first'


def test_duals_rise_for_small_clusters_and_stay_above_zero() -> None:
    dual, share = torch.tensor([0.5, 0.01, 0., 0.2]), torch.tensor([0.7, 0.2, 0.1, 0.])
    moved = move_dual(dual, share, 0.9 / 4, 0.1)
    expected = [max(0., d - 0.1 * s + 0.1 * 0.9 / 4) for d, s in zip(dual.tolist(), share.tolist())]
    torch.testing.assert_close(moved, torch.tensor(expected))
    assert torch.equal(move_dual(dual, torch.tensor([1., 0, 0, 0]), 0., 1.)[:1], torch.zeros(1))
    free = move_dual(dual, share, 1 / 4, 0.1, bounded=False)
    assert free.sum() == pytest.approx(dual.sum().item()), 'of equal shares the sum stays'
    assert move_dual(torch.zeros(2), torch.tensor([1., 0.]), 0.5, 1., bounded=False).tolist() == [-0.5, 0.5]


def test_the_bound_is_met_in_the_long_run() -> None:
    """All images prefer cluster 0; the duals give every other one its least share."""
    similarity = torch.cat([torch.full((64, 1), 0.5), cosines(64, 3).float() * 0.3], 1)
    dual, total = torch.zeros(4), torch.zeros(4)
    for step in range(1500):
        label = size_constrained_labels(similarity, dual)
        share = cluster_counts(label, 4) / 64
        total += share * (step >= 500)
        dual = move_dual(dual, share, 0.6 / 4, 0.05)
    assert ((total / 1000) > 0.6 / 4 - 0.01).all() and total[0] / 1000 == pytest.approx(1 - 3 * 0.15, abs=0.02)


def test_counts() -> None:
    label = whole(-1, 4, 50)
    assert cluster_counts(label, 5).tolist() == [(label == k).sum().item() for k in range(5)]
    assert cluster_counts(label[:0], 3).tolist() == [0, 0, 0]


def test_names_of_clusters_and_order_of_rows_do_not_matter() -> None:
    similarity, label = cosines(20, 5), whole(-1, 5, 20)
    counts, dual = cluster_counts(whole(0, 5, 90), 5), torch.rand(5)
    rows, names = torch.randperm(20), torch.randperm(5)
    place = torch.argsort(names)                # old name -> new name
    renamed = torch.where(label < 0, label, place[label.clamp(min=0)])
    assert torch.equal(entropy_constrained_labels(similarity[rows][:, names], renamed[rows], counts[names], 40.),
                       place[entropy_constrained_labels(similarity, label, counts, 40.)][rows])
    assert torch.equal(size_constrained_labels(similarity[rows][:, names], dual[names]),
                       place[size_constrained_labels(similarity, dual)][rows])


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_and_no_host(dtype: torch.dtype) -> None:
    similarity, label, counts = cosines(12, 4).to(dtype), whole(-1, 4, 12), torch.tensor([3., 0., 5., 1.])
    with SyncGuard():
        first = entropy_constrained_labels(similarity, label, counts, 6000.)
        second = size_constrained_labels(similarity, torch.rand(4))
        moved = move_dual(torch.zeros(4), cluster_counts(second, 4) / 12, 0.2, 0.1)
    assert first.dtype == second.dtype == torch.long and moved.dtype == torch.float32
    assert torch.equal(first, entropy_constrained_labels(similarity.float(), label, counts, 6000.))
