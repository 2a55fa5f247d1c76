"""Guessing and mixing against loops."""
from __future__ import annotations

import pytest
import torch
from sync_guard import SyncGuard

from mmcluster.functional.losses import mixing

F64 = torch.float64


def logits(rows: int, num_clusters: int, seed: int, scale: float = 2.) -> torch.Tensor:
    return scale * torch.randn(rows, num_clusters, generator=torch.Generator().manual_seed(seed), dtype=F64)


@pytest.mark.parametrize('temperature', [0.1, 0.5, 1., 2.])
def test_sharpen_row_by_row(temperature: float) -> None:
    prob = logits(6, 4, 0).softmax(1)
    expected = []
    for row in prob.tolist():
        powers = [p ** (1 / temperature) for p in row]
        expected.append([power / sum(powers) for power in powers])
    torch.testing.assert_close(mixing.sharpen(prob, temperature), torch.tensor(expected, dtype=F64))


def test_sharpen_keeps_zeros_and_survives_small_temperatures() -> None:
    assert mixing.sharpen(torch.tensor([[0., 1., 0.]]), 0.5).tolist() == [[0, 1, 0]]
    flat = torch.full((1, 100), 0.01)
    flat[0, 7] = 0.011
    found = mixing.sharpen(flat, 0.01)
    assert found.sum().item() == pytest.approx(1) and found.argmax() == 7


def test_guess_is_the_sharpened_mean() -> None:
    first, second = logits(5, 3, 0).requires_grad_(), logits(5, 3, 1)
    found = mixing.guess([first, second], 0.5)
    torch.testing.assert_close(found, mixing.sharpen((first.softmax(1) + second.softmax(1)) / 2, 0.5))
    assert not found.requires_grad


@pytest.mark.parametrize('shape', [(), (3,), (2, 4, 4)])
def test_mix_row_by_row(shape: tuple) -> None:
    x = torch.randn(6, *shape, generator=torch.Generator().manual_seed(0))
    order = torch.tensor([3, 0, 2, 5, 1, 4])
    found = mixing.mix(x, order, 0.75)
    for i, partner in enumerate(order.tolist()):
        torch.testing.assert_close(found[i], 0.75 * x[i] + 0.25 * x[partner])
    assert torch.equal(mixing.mix(x, order, 1.), x)
    torch.testing.assert_close(mixing.mix(x, order, torch.tensor(0.75, dtype=F64)), found)


def test_squared_error_by_loops_and_gradient() -> None:
    x, target = logits(4, 3, 0).requires_grad_(), logits(4, 3, 1).softmax(1)
    prob = x.softmax(1).tolist()
    expected = sum((prob[i][k] - target[i, k].item()) ** 2 for i in range(4) for k in range(3)) / 12
    assert mixing.squared_error(x, target).item() == pytest.approx(expected)
    assert torch.autograd.gradcheck(lambda x: mixing.squared_error(x, target), x)


def test_labels_as_rows() -> None:
    like = logits(3, 4, 0)
    assert mixing.soft_rows(torch.tensor([2, -1, 0]), like).tolist() == [[0, 0, 1, 0], [0] * 4, [1, 0, 0, 0]]
    soft = like.softmax(1).float()
    assert mixing.soft_rows(soft, like).dtype == F64 and torch.equal(mixing.soft_rows(soft, like).float(), soft)


def test_no_row_and_no_wait() -> None:
    x = torch.zeros(0, 3).requires_grad_()
    loss = mixing.squared_error(x, torch.zeros(0, 3))
    loss.backward()
    assert loss == 0 and x.grad.shape == (0, 3)
    with SyncGuard():
        guess = mixing.guess([logits(4, 3, 0).bfloat16()] * 2, 0.5)
        mixing.mix(guess, torch.tensor([1, 0, 3, 2]), 0.9)
        assert mixing.squared_error(logits(4, 3, 0).bfloat16(), guess).dtype == torch.float32
