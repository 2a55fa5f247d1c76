"""Maps of instance classes: grouping, naming, votes."""
from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from mmcluster.functional.labels.transition import METHODS, align_map, class_votes, cluster_classes, first_seen

F64 = torch.float64


def rand(high: int, size: int, seed: int = 0) -> Tensor:
    return torch.randint(high, (size,), generator=torch.Generator().manual_seed(seed))


def blocks(group: Tensor) -> Tensor:
    """Similarity of classes that is larger inside a group."""
    noise = torch.rand(len(group), len(group), generator=torch.Generator().manual_seed(1), dtype=F64)
    similarity = torch.where(group[:, None] == group, 0.6, 0.) + 0.3 * noise
    return ((similarity + similarity.t()) / 2).fill_diagonal_(0)


@pytest.mark.parametrize('method', METHODS)
def test_groups_are_found_and_numbered_by_appearance(method: str) -> None:
    group = torch.tensor([2, 0, 2, 1, 0, 1, 2, 0, 1, 3, 3])
    assert torch.equal(cluster_classes(blocks(group), 4, method), first_seen(group))
    directed = blocks(group)
    directed[0] *= 0.9
    assert torch.equal(cluster_classes(directed.float(), 4, method), first_seen(group))


@pytest.mark.parametrize('method', METHODS)
def test_any_number_of_clusters(method: str, recwarn: pytest.WarningsRecorder) -> None:
    similarity = blocks(torch.arange(9) % 3)
    for k in range(1, 12):
        label = cluster_classes(similarity, k, method)
        assert label.max() + 1 == len(label.unique()) == min(k, 9) and torch.equal(label, first_seen(label))
    assert cluster_classes(torch.zeros(6, 6, dtype=F64), 2, method).shape == (6,)
    assert not recwarn.list


def test_unknown_method() -> None:
    with pytest.raises(ValueError, match='average'):
        cluster_classes(torch.zeros(3, 3), 2, 'kmeans')


def test_first_seen() -> None:
    assert first_seen(torch.tensor([5, 2, 5, 0, 2])).tolist() == [0, 1, 0, 2, 1]
    assert first_seen(torch.zeros(0, dtype=torch.long)).tolist() == []


@pytest.mark.parametrize('k', [1, 3, 5])
def test_names_keep_most_votes(k: int) -> None:
    for seed in range(5):
        old, new, weight = rand(k, 20, seed), rand(k, 20, seed + 50), rand(9, 20, seed + 100)
        for votes, weights in ((class_votes(old, k), [1] * 20), (class_votes(old, k, weight), weight.tolist())):
            found = align_map(new, votes, k)
            best = max(sum(w for a, b, w in zip(old.tolist(), new.tolist(), weights) if names[b] == a)
                       for names in itertools.permutations(range(k)))
            assert int(found.total) == best
            assert torch.equal(found.class_map, found.relabel[new]) and len(found.relabel.unique()) == k
            for a, b in itertools.product(range(k), range(k)):
                assert found.overlap[a, b] == sum(w for x, y, w in zip(old, new, weights) if (x, y) == (a, b))


def test_a_renamed_map_gets_its_names_back() -> None:
    old, names = rand(4, 30), torch.tensor([2, 0, 3, 1])
    found = align_map(names[old], class_votes(old, 4), 4)
    assert torch.equal(found.class_map, old) and found.total == 30


def test_the_head_votes_for_the_first_map() -> None:
    """Instance classes 0 and 1 are cluster 0; the images predicted as them are class 2 for the head."""
    class_map = torch.tensor([0, 0, 1, 2])
    votes = torch.tensor([[0, 1, 9], [0, 0, 3], [8, 0, 0], [0, 0, 5]])
    found = align_map(class_map, votes, 3)
    assert found.class_map.tolist() == [2, 2, 0, 1] and found.total == 20


def test_classes_without_a_cluster_do_not_vote() -> None:
    assert class_votes(torch.tensor([-1, 1]), 2).tolist() == [[0, 0], [0, 1]]
    weighted = class_votes(torch.tensor([0, 1]), 2, torch.tensor([0.5, 2.]))
    assert weighted.tolist() == [[0.5, 0], [0, 2]]
