"""Concentrations and ProtoNCE against loops, and where they have no data."""
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.functional.losses.granular import concentration, drawn_columns, prototype_nce


def slow_concentration(features: list, label: list, centers: list, temperature: float) -> list[float]:
    raw = []
    for cluster, center in enumerate(centers):
        distances = [math.dist(row, center) for row, own in zip(features, label) if own == cluster]
        raw.append(sum(distances) / len(distances) / math.log(len(distances) + 10) if len(distances) > 1 else None)
    largest = max((value for value in raw if value is not None), default=0.)
    raw = [largest if value is None else value for value in raw]
    low, high = np.percentile(raw, 10), np.percentile(raw, 90)
    clipped = [min(max(value, low), high) for value in raw]
    mean = sum(clipped) / len(clipped)
    return [max(temperature * value / mean, 1e-3 * temperature) for value in clipped]


def clustered(rows: int = 40, clusters: int = 7, width: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    """Unit rows, labels that leave one cluster empty and one with a single row, and the means."""
    features = unit_rows(torch.randn(rows, width, dtype=torch.float64))
    label = torch.arange(rows) % (clusters - 2)
    label[3] = clusters - 1
    centers = torch.stack([features[label == k].mean(0) if (label == k).any() else features.new_zeros(width)
                           for k in range(clusters)])
    return features, label, centers


@pytest.mark.parametrize('temperature', [0.2, 1.])
def test_concentration_against_loops(temperature: float) -> None:
    features, label, centers = clustered()
    found = concentration(features, label, centers, temperature)
    expected = slow_concentration(features.tolist(), label.tolist(), centers.tolist(), temperature)
    assert found.density.tolist() == pytest.approx(expected)
    assert found.counts.tolist() == torch.bincount(label, minlength=7).tolist()
    torch.testing.assert_close(found.prototypes, unit_rows(centers))


def test_tight_clusters_are_dense_and_duplicates_do_not_divide_by_zero() -> None:
    features, label, centers = clustered()
    features = torch.where(label[:, None] == 0, centers[0], features)       # copies of one image
    found = concentration(features, label, centers, 1., low=0)
    assert found.density[0] == pytest.approx(1e-3) and found.density.min() == found.density[0]
    assert concentration(centers[label], label, centers, 0.5).density.tolist() == 7 * [0.5]
    alone = torch.arange(3)
    assert concentration(features[:3], alone, features[:3], 0.5).density.tolist() == 3 * [0.5]
    half = concentration(features.bfloat16(), label, centers.bfloat16(), 1.)
    assert half.density.dtype == torch.float32 and half.density.isfinite().all()


def slow_nce(q: list, label: list, prototypes: list, density: list, columns: list) -> float:
    total = 0.
    for row, own in zip(q, label):
        norm = math.sqrt(sum(x * x for x in row))
        value = [math.exp(sum(x * y for x, y in zip(row, c)) / norm / phi) for c, phi in zip(prototypes, density)]
        times = [max(count, int(j == own)) for j, count in enumerate(columns)]
        total -= math.log(value[own] / sum(n * v for n, v in zip(times, value)))
    return total / len(q)


def case(rows: int = 6, clusters: int = 5, width: int = 4) -> tuple[Tensor, ...]:
    q, prototypes = torch.randn(rows, width, dtype=torch.float64), torch.randn(clusters, width, dtype=torch.float64)
    return q, torch.arange(rows) % clusters, prototypes, torch.rand(clusters, dtype=torch.float64) + 0.3


@pytest.mark.parametrize('columns', [[1, 1, 1, 1, 1], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0], [3, 1, 0, 7, 2]])
def test_prototype_nce_against_loops(columns: list[int]) -> None:
    given = case()
    loss = prototype_nce(*given, torch.tensor(columns))
    assert loss.item() == pytest.approx(slow_nce(*(x.tolist() for x in given), columns), abs=1e-12)
    assert (loss.item() == 0) is not any(columns)


def test_gradients_of_prototype_nce_reach_queries_alone() -> None:
    q, label, prototypes, density = case()
    columns = torch.tensor([2, 0, 1, 1, 1])
    assert torch.autograd.gradcheck(lambda x: prototype_nce(x, label, prototypes, density, columns), q.requires_grad_())
    prototypes.requires_grad_(), density.requires_grad_()
    prototype_nce(q, label, prototypes, density, columns).backward()
    assert prototypes.grad is None and density.grad is None


def test_edges_of_prototype_nce() -> None:
    q, label, prototypes, density = case()
    ones = torch.ones(5, dtype=torch.long)
    unknown = torch.full_like(label, -1)
    q.requires_grad_()
    prototype_nce(q, unknown, prototypes, density, ones).backward()
    assert q.grad.abs().sum() == 0, 'rows before the first E-step'
    assert prototype_nce(q[:0], label[:0], prototypes, density, ones) == 0
    assert prototype_nce(q, label.clamp(max=0), prototypes[:1], density[:1], ones[:1]) == 0
    mixed = prototype_nce(q, label.where(label > 0, unknown), prototypes, density, ones)
    rows = label > 0
    assert mixed.item() == pytest.approx(rows.double().mean().item() * prototype_nce(
        q[rows], label[rows], prototypes, density, ones).item())
    half = prototype_nce(q.bfloat16(), label, prototypes.bfloat16(), density.float(), ones)
    assert half.dtype == torch.float32
    tight = prototype_nce(q.float(), label, prototypes.float(), torch.full((5,), 1e-3), ones)
    assert tight.isfinite() and tight > 0


def test_draws_come_from_outside_of_the_batch_alike() -> None:
    uniform = (torch.arange(6000) + 0.5) / 6000
    assert drawn_columns(torch.tensor([1, 1, 4, -1]), 6, uniform).tolist() == [1500, 0, 1500, 1500, 0, 1500]
    ends = torch.tensor([0., 1 - 2**-24])
    assert drawn_columns(torch.tensor([0, 3]), 4, ends).tolist() == [0, 1, 1, 0]
    assert drawn_columns(torch.arange(4), 4, ends).tolist() == [0, 0, 0, 0], 'none is left'
