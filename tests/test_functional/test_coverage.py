"""Coverage of all clusters by random draws."""
from __future__ import annotations

import itertools
import math
import time

import pytest

from mmcluster.functional.labels.coverage import advise_num_labelled, coverage_probability


@pytest.mark.parametrize('n,k', [(6, 3), (8, 2), (7, 3), (9, 4), (5, 5), (11, 3)])
def test_against_all_draws(n: int, k: int) -> None:
    for drawn in range(n + 1):
        draws = list(itertools.combinations(range(n), drawn))
        covered = sum(len({row % k for row in draw}) == k for draw in draws)
        assert coverage_probability(drawn, k, n) == pytest.approx(covered / len(draws), abs=1e-14)


def test_the_paper_s_setting() -> None:
    """The formula gives 85.8 % at 40 of CIFAR-10, where the text says about 90 %."""
    for drawn, expected in ((10, 0.0004), (20, 0.215), (30, 0.629), (40, 0.858), (50, 0.949), (100, 0.9997)):
        assert coverage_probability(drawn, 10, 50000) == pytest.approx(expected, abs=6e-4)
    assert coverage_probability(800, 200, 100000) == pytest.approx(0.024, abs=1e-3)


def test_a_thousand_clusters_do_not_take_minutes() -> None:
    """ImageNet, whose images are not a multiple of its clusters; each is missed with exp(-8), almost independently."""
    start = time.process_time()
    assert coverage_probability(8000, 1000, 1281167) == pytest.approx(math.exp(-1000 * math.exp(-8)), abs=0.01)
    assert time.process_time() - start < 3
    assert coverage_probability(1000, 1000, 1281167) == pytest.approx(0, abs=1e-50)


def test_edges() -> None:
    assert coverage_probability(3, 4, 100) == 0 and coverage_probability(5, 10, 6) == 0
    assert coverage_probability(1, 1, 9) == 1 and coverage_probability(200, 10, 100) == 1
    assert coverage_probability(4, 4, 4) == 1


@pytest.mark.parametrize('k,n,probability', [(10, 50000, 0.85), (10, 50000, 0.5), (3, 7, 0.99), (1, 5, 1.), (5, 5, 1.),
                                             (20, 1797, 0.9), (4, 40, 0.)])
def test_advice_is_the_smallest_number_that_does(k: int, n: int, probability: float) -> None:
    advice = advise_num_labelled(k, n, probability)
    assert advice.coverage == coverage_probability(advice.num_labelled, k, n) >= probability
    assert advice.num_labelled == k or coverage_probability(advice.num_labelled - 1, k, n) < probability
    assert advice.default_num_labelled == 4 * k
    assert math.isclose(advice.default_coverage, coverage_probability(4 * k, k, n))


@pytest.mark.parametrize('k,n,probability', [(5, 4, 0.9), (2, 10, 1.1)])
def test_what_no_number_reaches(k: int, n: int, probability: float) -> None:
    with pytest.raises(ValueError, match='at least'):
        advise_num_labelled(k, n, probability)
