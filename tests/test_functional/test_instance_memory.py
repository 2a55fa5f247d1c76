"""IDFD's losses and memory against loops."""
from __future__ import annotations

import math

import pytest
import torch
from sync_guard import SyncGuard

from mmcluster.functional.losses.instance_memory import feature_decorrelation, instance_discrimination, remembered


def share(similar: list[float], own: int, temperature: float) -> float:
    """Minus the logarithm of one entry's share in a softmax."""
    return -math.log(math.exp(similar[own] / temperature) / sum(math.exp(s / temperature) for s in similar))


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b))


@pytest.mark.parametrize('rows, width, images', [(6, 4, 9), (1, 3, 1), (5, 8, 5)])
def test_against_loops(rows: int, width: int, images: int) -> None:
    feat = torch.nn.functional.normalize(torch.randn(rows, width, dtype=torch.float64))
    memory, index = torch.randn(images, width, dtype=torch.float64), torch.randperm(images)[:rows]
    slow = [share([dot(row, other) for other in memory.tolist()], i, 0.7)
            for row, i in zip(feat.tolist(), index.tolist())]
    found = instance_discrimination(feat, memory, index, 0.7)
    assert found.item() == pytest.approx(sum(slow) / len(slow), abs=1e-12)
    columns = feat.t().tolist()
    cosine = [[dot(a, b) / math.sqrt(dot(a, a) * dot(b, b)) for b in columns] for a in columns]
    slow = [share(line, i, 2.) for i, line in enumerate(cosine)]
    assert feature_decorrelation(feat, 2.).item() == pytest.approx(sum(slow) / len(slow), abs=1e-12)


def test_gradients() -> None:
    feat = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    memory = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    index = torch.tensor([6, 0, 3, 3, 1])
    assert torch.autograd.gradcheck(lambda x: instance_discrimination(x, memory.detach(), index, 0.5), feat)
    assert torch.autograd.gradcheck(lambda x: feature_decorrelation(x, 2.), feat)
    instance_discrimination(feat, memory, index, 0.5).backward()
    assert memory.grad is None, 'the memory is a constant'


def test_known_values() -> None:
    """Features that do not repeat each other are as well apart as they can be; copies are not."""
    apart = feature_decorrelation(torch.eye(4), 2.)
    assert apart.item() == pytest.approx(math.log(math.exp(0.5) + 3) - 0.5)
    assert feature_decorrelation(torch.ones(6, 4), 2.).item() == pytest.approx(math.log(4)) and apart < math.log(4)
    assert instance_discrimination(torch.zeros(3, 2), torch.randn(8, 2), torch.arange(3), 1.).item() == pytest.approx(
        math.log(8))


def test_edges() -> None:
    """A feature that is always zero, no row at all, half precision."""
    feat = torch.randn(5, 3)
    feat[:, 1] = 0
    feat.requires_grad_()
    feature_decorrelation(feat, 2.).backward()
    assert feat.grad.isfinite().all() and not feat.grad[:, 1].any()
    assert instance_discrimination(torch.zeros(0, 3), torch.randn(4, 3), torch.zeros(0, dtype=torch.long), 1.) == 0
    half = torch.randn(4, 3).bfloat16()
    assert feature_decorrelation(half, 2.).dtype == torch.float32
    assert instance_discrimination(half, torch.randn(4, 3), torch.arange(4), 1.).dtype == torch.float32


def test_the_memory_keeps_directions() -> None:
    old, feat = torch.tensor([[3., 0.], [0., -1.]]), torch.tensor([[0., 1.], [0., 1.]])
    found = remembered(old, feat, 0.5)
    torch.testing.assert_close(found[0], torch.tensor([3., 1.]) / math.sqrt(10))
    assert not found[1].any(), 'opposite directions leave none'
    torch.testing.assert_close(remembered(old, feat, 0.), feat)


def test_nothing_waits_for_the_device() -> None:
    with SyncGuard():
        feat = torch.randn(4, 3)
        instance_discrimination(feat, torch.randn(6, 3), torch.arange(4), 1.)
        feature_decorrelation(feat, 2.)
        remembered(feat, feat, 0.5)
