"""RUC against loops over rows."""
from __future__ import annotations

import math

import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor
from torch.nn import functional as F

from mmcluster.functional.losses import ruc
from mmcluster.functional.scale import min_max

F64 = torch.float64


def logits(rows: int, num_clusters: int = 5, seed: int = 0, scale: float = 3.) -> Tensor:
    return scale * torch.randn(rows, num_clusters, generator=torch.Generator().manual_seed(seed), dtype=F64)


def labels(rows: int, num_clusters: int = 5, seed: int = 0, low: int = 0) -> Tensor:
    return torch.randint(low, num_clusters, (rows,), generator=torch.Generator().manual_seed(seed))


# ---- clean rows

def test_confident_rows_reach_the_threshold() -> None:
    rows = torch.tensor([[2., 0.], [0., 2.001], [0., 0.]], dtype=F64)
    threshold = float(rows[0].softmax(0)[0])
    assert ruc.confident_rows(rows, threshold).tolist() == [True, True, False]
    assert ruc.confident_rows(rows, 0.5).all()


@pytest.mark.parametrize('k', [1, 4, 9])
@pytest.mark.parametrize('chunk', [None, 7])
def test_majority_against_loops(k: int, chunk: int | None) -> None:
    """The row itself votes; of equally frequent labels the smallest wins."""
    x, label = logits(40, 3), labels(40, 3)
    unit = F.normalize(x, dim=1)
    expected = []
    for i in range(40):
        others = sorted((j for j in range(40) if j != i), key=lambda j: -float(unit[i] @ unit[j]))
        votes = [int(label[j]) for j in [i, *others[:k - 1]]]
        expected.append(max(range(3), key=lambda c: (votes.count(c), -c)) == int(label[i]))
    assert ruc.majority_rows(x, label, 3, k, chunk).tolist() == expected
    assert k == 1 or len(set(expected)) == 2


def test_a_row_votes_even_among_its_copies() -> None:
    assert ruc.majority_rows(torch.ones(6, 2), torch.tensor([0, 1, 2, 2, 0, 1]), 3, 1).all()


@pytest.mark.parametrize('how', ruc.HOW)
def test_clean_rows(how: str) -> None:
    x, embed = logits(30), logits(30, 4, seed=1)
    label = x.argmax(1)
    sure, majority = ruc.confident_rows(x, 0.8), ruc.majority_rows(embed, label, 5, 4)
    expected = dict(confidence=sure, metric=majority, hybrid=sure & majority)[how]
    assert torch.equal(ruc.clean_rows(x, embed, label, how, 0.8, 4), expected) and 0 < expected.sum() < 30


def test_bad_requests() -> None:
    x = logits(3)
    with pytest.raises(ValueError, match='hybrid'):
        ruc.clean_rows(x, x, x.argmax(1), 'both')
    with pytest.raises(ValueError, match='lower k'):
        ruc.majority_rows(x, x.argmax(1), 5, 4)
    assert ruc.clean_rows(x, None, x.argmax(1), 'confidence', 0.).all()


# ---- targets

def test_refinement_against_loops() -> None:
    label, twin = labels(6, low=-1, seed=3), logits(6, seed=1)
    label[0], label[1] = -1, 2
    weight = torch.tensor([0.3, 0., 1., 0.5, 0.9, 0.1], dtype=F64)
    found = ruc.refined_target(label, twin, weight, 0.5)
    for i in range(6):
        prob, w = twin[i].softmax(0), weight[i] if label[i] >= 0 else 1.
        mixed = [(1 - w) * (label[i] == j) + w * prob[j] for j in range(5)]
        powers = [float(entry) ** 2 for entry in mixed]
        torch.testing.assert_close(found[i], torch.tensor([entry / sum(powers) for entry in powers], dtype=F64))
    assert found[1].tolist() == [0, 0, 1, 0, 0]


def test_refinement_of_sure_twins_is_finite() -> None:
    twin = torch.tensor([[500., 0, 0], [0, -2000., 0]])
    for weight in (0., 0.5, 1.):
        assert ruc.refined_target(torch.tensor([1, -1]), twin, torch.full((2,), weight)).isfinite().all()


def test_relabelling_only_adds() -> None:
    label = torch.tensor([1, -1, -1, 0])
    rows = torch.tensor([[9., 0, 0], [0, 0, 9.], [1., 0, 0], [0, 9., 0]])
    assert ruc.relabel(label, rows, 0.99).tolist() == [1, 2, -1, 0]
    reached = float(rows[2].softmax(0)[0])
    assert ruc.relabel(label, rows, reached).tolist() == [1, 2, 0, 0]


def test_weights_are_stretched() -> None:
    x = torch.tensor([[3., 1.], [2., 5.]])
    assert min_max(x).tolist() == [[0.5, 0], [0.25, 1]]
    assert min_max(x, 1).tolist() == [[1, 0], [0, 1]]
    assert min_max(torch.full((4,), 0.7)).tolist() == [0.] * 4 and min_max(x[:0]).shape == (0, 2)


def test_weight_of_the_rows_that_were_seen() -> None:
    x = torch.tensor([0.5, -1., 0.9, 0.6, -1.])
    torch.testing.assert_close(ruc.twin_weight(x), torch.tensor([0., 0., 1., 0.25, 0.]))
    assert ruc.twin_weight(torch.full((3,), -1.)).tolist() == [0.] * 3 and ruc.twin_weight(x[:0]).shape == (0,)
    torch.testing.assert_close(ruc.twin_weight(x[[0, 2, 3]]), min_max(x[[0, 2, 3]]))


def test_soft_labels() -> None:
    """One-hot rows are hard labels, negative rows are unknown, and both losses are linear in a label."""
    label, twin, weight = torch.tensor([2, -1, 0]), logits(3, seed=1), torch.tensor([0.3, 0.2, 0.9], dtype=F64)
    soft = F.one_hot(label.clamp(min=0), 5).double()
    soft[1] = -1
    torch.testing.assert_close(ruc.refined_target(soft, twin, weight), ruc.refined_target(label, twin, weight))
    torch.testing.assert_close(ruc.smoothed_cross_entropy(twin, soft), ruc.smoothed_cross_entropy(twin, label))
    both = torch.full((1, 5), 0.) + F.one_hot(torch.tensor([1, 4]), 5).double().mean(0)
    expected = [ruc.smoothed_cross_entropy(twin[:1], torch.tensor([own])) for own in (1, 4)]
    torch.testing.assert_close(ruc.smoothed_cross_entropy(twin[:1], both), (expected[0] + expected[1]) / 2)


# ---- losses

def slow_mixed(rows: Tensor, target: Tensor, clean: list[bool]) -> tuple[Tensor, Tensor]:
    sums, counts = [torch.zeros((), dtype=F64)] * 2, [0, 0]
    for i, own in enumerate(clean):
        prob = rows[i].softmax(0)
        if own:
            value = -sum(target[i, j] * prob[j].log() for j in range(rows.shape[1]))
        else:
            value = sum((prob[j] - target[i, j]) ** 2 for j in range(rows.shape[1])) / rows.shape[1]
        sums[not own] = sums[not own] + value
        counts[not own] += 1
    return sums[0] / max(counts[0], 1), sums[1] / max(counts[1], 1)


@pytest.mark.parametrize('clean', [[True, False, True, True, False, False], [True] * 6, [False] * 6])
def test_mixed_losses_against_loops(clean: list[bool]) -> None:
    """A part without rows is 0 with a zero gradient."""
    rows, target = logits(6).requires_grad_(), logits(6, seed=1).softmax(1)
    found, expected = ruc.mixed_losses(rows, target, torch.tensor(clean)), slow_mixed(rows, target, clean)
    for value, other, present in zip(found, expected, (any(clean), not all(clean))):
        torch.testing.assert_close(value, other)
        grad = torch.autograd.grad(value, rows, retain_graph=True)[0]
        if present:
            torch.testing.assert_close(grad, torch.autograd.grad(other, rows, retain_graph=True)[0])
        else:
            assert value == 0 and (grad == 0).all()


def slow_smoothed(rows: Tensor, label: list[int], smoothing: float) -> Tensor:
    total, count, size = torch.zeros((), dtype=F64), 0, rows.shape[1]
    for i, own in enumerate(label):
        if own >= 0:
            log_prob = rows[i].log_softmax(0)
            total = total - sum((1 - smoothing if j == own else smoothing / (size - 1)) * log_prob[j]
                                for j in range(size))
            count += 1
    return total / max(count, 1)


@pytest.mark.parametrize('smoothing', [0., 0.5])
@pytest.mark.parametrize('label', [[2, -1, 0, 4], [-1] * 4])
def test_smoothed_cross_entropy_against_loops(smoothing: float, label: list[int]) -> None:
    rows = logits(4).requires_grad_()
    found = ruc.smoothed_cross_entropy(rows, torch.tensor(label), smoothing)
    torch.testing.assert_close(found, slow_smoothed(rows, label, smoothing))
    grad = torch.autograd.grad(found, rows)[0]
    assert (grad[[own < 0 for own in label]] == 0).all()
    if smoothing == 0 and max(label) >= 0:
        torch.testing.assert_close(found, F.cross_entropy(rows, torch.tensor(label), ignore_index=-1))


def test_halves_add_up_to_the_whole() -> None:
    """With the counts of all rows the losses of parts add up, as those of several ranks do."""
    rows, target, clean, label = logits(8), logits(8, seed=1).softmax(1), labels(8, 2) == 1, labels(8, low=-1)
    whole = ruc.mixed_losses(rows, target, clean)
    parts = [ruc.mixed_losses(rows[part], target[part], clean[part], clean.sum(), (~clean).sum())
             for part in (slice(3), slice(3, 8))]
    for i in range(2):
        torch.testing.assert_close(parts[0][i] + parts[1][i], whole[i])
    sums = [ruc.smoothed_cross_entropy(rows[part], label[part], count=(label >= 0).sum())
            for part in (slice(3), slice(3, 8))]
    torch.testing.assert_close(sums[0] + sums[1], ruc.smoothed_cross_entropy(rows, label))


def test_no_row_and_half_precision() -> None:
    rows = logits(0).requires_grad_()
    none = torch.zeros(0, dtype=torch.bool)
    total = sum(ruc.mixed_losses(rows, rows.detach(), none)) + ruc.smoothed_cross_entropy(rows, labels(0))
    total.backward()
    assert total == 0 and rows.grad.shape == (0, 5)
    half = logits(4).bfloat16()
    target, label = half.float().softmax(1), labels(4)
    with SyncGuard():
        losses = ruc.mixed_losses(half, target, label == 0)
        smooth = ruc.smoothed_cross_entropy(half, label)
        refined = ruc.refined_target(label, half, torch.rand(4))
        ruc.relabel(label, half)
    assert {x.dtype for x in (*losses, smooth, refined)} == {torch.float32}
    assert not math.isnan(float(sum(losses) + smooth))


def test_one_cluster() -> None:
    assert ruc.smoothed_cross_entropy(torch.zeros(2, 1), torch.tensor([0, -1])) == 0
