"""Selection of confident rows and balancing weights against loops."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mmcluster.functional.imbalance import balanced_weights
from mmcluster.functional.labels.select import (num_per_cluster, probability_variance, select_by_distance,
                                                select_by_variance, to_target)


def problem(n: int = 90, d: int = 4, k: int = 5, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Rows (N, D), labels (N,) with some unknown, centres (K, D)."""
    generator = torch.Generator().manual_seed(seed)
    embed = torch.randn(n, d, generator=generator, dtype=torch.float64)
    label = torch.randint(-1, k, (n,), generator=generator)
    return embed, label, torch.randn(k, d, generator=generator, dtype=torch.float64)


def loop_select(key: list[float], label: list[int], k: int, count: int) -> tuple[list[int], list[int]]:
    """The ``count`` smallest keys of every cluster, by cluster, key and index."""
    index, target = [], []
    for cluster in range(k):
        members = sorted((i for i, own in enumerate(label) if own == cluster), key=lambda i: (key[i], i))[:count]
        index += members
        target += [cluster] * len(members)
    return index, target


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
@pytest.mark.parametrize('to', ['assigned', 'nearest'])
@pytest.mark.parametrize('sigma', [0.05, 0.3, 1.0])
def test_distance_equals_the_loop(distance: str, to: str, sigma: float) -> None:
    embed, label, centers = problem()

    def far(row: np.ndarray, center: np.ndarray) -> float:
        if distance == 'cosine':
            return 1 - row @ center / np.linalg.norm(row) / np.linalg.norm(center)
        return float(np.linalg.norm(row - center))

    rows, middles = embed.numpy(), centers.numpy()
    key = [min(far(row, c) for c in middles) if to == 'nearest' else far(row, middles[own])
           for row, own in zip(rows, label.tolist())]
    index, target = loop_select(key, label.tolist(), 5, math.floor(sigma * 90 / 5 + 1e-9))
    chosen = select_by_distance(embed, label, centers, sigma, distance, to)
    assert chosen.index.tolist() == index and chosen.target.tolist() == target


def test_variance_equals_the_loop() -> None:
    prob = problem(80, 6)[0].softmax(1)
    key = [-float(np.var(row)) for row in prob.numpy()]
    index, target = loop_select(key, prob.argmax(1).tolist(), 6, 4)
    chosen = select_by_variance(prob, 0.3)
    assert chosen.index.tolist() == index and chosen.target.tolist() == target
    np.testing.assert_allclose(probability_variance(prob).numpy(), -np.array(key), atol=1e-15)


def test_number_per_cluster_is_guarded_against_rounding() -> None:
    assert num_per_cluster(.29, 1000, 10) == 29 and .29 * 100 < 29
    assert num_per_cluster(.15, 107, 4) == 4 and num_per_cluster(.01, 60000, 10) == 60
    assert num_per_cluster(.1, 5, 10) == 0 and num_per_cluster(.1, 5, 0) == 0


def test_small_and_empty_clusters_give_all_they_have() -> None:
    embed, centers = problem()[0][:10], problem()[2][:3]
    label = torch.tensor([0] * 9 + [2])
    chosen = select_by_distance(embed, label, centers, 1.0)
    assert chosen.target.tolist() == [0, 0, 0, 2] and chosen.index[-1] == 9


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_ties_go_to_the_first_row(dtype: torch.dtype) -> None:
    row = torch.tensor([.3, .7, -.2], dtype=torch.float64)
    embed = torch.stack([row * 7, -row, row * 3, row, row * 11])
    label = torch.zeros(5, dtype=torch.long)
    center = torch.tensor([[.5, .1, .9]], dtype=dtype)
    assert select_by_distance(embed, label, center, 1.0).index.tolist() == [0, 2, 3, 4, 1]
    assert select_by_distance(embed.to(dtype)[[3, 1, 3, 3]], label[:4], center, 1.0).index.tolist() == [0, 2, 3, 1]
    prob = torch.tensor([[.7, .1, .2], [.7, .2, .1], [.9, .05, .05], [.7, .1, .2]], dtype=dtype)
    assert select_by_variance(prob, 3.0).index.tolist() == [2, 0, 1, 3]
    euclid = torch.tensor([[1., 0.], [0., 1.], [-1., 0.], [0., 0.]], dtype=dtype)
    chosen = select_by_distance(euclid, label[:4], torch.zeros(1, 2, dtype=dtype), 1.0, 'euclidean')
    assert chosen.index.tolist() == [3, 0, 1, 2]


def test_laws_of_selection() -> None:
    embed, label, centers = problem(200)
    chosen = select_by_distance(embed, label, centers, 0.2)
    scaled = select_by_distance(embed * torch.rand(200, 1).double().add(.1), label, centers * 3, 0.2)
    assert torch.equal(chosen.index, scaled.index)                       # cosine ignores lengths
    shifted = [select_by_distance(embed + s, label, centers + s, 0.2, 'euclidean').index for s in (0, 4)]
    assert torch.equal(*shifted)
    smaller = select_by_distance(embed, label, centers, 0.1)
    assert set(smaller.index.tolist()) < set(chosen.index.tolist())
    assert (label[chosen.index] == chosen.target).all() and len(chosen.index.unique()) == len(chosen.index)
    single = select_by_distance(embed.float(), label, centers.float(), 0.2)
    assert torch.equal(single.index, chosen.index)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    embed, label, centers = problem()
    whole = [select_by_distance(embed, label, centers, .3, to=to).index for to in ('assigned', 'nearest')]
    monkeypatch.setattr('mmcluster.functional.labels.select.CHUNK', 7)
    part = [select_by_distance(embed, label, centers, .3, to=to).index for to in ('assigned', 'nearest')]
    assert all(torch.equal(a, b) for a, b in zip(whole, part))


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
@pytest.mark.parametrize('to', ['assigned', 'nearest'])
def test_degenerate_input_never_raises(distance: str, to: str) -> None:
    none = torch.zeros(0, dtype=torch.long)
    assert not len(select_by_distance(torch.zeros(0, 3), none, torch.zeros(2, 3), .5, distance, to).index)
    assert not len(select_by_distance(torch.zeros(4, 3), -torch.ones(4).long(), torch.zeros(2, 3), 1., distance, to)[0])
    zero = select_by_distance(torch.zeros(4, 3), torch.zeros(4).long(), torch.zeros(2, 3), 1., distance, to)
    assert zero.index.tolist() == [0, 1]
    assert not len(select_by_distance(torch.ones(4, 3), none.new_zeros(4), torch.zeros(0, 3), 1., distance, to)[0])
    assert not len(select_by_distance(torch.ones(4, 3), none.new_zeros(4), torch.ones(2, 3), .1, distance, to)[0])


def test_degenerate_probabilities() -> None:
    assert not len(select_by_variance(torch.zeros(0, 3), .5).index)
    assert not len(select_by_variance(torch.zeros(3, 0), .5).index)
    assert select_by_variance(torch.ones(4, 1), .5).index.tolist() == [0, 1]
    assert select_by_variance(torch.full((4, 2), .5), 1.).index.tolist() == [0, 1]


def test_unknown_options_are_named() -> None:
    embed, label, centers = problem()
    with pytest.raises(ValueError, match='manhattan'):
        select_by_distance(embed, label, centers, .5, 'manhattan')
    with pytest.raises(ValueError, match='own'):
        select_by_distance(embed, label, centers, .5, to='own')


def test_targets_of_a_selection() -> None:
    prob = F.one_hot(torch.tensor([1, 0, 1, 1])).double()
    target = to_target(select_by_variance(prob, .5), 4)
    assert target.tolist() == [1, 0, -1, -1] and target.dtype == torch.int64


def test_balanced_weights() -> None:
    label = torch.tensor([4, 0, 4, 4, 2, 2, -1, 0])
    expected = [8 / (label == own).sum().item() if own >= 0 else 0.0 for own in label.tolist()]
    weights = balanced_weights(label)
    assert weights.tolist() == expected and weights.dtype == torch.float64
    for own in (0, 2, 4):
        assert weights[label == own].sum() == 8
    assert balanced_weights(label[:0]).shape == (0,)
    assert balanced_weights(torch.full((3,), -1)).tolist() == [0, 0, 0]
