"""Contrast between clusters against loops over columns."""
from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mmcluster.functional.losses.cluster_contrast import cluster_contrast, entropy_gap
from mmcluster.functional.losses.contrast import nt_xent

SIZES = [(24, 4), (64, 10), (5, 9), (1, 6), (1, 2), (7, 1)]


def random_prob(rows: int, clusters: int, seed: int = 0, sharpness: float = 2.) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, rows, clusters, generator=generator, dtype=torch.float64) * sharpness
    logits[1] += 0.7 * logits[0]
    return list(logits.softmax(2))


def slow_contrast(first: list[list[float]], second: list[list[float]], temperature: float) -> tuple[float, float]:
    """One column at a time, in plain numbers."""
    clusters = len(first[0])
    columns = [[row[m] for row in view] for view in (first, second) for m in range(clusters)]

    def cosine(a: list[float], b: list[float]) -> float:
        norms = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in b))
        return sum(x * y for x, y in zip(a, b)) / norms if norms else 0.

    contrast = 0.
    for i, column in enumerate(columns):
        other = (i + clusters) % (2 * clusters)
        similar = {j: math.exp(cosine(column, columns[j]) / temperature) for j in range(2 * clusters) if j != i}
        contrast -= math.log(similar[other] / sum(similar.values())) / (2 * clusters)
    gap = 0.
    for view in (first, second):
        sizes = [sum(row[m] for row in view) for m in range(clusters)]
        shares = [size / sum(sizes) for size in sizes]
        gap += math.log(clusters) + sum(p * math.log(p) for p in shares if p)
    return contrast, gap


@pytest.mark.parametrize('temperature', [0.5, 1.])
@pytest.mark.parametrize('rows, clusters', SIZES)
def test_against_loops(rows: int, clusters: int, temperature: float) -> None:
    first, second = random_prob(rows, clusters)
    parts = cluster_contrast(first, second, temperature)
    contrast, gap = slow_contrast(first.tolist(), second.tolist(), temperature)
    assert parts.contrast.item() == pytest.approx(contrast, abs=1e-10)
    assert parts.entropy_gap.item() == pytest.approx(gap, abs=1e-10)


@pytest.mark.parametrize('rows, clusters', [(24, 4), (5, 9), (1, 6)])
def test_gradients(rows: int, clusters: int) -> None:
    first, second = (prob.requires_grad_() for prob in random_prob(rows, clusters))
    assert torch.autograd.gradcheck(lambda a, b: sum(cluster_contrast(a, b, 0.7)), (first, second))


def test_known_values() -> None:
    """Perfect, equal clusters: every positive has cosine 1, every negative 0; and none, all images in one cluster."""
    perfect = torch.eye(4).repeat(3, 1)
    parts = cluster_contrast(perfect, perfect, 1.)
    assert parts.contrast.item() == pytest.approx(math.log(math.e + 6) - 1, rel=1e-6)
    assert parts.entropy_gap.item() == pytest.approx(0, abs=1e-6)
    uniform = torch.full((6, 4), 0.25)
    assert cluster_contrast(uniform, uniform, 1.).contrast.item() == pytest.approx(math.log(7), rel=1e-6)
    assert cluster_contrast(uniform, uniform, 1.).entropy_gap.item() == pytest.approx(0, abs=1e-6)
    one = torch.eye(4)[[0] * 6]
    assert entropy_gap(one).item() == pytest.approx(math.log(4), rel=1e-6)


def test_laws() -> None:
    """Rows may be permuted, clusters renamed, views exchanged; norms of columns do not matter to the contrast."""
    first, second = random_prob(12, 5)
    found = torch.stack(cluster_contrast(first, second, 1.))
    rows, names = torch.randperm(12), torch.randperm(5)
    for a, b in ((first[rows], second[rows]), (first[:, names], second[:, names]), (second, first)):
        torch.testing.assert_close(torch.stack(cluster_contrast(a, b, 1.)), found)
    assert not torch.isclose(cluster_contrast(first, second[:, names.roll(1)], 1.).contrast, found[0])
    scaled = cluster_contrast(first * torch.rand(5) + 0.1 * first, second, 1.)
    torch.testing.assert_close(scaled.contrast, found[0])


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('views', [(0,), (0, 1)])
def test_an_empty_cluster(views: tuple[int, ...], dtype: torch.dtype) -> None:
    """A column of zeros: cosine 0 to all, nothing in the entropy, a finite gradient that would fill it."""
    probs = [prob.to(dtype) for prob in random_prob(16, 5)]
    for view in views:
        probs[view][:, 2] = 0
        probs[view] /= probs[view].sum(1, keepdim=True)
    contrast, gap = slow_contrast(*(prob.tolist() for prob in probs), 1.)
    leaves = [prob.requires_grad_() for prob in probs]
    parts = cluster_contrast(*leaves, 1.)
    assert parts.contrast.item() == pytest.approx(contrast, rel=1e-5)
    assert parts.entropy_gap.item() == pytest.approx(gap, rel=1e-5)
    of_contrast = torch.autograd.grad(parts.contrast, leaves, retain_graph=True)
    of_gap = torch.autograd.grad(parts.entropy_gap, leaves)
    for view in views:
        assert (of_contrast[view][:, 2] == 0).all()
        assert (of_gap[view][:, 2] < of_gap[view][:, [0, 1, 3, 4]].min()).all(), 'minimising it fills the cluster'
    assert all(grad.isfinite().all() for grad in (*of_contrast, *of_gap))


def test_confident_logits_train_through_the_softmax() -> None:
    """Probabilities that underflow to zero leave no NaN in the logits."""
    logits = torch.full((8, 4), -300.)
    logits[:, 1] = 300.
    leaves = [logits.clone().requires_grad_(), logits.roll(1, 1).requires_grad_()]
    loss = sum(cluster_contrast(*(leaf.softmax(1) for leaf in leaves), 1.))
    assert loss.isfinite() and all(grad.isfinite().all() for grad in torch.autograd.grad(loss, leaves))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(dtype: torch.dtype) -> None:
    first, second = (prob.to(dtype).requires_grad_() for prob in random_prob(64, 10, sharpness=6.))
    exact = torch.stack(cluster_contrast(first.detach().double(), second.detach().double(), 1.))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = torch.stack(cluster_contrast(first, second, 1.))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact.float(), rtol=1e-5, atol=1e-5)
    assert all(grad.isfinite().all() for grad in torch.autograd.grad(found.sum(), (first, second)))


def test_no_row_is_nothing() -> None:
    first, second = torch.zeros(2, 0, 4, dtype=torch.float64).requires_grad_().unbind()
    parts = cluster_contrast(first, second, 1.)
    assert [part.item() for part in parts] == [0., 0.] and all(part.requires_grad for part in parts)


def test_the_loss_of_images_leaves_out_the_image_itself() -> None:
    """A single image has no negative; the gradient is that of rows that may leave the sphere."""
    row = torch.randn(2, 1, 8, dtype=torch.float64)
    z1, z2 = (row / row.norm(dim=2, keepdim=True)).unbind()
    assert nt_xent(z1, z2, 0.5, normalize=False).item() == pytest.approx(0, abs=1e-12)
    z1, z2 = torch.nn.functional.normalize(torch.randn(2, 6, 8, dtype=torch.float64), dim=2).unbind()
    free, bound = (torch.autograd.grad(nt_xent(leaf, z2, 0.5, normalize=normalize), leaf)[0]
                   for normalize in (False, True) for leaf in [z1.clone().requires_grad_()])
    radial = (free * z1).sum(1, keepdim=True)
    assert radial.abs().max() > 1e-4
    torch.testing.assert_close(free - radial * z1, bound)
