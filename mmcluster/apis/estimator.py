"""Deep clustering of images as a scikit-learn estimator."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from mmcluster.utils import counted_as

from .assigning import absolute_spec, check_digest
from .features_clusterer import Clusters, FeatureClusterer
from .inputs import NOTHING, PATH, Inputs, embed_inputs, is_features


class ImageClusterer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """Clusters images by features of a frozen network.

    Everything that takes images takes a folder, paths, PIL images, an array (N, H, W, C), or (N, H, W) of uint8, a list
    of such images, or features (N, D) that were computed elsewhere.

    Args:
        n_clusters: K, ``'auto'`` or a range (low, high) to choose it from.
        method: ``'auto'`` (``'spectral'``, but ``'kmeans'`` for few or very many images), ``'kmeans'``, ``'scan'``,
            ``'temi'``, ``'turtle'``, ``'spectral'``, ``'agglomerative'`` or ``'hdbscan'``.
        reduce: Dimensions that are whitened; ``'auto'`` follows the number of images, ``None`` keeps the features.
        encoder: What :func:`mmcluster.encoders.build_encoder` takes, or an encoder.
        device: Where the encoder computes; an accelerator if there is one.
        workers: Processes that decode files.
        store: Folder in which features of files are kept; the user's cache by default.
        random_state: Seed; a whole number gives the same clusters again.

    Attributes:
        labels_: (N,) int64, clusters by descending size; -1 for none (HDBSCAN) and for files that cannot be read.
        cluster_centers_: (K, d), in the space of :meth:`transform`.
        n_clusters_: K.
        n_features_in_: D.
        paths_: N paths, where images came from files.
        clusterer_: The fitted :class:`~mmcluster.apis.features_clusterer.FeatureClusterer`; its ``choice_`` holds the
            curve over K, its ``assignment_`` confidence, second choice, margin, distance and outlier score.
    """

    _built: Any = None
    _known: dict[str, Any] = {}     # what tells the encoder of the fit from others; nothing after one on features

    def __init__(self, n_clusters: Clusters = 'auto', method: str = 'auto', reduce: Union[int, str, None] = 'auto',
                 encoder: Any = 'default', device: Optional[str] = None, workers: Optional[int] = None,
                 store: Optional[str] = None, random_state: Any = 0):
        self.n_clusters = n_clusters
        self.method = method
        self.reduce = reduce
        self.encoder = encoder
        self.device = device
        self.workers = workers
        self.store = store
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> ImageClusterer:
        """Cluster images.

        Args:
            X: N images, see the class.
            y: Not used.
        """
        self._known = {}
        found = self._read(X, reset=True)
        if len(found.rows) < 2:
            raise ValueError(f'{len(found.rows)} of {counted_as(found.count, "image")} can be read, and clustering '
                             'needs two or more: give more of them')
        seed = self.random_state
        if not isinstance(seed, (int, np.integer)):
            seed = int(check_random_state(seed).randint(2 ** 31 - 1))
        self.clusterer_ = FeatureClusterer(self.n_clusters, self.method, self.reduce, int(seed)).fit(found.x)
        self.labels_ = np.full(found.count, -1)
        self.labels_[found.rows] = self.clusterer_.labels_
        self.cluster_centers_, self.n_clusters_ = self.clusterer_.cluster_centers_, self.clusterer_.n_clusters_
        if found.paths is not None:
            self.paths_ = found.paths
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Most probable cluster (N,) of images; -1 for files that cannot be read."""
        return self._apply(X, self._fitted().predict, -1)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability (N, K) of every cluster; zeros for files that cannot be read."""
        return self._apply(X, self._fitted().predict_proba, 0)

    def transform(self, X: Any) -> np.ndarray:
        """Reduced features (N, d), in the space of the centres; NaN for files that cannot be read."""
        return self._apply(X, self._fitted().transform, np.nan)

    def save(self, path: Union[str, Path]) -> None:
        """Write what new images need to one ``.npz``, without pickles."""
        clusterer = self._fitted()
        clusterer.model_.meta['encoder'] = self._known or dict(spec=self._spec())
        clusterer.save(path)

    @classmethod
    def load(cls, path: Union[str, Path]) -> ImageClusterer:
        """Read what :meth:`save` wrote; the labels of the images of the fit are not in it."""
        clusterer = FeatureClusterer.load(path)
        known = clusterer.model_.meta.get('encoder', {})
        self = cls(clusterer.n_clusters, clusterer.method, clusterer.reduce, known.get('spec', 'default'),
                   random_state=clusterer.seed)
        self._known = known if 'digest' in known else {}
        self.clusterer_, self.n_clusters_ = clusterer, clusterer.n_clusters_
        self.cluster_centers_, self.n_features_in_ = clusterer.cluster_centers_, len(clusterer.reducer_.mean_)
        return self

    @property
    def _n_features_out(self) -> int:
        """Width of :meth:`transform`, which names its columns."""
        return self.cluster_centers_.shape[1]

    def _fitted(self) -> FeatureClusterer:
        """The clusterer of the fit."""
        check_is_fitted(self, 'clusterer_')
        return self.clusterer_

    def _read(self, X: Any, reset: bool) -> Inputs:
        """Features of what was given."""
        if not is_features(X):
            found = embed_inputs(X, self._encoder(reset), self.store, self.workers)
            if reset:
                self.n_features_in_ = found.x.shape[1]
            elif len(found.x):
                validate_data(self, found.x, reset=False)
            return found
        if isinstance(X, (list, tuple)) and not X:
            raise ValueError(NOTHING)
        x = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32, np.float16],
                          ensure_min_samples=2 if reset else 1)
        return Inputs(x, np.arange(len(x)), len(x), None)

    def _encoder(self, reset: bool) -> Any:
        """The encoder; outside of a fit it is built once, and must be the one of the fit."""
        given = self.encoder, self.device
        if not reset and getattr(self, '_asked', None) == given:
            return self._built
        from mmcluster.encoders import build_encoder
        built = build_encoder(os.fspath(self.encoder), self.device) if isinstance(self.encoder, PATH) else self.encoder
        spec, known = self._spec(), {} if reset else self._known
        if known:
            check_digest(built, spec, known, 'model', 'set_params(encoder=...) brings those, or fit again')
        if known or (reset and hasattr(built, 'digest')):
            self._known = dict(spec=spec, name=built.name, digest=built.digest)
        self._built, self._asked = built, given
        return built

    def _spec(self) -> str:
        """What finds the encoder from every folder."""
        return absolute_spec(os.fspath(self.encoder) if isinstance(self.encoder, PATH) else self.encoder.spec)

    def __getstate__(self) -> dict[str, Any]:
        """All but the network, which is built again."""
        return {name: value for name, value in super().__getstate__().items() if name not in ('_built', '_asked')}

    def _apply(self, X: Any, function: Any, missing: float) -> np.ndarray:
        """Rows of a function of features, ``missing`` where a file cannot be read."""
        found = self._read(X, reset=False)
        # what no file can be read of has no rows, but width and type of those that have
        values = function(found.x) if len(found.x) else function(np.zeros((1, self.n_features_in_), np.float32))[:0]
        out = np.full((found.count, *values.shape[1:]), missing, values.dtype)
        out[found.rows] = values
        return out

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ['float64', 'float32']
        return tags
