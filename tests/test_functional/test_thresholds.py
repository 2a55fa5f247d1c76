"""Thresholds and weights against loops in Python floats."""
from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.labels import thresholds
from mmcluster.functional.losses.pseudo import known_rows, masked_cross_entropy, positive_mask

F64 = torch.float64


def probabilities(rows: int, num_clusters: int, seed: int = 0, dtype: torch.dtype = F64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(rows, num_clusters, generator=generator, dtype=F64)).softmax(dim=1).to(dtype)


# ---- averages

def test_a_moving_mean_without_rows_stays() -> None:
    old, total = torch.tensor([0.2, 0.4], dtype=F64), torch.tensor([3., 0.], dtype=F64)
    counts = torch.tensor([4., 0.], dtype=F64)
    found = thresholds.moving_mean(old, total, counts, 0.9)
    torch.testing.assert_close(found, torch.tensor([0.9 * 0.2 + 0.1 * 0.75, 0.4], dtype=F64))
    assert torch.equal(thresholds.moving_mean(old, total, torch.tensor(0.), 0.9), old)


# ---- FlexMatch

@pytest.mark.parametrize('warmup', [True, False])
def test_progress_is_counted(warmup: bool) -> None:
    selected = [-1] * 6 + [0, 0, 0, 2, 2]
    largest = 6 if warmup else 3
    found = thresholds.curriculum_progress(torch.zeros(4, dtype=F64), torch.tensor(selected), warmup)
    assert found.tolist() == [selected.count(k) / largest for k in range(4)]
    fewer = torch.tensor([-1, 0, 0, 0, 2, 2])
    assert thresholds.curriculum_progress(torch.zeros(4), fewer, warmup).tolist() == pytest.approx([1, 0, 2 / 3, 0])


@pytest.mark.parametrize('warmup', [True, False])
@pytest.mark.parametrize('value', [-1, 0, 3])
def test_progress_waits_while_one_value_fills_everything(value: int, warmup: bool) -> None:
    old = torch.tensor([0.1, 0.2, 0.3, 0.4])
    assert torch.equal(thresholds.curriculum_progress(old, torch.full((7,), value), warmup), old)
    assert torch.equal(thresholds.curriculum_progress(old, torch.zeros(0, dtype=torch.long), warmup), old)


def test_curriculum_thresholds() -> None:
    progress = torch.tensor([0., 0.25, 0.5, 1.], dtype=F64)
    found = thresholds.curriculum_thresholds(progress, 0.95)
    torch.testing.assert_close(found, torch.tensor([0.95 * b / (2 - b) for b in progress.tolist()], dtype=F64))
    assert positive_mask(probabilities(5, 4), torch.zeros(4)).all(), 'every row passes at the start'


# ---- FreeMatch

def test_adaptive_thresholds() -> None:
    p_model = torch.tensor([0.1, 0.6, 0.3], dtype=F64)
    found = thresholds.adaptive_thresholds(torch.tensor(0.8, dtype=F64), p_model)
    assert found.tolist() == pytest.approx([0.8 / 6, 0.8, 0.4])
    assert thresholds.adaptive_thresholds(torch.tensor(0.8), torch.zeros(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize('q', [0., 0.3, 0.8, 1.])
@pytest.mark.parametrize('rows', [1, 2, 7, 20])
def test_quantile_is_numpys(rows: int, q: float) -> None:
    x = probabilities(rows, 3)[:, 0]
    assert thresholds.linear_quantile(x, q).item() == pytest.approx(np.quantile(x.numpy(), q), rel=1e-12)


def test_a_quantile_of_nothing_is_zero() -> None:
    assert thresholds.linear_quantile(torch.zeros(0), 0.8) == 0


# ---- SoftMatch and AdaMatch

def test_alignment_row_by_row() -> None:
    prob = probabilities(6, 4)
    target, model = probabilities(2, 4, 1)
    expected = []
    for row in prob.tolist():
        scaled = [p * (t + 1e-6) / (m + 1e-6) for p, t, m in zip(row, target.tolist(), model.tolist())]
        expected.append([s / sum(scaled) for s in scaled])
    torch.testing.assert_close(thresholds.align_distribution(prob, target, model), torch.tensor(expected, dtype=F64))


@pytest.mark.parametrize('level', [-1., 0.25])
def test_constant_averages_align_nothing(level: float) -> None:
    prob = probabilities(6, 4)
    found = thresholds.align_distribution(prob, torch.full((4,), 0.25, dtype=F64), torch.full((4,), level, dtype=F64))
    torch.testing.assert_close(found, prob)


def test_alignment_moves_the_average_to_the_target() -> None:
    """The average of many aligned rows that are all alike is the target itself."""
    target, model = probabilities(2, 4, 3)
    found = thresholds.align_distribution(model.expand(5, 4), target, model)
    torch.testing.assert_close(found.mean(0), target, atol=1e-4, rtol=0)


def test_moments_of_groups() -> None:
    generator = torch.Generator().manual_seed(0)
    confidence, group = torch.rand(30, generator=generator, dtype=F64), torch.randint(0, 3, (30,), generator=generator)
    group[0] = 4                                    # one row alone; group 3 is empty
    counts, mean, variance = thresholds.group_moments(confidence, group, 5)
    for g in range(5):
        members = [c for c, own in zip(confidence.tolist(), group.tolist()) if own == g]
        assert counts[g] == len(members)
        assert mean[g].item() == pytest.approx(statistics.mean(members) if members else 0)
        assert variance[g].item() == pytest.approx(statistics.variance(members) if len(members) > 1 else 0)


def test_a_small_variance_survives_float32() -> None:
    """Sums of squares would lose it."""
    confidence = 0.999 + 1e-5 * torch.arange(8.)
    _, _, variance = thresholds.group_moments(confidence, torch.zeros(8, dtype=torch.long), 1)
    assert variance.item() == pytest.approx(confidence.double().var().item(), rel=0.02)


@pytest.mark.parametrize('n_sigma', [1, 2])
def test_weights_row_by_row(n_sigma: int) -> None:
    confidence = torch.linspace(0.1, 1, 12, dtype=F64)
    found = thresholds.gaussian_weight(confidence, torch.tensor(0.7), torch.tensor(0.04), n_sigma)
    expected = [math.exp(-min(c - 0.7, 0) ** 2 / (2 * 0.04 / n_sigma ** 2)) for c in confidence.tolist()]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=F64), rtol=1e-6, atol=0)
    assert (found[confidence >= 0.7] == 1).all() and (found[:7].diff() > 0).all()


def test_no_variance_is_a_threshold() -> None:
    found = thresholds.gaussian_weight(torch.tensor([0.2, 0.5, 0.9]), torch.tensor(0.5), torch.tensor(0.), 2)
    assert found.tolist() == [0, 1, 1]


def test_half_precision_is_widened() -> None:
    prob = probabilities(6, 4).to(torch.bfloat16)
    found = thresholds.align_distribution(prob, torch.full((4,), 0.25), torch.full((4,), 0.25))
    assert found.dtype == torch.float32 and torch.isfinite(found).all()


def test_nothing_waits_for_the_device() -> None:
    prob, uniform = probabilities(6, 4, dtype=torch.float32), torch.full((4,), 0.25)
    group = torch.zeros(6, dtype=torch.long)
    with SyncGuard():
        thresholds.curriculum_progress(uniform, torch.tensor([-1, 0, 1, 1, 3, 2]))
        thresholds.curriculum_thresholds(uniform, 0.95)
        thresholds.adaptive_thresholds(uniform[0], uniform)
        thresholds.linear_quantile(prob[:, 0], 0.8)
        thresholds.align_distribution(prob, uniform, uniform)
        counts, mean, variance = thresholds.group_moments(prob[:, 0], group, 1)
        thresholds.gaussian_weight(prob[:, 0], mean, variance, 2)
        thresholds.moving_mean(mean, prob[:, 0].sum(), counts, 0.9)


# ---- soft labels

def test_cross_entropy_of_soft_labels() -> None:
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=F64).requires_grad_()
    target = probabilities(5, 4, 2)
    target[2] = -1
    log_prob = logits.log_softmax(1)
    expected = -sum((target[i] * log_prob[i]).sum() for i in (0, 1, 3, 4)) / 5
    found = masked_cross_entropy(logits, target)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(*[torch.autograd.grad(loss, logits, retain_graph=True)[0] for loss in (found, expected)])
    one_hot = torch.eye(4, dtype=F64)[[0, 3, 1, 2, 2]]
    torch.testing.assert_close(masked_cross_entropy(logits, one_hot),
                               masked_cross_entropy(logits, torch.tensor([0, 3, 1, 2, 2])))
    assert known_rows(target).tolist() == [True, True, False, True, True]
    assert known_rows(torch.tensor([3, -1, 0])).tolist() == [True, False, True]


@pytest.mark.parametrize('target', [torch.full((3,), -1), torch.full((3, 4), -1.), torch.zeros(0).long(),
                                    torch.zeros(0, 4)])
def test_no_known_row_gives_zero_with_a_zero_gradient(target: Tensor) -> None:
    logits = torch.randn(len(target), 4).requires_grad_()
    loss = masked_cross_entropy(logits, target)
    loss.backward()
    assert loss == 0 and logits.grad.abs().sum() == 0
