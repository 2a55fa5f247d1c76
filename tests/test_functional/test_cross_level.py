"""Cross-level interaction of PICI against loops and permutations."""
from __future__ import annotations

import math
from itertools import permutations

import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.clustering.match import contingency
from mmcluster.functional.losses import cross_level
from mmcluster.functional.scale import min_max

F64 = torch.float64


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def whole(high: int, rows: int, seed: int = 0) -> Tensor:
    return torch.randint(high, (rows,), generator=torch.Generator().manual_seed(seed))


def matched_labels(label: Tensor, cluster: Tensor, num_clusters: int) -> Tensor:
    """One view."""
    votes = cross_level.label_votes(label[:, None], cluster[:, None], num_clusters)
    return cross_level.match_labels(label[:, None], votes)[:, 0]


@pytest.mark.parametrize('seed', range(4))
def test_matching_is_the_best_of_all_permutations(seed: int) -> None:
    p, q = whole(4, 12, seed), whole(4, 12, seed + 10)
    matched = matched_labels(p, q, 4)
    best = max(sum(perm[a] == b for a, b in zip(p.tolist(), q.tolist())) for perm in permutations(range(4)))
    assert int((matched == q).sum()) == best
    pairs = set(zip(p.tolist(), matched.tolist()))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}), 'one-to-one'


def test_labels_are_renamed_and_not_clusters() -> None:
    p, q = torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([2, 2, 0, 0, 1, 0])
    assert matched_labels(p, q, 3).tolist() == [2, 2, 0, 0, 1, 1]


def test_a_greedy_matching_is_not_enough() -> None:
    p, q = torch.tensor([0] * 5 + [1] * 4), torch.tensor([0] * 3 + [1] * 2 + [0] * 4)
    assert matched_labels(p, q, 2).tolist() == [1] * 5 + [0] * 4


def test_matching_does_not_depend_on_the_names_of_labels() -> None:
    p, q, names = whole(5, 60), whole(5, 60, 1), torch.tensor([3, 0, 4, 1, 2])
    q[:40] = p[:40]
    torch.testing.assert_close(matched_labels(names[p], q, 5), matched_labels(p, q, 5))


@pytest.mark.parametrize('rows', [0, 1, 2])
def test_few_rows_and_unknown_labels(rows: int) -> None:
    p = torch.tensor([1, -1])[:rows]
    matched = matched_labels(p, torch.tensor([0, 0])[:rows], 6)
    assert matched.tolist() == [0, -1][:rows]


def test_maps_of_several_tables() -> None:
    p, q = whole(3, 40), whole(3, 40, 1)
    tables = torch.stack([contingency(q, label, 3, 3) for label in (p, (p + 1) % 3)])
    maps = cross_level.relabel_map(tables)
    assert maps.shape == (2, 3) and torch.equal(maps[0], maps[1].roll(-1))
    assert torch.equal(maps[0][p], matched_labels(p, q, 3))
    assert cross_level.relabel_map(tables[:0]).shape == (0, 3)


def slow_loss(logits: Tensor, label: Tensor, double: bool) -> Tensor:
    rows = []
    for row, target in zip(logits, label.tolist()):
        row = row.exp() / row.exp().sum() if double else row
        rows.append(-(row[target].exp() / row.exp().sum()).log())
    return sum(rows) / len(rows)


@pytest.mark.parametrize('double', [False, True])
def test_loss_against_loops(double: bool) -> None:
    logits, label = normal(9, 5).requires_grad_(), whole(5, 9)
    losses = cross_level.cross_level_loss(logits, label, double), slow_loss(logits, label, double)
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(*[torch.autograd.grad(loss, logits)[0] for loss in losses])
    with SyncGuard():
        cross_level.cross_level_loss(logits, label, double)


def test_only_the_double_softmax_has_a_floor() -> None:
    logits, label = torch.tensor([[500., 0, 0, 0]]), torch.tensor([0])
    assert cross_level.cross_level_loss(logits, label) == 0
    floor = math.log(1 + 3 / math.e)
    assert cross_level.cross_level_loss(logits, label, True).item() == pytest.approx(floor)
    wrong = cross_level.cross_level_loss(logits.requires_grad_(), torch.tensor([1]))
    wrong.backward()
    assert wrong == 500 and logits.grad.isfinite().all()


@pytest.mark.parametrize('double', [False, True])
@pytest.mark.parametrize('label', [[], [-1, -1]])
def test_no_label_gives_zero_with_a_zero_gradient(double: bool, label: list[int]) -> None:
    logits = normal(len(label), 3).requires_grad_()
    loss = cross_level.cross_level_loss(logits, torch.tensor(label, dtype=torch.long), double)
    loss.backward()
    assert loss == 0 and not logits.grad.any()


def test_scaling_by_the_set_by_batches_and_not() -> None:
    z, order = normal(10, 3), torch.randperm(10, generator=torch.Generator().manual_seed(0))
    assert cross_level.scale_features(z, None) is z
    torch.testing.assert_close(cross_level.scale_features(z, 'set'), min_max(z, dim=0))
    scaled = cross_level.scale_features(z, 'batch', 4, order)
    for rows in (order[:4], order[4:8], order[8:]):
        torch.testing.assert_close(scaled[rows], min_max(z[rows], dim=0))
    torch.testing.assert_close(cross_level.scale_features(z, 'batch', 10), min_max(z, dim=0))
    assert cross_level.scale_features(z[:0], 'batch').shape == (0, 3)
