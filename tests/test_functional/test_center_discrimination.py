"""SeCu's two losses against loops."""
from __future__ import annotations

import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor
from torch.nn import functional as F

from mmcluster.functional.losses.center_discrimination import center_loss, crossed_targets, representation_loss

F64 = torch.float64


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def rows_and_centers(views: int = 2, rows: int = 7, clusters: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    x, w = F.normalize(normal(views, rows, 6), dim=-1), F.normalize(normal(clusters, 6, seed=1), dim=-1)
    return x, w.requires_grad_(), torch.arange(rows) % (clusters - 1)       # the last cluster has no member


def test_the_value_is_that_of_cross_entropy() -> None:
    x, w, label = rows_and_centers()
    slow = sum(F.cross_entropy(view @ w.t() / 0.1, label) for view in x)
    torch.testing.assert_close(center_loss(x @ w.t(), label, 0.1), slow)


@pytest.mark.parametrize('views', [2, 4])
def test_a_centre_learns_from_its_members(views: int) -> None:
    """-(1 - p) x / (tau B) of each member, and nothing of others."""
    x, w, label = rows_and_centers(views)
    center_loss(x @ w.t(), label, 0.1).backward()
    slow = torch.zeros_like(w)
    for view in x:
        for row, k in zip(view, label):
            prob = ((row @ w.t()) / 0.1).softmax(0)[k]
            slow[k] -= (1 - prob).detach() * row / 0.1 / len(label)
    torch.testing.assert_close(w.grad, slow.detach())
    assert not w.grad[-1].any(), 'a centre without a member stays where it is'
    assert (w.grad[:-1].abs().sum(1) > 0).all()


def test_targets_cross_over() -> None:
    logits, label = normal(2, 7, 5), torch.arange(7) % 5
    target = crossed_targets(logits, label, 0.2)
    for view in (0, 1):
        for i in range(7):
            expected = 0.8 * logits[1 - view, i].softmax(0)
            expected[label[i]] += 0.2
            torch.testing.assert_close(target[view, i], expected)
    torch.testing.assert_close(target.sum(-1), torch.ones(2, 7, dtype=F64))
    assert not crossed_targets(logits.requires_grad_(), label, 0.2).requires_grad
    assert torch.equal(crossed_targets(logits, label, 1.), F.one_hot(label, 5).double().expand(2, 7, 5))


def test_representation_loss_is_a_mean_of_rows_and_a_sum_of_views() -> None:
    logits, target = normal(4, 7, 5).requires_grad_(), normal(2, 7, 5, seed=2).softmax(-1)
    target = target.repeat(2, 1, 1)
    slow = sum(-(target[v, i, k] * logits[v, i].log_softmax(0)[k]) for v in range(4) for i in range(7)
               for k in range(5)) / 7
    loss = representation_loss(logits, target)
    torch.testing.assert_close(loss, slow)
    assert torch.autograd.gradcheck(lambda x: representation_loss(x, target), logits)
    halves = [representation_loss(logits[part], target[part]) for part in (slice(0, 2), slice(2, 4))]
    torch.testing.assert_close(loss, sum(halves))


def test_views_rows_and_names() -> None:
    x, w, label = rows_and_centers()
    rows, names = torch.randperm(7), torch.randperm(5)
    place = torch.argsort(names)
    similarity = (x @ w.t()).detach()

    def losses(similarity: Tensor, label: Tensor) -> Tensor:
        logits = similarity / 0.05
        return torch.stack([center_loss(similarity, label, 0.05),
                            representation_loss(logits, crossed_targets(logits, label, 0.2))])

    found = losses(similarity, label)
    torch.testing.assert_close(losses(similarity.flip(0), label), found)
    torch.testing.assert_close(losses(similarity[:, rows][..., names], place[label[rows]]), found)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_and_no_host(dtype: torch.dtype) -> None:
    similarity, label = (torch.rand(2, 6, 4) * 2 - 1).to(dtype).requires_grad_(), torch.arange(6) % 4
    with SyncGuard():
        logits = similarity / 0.05
        loss = center_loss(similarity, label, 0.05) + representation_loss(logits, crossed_targets(logits, label, 0.2))
        loss.backward()
    assert loss.dtype == torch.float32 and loss.isfinite() and similarity.grad.isfinite().all()


def test_a_lonely_row_and_sure_rows() -> None:
    similarity = torch.tensor([[[1., -1.]], [[1., -1.]]], requires_grad=True)
    loss = center_loss(similarity, torch.tensor([0]), 0.001)
    assert loss == 0
    loss.backward()
    assert not similarity.grad.any(), 'a sure member has no pull'
    wrong = center_loss(similarity, torch.tensor([1]), 0.001)
    assert wrong.item() == pytest.approx(4000)
