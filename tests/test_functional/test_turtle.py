"""TURTLE's equations against torch's own Adam and autograd, and the choice among labellings."""
import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sync_guard import SyncGuard

from mmcluster.functional.clustering.linear_score import fold_accuracies, labelling_losses, linear_score
from mmcluster.functional.losses.turtle import (cold_heads, fit_inner, inner_steps, mean_entropy, start_heads,
                                                turtle_loss, with_ones)

N, H, K, D = 12, 3, 4, 5


def rows(seed=0):
    return torch.randn(N, D, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels(seed=1):
    drawn = torch.randn(H, N, K, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (2 * drawn).softmax(-1)


def test_inner_heads_start_within_the_bounds_of_a_linear_layer():
    start = start_heads(200, K, 1, torch.Generator().manual_seed(0)).abs()
    assert 0.99 < start.max() <= 1, 'by the width of the rows, without the column of ones'


def test_inner_steps_are_those_of_adam_on_every_head_alone():
    start = start_heads(H, K, D, torch.Generator().manual_seed(2)).double()
    rates = torch.tensor([0.1, 0.01, 0.3], dtype=torch.float64)
    with SyncGuard():
        found, losses = inner_steps(with_ones(rows()), labels(), cold_heads(start), rates[:, None, None], 7)
    assert found.step == 7 and losses.shape == (7, H)
    for head in range(H):
        layer = torch.nn.Linear(D, K).double()
        with torch.no_grad():
            layer.weight.copy_(start[head, :, :-1])
            layer.bias.copy_(start[head, :, -1])
        adam = torch.optim.Adam(layer.parameters(), lr=rates[head].item())
        for step in range(7):
            loss = torch.nn.functional.cross_entropy(layer(rows()), labels()[head])
            torch.testing.assert_close(losses[step, head], loss.detach())
            adam.zero_grad()
            loss.backward()
            adam.step()
        torch.testing.assert_close(found.weight[head], torch.cat([layer.weight, layer.bias[:, None]], 1).detach())


def test_a_warm_start_goes_on_where_the_steps_ended():
    start = cold_heads(start_heads(H, K, D).double())
    whole = inner_steps(with_ones(rows()), labels(), start, 0.1, 5)[0]
    half = inner_steps(with_ones(rows()), labels(), start, 0.1, 2)[0]
    for a, b in zip(whole, inner_steps(with_ones(rows()), labels(), half, 0.1, 3)[0]):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype):
    logits = torch.randn(2, H, N, K).to(dtype)
    loss = turtle_loss(logits.requires_grad_(), torch.randn(2, H, N, K).to(dtype), 10.)
    loss.heads.sum().backward()
    assert loss.heads.dtype == torch.float32 and logits.grad.isfinite().all()
    assert with_ones(rows().to(dtype)).dtype == torch.float32


def test_no_gradient_reaches_the_inner_heads_and_a_single_row_is_enough():
    task, inner = torch.randn(1, H, 1, K, requires_grad=True), torch.randn(1, H, 1, K, requires_grad=True)
    turtle_loss(task, inner, 1.).heads.sum().backward()
    assert inner.grad is None and task.grad.abs().sum() > 0


def test_the_entropy_of_an_empty_cluster_has_a_gradient():
    prob = torch.zeros(N, K)
    prob[:, 0] = 1
    entropy = mean_entropy(prob.requires_grad_())
    entropy.backward()
    assert entropy == 0 and prob.grad.isfinite().all() and (prob.grad[:, 1:] == 0).all()


def test_spaces_have_heads_of_their_own():
    other = torch.randn(N, 2, dtype=torch.float64)
    starts = [cold_heads(start_heads(H, K, width).double()) for width in (D, 2)]
    _, both = fit_inner([with_ones(rows()), with_ones(other)], labels(), starts, 0.1, 3)
    for i, z in enumerate((rows(), other)):
        torch.testing.assert_close(both[i], fit_inner([with_ones(z)], labels(), starts[i:i + 1], 0.1, 3)[1][0])


def test_the_score_prefers_true_labels_and_never_a_collapsed_one():
    x, y = make_blobs(120, n_features=4, centers=3, random_state=0)
    noise = np.random.RandomState(0).permutation(y)
    collapsed = np.minimum(y, 1)
    assert linear_score([x], y) > 0.95 > 0.6 > linear_score([x, x], noise)
    assert linear_score([x], np.zeros(120, int)) == 1, 'one cluster is easy to learn'
    losses = labelling_losses([x], np.stack([noise, y, collapsed]), 3)
    assert losses.argmin() == 1 and losses[2] == 1


def test_folds_that_know_one_label_predict_it():
    order = np.arange(10)
    found = fold_accuracies(np.random.RandomState(0).randn(10, 2), np.array([1] + [0] * 9), order, 10)
    assert found.tolist() == [0] + [1] * 9
