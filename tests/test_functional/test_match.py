"""Vote tables, the Hungarian method and alignment against brute force."""
from __future__ import annotations

import itertools

import pytest
import torch

from mmcluster.functional.clustering.match import align_clusters, contingency, hungarian


def rand(high: int, size: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(high, (size,), generator=torch.Generator().manual_seed(seed))


def test_contingency_counts_and_drops_what_is_outside() -> None:
    pred, target = torch.tensor([0, 0, 1, -1, 2, 3, 1]), torch.tensor([1, 1, 0, 0, -1, 0, 5])
    table = contingency(pred, target, 3, 2)
    assert table.tolist() == [[0, 2], [1, 0], [0, 0]]
    assert contingency(pred[:0], target[:0], 2, 3).tolist() == [[0] * 3] * 2


@pytest.mark.parametrize('p,q', [(1, 1), (3, 3), (4, 4), (3, 5), (5, 3)])
def test_hungarian_is_optimal(p: int, q: int) -> None:
    for seed in range(5):
        votes = torch.randint(9, (p, q), generator=torch.Generator().manual_seed(seed))
        mapping = hungarian(votes)
        kept = mapping >= 0
        assert int(kept.sum()) == min(p, q) == len(set(mapping[kept].tolist()))
        rows = votes if p <= q else votes.T
        best = max(sum(int(rows[i, j]) for i, j in enumerate(choice))
                   for choice in itertools.permutations(range(max(p, q)), min(p, q)))
        assert int(votes[kept.nonzero().flatten(), mapping[kept]].sum()) == best


def brute_force(label, index, target, k, previous):
    """Best (agreement on the selected rows, agreement with previous) over all mappings."""
    scores = []
    for mapping in itertools.permutations(range(k)):
        renamed = [mapping[i] if i >= 0 else -1 for i in label.tolist()]
        selected = sum(renamed[i] == t for i, t in zip(index.tolist(), target.tolist()) if t >= 0)
        before = 0 if previous is None else sum(a == b for a, b in zip(renamed, previous.tolist()) if b >= 0)
        scores.append((selected, before))
    return max(scores)


@pytest.mark.parametrize('k', [1, 2, 4, 5])
@pytest.mark.parametrize('selected', [0, 3, 20])
def test_alignment_is_optimal_and_ties_go_to_the_previous_labels(k: int, selected: int) -> None:
    for seed in range(6):
        label, previous = rand(k, 60, seed) - (torch.arange(60) % 17 == 0).long(), rand(k, 60, seed + 50)
        index, target = rand(60, selected, seed + 1), rand(k, selected, seed + 2)
        for before in (None, previous):
            result = align_clusters(label, index, target, k, before)
            assert sorted(result.mapping.tolist()) == list(range(k))
            expected = torch.where(label >= 0, result.mapping[label.clamp(min=0)], -1)
            assert torch.equal(result.aligned, expected)
            agree = sum(result.aligned[i] == t for i, t in zip(index, target))
            near = 0 if before is None else int(((result.aligned == before) & (label >= 0)).sum())
            assert (int(agree), near) == brute_force(label, index, target, k, before)
            assert result.n_agree == int(agree)
            for c in range(k):
                for t in range(k):
                    assert int(result.votes[c, t]) == int(((label[index] == c) & (target == t)).sum())


def test_previous_labels_never_cost_agreement_on_the_selected_rows() -> None:
    label = torch.tensor([0] * 500 + [1] * 500)
    previous = label.clone()
    result = align_clusters(label, torch.tensor([0]), torch.tensor([1]), 2, previous)
    assert result.mapping.tolist() == [1, 0] and result.n_agree == 1


def test_without_votes_the_previous_names_stay() -> None:
    previous = rand(6, 200)
    shuffle = torch.tensor([3, 5, 0, 1, 4, 2])
    empty = torch.zeros(0, dtype=torch.long)
    result = align_clusters(shuffle[previous], empty, empty, 6, previous)
    assert torch.equal(result.aligned, previous) and result.n_agree == 0


def test_renaming_clusters_changes_nothing_but_votes() -> None:
    label, index, target = rand(5, 300), rand(300, 80, 1), rand(5, 80, 2)
    target = torch.where(torch.arange(80) % 3 > 0, (label[index] + 2) % 5, target)
    shuffle = torch.tensor([2, 0, 4, 1, 3])
    one, two = align_clusters(label, index, target, 5), align_clusters(shuffle[label], index, target, 5)
    assert torch.equal(one.aligned, two.aligned) and torch.equal(one.votes, two.votes[shuffle])


def test_unknown_and_foreign_targets_do_not_vote() -> None:
    label = torch.tensor([0, 1, 1, -1])
    result = align_clusters(label, torch.arange(4), torch.tensor([1, -1, 9, 0]), 2)
    assert result.votes.tolist() == [[0, 1], [0, 0]]
    assert result.aligned.tolist() == [1, 0, 0, -1] and result.n_agree == 1
    none = align_clusters(label[:0], label[:0], label[:0], 3)
    assert none.aligned.shape == (0,) and sorted(none.mapping.tolist()) == [0, 1, 2]
