"""Labels and losses of TCL's boosting against loops."""
from __future__ import annotations

import math

import pytest
import torch
from sync_guard import SyncGuard

from mmcluster.functional.labels.confident import confident_labels
from mmcluster.functional.losses.contrast import nt_xent
from mmcluster.functional.losses.pseudo import class_balanced_cross_entropy


def slow_labels(prob: list[list[float]], label: list[int], threshold: float, share: float) -> list[int]:
    """One class at a time, in plain numbers."""
    found, clusters = list(label), len(prob[0]) if prob else 0
    for m in range(clusters):
        rows = [i for i, row in enumerate(prob) if row.index(max(row)) == m]
        rows.sort(key=lambda i: -max(prob[i]))
        for i in rows[:math.ceil(len(prob) / clusters * share)]:
            found[i] = m if label[i] < 0 else label[i]
    return [-1 if max(row) < threshold else m for row, m in zip(prob, found)]


@pytest.mark.parametrize('rows, clusters', [(40, 4), (7, 10), (1, 3), (0, 3)])
@pytest.mark.parametrize('threshold, share', [(0.8, 0.5), (0.5, 0.2), (0., 1.)])
def test_labels_against_loops(rows: int, clusters: int, threshold: float, share: float) -> None:
    prob = (4 * torch.randn(rows, clusters)).softmax(1).double()
    label = torch.randint(-1, clusters, (rows,))
    found = confident_labels(prob, label, threshold, share)
    assert found.tolist() == slow_labels(prob.tolist(), label.tolist(), threshold, share)
    assert confident_labels(prob, label, 1.1).eq(-1).all()


def test_labels_keep_ties_and_half_precision() -> None:
    """Of equal rows the first ones are taken; bfloat16 is compared as it is."""
    prob = torch.tensor([[0.96875, 0.03125]] * 6, dtype=torch.bfloat16)
    assert confident_labels(prob, torch.full((6,), -1), 0.9).tolist() == [0, 0, -1, -1, -1, -1]
    assert confident_labels(prob, torch.tensor([1, -1, -1, -1, -1, 1]), 0.9).tolist() == [1, 0, -1, -1, -1, 1]


def slow_contrast(z: list[list[float]], label: list[int], temperature: float) -> float:
    """One row at a time: other images of its label are left out."""
    size, total = len(label), 0.
    for i, row in enumerate(z):
        def similar(j: int, row: list[float] = row) -> float:
            return math.exp(sum(a * b for a, b in zip(row, z[j])) / temperature)
        twin = (i + size) % (2 * size)
        mine = label[i % size]
        others = [j for j in range(2 * size) if j not in (i, twin) and (mine < 0 or label[j % size] != mine)]
        total -= math.log(similar(twin) / (similar(twin) + sum(map(similar, others)))) / (2 * size)
    return total


@pytest.mark.parametrize('temperature', [0.5, 1.])
def test_contrast_without_false_negatives(temperature: float) -> None:
    z1, z2 = torch.nn.functional.normalize(torch.randn(2, 9, 4, dtype=torch.float64), dim=2)
    label = torch.tensor([0, 1, -1, 0, -1, 2, 1, 0, -1])
    found = nt_xent(z1, z2, temperature, label=label)
    assert found.item() == pytest.approx(slow_contrast(torch.cat([z1, z2]).tolist(), label.tolist(), temperature))
    plain = nt_xent(z1, z2, temperature)
    assert found < plain
    torch.testing.assert_close(nt_xent(z1, z2, temperature, label=torch.full((9,), -1)), plain, rtol=0, atol=0)
    torch.testing.assert_close(nt_xent(z1, z2, temperature, label=torch.arange(9)), plain, rtol=0, atol=0)
    assert nt_xent(z1, z2, temperature, label=torch.zeros(9, dtype=torch.long)).item() == 0


def test_classes_weigh_alike() -> None:
    """Weights of the release: known rows over rows of the class, in torch's weighted mean."""
    logits = torch.randn(20, 4, dtype=torch.float64, requires_grad=True)
    target = torch.tensor([0] * 11 + [1] * 3 + [3] + [-1] * 5)
    counts = torch.bincount(target[target >= 0], minlength=4)
    weight = torch.where(counts > 0, 15 / counts.clamp(min=1), 1.).double()
    expected = torch.nn.functional.cross_entropy(logits, target, weight, ignore_index=-1)
    torch.testing.assert_close(class_balanced_cross_entropy(logits, target), expected)
    assert torch.autograd.gradcheck(lambda x: class_balanced_cross_entropy(x, target), logits)
    nothing = class_balanced_cross_entropy(logits, torch.full((20,), -1))
    nothing.backward()
    assert nothing.item() == 0 and not logits.grad.any()
    assert class_balanced_cross_entropy(logits.bfloat16(), target).dtype == torch.float32


def test_nothing_waits_for_the_device() -> None:
    prob, label = torch.randn(8, 4).softmax(1), torch.randint(-1, 4, (8,))
    with SyncGuard():
        found = confident_labels(prob, label, 0.3)
        nt_xent(torch.randn(8, 3), torch.randn(8, 3), 0.5, label=found)
        class_balanced_cross_entropy(torch.randn(8, 4), found)
