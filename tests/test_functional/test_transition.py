"""Windows of transitions against event lists, similarities against loops."""
from __future__ import annotations

import math

import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.labels.transition import (NORMS, dissimilarity, record_, transition_codes,
                                                    transition_similarity)

F64 = torch.float64


def counts(size: int, seed: int = 0) -> Tensor:
    table = torch.randint(9, (size, size), generator=torch.Generator().manual_seed(seed))
    return table.fill_diagonal_(0)


def test_codes_name_both_classes() -> None:
    old, new = torch.tensor([-1, 0, 2, 3, 1, 2]), torch.tensor([1, 0, 3, 2, -1, 0])
    codes = transition_codes(old, new, 4)
    assert codes.tolist() == [-1, -1, 11, 14, -1, 8]
    assert [(code // 4, code % 4) for code in codes.tolist() if code >= 0] == [(2, 3), (3, 2), (2, 0)]


@pytest.mark.parametrize('window', [1, 3, 50])
def test_the_window_holds_exactly_the_last_batches(window: int) -> None:
    """Also while it fills, with batches that are short or without transitions."""
    generator = torch.Generator().manual_seed(window)
    ring, table = torch.full((window, 6), -1, dtype=torch.int32), torch.zeros(4, 4, dtype=torch.long)
    pointer, seen = torch.zeros((), dtype=torch.long), []
    for step in range(20):
        rows = 6 - step % 3
        old, new = (torch.randint(-1, 4, (rows,), generator=generator) for _ in range(2))
        new = old if step % 5 == 4 else new
        record_(ring, table, pointer, transition_codes(old, new, 4))
        seen.append([(i, j) for i, j in zip(old.tolist(), new.tolist()) if i != j and min(i, j) >= 0])
        expected = torch.zeros(4, 4, dtype=torch.long)
        for i, j in (event for batch in seen[-window:] for event in batch):
            expected[i, j] += 1
        assert torch.equal(table, expected)
        assert int(pointer) == (step + 1) % window
    assert ring.dtype == torch.int32


def test_old_transitions_drain() -> None:
    ring, table = torch.full((2, 3), -1, dtype=torch.int32), torch.zeros(2, 2, dtype=torch.long)
    pointer, settled = torch.zeros((), dtype=torch.long), torch.full((3,), -1)
    record_(ring, table, pointer, torch.tensor([1, 1, 2]))
    assert table.tolist() == [[0, 2], [1, 0]]
    record_(ring, table, pointer, settled)
    assert table.sum() == 3
    record_(ring, table, pointer, settled)
    assert table.sum() == 0


def test_a_batch_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match='num_unlabelled of the labeller'):
        record_(torch.full((2, 3), -1), torch.zeros(2, 2, dtype=torch.long), torch.zeros((), dtype=torch.long),
                torch.zeros(4, dtype=torch.long))


def test_recording_waits_for_nothing() -> None:
    ring, table = torch.full((4, 3), -1), torch.zeros(3, 3, dtype=torch.long)
    pointer = torch.zeros((), dtype=torch.long)
    with SyncGuard():
        record_(ring, table, pointer, transition_codes(torch.tensor([0, 1, 2]), torch.tensor([1, 1, 0]), 3))
    assert table.sum() == 2 and pointer == 1


def slow(table: Tensor, norm: str, symmetric: bool) -> Tensor:
    """Entry by entry."""
    size = len(table)
    c = table.tolist()
    s = [[(c[i][j] + c[j][i]) / 2 if symmetric else c[i][j] for j in range(size)] for i in range(size)]
    r, k = [sum(row) for row in s], [sum(column) for column in zip(*s)]
    if norm == 'sym_degree':
        s = [[s[i][j] / (math.sqrt(r[i] * k[j]) or 1) for j in range(size)] for i in range(size)]
    if norm == 'jaccard':
        s = [[s[i][j] / (r[i] + k[j] - s[i][j] or 1) for j in range(size)] for i in range(size)]
    every = [entry for row in s for entry in row]
    low, high = min(every), max(every)
    return torch.tensor([[(entry - low) / (high - low or 1) for entry in row] for row in s], dtype=F64)


@pytest.mark.parametrize('norm', NORMS)
@pytest.mark.parametrize('symmetric', [True, False])
def test_similarity_against_loops(norm: str, symmetric: bool) -> None:
    table = counts(6)
    table[4] = 0                                # left by nothing
    table[2], table[:, 2] = 0, 0                # never predicted
    found = transition_similarity(table, 1, norm, symmetric)
    torch.testing.assert_close(found, slow(table, norm, symmetric))
    torch.testing.assert_close(transition_similarity(table, 1000, norm, symmetric), found)
    assert (found[2] == 0).all() and (found[:, 2] == 0).all() and found.min() == 0
    assert found.amax() == pytest.approx(1)
    if symmetric:
        assert torch.equal(found, found.t())


@pytest.mark.parametrize('norm', NORMS)
def test_no_information_is_zero_similarity(norm: str) -> None:
    for table in (torch.zeros(4, 4, dtype=torch.long), torch.full((4, 4), 3), torch.zeros(0, 0, dtype=torch.long)):
        found = transition_similarity(table, 10, norm)
        assert found.shape == table.shape and (found == 0).all()
        assert torch.equal(dissimilarity(found), 1 - torch.eye(len(table), dtype=F64))


@pytest.mark.parametrize('norm', ['sym_degree', 'jaccard'])
def test_popular_classes_do_not_outshine_others(norm: str) -> None:
    """Two pairs of classes, of which one is predicted a hundred times as often."""
    table = torch.zeros(4, 4, dtype=torch.long)
    table[0, 1] = table[1, 0] = 1000
    table[2, 3] = table[3, 2] = 10
    assert transition_similarity(table, 1, norm)[2, 3] == pytest.approx(1)
    assert transition_similarity(table, 1)[2, 3] == pytest.approx(0.01)


def test_unknown_norm() -> None:
    with pytest.raises(ValueError, match='sym_degree'):
        transition_similarity(counts(3), 1, 'degree')
