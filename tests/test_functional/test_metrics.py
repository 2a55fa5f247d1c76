"""Clustering metrics against scikit-learn, brute force and laws."""
from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from mmcluster.functional.clustering.match import contingency
from mmcluster.functional.clustering.metrics import cell_metrics, clustering_metrics, table_metrics

PERFECT = pytest.approx(dict(acc=1, nmi=1, nmi_geometric=1, ari=1, purity=1))


def draw(n: int, p: int, q: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Classes and clusters (N,) that have something in common."""
    rng = np.random.default_rng(seed)
    target, pred = rng.integers(p, size=n), rng.integers(q, size=n)
    return target, np.where(rng.random(n) < .5, (target * 3 + 1) % q, pred)


def reference(target: np.ndarray, pred: np.ndarray) -> dict[str, float]:
    return dict(nmi=sk.normalized_mutual_info_score(target, pred),
                nmi_geometric=sk.normalized_mutual_info_score(target, pred, average_method='geometric'),
                ari=sk.adjusted_rand_score(target, pred), ami=sk.adjusted_mutual_info_score(target, pred))


@pytest.mark.parametrize('n,p,q', [(300, 6, 6), (300, 4, 9), (300, 9, 4), (50, 1, 5), (50, 5, 1), (50, 1, 1),
                                   (30, 30, 30), (5000, 200, 200), (1, 1, 1), (2, 2, 2), (600, 900, 400)])
def test_nmi_ari_ami_equal_scikit_learn(n: int, p: int, q: int) -> None:
    for seed in range(3):
        target, pred = draw(n, p, q, seed)
        values = clustering_metrics(target, pred)
        for name, expected in reference(target, pred).items():
            assert values[name] == pytest.approx(expected, abs=1e-10), name


@pytest.mark.parametrize('p,q', [(1, 1), (2, 5), (5, 2), (5, 5), (6, 6), (3, 6)])
def test_acc_and_purity_equal_brute_force(p: int, q: int) -> None:
    for seed in range(4):
        target, pred = draw(40, p, q, seed)
        best = 0
        for names in itertools.permutations(range(max(p, q)), q):       # cluster j is called names[j]
            best = max(best, sum(names[j] == i for i, j in zip(target, pred)))
        purity = sum(max((target[pred == j] == i).sum() for i in range(p)) for j in range(q) if (pred == j).any())
        values = clustering_metrics(target, pred, ami=False)
        assert values['acc'] == pytest.approx(best / 40) and values['purity'] == pytest.approx(purity / 40)
        assert 'ami' not in values


def test_any_names_give_the_same_values() -> None:
    target, pred = draw(500, 7, 9)
    expected = clustering_metrics(target, pred)
    for names in (np.arange(9)[::-1] - 4, np.arange(9) * 10 ** 17 - 4 * 10 ** 17, np.arange(9) * 1000 + 3,
                  np.array([np.iinfo(np.int64).min, np.iinfo(np.int64).max, 0, 1, 2, 3, 4, 5, -1])):
        assert clustering_metrics(target, names[pred]) == pytest.approx(expected, abs=1e-12)
        other = np.unique(names).searchsorted(names) * 10 ** 14 + 3       # -1 is unknown, other negatives are refused
        assert clustering_metrics(other[target], pred) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize('dtype', [np.int8, np.uint8, np.int16, np.int32, np.uint64, np.float32, np.bool_])
def test_types(dtype: type) -> None:
    target, pred = draw(200, 2, 2)
    expected = clustering_metrics(target, pred)
    assert clustering_metrics(target.astype(dtype), pred.astype(dtype)) == expected
    tensors = torch.from_numpy(target.astype(dtype)), torch.from_numpy(pred.astype(dtype))
    assert clustering_metrics(*tensors) == expected == clustering_metrics(target.tolist(), pred.tolist())


def test_narrow_types_do_not_wrap() -> None:
    target = np.array([0, 127, 0, 127, 64], np.int8)
    pred = np.array([0, 255, 0, 255, 7], np.uint8)
    assert clustering_metrics(target, pred, ami=False) == PERFECT
    large = np.array([2 ** 64 - 1, 2 ** 64 - 2, 2 ** 64 - 1], np.uint64)
    assert clustering_metrics(large, np.array([4, 5, 4]))['acc'] == 1.0


def test_unknown_targets_are_dropped_and_negative_predictions_are_not() -> None:
    target, pred = draw(300, 5, 5)
    hole = np.arange(300) % 7 == 0
    with_holes = np.where(hole, -1, target)
    assert clustering_metrics(with_holes, pred) == clustering_metrics(target[~hole], pred[~hole])
    assert clustering_metrics(target, pred - 1) == clustering_metrics(target, pred)


def test_symmetry_permutation_and_repetition() -> None:
    target, pred = draw(400, 6, 8)
    values = clustering_metrics(target, pred)
    swapped = clustering_metrics(pred, target)
    for name in ('acc', 'nmi', 'nmi_geometric', 'ari', 'ami'):
        assert swapped[name] == pytest.approx(values[name], abs=1e-12)
    order = np.random.default_rng(0).permutation(400)
    assert clustering_metrics(target[order], pred[order]) == pytest.approx(values, abs=1e-12)
    twice = clustering_metrics(np.tile(target, 2), np.tile(pred, 2))
    for name in ('acc', 'nmi', 'purity'):
        assert twice[name] == pytest.approx(values[name], abs=1e-12)


def test_extremes() -> None:
    ids = np.arange(12) % 4
    assert clustering_metrics(ids, (ids + 1) % 4, ami=False) == PERFECT
    assert clustering_metrics(ids, (ids + 1) % 4)['ami'] == pytest.approx(1)
    crossed = clustering_metrics(np.repeat([0, 1], 8), np.tile([0, 1], 8))
    assert crossed['nmi'] == crossed['nmi_geometric'] == 0.0
    assert crossed['acc'] == crossed['purity'] == 0.5 and crossed['ari'] < 0
    nothing = clustering_metrics(np.full(5, -1), np.arange(5))
    assert nothing == dict(acc=0.0, nmi=1.0, nmi_geometric=1.0, ari=1.0, purity=0.0, ami=1.0)
    assert clustering_metrics([], []) == nothing


def test_millions_of_rows_do_not_overflow() -> None:
    n = 4_000_000
    target, pred = np.zeros(n, np.int32), np.zeros(n, np.int32)
    target[: n // 2], pred[: n // 2 + 1] = 1, 1
    values = clustering_metrics(target, pred, ami=False)
    assert values['acc'] == values['purity'] == (n - 1) / n
    a, b = n // 2, n // 2 - 1                      # the table is ((a, 0), (1, b))
    pairs = [math.comb(size, 2) for size in (a, 1, b)]
    classes, clusters = math.comb(a, 2) * 2, math.comb(a + 1, 2) + math.comb(b, 2)
    chance = classes * clusters / math.comb(n, 2)
    assert values['ari'] == pytest.approx((sum(pairs) - chance) / ((classes + clusters) / 2 - chance), abs=1e-12)


def test_tables_too_large_to_lay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    target, pred = draw(200, 20, 30)
    expected = clustering_metrics(target, pred)
    monkeypatch.setattr('mmcluster.functional.clustering.metrics.DENSE_CELLS', 0)
    for one, two in ((target, pred), (pred, target), (target, target)):
        sparse = clustering_metrics(one, two)
        assert sparse['acc'] == pytest.approx(expected['acc'] if one is not two else 1.0)
    monkeypatch.undo()
    ids = np.random.default_rng(0).permutation(8000)
    assert clustering_metrics(ids, ids[::-1].copy(), ami=False) == PERFECT


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match='3 and 4'):
        clustering_metrics([0, 1, 2], [0, 1, 2, 3])


def test_unknown_means_the_same_however_it_is_written() -> None:
    target, pred = draw(200, 4, 4)
    target[::7] = -1
    expected = clustering_metrics(target, pred)
    assert expected == clustering_metrics(target[target >= 0], pred[target >= 0])
    assert clustering_metrics(np.where(target < 0, np.nan, target), pred) == expected
    assert clustering_metrics(torch.tensor(target).double(), torch.tensor(pred)) == expected


@pytest.mark.parametrize('target, pred, message', [
    ([0, -2], [0, 1], r'targets are no labels, beginning with -2 \(row 1\)'), ([0.5, 1], [0, 1], '0.5'),
    ([0, 1], [math.nan, 1.], 'whole numbers, got nan in row 0'), ([0, 1], [0., 1.5], 'got 1.5 in row 1')])
def test_what_is_no_label_is_refused(target: list, pred: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        clustering_metrics(target, pred)


@pytest.mark.parametrize('n, p, q', [(500, 7, 5), (60, 3, 9), (40, 1, 1), (0, 2, 2)])
def test_a_table_has_the_same_values(n: int, p: int, q: int) -> None:
    """To the bit, also with a class and a cluster that do not occur."""
    rng = np.random.default_rng(n)
    target, pred = torch.from_numpy(rng.integers(p, size=n)), torch.from_numpy(rng.integers(q, size=n))
    table = contingency(target, pred, p + 1, q + 1)
    assert table_metrics(table) == clustering_metrics(target, pred, ami=False)


@pytest.mark.parametrize('dense', [False, True])
@pytest.mark.parametrize('n, p, q', [(500, 7, 5), (60, 3, 9), (40, 1, 1), (0, 2, 2)])
def test_cells_that_occur_have_the_same_values(monkeypatch: pytest.MonkeyPatch, n: int, p: int, q: int, dense: bool) -> None:
    """To the bit, those that two holders counted and the table that is too large to lay out, too."""
    rng = np.random.default_rng(n)
    target, pred = torch.from_numpy(rng.integers(p, size=n)), torch.from_numpy(rng.integers(q, size=n))
    table, expected = contingency(target, pred, p + 1, q + 1), clustering_metrics(target, pred, ami=False)
    parts = [(part[0] * (q + 1) + part[1]).unique(return_counts=True) for part in zip(target.split(n // 2 + 1),
                                                                                       pred.split(n // 2 + 1))]
    cell, count = (torch.cat(part) for part in zip(*parts))
    monkeypatch.setattr('mmcluster.functional.clustering.metrics.laid_out', lambda classes, clusters, rows: dense)
    assert cell_metrics(cell, count, p + 1, q + 1) == expected == table_metrics(table)
