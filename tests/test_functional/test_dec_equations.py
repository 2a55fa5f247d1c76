"""Equations of DEC and IDEC against loops, closed forms and edge cases."""
import math

import pytest
import torch
from sync_guard import SyncGuard

from mmcluster.functional.losses.dec import (label_change, reconstruction_loss, student_logits, target_distribution,
                                             target_divergence)

B, D, K = 7, 3, 4


def rows(seed=0, *shape):
    return torch.randn(*(shape or (B, D)), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slow_q(z, centers, alpha):
    """One similarity at a time."""
    q = [[(1 + sum((a - b) ** 2 for a, b in zip(row, center)) / alpha) ** (-(alpha + 1) / 2) for center in centers.tolist()]
         for row in z.tolist()]
    return [[value / sum(row) for value in row] for row in q]


def slow_p(q):
    sizes = [sum(row[j] for row in q) for j in range(len(q[0]))]
    p = [[value ** 2 / size for value, size in zip(row, sizes)] for row in q]
    return [[value / sum(row) for value in row] for row in p]


@pytest.mark.parametrize('alpha', [1., 0.5, 9.])
def test_against_loops(alpha):
    z, centers = rows(0), rows(1, K, D)
    q = slow_q(z, centers, alpha)
    p = slow_p(q)
    logits = student_logits(z, centers, alpha)
    found = target_distribution(logits.softmax(1))
    torch.testing.assert_close(logits.softmax(1), torch.tensor(q, dtype=torch.float64))
    torch.testing.assert_close(found.target, torch.tensor(p, dtype=torch.float64))
    torch.testing.assert_close(found.frequency, torch.tensor(q, dtype=torch.float64).sum(0))
    slow = sum(a * math.log(a / b) for pr, qr in zip(p, q) for a, b in zip(pr, qr)) / B
    assert target_divergence(logits, found.target).item() == pytest.approx(slow)


def test_the_printed_gradients():
    """Eqs. 4 and 5, over the number of rows."""
    alpha = 3.
    z, centers = rows(0).requires_grad_(), rows(1, K, D).requires_grad_()
    logits = student_logits(z, centers, alpha)
    target = target_distribution(logits.softmax(1)).target
    target_divergence(logits, target).backward()
    gap = z.detach()[:, None] - centers.detach()
    pull = (alpha + 1) / alpha * (target - logits.detach().softmax(1)) / (1 + gap.square().sum(2) / alpha) / B
    torch.testing.assert_close(z.grad, (pull[..., None] * gap).sum(1))
    torch.testing.assert_close(centers.grad, -(pull[..., None] * gap).sum(0))


def test_order_of_rows_and_names_of_clusters():
    z, centers = rows(0), rows(1, K, D)
    some, other = torch.randperm(B), torch.randperm(K)
    first = target_distribution(student_logits(z, centers).softmax(1)).target
    second = target_distribution(student_logits(z[some], centers[other]).softmax(1)).target
    torch.testing.assert_close(second, first[some][:, other])


def test_targets_are_sharper_and_help_small_clusters():
    prob = torch.tensor([[0.6, 0.4]] * 6 + [[0.45, 0.55]])
    found = target_distribution(prob)
    assert found.target[6, 1] > 0.55 and not found.target.requires_grad
    sure = target_distribution(torch.tensor([[0.9, 0.1], [0.1, 0.9]])).target
    assert sure[0, 0] > 0.98


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype):
    z, centers = rows(0).to(dtype), rows(1, K, D).to(dtype)
    logits = student_logits(z, centers)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, student_logits(z.float(), centers.float()))
    target = target_distribution(logits.softmax(1)).target
    assert target_divergence(logits.to(dtype), target.to(dtype)).dtype == torch.float32
    assert reconstruction_loss(z, z + 1).dtype == torch.float32


def test_differences_keep_their_digits_far_from_the_origin():
    near = student_logits(torch.tensor([[1000.01]]), torch.tensor([[1000.], [1001.]])).softmax(1)
    assert near[0, 0].item() == pytest.approx(1 / (1 + 1.0001 / (1 + 0.99 ** 2)), rel=1e-3)


def test_a_cluster_without_rows_and_a_single_row():
    prob = torch.tensor([[0.5, 0.5, 0.], [0.25, 0.75, 0.]])
    target = target_distribution(prob).target
    assert torch.isfinite(target).all() and (target[:, 2] == 0).all()
    torch.testing.assert_close(target.sum(1), torch.ones(2))
    one = target_distribution(torch.tensor([[0.5, 0.3, 0.2]])).target
    torch.testing.assert_close(one, torch.tensor([[0.5, 0.3, 0.2]]), msg='f is q itself')


def test_hard_targets_and_far_rows_are_finite():
    z = torch.full((2, D), 1e15, requires_grad=True)
    target = torch.eye(3)[:2]
    loss = target_divergence(student_logits(z, torch.randn(3, D)), target)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(z.grad).all()


def test_reconstruction():
    x, recon = rows(0), rows(1)
    slow = sum((a - b) ** 2 for r, s in zip(x.tolist(), recon.tolist()) for a, b in zip(r, s))
    assert reconstruction_loss(recon, x).item() == pytest.approx(slow / (B * D))
    assert reconstruction_loss(recon, x, summed=True).item() == pytest.approx(slow / B)


def test_changed_labels():
    labels = torch.tensor([0, 1, 2, 3, 0])
    assert label_change(labels, torch.tensor([0, 1, 2, 0, 1])).item() == 0.4
    assert label_change(labels, labels) == 0 and label_change(labels, torch.full((5,), -1)) == 1


def test_nothing_waits_for_the_device():
    z, centers = rows(0).requires_grad_(), rows(1, K, D)
    with SyncGuard():
        logits = student_logits(z, centers)
        loss = target_divergence(logits, target_distribution(logits.softmax(1)).target)
        (loss + reconstruction_loss(z, z.detach() + 1)).backward()
