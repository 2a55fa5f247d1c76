"""GCC's losses and graph against loops."""
from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mmcluster.functional.clustering.graph import graph_weights, recall, remember, undirected_degree
from mmcluster.functional.losses.contrast import nt_xent, unit_rows
from mmcluster.functional.losses.graph_contrast import assignment_contrast, graph_contrast


def rows(*shape: int, seed: int = 0) -> Tensor:
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return unit_rows(x.flatten(0, -2)).view(shape)


def weights(*shape: int) -> Tensor:
    return 0.4 + torch.rand(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def slow_graph_contrast(anchor: Tensor, other: Tensor, temperature: float, near: Tensor | None, weight: Tensor | None,
                        scale_near: bool, self_contrast: bool) -> float:
    """One anchor and one column at a time, in plain numbers."""
    terms = []
    for i, row in enumerate(anchor.tolist()):
        positive, rest = [], []
        sets = [anchor.tolist(), other.tolist(), *([] if near is None else near.tolist())]
        for s, columns in enumerate(sets):
            for j, column in enumerate(columns):
                gain = 1. if s < 2 else float(weight[s - 2, j])
                dot = sum(a * b for a, b in zip(row, column)) * (gain if s > 1 and scale_near else 1.)
                value = math.exp(dot / temperature)
                if s == 0 and j == i:
                    rest += [value] * self_contrast
                elif s > 0 and j == i:
                    positive.append(value * gain)
                else:
                    rest.append(value)
        terms.append(-math.log(sum(positive) / (sum(rest) + (0 if near is not None else sum(positive)))))
    return sum(terms) / len(terms)


@pytest.mark.parametrize('scale_near, self_contrast', [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize('size, used', [(6, 0), (6, 3), (5, 1), (2, 2)])
def test_features_against_loops(size: int, used: int, scale_near: bool, self_contrast: bool) -> None:
    anchor, other = rows(2, size, 4)
    near, weight = (rows(used, size, 4, seed=2), weights(used, size)) if used else (None, None)
    args = (0.3, near, weight, scale_near, self_contrast)
    expected = slow_graph_contrast(anchor, other, *args)
    assert graph_contrast(anchor, other, *args).item() == pytest.approx(expected, abs=1e-10)
    half = [None if x is None else x.bfloat16() for x in (near, weight)]
    single = graph_contrast(anchor.bfloat16(), other.bfloat16(), 0.3, *half, scale_near, self_contrast)
    assert single.dtype == torch.float32 and single.item() == pytest.approx(expected, abs=0.1)


def test_the_pretext_stage_is_ntxent_with_or_without_the_anchor_itself() -> None:
    anchor, other = rows(2, 7, 4)
    expected = nt_xent(anchor, other, 0.2, symmetric=False)
    torch.testing.assert_close(graph_contrast(anchor, other, 0.2, self_contrast=False), expected)
    assert graph_contrast(anchor, other, 0.2) > expected


@pytest.mark.parametrize('options', [dict(), dict(scale_near=False), dict(self_contrast=False)])
def test_gradients(options: dict) -> None:
    anchor, other, near = rows(5, 4).requires_grad_(), rows(5, 4, seed=1).requires_grad_(), rows(2, 5, 4, seed=2)
    near.requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b, c: graph_contrast(a, b, 0.4, c, weights(2, 5), **options),
                                    (anchor, other, near))
    prob = [x.softmax(1).detach().requires_grad_() for x in (rows(6, 3), rows(6, 3, seed=1))]
    assert torch.autograd.gradcheck(lambda p, q: sum(assignment_contrast(p, q)), prob)


def test_laws() -> None:
    """Images may be permuted, neighbors exchanged and clusters renamed; a weight of one changes nothing."""
    anchor, other, near, weight = *rows(2, 6, 4), rows(3, 6, 4, seed=2), weights(3, 6)
    order, names = torch.randperm(6), torch.randperm(4)
    found = graph_contrast(anchor, other, 0.1, near, weight)
    torch.testing.assert_close(graph_contrast(anchor[order], other[order], 0.1, near[:, order], weight[:, order]), found)
    torch.testing.assert_close(graph_contrast(anchor, other, 0.1, near.flip(0), weight.flip(0)), found)
    torch.testing.assert_close(graph_contrast(anchor, other, 0.1, near, torch.ones(3, 6).double()),
                               graph_contrast(anchor, other, 0.1, near))
    prob, other = rows(9, 4).softmax(1), rows(9, 4, seed=1).softmax(1)
    for value, same in zip(assignment_contrast(prob, other), assignment_contrast(prob[:, names], other[:, names])):
        torch.testing.assert_close(same, value)


def test_a_low_temperature_keeps_its_digits() -> None:
    """Exponents near 200 in float32."""
    anchor, other, near, weight = *rows(2, 8, 4), rows(3, 8, 4, seed=2), weights(3, 8)
    exact = graph_contrast(anchor, other, 0.005, near, weight)
    single = graph_contrast(anchor.float(), other.float(), 0.005, near.float(), weight.float())
    assert single.isfinite() and single.item() == pytest.approx(exact.item(), rel=1e-5)


def test_edges() -> None:
    """Few rows, none, and the loss below zero where neighbors are nearer than all others."""
    one = rows(1, 4).requires_grad_()
    for near in (None, rows(3, 1, 4)):
        for self_contrast in (True, False):
            loss = graph_contrast(one, rows(1, 4, seed=1), 0.1, near, self_contrast=self_contrast)
            loss.backward()
            assert loss.isfinite() and one.grad.isfinite().all()
            assert self_contrast or loss == 0
    none = torch.zeros(0, 4, requires_grad=True)
    for near in (None, torch.zeros(3, 0, 4)):
        assert graph_contrast(none, none, 0.1, near) == 0
    assert assignment_contrast(torch.zeros(0, 3), torch.zeros(0, 3)) == (0, 0)
    apart = torch.eye(4)
    assert graph_contrast(apart, apart, 0.1, apart.expand(3, 4, 4), self_contrast=False) < 0


def slow_assignment_contrast(p: list[list[float]], q: list[list[float]]) -> tuple[float, float]:
    """One column at a time, in plain numbers."""
    def column(prob: list[list[float]], k: int) -> list[float]:
        found = [row[k] for row in prob]
        norm = math.sqrt(sum(x * x for x in found))
        return [x / norm if norm else 0. for x in found]

    clusters = len(p[0])
    total = 0.
    for k in range(clusters):
        dots = [sum(a * b for a, b in zip(column(p, k), column(q, other))) for other in range(clusters)]
        total -= math.log(math.exp(dots[k]) / sum(map(math.exp, dots))) / clusters
    shares = [sum(row[k] for row in p) / len(p) for k in range(clusters)]
    return total, math.log(clusters) + sum(share * math.log(share) for share in shares if share)


@pytest.mark.parametrize('size, clusters', [(12, 4), (3, 7), (1, 2)])
def test_assignments_against_loops(size: int, clusters: int) -> None:
    p, q = (3 * rows(size, clusters, seed=seed) for seed in (0, 1))
    found = assignment_contrast(p.softmax(1), q.softmax(1))
    expected = slow_assignment_contrast(p.softmax(1).tolist(), q.softmax(1).tolist())
    assert [value.item() for value in found] == pytest.approx(expected, abs=1e-10)
    empty = torch.zeros(size, clusters).double()
    empty[:, 0] = 1
    assert assignment_contrast(empty, empty).contrast.item() == pytest.approx(
        slow_assignment_contrast(empty.tolist(), empty.tolist())[0], abs=1e-10)
    logits = (1e4 * empty).requires_grad_()
    sum(assignment_contrast(logits.softmax(1), logits.softmax(1))).backward()
    assert logits.grad.isfinite().all()


# ---- the graph and its memory

def test_degrees_against_sets() -> None:
    neighbors = torch.randint(-1, 9, (9, 4), generator=torch.Generator().manual_seed(0))
    lists = [{j for j in row if j >= 0} for row in neighbors.tolist()]
    expected = [len({j for j in range(9) if j in lists[i] or i in lists[j]}) for i in range(9)]
    assert undirected_degree(neighbors).tolist() == expected
    assert undirected_degree(torch.zeros(0, 4).long()).tolist() == []


def test_weights() -> None:
    degree = torch.tensor([3, 12])
    assert graph_weights(degree, 3).tolist() == [1., 0.5]
    assert graph_weights(degree, 3, torch.tensor(12)).tolist() == [0.5, 0.25]


def test_the_memory_holds_the_last_features() -> None:
    """Rows that were seen never, twice and five times."""
    features = rows(5, 3, 4)
    memory, count, seen = torch.zeros(3, 2, 4).double(), torch.zeros(3).long(), [[], [], []]
    for step, times in enumerate((3, 3, 2, 2, 2)):
        index = torch.arange(times) if step else torch.arange(1, 3)
        index = index[index > 0] if step < 2 else torch.tensor([2])
        memory[index] = remember(memory[index], count[index], features[step, index])
        count[index] += 1
        for i in index.tolist():
            seen[i].append(features[step, i])
    assert count.tolist() == [0, 2, 5]
    mean = recall(memory, count)
    assert not mean[0].any()
    for i in (1, 2):
        torch.testing.assert_close(mean[i], sum(seen[i][-2:]) / 2)
    assert recall(memory, count).norm(dim=1).max() < 1, 'a mean of unit rows is shorter'


def test_a_moving_average_begins_with_the_first_feature() -> None:
    first, second = rows(2, 3, 4)
    memory = remember(torch.zeros(3, 1, 4).double(), torch.tensor([0, 0, 2]), first, decay=0.75)
    torch.testing.assert_close(memory[:2, 0], first[:2])
    torch.testing.assert_close(memory[2, 0], 0.25 * first[2])
    torch.testing.assert_close(remember(memory, torch.ones(3).long(), second, decay=0.75)[0, 0],
                               0.75 * first[0] + 0.25 * second[0])
