"""Alignment with anchors against numpy and loops."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.labels.instance import REG_FLOOR, align_instances, anchor_cost, cluster_target, regularisation

F64 = torch.float64


def rand(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def test_the_cost_is_one_minus_the_cosine() -> None:
    feat, anchor = rand(5, 3), 4 * rand(4, 3, seed=1)
    feat[2] = 0
    a, b = feat.numpy(), anchor.numpy()
    norm = np.maximum(np.linalg.norm(a, axis=1), 1e-300)[:, None] * np.linalg.norm(b, axis=1)
    cost = anchor_cost(feat, anchor)
    np.testing.assert_allclose(cost.numpy(), 1 - a @ b.T / norm, atol=1e-12)
    assert (cost[2] == 1).all()
    assert anchor_cost(feat.bfloat16(), anchor.bfloat16()).dtype == F64


@pytest.mark.parametrize('mode', ['relative', 'absolute'])
def test_regularisation(mode: str) -> None:
    cost = rand(4, 5).abs()
    expected = 0.2 * np.std(cost.numpy()) if mode == 'relative' else 0.2
    assert float(regularisation(cost, 0.2, mode)) == pytest.approx(expected, abs=1e-12)
    for flat in (torch.ones(3, 3, dtype=F64), torch.zeros(0, 3, dtype=F64), torch.ones(1, 1, dtype=F64)):
        assert float(regularisation(flat, 0.2, 'relative')) == REG_FLOOR
    assert regularisation(cost, 1e-9, 'absolute') == REG_FLOOR


@pytest.mark.parametrize('reg,mode', [(0., 'relative'), (-1, 'absolute'), (0.1, 'sd')])
def test_a_bad_regularisation(reg: float, mode: str) -> None:
    with pytest.raises(ValueError, match='positive'):
        regularisation(torch.ones(2, 2), reg, mode)


def test_relative_labels_do_not_depend_on_how_alike_features_are() -> None:
    """Features around a large common direction have tiny costs; relative labels stay as sharp."""
    base, x, a = torch.zeros(50, dtype=F64), rand(12, 50), rand(12, 50, seed=1)
    base[0] = 100.
    x[:, 0], a[:, 0] = 0, 0
    near = [align_instances(base + x, base + a, tol=1e-10, sweeps=5000, reg_mode=mode)
            for mode in ('relative', 'absolute')]
    spread = [align_instances(base / 10 + x, base / 10 + a, tol=1e-10, sweeps=5000, reg_mode=mode)
              for mode in ('relative', 'absolute')]
    assert near[0].cost.std() < spread[0].cost.std() / 20
    entropy = [[float(torch.special.entr(one.label).sum(1).mean()) for one in pair] for pair in (near, spread)]
    assert abs(entropy[0][0] - entropy[1][0]) < 0.3 and entropy[0][1] > np.log(12) - 0.01


def test_perfect_features_give_the_right_instance_class() -> None:
    anchor = torch.eye(8, dtype=F64)
    order = torch.tensor([5, 2, 7, 0, 1, 3, 6, 4])
    found = align_instances(3 * anchor[order], anchor, reg=0.05, reg_mode='absolute', tol=1e-12, sweeps=1000)
    assert torch.equal(found.index, order)
    torch.testing.assert_close(found.label, anchor[order], atol=1e-6, rtol=0)
    torch.testing.assert_close(found.plan, found.label / 8)


def test_every_anchor_gets_its_share() -> None:
    """All images are nearest to the first anchor; the transport spreads them nevertheless."""
    anchor = torch.eye(4, dtype=F64)
    feat = anchor[0] + 0.1 * rand(4, 4)
    found = align_instances(feat, anchor, reg=0.01, reg_mode='absolute', tol=1e-10, sweeps=100000)
    assert (found.cost.argmin(1) == 0).all() and found.index.sort().values.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize('mode', ['relative', 'absolute'])
def test_identical_features_give_uniform_labels(mode: str) -> None:
    feat = torch.ones(6, 5) * 0.3
    found = align_instances(feat, feat[:4], reg_mode=mode)
    torch.testing.assert_close(found.label, torch.full((6, 4), 0.25))
    assert found.label.dtype == found.plan.dtype == torch.float32 and (found.index == 0).all()


@pytest.mark.parametrize('m, relax', [(49, 1.), (50, 1.8), (240, 1.8)])
def test_many_classes_have_relaxed_sweeps(m: int, relax: float) -> None:
    feat, anchor = rand(m, 6).relu(), rand(m, 6, seed=1).relu()
    found = align_instances(feat, anchor)
    assert torch.equal(found.label, align_instances(feat, anchor, relax=relax).label)
    assert not torch.equal(found.label, align_instances(feat, anchor, relax=1.5).label)
    exact = align_instances(feat, anchor, sweeps=20_000, tol=1e-9).label
    assert (found.label - exact).abs().max() < 2e-3


@pytest.mark.parametrize('l,m', [(0, 3), (3, 0), (1, 1)])
def test_few_rows(l: int, m: int) -> None:
    found = align_instances(rand(l, 4), rand(m, 4, seed=1))
    assert found.label.shape == (l, m) and found.index.tolist() == [0] * l


def test_no_gradient_and_no_wait() -> None:
    feat, anchor = rand(6, 4).float().requires_grad_(), rand(6, 4, seed=1).float()
    for mode in ('relative', 'absolute'):
        with SyncGuard():
            found = align_instances(feat, anchor, reg_mode=mode)
            target = cluster_target(found.label, found.index, torch.arange(6) % 3, 3)
        assert not found.label.requires_grad and target.shape == (6,)


def test_cluster_labels() -> None:
    label = torch.tensor([[0.5, 0.2, 0.3], [0.3, 0.4, 0.3]], dtype=F64)
    class_map = torch.tensor([1, 0, 0])
    assert cluster_target(label, label.argmax(1), class_map, 2).tolist() == [1, 0]
    soft = cluster_target(label, label.argmax(1), class_map, 2, soft=True)
    torch.testing.assert_close(soft, torch.tensor([[0.5, 0.5], [0.7, 0.3]], dtype=F64))
