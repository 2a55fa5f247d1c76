"""How likely a random labelled batch holds every cluster (ASD Theorem 1)."""
from __future__ import annotations

import math
from typing import NamedTuple, Sequence

import numpy as np

NEGLIGIBLE = 200        # terms below 2^-200 end the sum


class Advice(NamedTuple):
    """How many labelled images an iteration needs.

    Attributes:
        num_labelled: Smallest number that covers all clusters with the wanted probability.
        coverage: Its probability.
        default_num_labelled: 4 K, the paper's choice.
        default_coverage: Its probability.
    """
    num_labelled: int
    coverage: float
    default_num_labelled: int
    default_coverage: float


def coverage_probability(num_labelled: int, num_clusters: int, num_samples: int) -> float:
    """Return the probability P_all that images drawn without replacement hold every cluster (ASD eqs. 5, 11).

    ``1 - sum_i (-1)^(i-1) C(k, i) C(n - i n/k, n_l) / C(n, n_l)``, in integers, because the terms are huge and
    alternate. Clusters are equally large; when k does not divide n, some are larger by one.

    Args:
        num_labelled: n_l, images that are drawn; more than n are n.
        num_clusters: k.
        num_samples: n.

    Returns:
        Probability in [0, 1]. Edge cases: 0 when n_l < k or n < k.
    """
    drawn = min(num_labelled, num_samples)
    if drawn < num_clusters:
        return 0.
    small, larger = divmod(num_samples, num_clusters)
    usual = num_clusters - larger
    total, everything = 0, math.comb(num_samples, drawn)
    for missing in range(num_clusters + 1):
        first = max(0, missing - usual)
        rest = num_samples - missing * small - first
        draws, ways = math.comb(rest, drawn), 0
        for j in range(first, min(larger, missing) + 1):        # of the missing clusters, j are among the larger ones
            ways += math.comb(usual, missing - j) * math.comb(larger, j) * draws
            draws = draws * (rest - drawn) // max(rest, 1)      # of one sample fewer
            rest -= 1
        total += -ways if missing % 2 else ways
        if ways << NEGLIGIBLE < everything:         # by Bonferroni, all further terms together are of this size
            break
    return max(total, 0) / everything


def coverage_frequency(sizes: Sequence[int], num_labelled: int, draws: int = 1000, seed: int = 0) -> float:
    """Return the share of random draws that hold every cluster (ASD Fig. 4a, beside eq. 5).

    Args:
        sizes: Images of each cluster, which need not be equally large.
        num_labelled: n_l, images of a draw, without replacement.
        draws: How many; 1000 have a standard error below 0.016.
        seed: Of the draws.
    """
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(
        list(sizes), min(num_labelled, sum(sizes)), draws, method='marginals')
    return float((drawn > 0).all(1).mean())


def advise_num_labelled(num_clusters: int, num_samples: int, probability: float = 0.85) -> Advice:
    """Return how many labelled images an iteration needs so that all clusters are likely among them.

    Args:
        num_clusters: k.
        num_samples: n.
        probability: Wanted P_all, at most 1; 4 k images reach 0.858 on CIFAR-10.

    Returns:
        The advice, beside the paper's 4 k.

    Raises:
        ValueError: If n < k, so that no number will do.
    """
    if num_samples < num_clusters or not 0 <= probability <= 1:
        raise ValueError(f'{num_samples} samples of {num_clusters} clusters cannot cover all of them with probability '
                         f'{probability}: give at least {num_clusters} samples and a probability in [0, 1]')
    low = high = max(num_clusters, 1)
    while high < num_samples and coverage_probability(high, num_clusters, num_samples) < probability:
        low, high = high + 1, min(2 * high, num_samples)
    while low < high:
        middle = (low + high) // 2
        if coverage_probability(middle, num_clusters, num_samples) >= probability:
            high = middle
        else:
            low = middle + 1
    default = 4 * num_clusters
    return Advice(low, coverage_probability(low, num_clusters, num_samples), default,
                  coverage_probability(default, num_clusters, num_samples))
