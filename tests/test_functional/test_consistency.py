"""Losses that ask for agreement (SPICE, SCAN) against loops."""
from __future__ import annotations

import math

import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.losses import consistency as c
from mmcluster.functional.losses.contrast import at_least_float32


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def softmax(row: list[float]) -> list[float]:
    top = max(row)
    parts = [math.exp(x - top) for x in row]
    return [x / sum(parts) for x in parts]


def entropy_by_loops(rows: list[list[float]], eps: float) -> float:
    """Entropy of the mean of probabilities (B, K)."""
    means = [max(sum(column) / len(rows), eps) for column in zip(*rows)]
    return -sum(m * math.log(m) for m in means)


def agreement_by_loops(p: list[float], q: list[float]) -> float:
    s = sum(x * y for x, y in zip(p, q))
    return -max(math.log(s), -100) if s > 0 else 100.


def double_softmax_by_loops(logits: Tensor, target: Tensor) -> float:
    rows = [-math.log(softmax(softmax(row))[y]) for row, y in zip(logits.tolist(), target.tolist()) if y >= 0]
    return sum(rows) / len(rows) if rows else 0.


def scan_loss(anchors: Tensor, neighbors: Tensor, entropy_weight: float) -> c.ScanLoss:
    """Of logits."""
    return c.scan_loss(*(at_least_float32(logits).log_softmax(-1) for logits in (anchors, neighbors)), entropy_weight)


def self_label_loss(weak: Tensor, strong: Tensor, threshold: float, balance: bool) -> tuple[Tensor, Tensor]:
    """In one process."""
    target, mask = c.confidence_targets(weak, threshold)
    counts = c.confidence_counts(target, mask, weak.shape[1])
    return c.self_label_loss(strong, target, mask, counts, balance), mask


@pytest.mark.parametrize('rows, clusters', [(1, 2), (9, 4), (3, 12)])
def test_double_softmax_equals_the_loop(rows: int, clusters: int) -> None:
    logits = 3 * torch.randn(rows, clusters, dtype=torch.float64)
    target = torch.randint(clusters, (rows,))
    expected = double_softmax_by_loops(logits, target)
    assert c.double_softmax_ce(logits, target).item() == pytest.approx(expected, abs=1e-12)


def test_double_softmax_of_many_heads_skips_unknown_rows() -> None:
    logits = 3 * torch.randn(3, 8, 5, dtype=torch.float64)
    target = torch.randint(-1, 5, (3, 8))
    target[2] = -1
    losses = c.double_softmax_ce(logits, target)
    assert losses.tolist() == pytest.approx([double_softmax_by_loops(*pair) for pair in zip(logits, target)], abs=1e-12)
    assert losses[2] == 0
    torch.testing.assert_close(c.double_softmax_ce(logits, target[0].expand(3, 8)),
                               torch.stack([c.double_softmax_ce(head, target[0]) for head in logits]))


def test_double_softmax_gradient_and_range() -> None:
    logits = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    target = torch.tensor([0, 1, -1, 3, 3, 2])
    assert torch.autograd.gradcheck(lambda x: c.double_softmax_ce(x, target), logits)
    sure = 1e3 * torch.eye(4)
    assert c.double_softmax_ce(sure, torch.arange(4)).item() == pytest.approx(math.log(math.e + 3) - 1)
    assert c.double_softmax_ce(sure, torch.arange(4).roll(1)).item() == pytest.approx(math.log(math.e + 3))


@pytest.mark.parametrize('rows', [0, 3])
def test_no_known_row_gives_zero_with_a_zero_gradient(rows: int) -> None:
    logits = torch.randn(2, rows, 4, requires_grad=True)
    losses = c.double_softmax_ce(logits, torch.full((2, rows), -1))
    assert losses.tolist() == [0, 0]
    assert torch.autograd.grad(losses.sum(), logits)[0].abs().sum() == 0


def test_negative_entropy_clamps_without_gradient() -> None:
    m = torch.tensor([.7, .3 - 1e-7, 1e-7, 0.], dtype=torch.float64, requires_grad=True)
    value = c.negative_entropy(m, 1e-5)
    assert value.item() == pytest.approx(sum(x * math.log(x) for x in (.7, .3 - 1e-7, 1e-5, 1e-5)))
    value.backward()
    assert m.grad.tolist() == pytest.approx([1 + math.log(.7), 1 + math.log(.3 - 1e-7), 0, 0])
    heads = torch.rand(3, 5)
    torch.testing.assert_close(c.negative_entropy(heads, 1e-8), torch.stack([c.negative_entropy(h, 1e-8)
                                                                            for h in heads]))


@pytest.mark.parametrize('rows, clusters', [(1, 3), (7, 4), (3, 11)])
@pytest.mark.parametrize('weight', [0., 1., 5.])
def test_scan_loss_equals_the_loop(rows: int, clusters: int, weight: float) -> None:
    anchors, neighbors = 3 * torch.randn(2, rows, clusters, dtype=torch.float64)
    p, q = ([softmax(row) for row in x.tolist()] for x in (anchors, neighbors))
    consistency = sum(map(agreement_by_loops, p, q)) / rows
    entropy = entropy_by_loops(p, 1e-8)
    given = [x.item() for x in scan_loss(anchors, neighbors, weight)]
    assert given == pytest.approx([consistency - weight * entropy, consistency, -entropy, entropy], abs=1e-12)


def test_scan_loss_gradients_and_heads() -> None:
    anchors, neighbors = (x.requires_grad_() for x in torch.randn(2, 5, 3, dtype=torch.float64))
    assert torch.autograd.gradcheck(lambda a, b: scan_loss(a, b, 5.)[0], (anchors, neighbors))
    a, b = torch.randn(2, 4, 6, 3)
    for name, together in zip(c.ScanLoss._fields, scan_loss(a, b, 2.)):
        torch.testing.assert_close(together, torch.stack([getattr(scan_loss(x, y, 2.), name) for x, y in zip(a, b)]))


def test_scan_loss_is_finite_when_views_exclude_each_other() -> None:
    """The logarithm is floored at -100, the denominator of its gradient at 1e-12."""
    for gap, dtype in ((400., torch.float64), (60., torch.float32), (15., torch.float64)):
        anchors = torch.tensor([[gap, -gap]], dtype=dtype, requires_grad=True)
        neighbors = torch.tensor([[-gap, gap]], dtype=dtype, requires_grad=True)
        total, consistency, *_ = scan_loss(anchors, neighbors, 0.)
        p, q = anchors.detach().softmax(1), neighbors.detach().softmax(1)
        s = (p * q).sum()
        assert consistency.item() == pytest.approx(min(100., -math.log(s)) if s > 0 else 100.)
        slope = (s - 1) / max((1 - s) * s, 1e-12)
        expected = slope * p * (q - (p * q).sum())
        torch.testing.assert_close(torch.autograd.grad(total, anchors)[0], expected)


def test_agreement_is_the_same_in_log_space() -> None:
    log_p, log_q = (3 * torch.randn(2, 7, 5, dtype=torch.float64)).log_softmax(-1).requires_grad_()
    plain, logs = c.agreement(log_p.exp(), log_q.exp()), c.log_agreement(log_p, log_q)
    torch.testing.assert_close(logs, plain)
    for one, other in zip(torch.autograd.grad(plain.sum(), (log_p, log_q)),
                          torch.autograd.grad(logs.sum(), (log_p, log_q))):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize('gap', [30., 80., 99., 101., 500.])
def test_scan_loss_survives_underflow_in_float32(gap: float) -> None:
    logits = torch.tensor([[gap, 0., .5], [0., gap, 1.]])
    double = scan_loss(logits.double(), logits.double().flip(0), 2.)
    for narrow, exact in zip(scan_loss(logits, logits.flip(0), 2.), double):
        torch.testing.assert_close(narrow, exact.float(), rtol=1e-6, atol=1e-6)


def test_scan_loss_of_equal_certain_views_is_zero() -> None:
    sure = torch.tensor([[200., 0., 0.], [0., 1., 300.]], requires_grad=True)
    total = scan_loss(sure, sure * 1.5, 0.)[0]
    assert total.item() == 0
    assert torch.autograd.grad(total, sure)[0].isfinite().all()
    above = torch.tensor([[1. + 2e-7]], requires_grad=True)
    loss = c.agreement(above, torch.ones(1, 1))
    assert loss.item() == 0 and torch.autograd.grad(loss.sum(), above)[0].item() == 0


def test_scan_loss_of_no_row_is_zero_and_a_bad_row_shows() -> None:
    anchors = torch.zeros(0, 4, requires_grad=True)
    for value in scan_loss(anchors, anchors, 5.):
        assert value.item() == 0
        assert torch.autograd.grad(value, anchors, retain_graph=True)[0].shape == (0, 4)
    assert scan_loss(torch.full((2, 3), math.nan), torch.zeros(2, 3), 1.)[0].isnan()


def pair_loss_by_loops(prob: Tensor, neighbors: Tensor, weight: float) -> list[float]:
    losses = []
    for head in prob.tolist():
        pairs = [agreement_by_loops(head[i], head[j]) for i, row in enumerate(neighbors.tolist()) for j in row]
        losses.append(sum(pairs) / len(pairs) - weight * entropy_by_loops(head, 1e-8))
    return losses


@pytest.mark.parametrize('chunk', [None, 1, 4, 100])
def test_pair_selection_equals_the_loop_for_any_chunk(chunk: int | None) -> None:
    prob = (4 * torch.randn(3, 13, 5, dtype=torch.float64)).softmax(-1)
    prob[0, :2] = torch.eye(5)[:2]
    neighbors = torch.cat([torch.arange(13)[:, None], torch.randint(13, (13, 3))], dim=1)
    neighbors[0, 1] = 1
    for weight in (0., 1., 2.5):
        losses = c.pair_selection_loss(prob, neighbors, weight, chunk)
        assert losses.tolist() == pytest.approx(pair_loss_by_loops(prob, neighbors, weight), abs=1e-12)
    torch.testing.assert_close(c.pair_selection_loss(prob.float(), neighbors, 1., chunk),
                               c.pair_selection_loss(prob, neighbors, 1., chunk).float())


def test_pair_selection_orders_samples_and_clusters_freely() -> None:
    prob = torch.randn(2, 12, 4, dtype=torch.float64).softmax(-1)
    neighbors = torch.randint(12, (12, 3))
    order, back = torch.randperm(12), torch.empty(12, dtype=torch.long)
    back[order] = torch.arange(12)
    moved = c.pair_selection_loss(prob[:, order][..., torch.randperm(4)], back[neighbors[order]])
    torch.testing.assert_close(moved, c.pair_selection_loss(prob, neighbors))


def self_label_by_loops(weak: Tensor, strong: Tensor, threshold: float, balance: bool) -> float:
    kept = []
    for a, b in zip(weak.tolist(), strong.tolist()):
        p = softmax(a)
        if max(p) > threshold:
            kept.append((p.index(max(p)), b))
    labels = [y for y, _ in kept]
    weight = {y: len(kept) / labels.count(y) if balance else 1. for y in labels}
    total = sum(weight[y] * -math.log(softmax(b)[y]) for y, b in kept)
    return total / sum(weight[y] for y in labels) if kept else 0.


@pytest.mark.parametrize('balance', [True, False])
@pytest.mark.parametrize('threshold', [0., .6, .9, 1.])
@pytest.mark.parametrize('rows, clusters', [(40, 3), (4, 9), (1, 2)])
def test_self_labelling_equals_the_loop(rows: int, clusters: int, threshold: float, balance: bool) -> None:
    weak, strong = 4 * torch.randn(2, rows, clusters, dtype=torch.float64)
    loss, mask = self_label_loss(weak, strong, threshold, balance)
    assert loss.item() == pytest.approx(self_label_by_loops(weak, strong, threshold, balance), abs=1e-12)
    assert mask.tolist() == (weak.softmax(1).amax(1) > threshold).tolist()


def test_self_labelling_is_strict_and_moves_the_masked_strong_rows_only() -> None:
    weak = torch.tensor([[0., 0.], [3., 0.], [0., 4.], [0., 3.]], dtype=torch.float64, requires_grad=True)
    strong = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    loss, mask = self_label_loss(weak, strong, .5, True)
    assert mask.tolist() == [False, True, True, True]
    assert torch.autograd.gradcheck(lambda x: self_label_loss(weak, x, .5, True)[0], strong)
    grad = torch.autograd.grad(loss, (weak, strong), allow_unused=True)
    assert grad[0] is None and grad[1][0].abs().sum() == 0 and (grad[1][1:].abs().sum(1) > 0).all()


@pytest.mark.parametrize('rows', [0, 5])
def test_self_labelling_without_a_masked_row_is_zero(rows: int) -> None:
    strong = torch.randn(rows, 3, requires_grad=True)
    loss, mask = self_label_loss(torch.zeros(rows, 3), strong, .9, True)
    assert loss.item() == 0 and not mask.any()
    assert torch.autograd.grad(loss, strong)[0].abs().sum() == 0


def test_self_labelling_can_be_summed_over_ranks() -> None:
    weak, strong = 4 * torch.randn(2, 30, 4)
    whole = self_label_loss(weak, strong, .8, True)[0]
    ranks = [(*c.confidence_targets(w, .8), s) for w, s in zip(weak.split(11), strong.split(11))]
    counts = sum(c.confidence_counts(target, mask, 4) for target, mask, _ in ranks)
    parts = [c.self_label_loss(s, target, mask, counts) for target, mask, s in ranks]
    torch.testing.assert_close(sum(parts), whole)


def test_class_weights_of_absent_classes_are_one() -> None:
    target, mask = torch.tensor([2, 2, 0, 1]), torch.tensor([True, True, True, False])
    counts = c.confidence_counts(target, mask, 4)
    assert counts.tolist() == [1, 0, 2, 0]
    assert c.confidence_weights(counts).tolist() == [3, 1, 1.5, 1]
    assert c.confidence_weights(torch.zeros(3)).tolist() == [1, 1, 1]


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(dtype: torch.dtype) -> None:
    a, b = (3 * torch.randn(2, 9, 5)).to(dtype)
    target = torch.randint(5, (9,))
    prob, neighbors = a.softmax(1)[None], torch.randint(9, (9, 2))

    def values(cast: torch.dtype) -> list[Tensor]:
        x, y = a.to(cast), b.to(cast)
        return [c.double_softmax_ce(x, target), *scan_loss(x, y, 5.), self_label_loss(x, y, .6, True)[0],
                c.pair_selection_loss(prob.to(cast), neighbors)[0], c.negative_entropy(prob[0, 0].to(cast), 1e-8)]

    for given, expected in zip(values(dtype), values(torch.float64)):
        assert given.dtype == torch.float32
        torch.testing.assert_close(given, expected.float())


def test_nothing_waits_for_the_device() -> None:
    a, b = (x.requires_grad_() for x in torch.randn(2, 6, 4))
    target = torch.randint(-1, 4, (6,))
    with SyncGuard():
        loss = c.double_softmax_ce(a, target) + scan_loss(a, b, 5.)[0] + self_label_loss(a, b, .3, True)[0]
        loss.backward()
