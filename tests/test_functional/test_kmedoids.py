"""PAM against brute force and a loop over all swaps."""
from __future__ import annotations

import itertools

import numpy as np
import pytest

from mmcluster.functional.clustering.kmedoids import assign_to_medoids, pam, swap_changes


def points(size: int, seed: int, symmetric: bool = True) -> np.ndarray:
    """Distances of random points in the plane, directed ones with some noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(size, 2))
    far = np.linalg.norm(x[:, None] - x, axis=2)
    if not symmetric:
        far = far * rng.uniform(0.5, 1.5, far.shape)
    return far


def planted(size: int, groups: int, seed: int, noise: float = 1.) -> np.ndarray:
    """Dissimilarities of transitions that mostly stay in their group."""
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.arange(size) % groups)
    table = rng.poisson(np.where(group[:, None] == group, 6., noise)).astype(float)
    np.fill_diagonal(table, 0)
    table = table + table.T
    far = 1 - table / table.max()
    np.fill_diagonal(far, 0)
    return far


def objective(far: np.ndarray, medoids: tuple[int, ...]) -> float:
    return sum(0 if i in medoids else min(far[i, m] for m in medoids) for i in range(len(far)))


@pytest.mark.parametrize('symmetric', [True, False])
def test_changes_against_loops(symmetric: bool) -> None:
    far, medoids = points(11, 0, symmetric), np.array([2, 3, 8])
    change = swap_changes(far, medoids)
    before = objective(far, (2, 3, 8))
    for k, x in itertools.product(range(3), range(11)):
        if x in medoids:
            assert change[k, x] == np.inf
        else:
            after = objective(far, tuple(x if i == k else int(m) for i, m in enumerate(medoids)))
            assert change[k, x] == pytest.approx(after - before, abs=1e-12)


def test_one_medoid_changes_too() -> None:
    far = points(5, 1)
    assert swap_changes(far, np.array([4]))[0, 1] == pytest.approx(far[:, 1].sum() - far[:, 4].sum())


@pytest.mark.parametrize('size,k', [(8, 2), (10, 3), (12, 4)])
def test_the_exact_optimum_of_small_problems(size: int, k: int) -> None:
    for seed in range(15):
        far = planted(size, k, seed)
        best = min(objective(far, chosen) for chosen in itertools.combinations(range(size), k))
        found = pam(far, k)
        assert found.objective == pytest.approx(best, abs=1e-12)
        assert objective(far, tuple(found.medoids)) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize('symmetric', [True, False])
@pytest.mark.parametrize('starts', [1, 4])
def test_no_swap_improves_the_result(symmetric: bool, starts: int) -> None:
    for seed in range(5):
        far = points(30, seed, symmetric)
        found = pam(far, 5, starts)
        assert swap_changes(far, found.medoids).min() > -1e-9
        assert found.objective == pytest.approx(far[np.arange(30), found.medoids[found.label]].sum())


def test_more_starts_are_never_worse_and_sometimes_better() -> None:
    every = [[pam(planted(12, 4, seed, 4.), 4, starts).objective for starts in (1, 4, 12)] for seed in range(25)]
    assert all(one >= four - 1e-9 and four >= twelve - 1e-9 for one, four, twelve in every)
    assert any(one > four + 1e-6 for one, four, _ in every)


def test_planted_groups_are_found() -> None:
    rng = np.random.default_rng(0)
    group = rng.permutation(np.arange(240) % 60)
    far = np.where(group[:, None] == group, 0.3, 1.) + rng.uniform(0, 0.1, (240, 240))
    np.fill_diagonal(far, 0)
    label = pam(far, 60).label
    assert len(set(zip(group.tolist(), label.tolist()))) == 60


def test_the_order_of_objects_does_not_matter() -> None:
    far, order = points(25, 3), np.random.default_rng(1).permutation(25)
    one, two = pam(far, 4), pam(far[order][:, order], 4)
    assert one.objective == pytest.approx(two.objective)
    assert sorted(order[two.medoids].tolist()) == one.medoids.tolist()


def test_ties_go_to_the_lowest_index() -> None:
    far = 1. - np.eye(7)
    found = pam(far, 3)
    assert found.medoids.tolist() == [0, 1, 2] and found.label.tolist() == [0, 1, 2, 0, 0, 0, 0]
    assert found.objective == 4
    far = np.abs(np.arange(4.)[:, None] - np.arange(4.))          # a line: 1 and 2 are equally good
    assert pam(far, 1).medoids.tolist() == [1] and pam(far / 3, 1).medoids.tolist() == [1]


def test_a_medoid_owns_itself() -> None:
    far = np.zeros((4, 4))
    found = pam(far, 3)
    assert found.label.tolist() == [0, 1, 2, 0] and found.objective == 0
    assert assign_to_medoids(far, np.array([3, 1])).label.tolist() == [0, 0, 0, 1]


def test_degenerate_problems() -> None:
    far = points(4, 0)
    for k in (4, 9):
        found = pam(far, k)
        assert found.label.tolist() == found.medoids.tolist() == [0, 1, 2, 3] and found.objective == 0
    assert pam(far[:1, :1], 1).label.tolist() == [0]
    empty = pam(far[:0, :0], 3)
    assert empty.label.shape == empty.medoids.shape == (0,) and empty.objective == 0
    with pytest.raises(ValueError, match='at least'):
        pam(far, 0)


def test_the_input_stays_and_runs_repeat() -> None:
    far = planted(20, 4, 0)
    kept = far.copy()
    one, two = pam(far, 4), pam(far, 4)
    assert np.array_equal(far, kept) and np.array_equal(one.label, two.label) and one.objective == two.objective
