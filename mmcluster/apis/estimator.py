"""Deep clustering of images as a scikit-learn estimator."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .features_clusterer import Clusters, FeatureClusterer
from .inputs import Inputs, embed_inputs, is_features


class ImageClusterer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """Clusters images by features of a frozen network.

    Everything that takes images takes a folder, a list of paths or of PIL images, an array (N, H, W, C), or features
    (N, D) that were computed elsewhere.

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
        found = self._read(X, reset=True)
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
        spec = self.encoder if isinstance(self.encoder, str) else self.encoder.spec
        clusterer.model_.meta['encoder'] = dict(spec=spec)
        clusterer.save(path)

    @classmethod
    def load(cls, path: Union[str, Path]) -> ImageClusterer:
        """Read what :meth:`save` wrote; the labels of the images of the fit are not in it."""
        clusterer = FeatureClusterer.load(path)
        spec = clusterer.model_.meta.get('encoder', {}).get('spec', 'default')
        self = cls(clusterer.n_clusters, clusterer.method, clusterer.reduce, spec, random_state=clusterer.seed)
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
            from mmcluster.encoders import build_encoder
            encoder = build_encoder(self.encoder, self.device) if isinstance(self.encoder, str) else self.encoder
            found = embed_inputs(X, encoder, self.store, self.workers)
            if reset:
                self.n_features_in_ = found.x.shape[1]
                return found
            validate_data(self, found.x, reset=False)
            return found
        x = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32, np.float16],
                          ensure_min_samples=2 if reset else 1)
        return Inputs(x, np.arange(len(x)), len(x), None)

    def _apply(self, X: Any, function: Any, missing: float) -> np.ndarray:
        """Rows of a function of features, ``missing`` where a file cannot be read."""
        found = self._read(X, reset=False)
        values = function(found.x)
        out = np.full((found.count, *values.shape[1:]), missing, values.dtype)
        out[found.rows] = values
        return out

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ['float64', 'float32']
        return tags
