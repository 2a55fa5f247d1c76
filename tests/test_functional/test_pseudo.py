from __future__ import annotations

import math

import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.losses import pseudo


def probabilities(rows: int, num_clusters: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(rows, num_clusters, generator=generator, dtype=torch.float64)).softmax(dim=1)


def start(num_clusters: int) -> tuple[Tensor, Tensor]:
    off_diagonal = 1 - torch.eye(num_clusters, dtype=torch.float64)
    return off_diagonal / num_clusters, torch.full((num_clusters,), 1 - 1 / num_clusters, dtype=torch.float64)


def step_by_loops(prob: Tensor, tau_l: list, tau_g: list, decay: float, absent: str) -> tuple[list, list, list, list]:
    """Eqs. 8-12 and 15 for one batch, element by element."""
    rows, size = prob.tolist(), prob.shape[1]
    for a in range(size):
        members = [row for row in rows if row.index(max(row)) == a]
        if not members and absent == 'keep':
            continue
        count = max(len(members), 1)
        tau_g[a] = decay * tau_g[a] + (1 - decay) * sum(1 - max(row) for row in members) / count
        tau_l[a] = [decay * tau_l[a][j] + (1 - decay) * sum(row[j] for row in members if j != a) / count
                    for j in range(size)]
    tau_neg = [[tau_g[a] * tau_l[a][j] / (sum(tau_l[a]) or 1) for j in range(size)] for a in range(size)]
    return tau_l, tau_g, tau_neg, [1 - sum(row) for row in tau_neg]


@pytest.mark.parametrize('absent', ['keep', 'decay'])
@pytest.mark.parametrize('rows, num_clusters', [(20, 4), (3, 9), (5, 1), (1, 2)])
def test_thresholds_and_masks_against_loops(rows: int, num_clusters: int, absent: str) -> None:
    negative_thresholds, tau_global = start(num_clusters)
    slow_l, slow_g = negative_thresholds.tolist(), tau_global.tolist()
    for step in range(5):
        prob = probabilities(rows, num_clusters, step)
        sums, counts = pseudo.threshold_sums(prob)
        negative_thresholds = pseudo.update_negative_thresholds(negative_thresholds, sums, counts, 0.8, absent)
        slow_l, slow_g, slow_neg, slow_pos = step_by_loops(prob, slow_l, slow_g, 0.8, absent)
        tau_neg, tau_pos = negative_thresholds, pseudo.positive_thresholds(negative_thresholds)
        torch.testing.assert_close(tau_neg, torch.tensor(slow_neg, dtype=torch.float64), atol=1e-12, rtol=0)
        torch.testing.assert_close(tau_pos, torch.tensor(slow_pos, dtype=torch.float64), atol=1e-12, rtol=0)
        top = [row.index(max(row)) for row in prob.tolist()]
        assert pseudo.negative_mask(prob, tau_neg).tolist() == [
            [j != a and float(row[j]) < float(tau_neg[a, j]) for j in range(num_clusters)]
            for row, a in zip(prob, top)]
        assert pseudo.positive_mask(prob, tau_pos).tolist() == [
            float(row.max()) >= float(tau_pos[a]) for row, a in zip(prob, top)]


def test_sums_of_ranks_add_up() -> None:
    prob = probabilities(12, 5)
    whole, parts = pseudo.threshold_sums(prob), [pseudo.threshold_sums(part) for part in prob.split(4)]
    torch.testing.assert_close(tuple(sum(part) for part in zip(*parts)), whole)
    assert not whole[0].diagonal().any() and whole[1].sum() == 12


def test_absent_classes_keep_or_decay() -> None:
    tau, _ = start(10)
    nothing = torch.zeros(10, 10, dtype=torch.float64), torch.zeros(10, dtype=torch.float64)
    kept, decayed = tau, tau
    for _ in range(2000):
        kept = pseudo.update_negative_thresholds(kept, *nothing, 0.999)
        decayed = pseudo.update_negative_thresholds(decayed, *nothing, 0.999, absent='decay')
    assert torch.equal(kept, tau)
    torch.testing.assert_close(pseudo.positive_thresholds(decayed),
                               torch.full((10,), 1 - 0.9 * 0.999 ** 2000, dtype=torch.float64))
    with pytest.raises(ValueError, match="'keep' or 'decay'"):
        pseudo.update_negative_thresholds(tau, *nothing, 0.9, absent='drop')


def test_one_matrix_is_enough() -> None:
    """The row sums of negative_thresholds stay equal to tau_global over many float32 steps."""
    negative_thresholds, tau_global = (tau.float() for tau in start(6))
    for step in range(300):
        sums, counts = pseudo.threshold_sums(probabilities(8, 6, step).float())
        negative_thresholds = pseudo.update_negative_thresholds(negative_thresholds, sums, counts, 0.99)
        mean = sums.sum(dim=1) / counts.clamp(min=1)
        tau_global = torch.where(counts > 0, 0.99 * tau_global + 0.01 * mean, tau_global)
    torch.testing.assert_close(negative_thresholds.sum(dim=1), tau_global, atol=1e-6, rtol=0)


def test_masks_at_equality() -> None:
    prob = torch.tensor([[.5, .25, .25], [.25, .25, .5]])
    tau_neg = torch.tensor([[.9, .25, .26], [.9, .9, .9], [.25, .2, .9]])
    assert pseudo.negative_mask(prob, tau_neg).tolist() == [[False, False, True], [False, False, False]]
    assert pseudo.positive_mask(prob, torch.tensor([.5, 0., .51])).tolist() == [True, False]


def test_exclude_class() -> None:
    negative = torch.ones(3, 3, dtype=torch.bool)
    assert pseudo.exclude_class(negative, torch.tensor([1, -1, 0])).int().tolist() == [[1, 0, 1], [1, 1, 1], [0, 1, 1]]


def negative_learning_by_loops(logits: Tensor, negative: Tensor, clamp: bool) -> float:
    total = 0.
    for row, mask in zip(logits.tolist(), negative.tolist()):
        kept = sum(math.exp(x) for x, out in zip(row, mask) if not out) / sum(math.exp(x) for x in row)
        if any(mask) and (clamp or not all(mask)):
            total -= math.log(min(max(kept, 1e-8), 1) if clamp else kept)
    return total / len(logits)


@pytest.mark.parametrize('share', [0., 0.3, 0.8, 1.])
@pytest.mark.parametrize('clamp', [False, True])
def test_negative_learning_against_loops(share: float, clamp: bool) -> None:
    logits = 3 * torch.randn(16, 6, dtype=torch.float64)
    negative = torch.rand(16, 6) < share
    logits[0, 0], negative[0] = 30., torch.arange(6) < 1
    logits.requires_grad_()
    loss = pseudo.negative_learning(logits, negative, clamp)
    assert loss.item() == pytest.approx(negative_learning_by_loops(logits, negative, clamp), abs=1e-10)
    assert torch.autograd.gradcheck(lambda x: pseudo.negative_learning(x, negative, clamp), logits)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_negative_learning_of_a_row_whose_kept_probability_underflows(dtype: torch.dtype) -> None:
    logits = torch.tensor([[2000., 0., 0.]], dtype=dtype, requires_grad=True)
    negative = torch.tensor([[True, False, False]])
    loss = pseudo.negative_learning(logits, negative)
    assert loss.item() == pytest.approx(2000 - math.log(2))
    assert torch.autograd.grad(loss, logits)[0][0].tolist() == pytest.approx([1., -.5, -.5], rel=1e-4)
    clamped = pseudo.negative_learning(logits, negative, clamp=True)
    assert clamped.item() == pytest.approx(-math.log(1e-8))
    assert not torch.autograd.grad(clamped, logits)[0].any()


@pytest.mark.parametrize('clamp, everything', [(False, 0.), (True, -math.log(1e-8))])
def test_negative_learning_of_rows_that_exclude_nothing_or_everything(clamp: bool, everything: float) -> None:
    logits = torch.randn(1, 4, requires_grad=True)
    for value in (False, True):
        loss = pseudo.negative_learning(logits, torch.full((1, 4), value), clamp)
        assert loss.item() == pytest.approx(value * everything)
        assert not torch.autograd.grad(loss, logits)[0].any()


def test_masked_cross_entropy_against_loops() -> None:
    logits = torch.randn(9, 5, dtype=torch.float64)
    target = torch.tensor([0, 4, -1, 2, 2, -1, 3, 1, 0])
    weight = torch.rand(9).double()
    for mask in (None, weight > 0.4, weight, torch.zeros(9, dtype=torch.bool)):
        rows = [1.] * 9 if mask is None else mask.double().tolist()
        slow = sum(w * (math.log(sum(math.exp(x) for x in row)) - row[t])
                   for row, t, w in zip(logits.tolist(), target.tolist(), rows) if t >= 0) / 9
        assert pseudo.masked_cross_entropy(logits, target, mask).item() == pytest.approx(slow, abs=1e-12)


def test_masked_rows_have_no_gradient() -> None:
    logits = torch.randn(4, 3, requires_grad=True)
    mask = torch.tensor([True, False, True, True])
    loss = pseudo.masked_cross_entropy(logits, torch.tensor([0, 1, -1, 2]), mask)
    assert torch.autograd.grad(loss, logits)[0].any(dim=1).tolist() == [True, False, False, True]


def fairness_by_loops(prob: Tensor, mask: Tensor, p_model: Tensor, label_hist: Tensor) -> float:
    rows, size = [row for row, keep in zip(prob.tolist(), mask.tolist()) if keep], prob.shape[1]
    if not rows:
        return 0.
    mean = [sum(row[k] for row in rows) / len(rows) for k in range(size)]
    hist = [sum(row.index(max(row)) == k for row in rows) / len(rows) for k in range(size)]
    u = [p / h if h else 0. for p, h in zip(p_model.tolist(), label_hist.tolist())]
    v = [p / h if h else 0. for p, h in zip(mean, hist)]
    return sum(a / (sum(u) or 1) * math.log(b / (sum(v) or 1) + 1e-12) for a, b in zip(u, v))


@pytest.mark.parametrize('share', [0., 0.2, 1.])
@pytest.mark.parametrize('rows, num_clusters', [(30, 4), (5, 12), (4, 1)])
def test_fairness_against_loops(rows: int, num_clusters: int, share: float) -> None:
    prob, mask = probabilities(rows, num_clusters), torch.rand(rows) < share
    p_model, label_hist = (probabilities(1, num_clusters, seed)[0] for seed in (1, 2))
    label_hist[-1] *= num_clusters < 4
    sums = pseudo.masked_sums(prob, mask)
    ranks = [pseudo.masked_sums(prob[part], mask[part]) for part in (slice(0, 2), slice(2, None))]
    slow = fairness_by_loops(prob, mask, p_model, label_hist)
    for both in (sums, [a + b for a, b in zip(*ranks)]):
        assert pseudo.fairness(*both, p_model, label_hist).item() == pytest.approx(slow, abs=1e-10)


def test_fairness_gradient() -> None:
    logits = torch.randn(10, 5, dtype=torch.float64, requires_grad=True)
    average = probabilities(2, 5).requires_grad_()

    def term(x: Tensor, mask: Tensor) -> Tensor:
        return pseudo.fairness(*pseudo.masked_sums(x.softmax(dim=1), mask), *average)

    assert torch.autograd.gradcheck(lambda x: term(x, torch.arange(10) < 6), logits, eps=1e-7)
    assert torch.autograd.grad(term(logits, torch.ones(10)), average, allow_unused=True) == (None,)
    nothing = term(logits, torch.zeros(10))
    assert nothing.item() == 0 and not torch.autograd.grad(nothing, logits)[0].any()


def test_no_unlabelled_rows() -> None:
    empty, tau = torch.zeros(0, 3), start(3)[0].float()
    assert torch.equal(pseudo.update_negative_thresholds(tau, *pseudo.threshold_sums(empty), 0.9), tau)
    assert pseudo.negative_learning(empty, empty.bool()) == 0
    assert pseudo.masked_cross_entropy(empty, torch.zeros(0, dtype=torch.long)) == 0
    assert pseudo.fairness(*pseudo.masked_sums(empty, torch.zeros(0)), tau[0], tau[0]) == 0


def test_renaming_clusters_renames_sums_and_masks() -> None:
    prob, order = probabilities(20, 6), torch.randperm(6)
    sums = pseudo.threshold_sums(prob)
    tau = pseudo.update_negative_thresholds(start(6)[0], *sums, 0.5)
    torch.testing.assert_close(pseudo.threshold_sums(prob[:, order])[0], sums[0][order][:, order])
    assert torch.equal(pseudo.negative_mask(prob[:, order], tau[order][:, order]),
                       pseudo.negative_mask(prob, tau)[:, order])


def test_half_precision_and_autocast_compute_in_float32() -> None:
    logits = torch.randn(64, 10).bfloat16()
    prob = logits.float().softmax(dim=1).bfloat16()
    negative, target, mask = torch.rand(64, 10) < 0.4, torch.randint(0, 10, (64,)), torch.rand(64) < 0.5
    average = torch.full((10,), 0.1)

    def everything(logits: Tensor, prob: Tensor) -> list[Tensor]:
        return [*pseudo.threshold_sums(prob), pseudo.negative_learning(logits, negative),
                pseudo.negative_learning(logits, negative, clamp=True),
                pseudo.masked_cross_entropy(logits, target, mask),
                pseudo.fairness(*pseudo.masked_sums(prob, mask), average, average)]

    exact = everything(logits.double(), prob.double())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        for results in (everything(logits, prob), everything(logits.float(), prob.float())):
            for result, expected in zip(results, exact):
                assert result.dtype == torch.float32
                torch.testing.assert_close(result.double(), expected.double(), atol=1e-5, rtol=1e-5)


def test_nothing_waits_for_the_device() -> None:
    logits = torch.randn(8, 5, requires_grad=True)
    tau, average = start(5)[0].float(), torch.full((5,), 0.2)
    with SyncGuard():
        prob = logits.detach().softmax(dim=1)
        tau = pseudo.update_negative_thresholds(tau, *pseudo.threshold_sums(prob), 0.9)
        positive = pseudo.positive_mask(prob, pseudo.positive_thresholds(tau))
        negative = pseudo.exclude_class(pseudo.negative_mask(prob, tau), torch.arange(8) % 5)
        loss = pseudo.negative_learning(logits, negative)
        loss = loss + pseudo.masked_cross_entropy(logits, prob.argmax(dim=1), positive)
        loss = loss + pseudo.fairness(*pseudo.masked_sums(logits.softmax(dim=1), positive), average, average)
        torch.autograd.grad(loss, logits)
