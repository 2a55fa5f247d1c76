"""Figures of ASD by hand and by loops."""
from __future__ import annotations

import math

import pytest
import torch
from sync_guard import SyncGuard

from mmcluster.functional.labels import diagnostics

F64 = torch.float64


def test_perplexity() -> None:
    prob = torch.tensor([[0.25] * 4, [1, 0, 0, 0], [0.5, 0.5, 0, 0]], dtype=F64)
    torch.testing.assert_close(diagnostics.perplexity(prob), torch.tensor([4., 1, 2], dtype=F64))
    assert diagnostics.mean_perplexity(prob) == pytest.approx(7 / 3)
    assert diagnostics.mean_perplexity(prob[:0]) == 0
    assert diagnostics.mean_perplexity(prob.half()).dtype == torch.float32


def test_balance() -> None:
    share = torch.tensor([[0.25] * 4, [1, 0, 0, 0], [0.5, 0.25, 0.25, 0], [0, 0, 0, 0]], dtype=F64)
    torch.testing.assert_close(diagnostics.balance(share), torch.tensor([1, 0, 0.75, 0], dtype=F64))
    assert diagnostics.balance(torch.ones(1)) == 1
    assert diagnostics.balance(share.half()).dtype == torch.float32


def test_distinct_classes() -> None:
    assert diagnostics.num_distinct(torch.tensor([3, 0, 3, -1, 0, 9]), 5) == 2
    assert diagnostics.num_distinct(torch.zeros(0, dtype=torch.long), 5) == 0


def test_transitions_inside_clusters() -> None:
    counts = torch.randint(9, (6, 6), generator=torch.Generator().manual_seed(0))
    class_map = torch.tensor([0, 1, 0, -1, 1, -1])
    inside = sum(int(counts[i, j]) for i in range(6) for j in range(6)
                 if class_map[i] == class_map[j] and class_map[i] >= 0)
    assert diagnostics.inside_share(counts, class_map) == pytest.approx(inside / int(counts.sum()))
    assert diagnostics.inside_share(torch.zeros_like(counts), class_map) == 0


def test_silent_classes() -> None:
    counts = torch.zeros(4, 4, dtype=torch.long)
    counts[1, 2] = 3
    assert diagnostics.silent_share(counts) == 0.5 and diagnostics.silent_share(counts[:0, :0]) == 0


def test_churn() -> None:
    old = torch.tensor([0, 1, 1, 2])
    assert diagnostics.map_churn(old, torch.tensor([0, 1, 2, 2])) == 0.25
    assert diagnostics.map_churn(torch.full((4,), -1), old) == 1 and diagnostics.map_churn(old, old) == 0
    assert diagnostics.map_churn(old[:0], old[:0]) == 0


def test_training_figures_wait_for_nothing() -> None:
    index, counts = torch.tensor([0, 2, 2]), torch.ones(3, 3, dtype=torch.long)
    with SyncGuard():
        diagnostics.mean_perplexity(torch.ones(3, 3) / 3)
        diagnostics.num_distinct(index, 3)
        diagnostics.inside_share(counts, index)


def test_objective_of_any_clustering() -> None:
    far = torch.rand(7, 7, generator=torch.Generator().manual_seed(0), dtype=F64).fill_diagonal_(0)
    label = torch.tensor([0, 0, 1, 3, 1, 0, 3])
    expected = sum(min(sum(float(far[i, m]) for i in range(7) if label[i] == c) for m in range(7) if label[m] == c)
                   for c in (0, 1, 3))
    assert diagnostics.medoid_objective(far, label, 4) == pytest.approx(expected)
    assert diagnostics.medoid_objective(far[:0, :0], label[:0], 4) == 0


def slow_silhouette(far: list[list[float]], label: list[int]) -> float:
    """Rows that are alone in their cluster count 0."""
    scores = []
    for i, own in enumerate(label):
        mean = {c: [far[i][j] for j in range(len(label)) if label[j] == c and j != i] for c in set(label)}
        if not mean[own]:
            scores.append(0.)
            continue
        a = sum(mean[own]) / len(mean[own])
        b = min(sum(mean[c]) / len(mean[c]) for c in mean if c != own)
        scores.append((b - a) / max(a, b))
    return math.fsum(scores) / len(scores)


def test_silhouette() -> None:
    far = torch.rand(8, 8, generator=torch.Generator().manual_seed(0), dtype=F64)
    far = (far + far.t()).fill_diagonal_(0)
    label = torch.tensor([0, 1, 1, 0, 2, 1, 0, 0])
    assert diagnostics.silhouette(far, label) == pytest.approx(slow_silhouette(far.tolist(), label.tolist()))
    for undefined in (torch.zeros(8, dtype=torch.long), torch.arange(8)):
        assert diagnostics.silhouette(far, undefined) == 0
