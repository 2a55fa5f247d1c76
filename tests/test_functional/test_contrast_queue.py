"""InfoNCE with a queue and NT-Xent against loops."""
from __future__ import annotations

import math

import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.losses.contrast import info_nce, nt_xent, unit_rows


def unit(row: list[float]) -> list[float]:
    length = math.sqrt(sum(x * x for x in row))
    return [x / length for x in row]


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b))


def info_nce_by_loops(q: Tensor, k: Tensor, queue: Tensor, temperature: float) -> float:
    total = 0.
    for a, b in zip(q.tolist(), k.tolist()):
        a, b = unit(a), unit(b)
        positive = math.exp(dot(a, b) / temperature)
        total -= math.log(positive / (positive + sum(math.exp(dot(a, z) / temperature) for z in queue.t().tolist())))
    return total / len(q)


def nt_xent_by_loops(z1: Tensor, z2: Tensor, temperature: float, symmetric: bool) -> float:
    size, rows = len(z1), [unit(row) for row in z1.tolist() + z2.tolist()]
    anchors = range(2 * size) if symmetric else range(size)
    total = 0.
    for i in anchors:
        others = sum(math.exp(dot(rows[i], rows[j]) / temperature) for j in range(2 * size) if j != i)
        total -= math.log(math.exp(dot(rows[i], rows[(i + size) % (2 * size)]) / temperature) / others)
    return total / len(anchors)


def problem(rows: int, width: int, slots: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    """Raw queries and keys (B, D) and a queue (D, Q) of unit columns."""
    q, k = torch.randn(2, rows, width, dtype=torch.float64)
    return q.to(dtype), k.to(dtype), unit_rows(torch.randn(slots, width, dtype=torch.float64)).t().to(dtype)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize('rows, width, slots', [(1, 3, 1), (6, 4, 10), (5, 16, 3)])
@pytest.mark.parametrize('temperature', [.07, .2, 1.])
def test_info_nce_equals_the_loop(rows: int, width: int, slots: int, temperature: float) -> None:
    q, k, queue = problem(rows, width, slots)
    loss, logits = info_nce(q, k, queue, temperature)
    assert loss.item() == pytest.approx(info_nce_by_loops(q, k, queue, temperature), abs=1e-12)
    assert logits.shape == (rows, 1 + slots)
    torch.testing.assert_close(logits[:, 0], (unit_rows(q) * unit_rows(k)).sum(1) / temperature)
    torch.testing.assert_close(logits[:, 1:], unit_rows(q) @ queue / temperature)


def test_only_the_query_of_info_nce_has_a_gradient() -> None:
    q, k, queue = (x.requires_grad_() for x in problem(4, 3, 6))
    assert torch.autograd.gradcheck(lambda x: info_nce(x, k, queue, .2)[0], q)
    info_nce(q, k, queue, .2)[0].backward()
    assert k.grad is None and queue.grad is None
    torch.testing.assert_close((q.grad * q).sum(1), torch.zeros(4, dtype=torch.float64))


def test_info_nce_ignores_lengths_and_the_order_of_the_queue() -> None:
    q, k, queue = problem(5, 4, 8)
    loss = info_nce(q, k, queue, .2)[0]
    torch.testing.assert_close(info_nce(3 * q, k / 7, queue[:, torch.randperm(8)], .2)[0], loss)


def test_info_nce_without_a_queue_is_zero_and_without_rows_too() -> None:
    q, k, queue = problem(4, 3, 5)
    q.requires_grad_()
    for loss in (info_nce(q, k, queue[:, :0], .2)[0], info_nce(q[:0], k[:0], queue, .2)[0]):
        assert loss.item() == 0
        assert torch.autograd.grad(loss, q)[0].abs().max() == 0


@pytest.mark.parametrize('rows, width', [(1, 3), (2, 3), (7, 5)])
@pytest.mark.parametrize('symmetric', [True, False])
@pytest.mark.parametrize('temperature', [.1, .5])
def test_nt_xent_equals_the_loop(rows: int, width: int, symmetric: bool, temperature: float) -> None:
    z1, z2 = torch.randn(2, rows, width, dtype=torch.float64)
    expected = nt_xent_by_loops(z1, z2, temperature, symmetric)
    assert nt_xent(z1, z2, temperature, symmetric).item() == pytest.approx(expected, abs=1e-12)


def test_nt_xent_averages_both_choices_of_anchors_and_does_not_care_which_view_is_first() -> None:
    z1, z2 = torch.randn(2, 6, 4, dtype=torch.float64)
    both = nt_xent(z1, z2, .3)
    torch.testing.assert_close(both, nt_xent(z2, z1, .3))
    halves = nt_xent(z1, z2, .3, symmetric=False), nt_xent(z2, z1, .3, symmetric=False)
    assert abs(halves[0] - halves[1]) > 1e-3
    torch.testing.assert_close(both, (halves[0] + halves[1]) / 2)
    order = torch.randperm(6)
    torch.testing.assert_close(nt_xent(z1[order], z2[order], .3), both)


@pytest.mark.parametrize('symmetric', [True, False])
@pytest.mark.parametrize('normalize', [True, False])
def test_nt_xent_gradients(symmetric: bool, normalize: bool) -> None:
    z1, z2 = (unit_rows(z).requires_grad_() for z in torch.randn(2, 4, 3, dtype=torch.float64))
    assert torch.autograd.gradcheck(lambda a, b: nt_xent(a, b, .4, symmetric, normalize), (z1, z2))
    along = torch.autograd.grad(nt_xent(z1, z2, .4, symmetric, normalize), z1)[0].mul(z1).sum(1).abs().max()
    assert (along < 1e-12) == normalize
    torch.testing.assert_close(nt_xent(z1, z2, .4, symmetric, False), nt_xent(z1, z2, .4, symmetric))


def test_nt_xent_of_one_pair_and_of_none_is_zero() -> None:
    z1, z2 = (z.requires_grad_() for z in torch.randn(2, 1, 3))
    for loss in (nt_xent(z1, z2, .1), nt_xent(z1[:0], z2[:0], .1), nt_xent(z1[:0], z2[:0], .1, symmetric=False)):
        assert loss.item() == 0
        assert all(grad.abs().max() == 0 for grad in torch.autograd.grad(loss, (z1, z2)))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(dtype: torch.dtype) -> None:
    q, k, queue = problem(8, 16, 12, dtype)
    loss, logits = info_nce(q, k, queue, .07)
    assert loss.dtype == logits.dtype == torch.float32
    torch.testing.assert_close(loss, info_nce(q.double(), k.double(), queue.double(), .07)[0].float())
    torch.testing.assert_close(nt_xent(q, k, .1), nt_xent(q.double(), k.double(), .1).float())


def test_autocast_changes_nothing_and_nothing_waits_for_the_device() -> None:
    q, k, queue = problem(6, 8, 10, torch.float32)
    expected = info_nce(q, k, queue, .2)[0], nt_xent(q, k, .1)
    with torch.autocast('cpu', torch.bfloat16), SyncGuard():
        given = info_nce(q, k, queue, .2)[0], nt_xent(q, k, .1)
    assert given == expected
