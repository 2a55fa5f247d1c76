"""True negatives against loops."""
from __future__ import annotations

import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.losses import mutex

F64 = torch.float64


def logits(rows: int, num_clusters: int, seed: int) -> Tensor:
    return 3 * torch.randn(rows, num_clusters, generator=torch.Generator().manual_seed(seed), dtype=F64)


def slow(weak: Tensor, strong: Tensor, mask: list[bool], k: int) -> Tensor:
    """Row by row and class by class."""
    size, total = weak.shape[1], torch.zeros((), dtype=F64)
    for i, chosen in enumerate(mask):
        if not chosen:
            continue
        prob = weak[i].softmax(0)
        bound = sorted(weak[i].tolist(), reverse=True)[(k or size) - 1]
        kept = [j for j in range(size) if weak[i, j].item() >= bound]
        row = torch.stack([strong[i, j] if j in kept else torch.zeros((), dtype=F64) for j in range(size)])
        total = total - sum(prob[j] * row.log_softmax(0)[j] for j in kept)
    return total / len(mask)


@pytest.mark.parametrize('k', [0, 1, 2, 4, 5])
def test_negative_consistency_against_loops(k: int) -> None:
    weak, strong = logits(8, 5, 0), logits(8, 5, 1).requires_grad_()
    mask = [True, False, True, True, False, False, True, True]
    found = mutex.negative_consistency(weak, strong, torch.tensor(mask), k)
    expected = slow(weak, strong, mask, k)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(*[torch.autograd.grad(loss, strong, retain_graph=True)[0] for loss in (found, expected)])


def test_the_weak_view_gets_no_gradient() -> None:
    weak, strong = logits(4, 5, 0).requires_grad_(), logits(4, 5, 1).requires_grad_()
    mutex.negative_consistency(weak, strong, torch.ones(4, dtype=torch.bool), 2).backward()
    assert weak.grad is None and strong.grad.abs().sum() > 0


def test_classes_left_out_get_no_gradient() -> None:
    weak, strong = logits(4, 5, 0), logits(4, 5, 1).requires_grad_()
    mutex.negative_consistency(weak, strong, torch.ones(4, dtype=torch.bool), 2).backward()
    keep = mutex.top_entries(weak, 2)
    assert keep.sum(1).tolist() == [2] * 4
    assert (strong.grad[~keep] == 0).all() and (strong.grad[keep] != 0).all()


@pytest.mark.parametrize('k', [0, 5, 9])
def test_all_classes(k: int) -> None:
    assert mutex.top_entries(logits(3, 5, 0), k).all()


def test_ties_keep_more() -> None:
    rows = torch.tensor([[3., 1., 1., 0.], [2., 2., 2., 2.]])
    assert mutex.top_entries(rows, 2).tolist() == [[True, True, True, False], [True] * 4]


def test_extreme_logits_make_no_ties() -> None:
    """Probabilities of float32 underflow to 0 here; logits do not."""
    weak = torch.tensor([[0., -200., -300., -400.]])
    assert mutex.top_entries(weak, 2).tolist() == [[True, True, False, False]]
    assert mutex.top_entries(weak.softmax(1), 2).all()
    assert mutex.complementary_label(weak).tolist() == [3] and weak.softmax(1).argmin(1).tolist() == [1]


@pytest.mark.parametrize('rows', [0, 3])
def test_no_row(rows: int) -> None:
    strong = logits(rows, 4, 1).requires_grad_()
    loss = mutex.negative_consistency(logits(rows, 4, 0), strong, torch.zeros(rows, dtype=torch.bool), 2)
    loss.backward()
    assert loss == 0 and strong.grad.abs().sum() == 0


def test_half_precision_and_no_wait() -> None:
    weak, strong = (logits(4, 5, seed).bfloat16() for seed in (0, 1))
    with SyncGuard():
        found = mutex.negative_consistency(weak, strong, torch.ones(4, dtype=torch.bool), 2)
        mutex.complementary_label(weak)
    assert found.dtype == torch.float32
