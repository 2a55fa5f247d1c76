"""Sizes of the simulated imbalance of SPICE."""
from __future__ import annotations

import numpy as np
import pytest

from mmcluster.functional.imbalance import imbalance_sizes


def test_the_paper_s_example() -> None:
    ratios, sizes = imbalance_sizes(.2, 5000, 10)
    assert sizes.tolist() == [1400, 1800, 2200, 2600, 3000, 3400, 3800, 4200, 4600, 5000]
    assert ratios == pytest.approx([.28, .36, .44, .52, .6, .68, .76, .84, .92, 1.])
    assert ratios.dtype == np.float64 and sizes.dtype == np.int64


@pytest.mark.parametrize('size', [1, 17, 500, 5000])
@pytest.mark.parametrize('zeta', [0, 1, 2, 3, 7, 10])
@pytest.mark.parametrize('clusters', [1, 3, 10, 20])
def test_sizes_are_those_of_whole_numbers(zeta: int, size: int, clusters: int) -> None:
    """With zeta in tenths the share of class k is (zeta K + k (10 - zeta)) / (10 K), exactly."""
    expected = [(zeta * clusters + k * (10 - zeta)) * size // (10 * clusters) for k in range(1, clusters + 1)]
    assert imbalance_sizes(zeta / 10, size, clusters).sizes.tolist() == expected


def test_classes_may_differ_in_size() -> None:
    sizes = imbalance_sizes(.5, [10, 0, 7, 100], 4).sizes
    assert sizes.tolist() == [6, 0, 6, 100]
    assert imbalance_sizes(1., np.array([3, 8]), 2).sizes.tolist() == [3, 8]


@pytest.mark.parametrize('zeta', [-.1, 1.1, float('nan')])
def test_a_share_outside_the_unit_interval_is_refused(zeta: float) -> None:
    with pytest.raises(ValueError, match='zeta'):
        imbalance_sizes(zeta, 100, 10)


def test_other_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match='3 sizes .* 4 classes'):
        imbalance_sizes(.5, [1, 2, 3], 4)
    with pytest.raises(ValueError, match='class'):
        imbalance_sizes(.5, 10, 0)
