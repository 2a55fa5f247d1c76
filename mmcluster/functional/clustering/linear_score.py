"""How well linear classifiers learn a labelling: TURTLE's score for choosing among labellings without ground truth."""
from __future__ import annotations

import warnings
from typing import Sequence

import numpy as np

SCORED_FOLDS = 10
SCORED_ITERATIONS = 1000


def fold_accuracies(z: np.ndarray, labels: np.ndarray, order: np.ndarray, folds: int = SCORED_FOLDS, c: float = 1.,
                    max_iter: int = SCORED_ITERATIONS) -> np.ndarray:
    """Share of each fold whose labels a logistic regression on the other folds predicts.

    Args:
        z: (N, d) features.
        labels: (N,) pseudo-labels.
        order: (N,) permutation that is cut into folds.
        folds: How many.
        c: Inverse weight of the squared norm of the weights.
        max_iter: Steps of the solver at most.

    Returns:
        (folds,) in [0, 1].

    Edge cases: where the other folds hold one label, that one is predicted.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    found = []
    for fold in np.array_split(order, folds):
        rest = np.setdiff1d(order, fold)
        known = np.unique(labels[rest])
        if len(known) == 1:
            found.append(float((labels[fold] == known[0]).mean()))
            continue
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', ConvergenceWarning)     # who lowers max_iter knows
            model = LogisticRegression(C=c, tol=1e-9, max_iter=max_iter).fit(z[rest], labels[rest])
        found.append(float((model.predict(z[fold]) == labels[fold]).mean()))
    return np.array(found)


def linear_score(spaces: Sequence[np.ndarray], labels: np.ndarray, seed: int = 42, folds: int = SCORED_FOLDS,
                 max_iter: int = SCORED_ITERATIONS) -> float:
    """Mean of :func:`fold_accuracies` over the spaces, the higher the better.

    It does not guard against collapse: a labelling with one cluster scores 1. Compare labellings only that use all
    clusters, see :func:`labelling_losses`.

    Args:
        spaces: S arrays (N, d_s).
        labels: (N,).
        seed: Of the folds.
        folds: How many.
        max_iter: Steps of the solver at most.
    """
    order = np.random.RandomState(seed).permutation(len(labels))
    return float(np.mean([fold_accuracies(z, labels, order, folds, max_iter=max_iter) for z in spaces]))


def labelling_losses(spaces: Sequence[np.ndarray], labels: np.ndarray, num_clusters: int,
                     max_iter: int = SCORED_ITERATIONS) -> np.ndarray:
    """Losses by which labellings are chosen: minus the score, plus 1 for every cluster that is missing.

    Args:
        spaces: S arrays (N, d_s).
        labels: (H, N).
        num_clusters: K.
        max_iter: See :func:`linear_score`.

    Returns:
        (H,), the lowest is the best. Only those with the most clusters can win, so only these are scored.
    """
    missing = np.array([num_clusters - len(np.unique(row)) for row in labels], np.float64)
    for head in np.flatnonzero(missing == missing.min()):
        missing[head] -= linear_score(spaces, labels[head], max_iter=max_iter)
    return missing
