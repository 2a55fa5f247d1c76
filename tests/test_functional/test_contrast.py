from __future__ import annotations

import math

import pytest
import torch

from mmcluster.functional.losses.contrast import at_least_float32, cosine_regression, mutual_prediction, unit_rows


def by_loops(p: list[list[float]], k: list[list[float]]) -> float:
    total = 0.
    for a, b in zip(p, k):
        dot = sum(x * y for x, y in zip(a, b))
        total += 2 - 2 * dot / math.sqrt(sum(x * x for x in a)) / math.sqrt(sum(y * y for y in b))
    return total / len(p)


@pytest.mark.parametrize('rows, width', [(1, 3), (7, 2), (12, 16)])
def test_cosine_regression_against_loops(rows: int, width: int) -> None:
    p, k = torch.randn(2, rows, width, dtype=torch.float64)
    assert cosine_regression(p, k).item() == pytest.approx(by_loops(p.tolist(), k.tolist()), abs=1e-12)


@pytest.mark.parametrize('k, expected', [([3., 0.], 0.), ([0., 5.], 2.), ([-1e-3, 0.], 4.)])
def test_cosine_regression_known_values(k: list[float], expected: float) -> None:
    assert cosine_regression(torch.tensor([[2., 0.]]), torch.tensor([k])).item() == pytest.approx(expected)


def test_cosine_regression_is_squared_distance_of_unit_rows_and_ignores_norms() -> None:
    p, k = torch.randn(2, 6, 4, dtype=torch.float64)
    scale = torch.rand(6, 1, dtype=torch.float64) + 0.1
    loss = cosine_regression(p, k)
    torch.testing.assert_close(loss, (unit_rows(p) - unit_rows(k)).square().sum(1).mean())
    torch.testing.assert_close(cosine_regression(p * scale, k / scale), loss)


def test_gradients() -> None:
    p, k = torch.randn(2, 5, 3, dtype=torch.float64).unbind()
    p, k = p.requires_grad_(), k.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: cosine_regression(x, k.detach()), p)
    cosine_regression(p, k).backward()
    assert k.grad is None
    torch.testing.assert_close((p.grad * p).sum(1), torch.zeros(5, dtype=torch.float64))


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_a_zero_row_counts_two_and_has_no_gradient(dtype: torch.dtype) -> None:
    p = torch.zeros(2, 3, dtype=dtype)
    p[1, 0] = 1
    p.requires_grad_()
    k = torch.tensor([[1., 0, 0], [0, 1, 0]], dtype=dtype)
    loss = cosine_regression(p, k)
    loss.backward()
    assert loss.item() == 2
    assert p.grad.tolist() == [[0, 0, 0], [0, -1, 0]]


def test_unit_rows_divides_tiny_rows_by_eps() -> None:
    x = torch.tensor([[3., 4.], [0., 0.], [5e-13, 0.]], dtype=torch.float64)
    torch.testing.assert_close(unit_rows(x), torch.tensor([[.6, .8], [0, 0], [.5, 0]], dtype=torch.float64))


def test_half_precision_is_widened() -> None:
    assert [at_least_float32(torch.zeros(1, dtype=t)).dtype for t in (torch.bfloat16, torch.float16, torch.float32,
            torch.float64)] == [torch.float32, torch.float32, torch.float32, torch.float64]
    p, k = torch.randn(2, 8, 16).bfloat16().unbind()
    loss = cosine_regression(p, k)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, cosine_regression(p.double(), k.double()).float())


@pytest.mark.parametrize('rows, width', [(1, 3), (9, 4)])
def test_mutual_prediction_against_loops(rows: int, width: int) -> None:
    p1, p2, z1, z2 = torch.randn(4, rows, width, dtype=torch.float64)
    regression = by_loops(p1.tolist(), z2.tolist()) + by_loops(p2.tolist(), z1.tolist())
    assert mutual_prediction(p1, p2, z1, z2).item() == pytest.approx(regression / 4 - 1, abs=1e-12)


def test_gradients_of_mutual_prediction_reach_predictions_alone() -> None:
    p1, p2, z1, z2 = (x.requires_grad_() for x in torch.randn(4, 5, 3, dtype=torch.float64).unbind())
    assert torch.autograd.gradcheck(lambda a, b: mutual_prediction(a, b, z1.detach(), z2.detach()), (p1, p2))
    mutual_prediction(p1, p2, z1, z2).backward()
    assert z1.grad is None and z2.grad is None and p1.grad.abs().sum() > 0 and p2.grad.abs().sum() > 0


def test_edges_of_mutual_prediction() -> None:
    rows = torch.eye(3)
    assert mutual_prediction(rows, rows, rows, rows) == -1 and mutual_prediction(rows, rows, -rows, -rows) == 1
    zero = torch.zeros(3, 3, requires_grad=True)
    mutual_prediction(zero, rows, rows, rows).backward()
    assert zero.grad.abs().sum() == 0
    assert mutual_prediction(*4 * [torch.zeros(0, 3)]) == 0
    half = [x.bfloat16() for x in torch.randn(4, 8, 16)]
    loss = mutual_prediction(*half)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, mutual_prediction(*[x.double() for x in half]).float())
