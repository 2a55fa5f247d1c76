"""Clustering of frozen features: reduce, choose K where it is not given, cluster, and know new rows."""
from __future__ import annotations

import warnings
from pathlib import Path
from typing import Callable, Optional, Union

import numpy as np
import torch
from torch.nn import functional as F

from mmcluster.functional.clustering.merge_tree import cut_tree, ward_tree
from mmcluster.functional.clustering.whitening import blocks

from .choose_k import KChoice, KScore, choose_k, k_range
from .feature_heads import Head
from .feature_methods import METHODS, USUAL, Partition, center_head, usual_method
from .feature_model import Assignment, FeatureModel, distances, spread
from .feature_reducer import FeatureReducer

Progress = Callable[[str, int, int], None]
Clusters = Union[int, str, tuple[int, int]]


def check_rows(x: np.ndarray, least: int = 2) -> np.ndarray:
    """Return features (N, D) as they are, with at least so many finite rows.

    Raises:
        ValueError: With what is wrong and which row it is.
    """
    x = np.asarray(x) if not isinstance(x, np.ndarray) else x
    if x.ndim != 2 or not np.issubdtype(x.dtype, np.number) or np.iscomplexobj(x):
        raise ValueError(f'features must be an array (N, D) of real numbers, got shape {x.shape} of {x.dtype}')
    if len(x) < least or not x.shape[1]:
        raise ValueError(f'at least {least} image(s) with features are needed, got features of shape {x.shape}')
    for start, part in zip(range(0, len(x), 8192), blocks(x)):
        bad = np.flatnonzero(~np.isfinite(part).all(axis=1))
        if len(bad):
            raise ValueError(f'row {start + bad[0]} of the features holds NaN or inf: leave it out, or compute the '
                             'features again')
    return x


def _silent(phase: str, done: int, total: int) -> None:
    """Report nothing."""


class FeatureClusterer:
    """Clusters features (N, D) of images.

    Args:
        n_clusters: K, ``'auto'`` or a range (low, high) to choose it from. ``'hdbscan'`` finds it in its own way.
        method: One of ``mmcluster.apis.feature_methods.METHODS``, or ``'auto'`` for ``'spectral'`` from 50 rows to
            30,000, else ``'kmeans'``.
        reduce: See :class:`FeatureReducer`.
        seed: Decides everything that is drawn.
        progress: Called with the name of a phase, the steps done and all of them.

    Attributes:
        labels_: (N,) int64, clusters by descending size, -1 for none.
        n_clusters_: K.
        cluster_centers_: (K, d) in the reduced space.
        method_: What clustered: ``'kmeans'`` where ``'spectral'`` had to leave the rows to it.
        choice_: The curve over K and its suggestions, ``None`` if K was given.
        tree_: (K - 1, 4), merges of the clusters, see :func:`mmcluster.functional.clustering.merge_tree.ward_tree`.
        assignment_: What :class:`Assignment` says of the rows of the fit.
        reduced_: (N, d) rows of the fit.
        model_: The part that new rows need.
    """

    def __init__(self, n_clusters: Clusters = 'auto', method: str = USUAL,
                 reduce: Union[int, str, None] = 'auto', seed: int = 0, progress: Optional[Progress] = None):
        if method not in (USUAL, *METHODS):
            raise ValueError(f'method must be {USUAL} or one of {sorted(METHODS)}, got {method!r}')
        too_few = isinstance(n_clusters, (int, np.integer)) and not isinstance(n_clusters, bool) and n_clusters < 1
        if too_few or (isinstance(n_clusters, str) and n_clusters != 'auto'):
            raise ValueError(f"n_clusters must be a number from 1, 'auto' or a range (low, high), got {n_clusters!r}")
        if method == 'hdbscan' and n_clusters != 'auto':
            raise ValueError(f"hdbscan finds the number of clusters itself, so leave it 'auto' instead of {n_clusters}")
        self.n_clusters, self.method, self.reduce, self.seed = n_clusters, method, reduce, seed
        self.progress = progress or _silent     # a lambda could not be pickled

    def fit(self, x: np.ndarray) -> FeatureClusterer:
        """Cluster rows.

        Args:
            x: (N, D) in memory or mapped.

        Returns:
            Itself.

        Raises:
            ValueError: If there are fewer rows than clusters, or rows that are not finite, or only one distinct row.
        """
        x = check_rows(x)
        wanted = self.n_clusters
        given = int(wanted) if isinstance(wanted, (int, np.integer)) else None
        if given and given > len(x):
            raise ValueError(f'{given} clusters are asked of {len(x)} images: ask for at most {len(x)}')
        self.progress('reduce', 0, 1)
        self.reducer_ = FeatureReducer(self.reduce).fit(x)
        self.reduced_ = self.reducer_.transform(x)
        self.progress('reduce', 1, 1)
        if given != 1 and not self.reduced_.any():
            raise ValueError('all images have the same features, so there is nothing to cluster: check the folder, or '
                             'ask for one cluster')
        self.choice_ = None
        if not isinstance(wanted, (int, np.integer)) and self.method != 'hdbscan':
            low, high = k_range(wanted, len(x))
            self.choice_ = choose_k(self.reduced_, low, high, self.reducer_.unit_, self.seed,
                                    lambda done, total: self.progress('choose K', done, total))
        self._cluster(given or (self.choice_.suggestions[0] if self.choice_ else 0))
        return self

    def _cluster(self, count: int) -> None:
        """Cluster the reduced rows into ``count`` clusters and keep what follows from it."""
        self.progress('cluster', 0, 1)
        z, unit = torch.from_numpy(self.reduced_), bool(self.reducer_.unit_)
        method = usual_method(len(z), unit) if self.method == USUAL else self.method
        part = METHODS[method](z, count, unit, self.seed)
        self.method_ = part.method or method
        self._settle(part, count)
        self.progress('cluster', 1, 1)

    def refine(self, x: np.ndarray, reducer: FeatureReducer, head: Head) -> None:
        """Take over what was learnt from this clustering.

        Args:
            x: (N, D) rows of the fit.
            reducer: Of unit rows, in the place of that of the fit.
            head: (d, K) of as many clusters; one that no row is given to is left out.
        """
        self.reducer_, self.reduced_ = reducer, reducer.transform(x)
        self._settle(Partition(F.normalize(head.weight.T, dim=1), head=head), self.n_clusters_)

    def _settle(self, part: Partition, count: int) -> None:
        """Keep what follows from a partition of the reduced rows into ``count`` clusters."""
        z, unit = torch.from_numpy(self.reduced_), bool(self.reducer_.unit_)
        head = part.head or center_head(z, part.centers, unit)
        model = FeatureModel(self.reducer_, part.centers.numpy(), head.weight.numpy(), head.bias.numpy(),
                             np.zeros(len(part.centers)), np.ones(len(part.centers)))
        labels = model.describe(self.reduced_).cluster if part.labels is None else part.labels.numpy()
        self.labels_, self.model_ = self._by_size(labels, model, part, unit)
        self.n_clusters_, self.cluster_centers_ = len(self.model_.centers), self.model_.centers
        if self.n_clusters_ < count:
            warnings.warn(f'{self.n_clusters_} of {count} clusters have images: the others stay empty, because there '
                          'are too few distinct images; ask for fewer clusters')
        sizes = np.bincount(self.labels_[self.labels_ >= 0], minlength=self.n_clusters_)
        self.tree_ = ward_tree(self.cluster_centers_, sizes)
        self.assignment_ = self.model_.describe(self.reduced_, self.labels_)

    def _by_size(self, labels: np.ndarray, model: FeatureModel, part: Partition,
                 unit: bool) -> tuple[np.ndarray, FeatureModel]:
        """Number the clusters by size, without empty ones, and learn how far each reaches."""
        sizes = np.bincount(labels[labels >= 0], minlength=len(model.centers))
        order = np.argsort(-sizes, kind='stable')[:int((sizes > 0).sum())]
        number = np.full(len(sizes) + 1, -1)        # the last entry is that of label -1
        number[order] = np.arange(len(order))
        labels = number[labels]
        centers = np.zeros((len(order), self.reduced_.shape[1]))
        for own in range(len(order)):
            centers[own] = self.reduced_[labels == own].mean(axis=0, dtype=np.float64)
        if unit:
            centers /= np.maximum(np.linalg.norm(centers, axis=1, keepdims=True), 1e-12)
        centers = centers.astype(self.reduced_.dtype)
        median, reach = spread(distances(self.reduced_, centers, labels), labels, len(order))
        meta = dict(n_clusters=self.n_clusters if not isinstance(self.n_clusters, tuple) else list(self.n_clusters),
                    method=self.method, reduce=self.reduce, seed=self.seed,
                    choice=self.choice_ and self.choice_._asdict())
        return labels, FeatureModel(self.reducer_, centers, model.weight[:, order], model.bias[order], median, reach,
                                    meta)

    def groups(self, count: int) -> np.ndarray:
        """Coarse group (K,) of every cluster, from the tree of merges."""
        return cut_tree(self.tree_, count)

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Reduce features (N, D) to the space (N, d) of the centres."""
        return self.model_.reduce(check_rows(x, 1))

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Probability (N, K) of every cluster."""
        return self.model_.probabilities(self.transform(x))

    def assign(self, x: np.ndarray, reject: bool = True) -> Assignment:
        """Cluster, confidence and the rest for new features (N, D); with ``reject`` a far row belongs to none."""
        return self.model_.describe(self.transform(x), reject=reject)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Most probable cluster (N,) int64 of new features (N, D)."""
        return self.assign(x, reject=False).cluster

    def save(self, path: Union[str, Path]) -> None:
        """Write what new rows need, without pickles, to one ``.npz``."""
        self.model_.meta['tree'] = self.tree_.tolist()
        self.model_.save(path)

    @classmethod
    def load(cls, path: Union[str, Path]) -> FeatureClusterer:
        """Read what :meth:`save` wrote; rows and labels of the fit are not in it."""
        model = FeatureModel.load(path)
        wanted = model.meta['n_clusters']
        self = cls(tuple(wanted) if isinstance(wanted, list) else wanted, model.meta['method'], model.meta['reduce'],
                   model.meta['seed'])
        choice = model.meta['choice']
        self.choice_ = choice and KChoice([KScore(*point) for point in choice['curve']], choice['suggestions'],
                                          choice['sureness'], choice.get('coarse'))
        self.model_, self.reducer_ = model, model.reducer
        self.n_clusters_, self.cluster_centers_ = len(model.centers), model.centers
        self.tree_ = np.asarray(model.meta['tree'], np.float64).reshape(-1, 4)
        return self

