"""SPICE's E-step and its choice of a head against loops."""
from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np
import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.labels import estep as e
from mmcluster.functional.losses.consistency import double_softmax_ce


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def problem(heads: int, samples: int, clusters: int, width: int = 6) -> tuple[Tensor, Tensor]:
    """Predictions (H, M, K) and raw features (M, D)."""
    prob = (2 * torch.randn(heads, samples, clusters, dtype=torch.float64)).softmax(-1)
    return prob, torch.randn(samples, width, dtype=torch.float64)


def best(score: np.ndarray, count: int, taken: Optional[set[int]]) -> list[int]:
    """The ``count`` largest scores that are not taken, equal ones in the order of the rows; they are taken then."""
    free = [i for i in range(len(score)) if taken is None or i not in taken]
    chosen = sorted(free, key=lambda i: (-score[i], i))[:count]
    if taken is not None:
        taken.update(chosen)
    return chosen


def by_loops(prob: Tensor, feats: Tensor, ratio: float, overlap: bool, normalize: bool) -> tuple[list, list, Any]:
    """Rows, members and centres of every cluster of one head (M, K)."""
    p, x = prob.numpy(), feats.numpy()
    if normalize:
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
    n = len(p) // p.shape[1]
    kc = math.floor(ratio * n)
    taken: Optional[set[int]] = None if overlap else set()
    members = [best(p[:, c], kc, taken) for c in range(p.shape[1])]
    centers = np.stack([x[rows].mean(0) if rows else 0 * x[0] for rows in members])
    taken = None if overlap else set()
    return [best(x @ center, n, taken) for center in centers], members, centers


@pytest.mark.parametrize('overlap', [True, False])
@pytest.mark.parametrize('normalize', [True, False])
@pytest.mark.parametrize('heads, samples, clusters', [(1, 12, 3), (3, 35, 4), (2, 9, 9), (2, 7, 1)])
@pytest.mark.parametrize('ratio', [.5, 1.])
def test_estep_equals_the_loop(heads: int, samples: int, clusters: int, ratio: float, overlap: bool,
                               normalize: bool) -> None:
    prob, feats = problem(heads, samples, clusters)
    if samples // clusters * ratio < 1:
        ratio = 1.
    result = e.prototype_estep(prob, feats, ratio, overlap, normalize)
    for head in range(heads):
        index, members, centers = by_loops(prob[head], feats, ratio, overlap, normalize)
        assert result.index[head].tolist() == index
        assert result.members[head].tolist() == members
        np.testing.assert_allclose(result.centers[head], centers, atol=1e-12)


def test_every_cluster_has_the_same_number_of_entries_and_no_overlap_where_it_is_forbidden() -> None:
    prob, feats = problem(3, 43, 5)
    for overlap in (True, False):
        index = e.prototype_estep(prob, feats, overlap=overlap).index
        assert index.shape == (3, 5, 8) and (index >= 0).all()
        distinct = [len(set(rows.flatten().tolist())) for rows in index]
        assert max(distinct) < 40 if overlap else distinct == [40] * 3


def test_members_run_out_when_the_centre_ratio_exceeds_one() -> None:
    prob, feats = problem(2, 10, 2)
    for ratio, overlap, left in ((1.5, False, [7, 3]), (3., False, [10, 0]), (3., True, [10, 10])):
        result = e.prototype_estep(prob, feats, ratio, overlap)
        assert result.members.shape == (2, 2, math.floor(ratio * 5))
        assert (result.members >= 0).sum(-1).tolist() == [left, left]
        for head in range(2):
            index, members, centers = by_loops(prob[head], feats, ratio, overlap, True)
            np.testing.assert_allclose(result.centers[head], centers, atol=1e-12)
            assert [[i for i in rows if i >= 0] for rows in result.members[head].tolist()] == members
            if 0 not in left:
                assert result.index[head].tolist() == index


def test_ties_go_to_the_first_rows() -> None:
    prob, feats = torch.full((2, 9, 3), 1 / 3), torch.ones(9, 4)
    result = e.prototype_estep(prob, feats, 1.)
    assert result.members.tolist() == result.index.tolist() == [[[0, 1, 2]] * 3] * 2
    result = e.prototype_estep(prob, feats, 1., overlap=False)
    assert result.members.tolist() == result.index.tolist() == [[[0, 1, 2], [3, 4, 5], [6, 7, 8]]] * 2


def test_orders_of_samples_clusters_and_heads_only_rename() -> None:
    prob, feats = problem(3, 40, 4)
    index = e.prototype_estep(prob, feats).index
    rows, columns, heads = torch.randperm(40), torch.randperm(4), torch.tensor([2, 0, 1])
    moved = e.prototype_estep(prob[heads][:, rows][..., columns], feats[rows])
    assert torch.equal(rows[moved.index], index[heads][:, columns])
    assert torch.equal(e.prototype_estep(prob, feats * torch.rand(40, 1)).index, index), 'lengths do not matter'


@pytest.mark.parametrize('overlap', [True, False])
def test_too_few_rows_are_refused(overlap: bool) -> None:
    prob, feats = problem(2, 7, 8)
    with pytest.raises(ValueError, match='7 .* 8 clusters'):
        e.prototype_estep(prob, feats, overlap=overlap)
    with pytest.raises(ValueError, match='center_ratio'):
        e.prototype_estep(prob[..., :4], feats, .5, overlap=overlap)
    with pytest.raises(ValueError, match='7 .* 6'):
        e.prototype_estep(prob[..., :2], feats[:6], overlap=overlap)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
def test_narrow_inputs_give_what_their_wide_copies_give(dtype: torch.dtype) -> None:
    prob, feats = problem(2, 30, 3)
    prob, feats = prob.to(dtype), feats.to(dtype)
    with torch.autocast('cpu', torch.bfloat16):
        result = e.prototype_estep(prob, feats)
        losses = e.head_selection_losses(prob, feats)
    expected = e.prototype_estep(prob.double(), feats.double())
    assert torch.equal(result.index.sort().values, expected.index.sort().values)
    assert result.centers.dtype == losses.dtype == torch.float32
    torch.testing.assert_close(result.centers, expected.centers.float())
    torch.testing.assert_close(losses, e.head_selection_losses(prob.double(), feats.double()).float())


def test_nothing_waits_for_the_device_and_nothing_has_a_gradient() -> None:
    prob, feats = problem(2, 30, 3)
    prob.requires_grad_()
    with SyncGuard():
        for overlap in (True, False):
            assert not e.prototype_estep(prob, feats, overlap=overlap).centers.requires_grad
        assert not e.head_selection_losses(prob, feats).requires_grad


@pytest.mark.parametrize('weight', [0., 1., .3])
@pytest.mark.parametrize('normalize', [True, False])
def test_head_selection_is_the_loss_of_the_selected_pairs(weight: float, normalize: bool, monkeypatch) -> None:
    prob, feats = problem(3, 50, 4)
    expected = []
    for head in prob:
        index = by_loops(head, feats, .5, True, normalize)[0]
        logits = torch.cat([head[rows].log() for rows in index])
        target = torch.arange(4).repeat_interleave(12)
        mean = head.mean(0)
        expected.append((double_softmax_ce(logits, target) + weight * (mean * mean.log()).sum()).item())
    losses = e.head_selection_losses(prob, feats, .5, weight, normalize)
    assert losses.tolist() == pytest.approx(expected, abs=1e-12)
    monkeypatch.setattr(e, 'SCORE_BYTES', 1)
    assert torch.equal(e.head_selection_losses(prob, feats, .5, weight, normalize), losses), 'one head at a time'


def test_head_selection_prefers_the_clearer_head() -> None:
    feats = torch.eye(3).repeat(10, 1)
    sure = torch.eye(3).repeat(10, 1)
    losses = e.head_selection_losses(torch.stack([.4 * sure + .2, sure, torch.full((30, 3), 1 / 3)]), feats)
    assert losses[1] == losses.min() and losses[1].item() == pytest.approx(math.log(math.e + 2) - 1)
    assert losses[2].item() == pytest.approx(math.log(3))


def test_a_collapsed_head_is_no_better_than_chance() -> None:
    """The entropy of a head that puts everything into one cluster is 0, clamped entries included."""
    prob = torch.zeros(1, 30, 3)
    prob[..., 1] = 1
    plain, with_entropy = (e.head_selection_losses(prob, torch.eye(3).repeat(10, 1), .5, w).item() for w in (0., 1.))
    assert plain == pytest.approx(math.log(math.e + 2) - 1 / 3)
    assert with_entropy == pytest.approx(plain, abs=1e-6)
