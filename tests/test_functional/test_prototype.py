from __future__ import annotations

import math
from collections import deque
from typing import Optional

import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.functional.losses.prototype import class_prototypes, enqueue_, prototype_scattering, queue_labels


def prototypes_by_loops(x: Tensor, posterior: list[list[float]], num_clusters: int) -> tuple[list, list]:
    centers, present = [], []
    for c in range(num_clusters):
        total = [0.] * x.shape[1]
        for row, weight in zip(x.tolist(), posterior):
            total = [t + weight[c] * v for t, v in zip(total, row)]
        norm = max(math.sqrt(sum(t * t for t in total)), 1e-12)
        centers.append([t / norm for t in total])
        present.append(sum(weight[c] for weight in posterior) > 0)
    return centers, present


def scattering_by_loops(mu: Tensor, mu_target: Tensor, present: list[bool], temperature: float,
                        fill: Optional[float] = None, over_all: bool = False) -> float:
    total, size = 0., len(mu)
    for k in (k for k in range(size) if present[k]):
        positive = math.exp(float(mu[k] @ mu_target[k]) / temperature)
        negatives = 0.
        for j in (j for j in range(size) if j != k):
            if present[j]:
                negatives += math.exp(float(mu[k] @ mu[j]) / temperature)
            elif fill is not None:
                negatives += math.exp(fill)
        total -= math.log(positive / (positive + negatives))
    return total / (size if over_all else max(sum(present), 1))


def draw(rows: int, width: int, num_clusters: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    q, k = torch.randn(2, rows, width, generator=generator, dtype=torch.float64)
    return q, unit_rows(k), torch.randint(-1, num_clusters, (rows,), generator=generator)


@pytest.mark.parametrize('rows, num_clusters', [(30, 4), (5, 12), (1, 1), (8, 1)])
def test_class_prototypes_against_loops(rows: int, num_clusters: int) -> None:
    x, _, label = draw(rows, 6, num_clusters)
    hard = [[float(own == c) for c in range(num_clusters)] for own in label.tolist()]
    soft = torch.rand(rows, num_clusters, dtype=torch.float64)
    soft[:, 0] = 0
    for weights, argument in ((hard, label), (soft.tolist(), soft)):
        centers, present = class_prototypes(x, argument, num_clusters)
        slow_centers, slow_present = prototypes_by_loops(x, weights, num_clusters)
        torch.testing.assert_close(centers, torch.tensor(slow_centers, dtype=torch.float64), atol=1e-12, rtol=1e-12)
        assert present.tolist() == slow_present


def test_class_prototypes_laws() -> None:
    x, _, label = draw(20, 5, 6)
    centers, present = class_prototypes(x, label, 6)
    rows, names = torch.randperm(20), torch.randperm(6)
    torch.testing.assert_close(class_prototypes(x[rows], label[rows], 6)[0], centers)
    renamed = torch.where(label < 0, label, names[label])
    torch.testing.assert_close(class_prototypes(x, renamed, 6)[0][names], centers)
    posterior = torch.rand(20, 6, dtype=torch.float64) * torch.logspace(0, -8, 6, dtype=torch.float64)
    torch.testing.assert_close(class_prototypes(x, posterior, 6)[0],
                               class_prototypes(x, posterior / posterior.sum(0), 6)[0])
    assert not class_prototypes(x, torch.full((20,), -1), 6)[1].any()
    with pytest.raises(ValueError, match='3 columns'):
        class_prototypes(x, posterior[:, :3], 6)


def test_tiny_sums_are_divided_by_eps_and_stay_present() -> None:
    x = torch.tensor([[3e-13, 4e-13], [3e-13, 4e-13], [3e-9, 4e-9]], dtype=torch.float64)
    centers, present = class_prototypes(x, torch.tensor([0, 0, 1]), 2)
    torch.testing.assert_close(centers, torch.tensor([[.6, .8], [.6, .8]], dtype=torch.float64))
    centers, present = class_prototypes(x[:1], torch.tensor([0]), 1)
    torch.testing.assert_close(centers, torch.tensor([[.3, .4]], dtype=torch.float64))
    assert present.all()


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_members_that_cancel_give_a_zero_row_without_gradient(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(1)
    half = torch.randn(50, 8, generator=generator, dtype=dtype)
    angle = torch.arange(3, dtype=dtype) * (2 * math.pi / 3)
    star = torch.cat([angle.cos()[:, None], angle.sin()[:, None], torch.zeros(3, 6, dtype=dtype)], dim=1)
    x = torch.cat([half, -half[torch.randperm(50, generator=generator)], star, half[:4]]).requires_grad_()
    label = torch.tensor([0] * 100 + [1] * 3 + [2] * 4)
    centers, present = class_prototypes(x, label, 3)
    assert present.all() and not centers[:2].any()
    assert centers[2].norm().item() == pytest.approx(1)
    loss = prototype_scattering(centers, unit_rows(torch.randn(3, 8, dtype=dtype)), present)
    grad, = torch.autograd.grad(loss, x)
    assert grad.isfinite().all() and not grad[:103].any() and grad[103:].any()


@pytest.mark.parametrize('present', [[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]])
@pytest.mark.parametrize('fill', [None, -10., 0.5])
@pytest.mark.parametrize('temperature', [0.5, 0.1])
def test_scattering_against_loops(present: list[int], fill: Optional[float], temperature: float) -> None:
    mu, mu_target = unit_rows(torch.randn(10, 7, dtype=torch.float64)).split(5)
    mask = torch.tensor(present).bool()
    for over_all in (False, True):
        loss = prototype_scattering(mu, mu_target, mask, temperature, fill, over_all)
        slow = scattering_by_loops(mu, mu_target, mask.tolist(), temperature, fill, over_all)
        assert loss.item() == pytest.approx(slow, abs=1e-12)


def test_scattering_of_orthogonal_prototypes() -> None:
    eye = torch.eye(8, dtype=torch.float64)
    loss = prototype_scattering(eye, eye, torch.ones(8, dtype=torch.bool), 0.5)
    assert loss.item() == pytest.approx(math.log(1 + 7 * math.exp(-2)))


def test_scattering_ignores_class_order_and_the_content_of_absent_rows() -> None:
    mu, mu_target = unit_rows(torch.randn(12, 7, dtype=torch.float64)).split(6)
    present = torch.tensor([True, True, False, True, True, False])
    loss = prototype_scattering(mu, mu_target, present)
    order = torch.randperm(6)
    torch.testing.assert_close(prototype_scattering(mu[order], mu_target[order], present[order]), loss)
    assert torch.equal(prototype_scattering(mu.masked_fill(~present[:, None], 9.), mu_target, present), loss)
    torch.testing.assert_close(prototype_scattering(mu[present], mu_target[present], present[present]), loss)


@pytest.mark.parametrize('num_clusters', [3, 20])
@pytest.mark.parametrize('fill', [None, -10.])
def test_gradient_of_the_whole_chain(num_clusters: int, fill: Optional[float]) -> None:
    q, k, label = draw(9, 4, num_clusters)

    def chain(rows: Tensor) -> Tensor:
        mu, present = class_prototypes(unit_rows(rows), label, num_clusters)
        return prototype_scattering(mu, class_prototypes(k, label, num_clusters)[0], present, 0.5, fill)

    assert torch.autograd.gradcheck(chain, q.requires_grad_())


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('label', [[2, 2, 2, 2], [-1, -1, -1, -1], [-1, 0, -1, -1]])
def test_one_class_or_none_gives_zero_and_zero_gradient(label: list[int], dtype: torch.dtype) -> None:
    q = torch.randn(4, 5, dtype=dtype, requires_grad=True)
    mu, present = class_prototypes(unit_rows(q), torch.tensor(label), 3)
    for options in ({}, dict(over_all=True)):
        loss = prototype_scattering(mu, mu.detach().roll(1, 1), present, **options)
        assert loss.item() == 0
        assert torch.autograd.grad(loss, q, retain_graph=True)[0].abs().max() == 0


def test_targets_are_constants() -> None:
    mu, target = torch.randn(2, 4, 3).unbind()
    target.requires_grad_()
    assert not prototype_scattering(mu, target, torch.ones(4, dtype=torch.bool)).requires_grad


def test_half_precision_and_autocast_compute_in_float32() -> None:
    q, k, label = draw(64, 32, 8)
    q, k = q.bfloat16(), k.bfloat16()

    def chain(x: Tensor, y: Tensor) -> Tensor:
        mu, present = class_prototypes(unit_rows(x), label, 8)
        return prototype_scattering(mu, class_prototypes(y, label, 8)[0], present)

    exact = chain(q.double(), k.double())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        for loss in (chain(q, k), chain(q.float(), k.float())):
            assert loss.dtype == torch.float32
            torch.testing.assert_close(loss.double(), exact, atol=1e-5, rtol=1e-5)


def test_enqueue_against_a_deque() -> None:
    size, pointer = 10, torch.tensor(0)
    queue, index = torch.zeros(size, 2), torch.full((size,), -1)
    last: deque[tuple[int, float]] = deque(maxlen=size)
    number = 0
    for rows in (4, 4, 4, 3, 10, 13, 1, 25):
        new_index = torch.arange(number, number + rows)
        keys = new_index[:, None].float().repeat(1, 2) + 0.5
        alone, its_pointer = queue.t().clone(), pointer.clone()
        enqueue_(alone.t(), its_pointer, keys)          # as MoCo holds it, without indices
        enqueue_(queue, pointer, keys, index, new_index)
        assert torch.equal(alone.t(), queue) and its_pointer == pointer
        last.extend((int(i), float(i) + 0.5) for i in new_index)
        number += rows
        held = {(int(i), float(row[0])) for i, row in zip(index, queue) if i >= 0}
        assert held == set(last)
        oldest_first = [int(i) for i in torch.cat([index[pointer:], index[:pointer]]) if i >= 0]
        assert oldest_first == [i for i, _ in last]


def test_entries_never_filled_join_no_prototype() -> None:
    q, _, label = draw(12, 5, 6)
    bank = torch.randint(0, 6, (40,))
    queue, index = unit_rows(torch.randn(8, 5, dtype=torch.float64)), torch.full((8,), -1)
    assert queue_labels(bank, index).tolist() == [-1] * 8
    joined = class_prototypes(torch.cat([q, queue]), torch.cat([label, queue_labels(bank, index)]), 6)
    alone = class_prototypes(q, label, 6)
    torch.testing.assert_close(joined[0], alone[0])
    assert torch.equal(joined[1], alone[1])
    index[2:4] = torch.tensor([39, 0])
    assert queue_labels(bank, index).tolist() == [-1, -1, int(bank[39]), int(bank[0]), -1, -1, -1, -1]
    posterior = queue_labels(torch.rand(40, 6), index, fill=0)
    assert (posterior.sum(1) > 0).tolist() == [False, False, True, True, False, False, False, False]


def test_nothing_waits_for_the_device() -> None:
    q, k, label = draw(12, 5, 6)
    q.requires_grad_()
    pointer, index = torch.tensor(3), torch.full((16,), -1)
    with SyncGuard():
        queue = torch.zeros(16, 5)
        enqueue_(queue, pointer, k.repeat(2, 1), index, torch.arange(12).repeat(2))
        labels = torch.cat([label, queue_labels(torch.arange(12) % 6, index)])
        mu, present = class_prototypes(torch.cat([unit_rows(q), queue.double()]), labels, 6)
        torch.autograd.grad(prototype_scattering(mu, mu, present), q)
        with pytest.raises(RuntimeError, match='waits'):
            present.any().item()
        with pytest.raises(RuntimeError, match='waits'):
            mu[present]
